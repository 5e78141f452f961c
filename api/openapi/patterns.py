"""Patterns of texts, in what ECMA 262 and Python understand alike."""

import re
from collections.abc import Iterable

_WHITE = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HOST = "|".join(
    (
        rf"({_LABEL}\.)*[A-Za-z]([A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?",
        rf"{_OCTET}(\.{_OCTET}){{3}}",
        r"\[([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\]",
        r"\[([0-9A-Fa-f]{1,4}:){1,6}:([0-9A-Fa-f]{1,4})?\]",
        r"\[:(:[0-9A-Fa-f]{1,4}){1,7}\]",
    )
)
_REST = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}))?([/?][!-\[\]-~]*)?"

INK = f"[^{_WHITE}]"
"""Not blank."""
CHARACTERISTIC = rf"[^$ {_WHITE}]|\$[^$]*\$"
"""A name that is one without a leading $, too."""
PUBLIC_ID = r"^[\p{L}0-9._\-]+$"
"""Seeds 001 and 004."""
PLAIN_ID = "^[A-Za-z0-9._-]{1,128}$"
DEVICE_ID = r"^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$"
PATH_SEGMENT = rf"^[^/\x00]*[^/\x00{_WHITE}][^/\x00]*$"
VISIBLE_ASCII = "^[!-~]+$"
EVENT_ID_IN_PATH = "^[!-.0-~]+$"
URL = rf"^[hH][tT][tT][pP][sS]?://({_HOST}){_REST}$"
HTTPS_URL = rf"^https://({_HOST}){_REST}$"
PHONE = r"^(\+|00)[1-9][0-9 ().\-/]{4,20}$|^[1-9][0-9]{2,5}$"
LOCALE = "^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$"
TEMPLATE = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"
MEDIA_TYPE = r"^[A-Za-z0-9_!#$&^.+\-]+/[A-Za-z0-9_!#$&^.+\-]+( *;[ -~]*)?$"
FILE_PATH = rf"^(?!(.*/)?\.\.(/|$))[^\\{_CONTROL}]*[^/ \\{_CONTROL}][^\\{_CONTROL}]*$"
BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
AMOUNT = r"^[0-9]{1,15}(\.[0-9]{1,9})?$"
YEARS = "^(?!9999)(19|[2-9][0-9])[0-9]{2}-"
"""Of times that can be stored: 1900 to 9998."""
FLAG = r"^ *([tT][rR][uU][eE]|[fF][aA][lL][sS][eE]) *$"
DIGIT = r"^ *\+?0{0,8}[0-9] *$"
TO_HUNDRED = r"^ *\+?0{0,6}([0-9]{1,2}|100) *$"
DECIMAL = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?$"
_NAME = "[A-Za-z@_][A-Za-z0-9@_]*"
_CONDITION = rf"{_NAME}(\.{_NAME}){{0,9}}(==?|!=|>=?|<=?)[^&%\x00]*"
HUB_QUERY = rf"^(\??{_CONDITION}(&{_CONDITION}){{0,49}})?$"


def any_case(*words: str) -> str:
    """One of the words, in any case, with spaces around it."""
    return f"^ *({'|'.join(map(_any_case, words))}) *$"


def list_of(words: Iterable[str], *, sign: str = "") -> str:
    """Any of the words, by comma, each with the sign before it or not."""
    one = f"{sign}({'|'.join(re.escape(word) for word in words)})"
    return f"^({one}(,{one})*)?$"


def _any_case(word: str) -> str:
    return "".join(
        f"[{one.lower()}{one.upper()}]" if one.isalpha() else re.escape(one) for one in word
    )
