"""Whatever text comes into a mail, it reads back as it was and nothing is injected."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.base import Attachment, Sender
from channels.email.mime import one_line
from channels.testing import outbound
from communication import clock
from tests.mails import HEADERS, built, header, mailbox, parts, plain_message, text, types

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def same_lines(left: str, right: str) -> bool:
    return re.split("\r\n|\r|\n", left.rstrip("\r\n")) == re.split(
        "\r\n|\r|\n", right.rstrip("\r\n")
    )


INJECTIONS = [
    "a\r\nBcc: victim@example.org",
    "a\nBcc: victim@example.org",
    "a\rBcc: victim@example.org",
    "a\r\n\r\n<h1>body</h1>",
    "a\0b\x0bBcc: victim@example.org",
    "å\r\nBcc: victim@example.org",
    "a\u2028Bcc: victim@example.org",
    "a\x85Bcc: victim@example.org",
    "=?utf-8?q?a=0D=0ABcc:_victim@example.org?=",
    "=?utf-8?q?=C3=A5?=",
]


@pytest.mark.parametrize("injected", INJECTIONS)
def test_no_value_becomes_a_header(injected: str) -> None:
    file = Attachment(name=injected, mime_type="text/plain", content=b"x")
    message = outbound(
        subject=injected,
        receiver_name=injected,
        sender=Sender(name=injected, email="abc@example.net"),
        attachments=(file,),
        reply_wanted=True,
    )
    mail = built(message)
    assert set(mail.keys()) <= HEADERS
    assert header(mail, "Subject") == one_line(injected)
    assert types(mail) == ["multipart/mixed", "multipart/alternative", *types(mail)[2:]]
    assert set(parts(mail)[1].keys()) == {
        "Content-Type",
        "Content-Disposition",
        "Content-Transfer-Encoding",
    }
    assert b"Bcc" not in {key.encode() for part in mail.walk() for key in part.keys()}  # noqa: SIM118


def test_runs_of_control_characters_are_one_space() -> None:
    assert one_line(" a\r\n\tb\0\0c\u2028d ") == "a b c d"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        ".",
        "a\n.\nb\n..\n",
        "From me\n",
        "trailing space \nand tab\t\n",
        "å" * 2000,
        "a" * 5000,
        "=" * 500,
        "x" * 998,
        "x" * 999,
        "mixed\r\nline\rends\n",
        "bell\a and null\0",
        "--=_mixed_x\n--=_alternative_y--\n",
        "日本語のメール\n" * 200,
        "almost ascii, but é\n" * 50,
    ],
    ids=range(16),
)
def test_a_body_reads_back_as_it_was(body: str) -> None:
    mail = built(outbound(text=body or " ", html=body or " "))
    alternative, _ = parts(mail)
    assert [same_lines(text(part), body or " ") for part in parts(alternative)] == [True, True]


@settings(max_examples=300)
@given(body=ANY_TEXT, page=ANY_TEXT, content=st.binary(max_size=300))
def test_any_body_reads_back_as_it_was(body: str, page: str, content: bytes) -> None:
    file = Attachment(name="a", mime_type="text/plain", content=content)
    mail = built(outbound(text=body or "x", html=page or "x", attachments=(file,)))
    alternative, attached = parts(mail)
    plain, html = parts(alternative)
    assert same_lines(text(plain), body or "x")
    assert same_lines(text(html), page or "x")
    assert attached.get_payload(decode=True) == content


@settings(max_examples=300)
@given(subject=ANY_TEXT, name=ANY_TEXT, file_name=ANY_TEXT)
@example(subject="<>", name="<>", file_name="<>")
def test_any_text_in_a_header_reads_back_on_one_line(
    subject: str, name: str, file_name: str
) -> None:
    file = Attachment(name=file_name, mime_type="text/plain", content=b"x")
    mail = built(plain_message(subject=subject, receiver_name=name, attachments=(file,)))
    assert set(mail.keys()) <= HEADERS
    assert squeezed([header(mail, "Subject") if "Subject" in mail else ""]) == squeezed([subject])
    shown, address = mailbox(mail, "To")
    assert address == "asa@example.org"
    assert squeezed([shown]) == squeezed([name])
    assert parts(mail)[1].get_filename() == one_line(file_name)


def squeezed(texts: Iterable[str]) -> list[str]:
    """Without white space: a reader may fold it as it likes."""
    return ["".join(one_line(one).split()) for one in texts]


def test_a_subject_of_a_million_characters_is_built_in_reasonable_time() -> None:
    began = clock.now()
    built(plain_message(subject="ö" * 1_000_000))
    assert (clock.now() - began).total_seconds() < 60
