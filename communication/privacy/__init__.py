"""Personal data and secrets: sealed, hidden, erased."""
