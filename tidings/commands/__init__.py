"""Commands of `tidings`."""
