"""Dramatiq actors and the relay: everything that happens after "accepted"."""
