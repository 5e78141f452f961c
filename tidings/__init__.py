"""The command line, and the composition of all parts in one process."""
