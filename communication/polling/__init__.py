"""Pollers: subscriptions and their notifications."""
