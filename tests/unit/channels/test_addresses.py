import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from channels.addresses import address_of, mailbox
from channels.base import Receiver
from communication.errors import PermanentDeliveryError


@pytest.mark.parametrize(
    ("given_address", "understood"),
    [
        ("asa@example.org", "asa@example.org"),
        (" asa@Example.ORG ", "asa@example.org"),
        ("Asa.Oberg+x@example.org", "Asa.Oberg+x@example.org"),
        ("asa@localhost", "asa@localhost"),
        ("asa@räksmörgås.se", "asa@xn--rksmrgs-5wao1o.se"),
        ("asa@straße.de", "asa@xn--strae-oqa.de"),
        ("asa@例え.テスト", "asa@xn--r8jz45g.xn--zckzah"),
        ("asa@例え。テスト", "asa@xn--r8jz45g.xn--zckzah"),
        ("åsa@example.org", "åsa@example.org"),
        ("a\u030asa@example.org", "åsa@example.org"),
        ('"asa oberg"@example.org', '"asa oberg"@example.org'),
        ('"a@b"@example.org', '"a@b"@example.org'),
        ('"a..b."@docomo.example', '"a..b."@docomo.example'),
        ("asa@printer.local", "asa@printer.local"),
        ("asa@xn--rksmrgs-5wao1o.se", "asa@xn--rksmrgs-5wao1o.se"),
        ("asa@[127.0.0.1]", "asa@[127.0.0.1]"),
    ],
)
def test_an_address_is_understood(given_address: str, understood: str) -> None:
    assert str(mailbox(given_address, "receiver")) == understood


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "asa",
        "asa@",
        "@example.org",
        "asa@example..org",
        "asa..oberg@example.org",
        ".asa@example.org",
        "asa.@example.org",
        "asa@foo_bar.org",
        "asa@xn--a.org",
        "asa@example.org.",
        "as\u200ba@example.org",
        "asa@.org",
        "asa@-a.org",
        "asa@exa mple.org",
        "as a@example.org",
        "Asa <asa@example.org>",
        "asa@example.org, bo@example.org",
        "asa@bo@example.org",
        "asa@example.org>\r\nRCPT TO:<bo@example.org",
        "asa\r\n@example.org",
        '"asa\r\n"@example.org',
        "asa@example.org\0",
        f"asa@{'a' * 64}.org",
        f"{'a' * 250}@example.org",
        "asa@example.org\u2028x",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(PermanentDeliveryError) as caught:
        mailbox(address, "receiver")
    assert caught.value.reason.startswith("the receiver's email address is ")


@given(st.text())
def test_no_text_makes_an_address_that_could_break_out_of_its_line(text: str) -> None:
    for address in (text, f"{text}@example.org", f"asa@{text}", f"{text}@{text}"):
        try:
            found = str(mailbox(address, "receiver"))
        except PermanentDeliveryError:
            continue
        assert found.splitlines() == [found]
        assert "\0" not in found
        assert mailbox(found, "receiver") == mailbox(address, "receiver")


ORDINARY = st.from_regex(r"[a-z0-9.!#'*+_{~-]{1,70}@[A-Za-z0-9.-]{1,80}", fullmatch=True)


@given(ORDINARY)
def test_the_quick_way_takes_what_the_validator_takes_and_nothing_else(address: str) -> None:
    try:
        found = str(mailbox(address, "receiver"))
    except PermanentDeliveryError:
        found = ""
    checked, why = _validated(address)
    # Names of one's own network are the one thing that we take as well.
    assert found == checked or "special-use" in why


def _validated(address: str) -> tuple[str, str]:
    """As the validator has it; else "" and what is wrong."""
    try:
        found = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        return "", str(error)
    return f"{found.local_part}@{found.ascii_domain}", ""


def test_each_medium_has_its_address() -> None:
    receiver = Receiver(email="Asa@Example.org", phone="+46701234567", app_user_id="device")
    assert address_of(receiver, "email") == "Asa@example.org"
    assert address_of(receiver, "sms") == "+46701234567"
    assert address_of(receiver, "push") == "device"
