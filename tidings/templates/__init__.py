"""The content authors' tools: check, new and preview."""
