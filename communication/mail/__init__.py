"""Mail that comes back, addresses that are not written to, ways to leave a list."""
