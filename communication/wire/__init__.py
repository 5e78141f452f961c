"""JSON that is read and written."""
