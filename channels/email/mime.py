"""MIME on the wire (RFC 2045-2047, 2183, 2231), written straight to bytes.

The standard library's EmailMessage builds 1,400 small multipart mails a second and its older
classes 4,700; a mail is a few headers and encoded bodies, so it is put together here.
Encoded words, quoted-printable and base64 are the standard library's.
"""

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterable, Sequence
from email.header import Header
from urllib.parse import quote

from channels.base import Attachment

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST_PLAIN = 400
_LONGEST_LINE = 998
_FOLDED = 72
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_SPECIALS = re.compile(r'(["\\])')
_TYPE = re.compile(
    r"(?!message/|multipart/)[a-z0-9!#$&^.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,127}"
    r"(?:; ?[a-z0-9-]{1,32}=[a-z0-9._-]{1,64})?",
    re.IGNORECASE,
)
_LONGEST_PARAMETER = 78
_SECTION = re.compile("(?:%..|.){1,60}")
_NEWLINES = re.compile(r"\r\n|\r|\n")
_PLAIN_BODY = re.compile(rb"[\t\r\n\x20-\x7e]*")
_PRINTABLE = bytes([9, 10, 13, *range(0x20, 0x7F)])
# Quoted-printable takes 3 octets for each that it must encode, base64 4 for every 3.
_QP_SHARE = 6

BOUNDARY_MARK = "=_"
"""Begins every boundary, and can't occur in an encoded body: no body ends a part early."""


def one_line(text: str) -> str:
    """The text with each run of control characters and newlines as one space."""
    return _CONTROLS.sub(" ", text).strip()


def header(name: str, value: str) -> str:
    """A header line of free text, as encoded words (RFC 2047) where plain text won't do."""
    text = one_line(value)
    if _is_plain(text):
        return f"{name}: {text}\r\n"
    return f"{name}: {_encoded_words(text, name)}\r\n"


def mailbox_header(name: str, display_name: str | None, address: str) -> str:
    """A header line with one mailbox; the address is a valid one."""
    phrase = _phrase(one_line(display_name or ""), name)
    if not phrase:
        return f"{name}: {address}\r\n"
    gap = " " if len(name) + len(phrase) + len(address) < _FOLDED else "\r\n "
    return f"{name}: {phrase}{gap}<{address}>\r\n"


def text_part(subtype: str, text: str) -> bytes:
    """A `text/<subtype>` part with its headers, in the transfer encoding that fits."""
    data = _NEWLINES.sub("\r\n", text).encode("utf-8", "replace")
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    encoding, body = _encoded(data)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\n"
    return _part(f"{head}Content-Transfer-Encoding: {encoding}\r\n", body)


def attachment_part(attachment: Attachment) -> bytes:
    """An attachment with its headers, in base64.

    A type that is none, or that must not be encoded (RFC 2046), goes as octets.
    """
    whole = attachment.mime_type.strip()
    bare = whole.partition(";")[0].rstrip()
    usable = (one for one in (whole, bare) if _TYPE.fullmatch(one))
    mime_type = next(usable, "application/octet-stream")
    disposition = f"attachment{_parameter('filename', one_line(attachment.name))}"
    head = (
        f"Content-Type: {mime_type}\r\n"
        f"Content-Disposition: {disposition}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
    )
    return _part(head, _base64(attachment.content))


def multipart(subtype: str, parts: Iterable[bytes], seed: str) -> bytes:
    """Parts as one `multipart/<subtype>` part; `seed` is unique to the mail."""
    boundary = f"{BOUNDARY_MARK}{subtype}_{seed}"
    delimiter = f"--{boundary}\r\n".encode("ascii")
    head = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n'
    body = b"".join(piece for part in parts for piece in (delimiter, part))
    return _part(head, body + f"--{boundary}--\r\n".encode("ascii"))


def _part(head: str, body: bytes) -> bytes:
    return b"%b\r\n%b" % (head.encode("ascii"), body)


def _encoded(data: bytes) -> tuple[str, bytes]:
    if _fits_as_it_is(data):
        return "7bit", data
    odd = len(data.translate(None, _PRINTABLE))
    if odd * _QP_SHARE > len(data):
        return "base64", _base64(data)
    return "quoted-printable", b2a_qp(data)


def _fits_as_it_is(data: bytes) -> bool:
    return (
        _PLAIN_BODY.fullmatch(data) is not None
        and BOUNDARY_MARK.encode() not in data
        and max(map(len, data.split(b"\r\n"))) <= _LONGEST_LINE
    )


def _base64(data: bytes) -> bytes:
    view = memoryview(data)
    lines: Sequence[bytes] = [
        b2a_base64(view[start : start + 57], newline=False) for start in range(0, len(data), 57)
    ]
    return b"\r\n".join(lines) + b"\r\n"


def _is_plain(text: str) -> bool:
    """Whether it reads back as it is: no character, length or look of an encoded word forbids."""
    return text.isascii() and len(text) <= _LONGEST_PLAIN and "=?" not in text


def _encoded_words(text: str, header_name: str) -> str:
    safe = text.encode("utf-8", "replace").decode("utf-8")
    return Header(safe, "utf-8", header_name=header_name).encode(linesep="\r\n")


def _phrase(name: str, header_name: str) -> str:
    if not _is_plain(name):
        return _encoded_words(name, header_name)
    return name if _ATOMS.fullmatch(name) else '"' + _SPECIALS.sub(r"\\\1", name) + '"'


def _parameter(name: str, value: str) -> str:
    """`; name="value"`, or where that won't do RFC 2231's encoded form in sections."""
    # Readers take <…> for a quotation too, and decode encoded words where none may be.
    plain = value.isascii() and not value.startswith("<") and "=?" not in value
    if plain and len(value) <= _LONGEST_PARAMETER:
        return f';\r\n {name}="' + _SPECIALS.sub(r"\\\1", value) + '"'
    encoded = quote(value, safe="", errors="replace")
    if len(encoded) <= _LONGEST_PARAMETER:
        return f";\r\n {name}*=utf-8''{encoded}"
    first, *rest = _SECTION.findall(encoded)
    sections = [f";\r\n {name}*0*=utf-8''{first}"]
    sections += [f";\r\n {name}*{n}*={section}" for n, section in enumerate(rest, 1)]
    return "".join(sections)
