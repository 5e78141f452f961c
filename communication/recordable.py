"""What a provider said, made fit to be kept."""

LONGEST = 4_000
"""Characters of a reason, a reference or a traceback that are kept."""


def recordable(said: str) -> str:
    """What a provider said, as text that every database takes, and not endless."""
    text = said.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
