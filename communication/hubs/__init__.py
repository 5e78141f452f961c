"""Registered listeners and their callbacks."""
