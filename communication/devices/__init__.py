"""Devices of apps' users."""
