r"""What the MJML compiler does to attributes, undone.

mrml writes most attributes' values in Rust's notation for strings: \u{a0} for a no-break space,
\n for a line end, two backslashes for one. Mail programs would show that, and marks in
addresses would not be found again.
"""

import re

_TAG = re.compile(r'<[a-zA-Z](?:[^>"]|"(?:[^"\\]|\\.)*")*>', re.DOTALL)
_ATTRIBUTE = re.compile(r'\s(?!style=|class=)[\w:-]+="(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]{1,6})\}|(.))")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "0": "", '"': "&quot;"}


def restored(markup: str) -> str:
    """Compiled MJML with its attributes' values as they were written."""
    if "\\" not in markup:
        return markup
    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(_unescaped, tag[0]), markup)


def _unescaped(attribute: re.Match[str]) -> str:
    return _ESCAPE.sub(
        lambda escape: chr(int(escape[1], 16)) if escape[1] else _PLAIN.get(escape[2], escape[2]),
        attribute[0],
    )
