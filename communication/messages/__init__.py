"""Messages: stored, sent, changed, ended."""
