"""Rendering of templates: sandboxed, and bounded in time, memory and output."""
