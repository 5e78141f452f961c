"""TMF630 queries."""
