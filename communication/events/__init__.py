"""What happened, in order, and how it is told."""
