"""Falcon: validates, stores, answers. Never renders, sends or publishes."""
