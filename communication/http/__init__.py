"""The one HTTP client, and where it may go."""
