"""Plug-ins: each hands one rendered message to one provider."""
