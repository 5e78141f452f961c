"""Rendered text as its medium may carry it."""

import re

_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_IN_XML = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)
_BLANK_LINES = re.compile(r"\n{3,}")
_TRAILING = re.compile(r"[ \t]+\n")


def one_line(text: str) -> str:
    """A subject or a title: every control character or line end is a space; no header follows."""
    return " ".join(_CONTROLS.sub("", _BREAKS.sub(" ", text)).split())


def plain(text: str) -> str:
    """Text of any length: no control characters but line ends and tabs, no runs of blank lines."""
    lines = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
    if " \n" in lines or "\t\n" in lines:
        lines = _TRAILING.sub("\n", lines)
    if "\n\n\n" in lines:
        lines = _BLANK_LINES.sub("\n\n", lines)
    return lines.strip()


def markup_value(text: str) -> str:
    """A value on its way into HTML: no character that HTML can't hold."""
    return _NOT_IN_XML.sub("", text)
