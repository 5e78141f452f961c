"""Signed mails before a verifier that no one here wrote: opendkim."""

import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from channels.base import Outbound, Sender
from channels.email.email_message import build_mail
from channels.email.mail_policy import MailPolicy, open_mail_policy
from channels.testing import SENDER, outbound
from communication.errors import SettingsError
from communication.settings import Settings

PRIVATE = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
UNSUBSCRIBE = "https://example.org/leave?who=4711"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two keys, and the records that publish them."""
    place = tmp_path_factory.mktemp("dkim")
    rsa, ed25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
    (place / "rsa.pem").write_bytes(rsa.private_bytes(*PRIVATE))
    (place / "ed25519.pem").write_bytes(ed25519.private_bytes(*PRIVATE))
    records = {"r": _record(rsa), "e": _record(ed25519)}
    lines = [f"{name}._domainkey.example.com {record}" for name, record in records.items()]
    (place / "keys").write_text("\n".join(lines) + "\n")
    (place / "opendkim.conf").write_text(f"Mode v\nTestPublicKeys {place}/keys\n")
    return place


def _record(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    public = key.public_key()
    if isinstance(key, RSAPrivateKey):
        data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={b64encode(data).decode()}"
    data = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; p={b64encode(data).decode()}"


@pytest.fixture(scope="module", params=["r", "e", "r,e"])
def policy(request: pytest.FixtureRequest, folder: Path) -> MailPolicy:
    selectors: str = request.param
    files = {"r": f"{folder}/rsa.pem", "e": f"{folder}/ed25519.pem"}
    key = ",".join(files[selector] for selector in selectors.split(","))
    settings = Settings(
        dkim_key=key, dkim_selector=selectors, email_sender="Tidings <t@Example.com>"
    )
    return open_mail_policy(settings)


@pytest.fixture(scope="module")
def verify(folder: Path) -> Callable[[bytes], str]:
    def verified(content: bytes) -> str:
        (folder / "mail").write_bytes(content)
        command = ["/usr/sbin/opendkim", "-x", f"{folder}/opendkim.conf", "-t", f"{folder}/mail"]
        asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        return asked.stdout + asked.stderr

    return verified


@pytest.mark.parametrize(
    "message",
    [
        outbound(unsubscribe_url=UNSUBSCRIBE),
        outbound(text="", html=None, attachments=()),
        outbound(text="two  spaces, a\ttab \n \n\nand an end\n\n\n", html=None, attachments=()),
        outbound(subject="long " * 150, receiver_name="Åsa  Öberg\t" * 8),
        outbound(text="x" * 3000, html="<pre>  \t x </pre>" * 200),
        outbound(address="åsa@räksmörgås.se", reply_wanted=True, priority=0),
        outbound(subject=None, sender=Sender(name='A "B" <c@d>', email="a@b.example")),
    ],
    ids=range(7),
)
def test_the_verifier_believes_every_mail(
    message: Outbound, policy: MailPolicy, verify: Callable[[bytes], str]
) -> None:
    assert "succeeded" in verify(build_mail(message, SENDER, policy).content)


def test_relays_that_wrap_lines_and_squeeze_spaces_break_nothing(
    policy: MailPolicy, verify: Callable[[bytes], str]
) -> None:
    message = outbound(text="two  spaces\n", html=None, attachments=(), subject="Hello  you")
    content = build_mail(message, SENDER, policy).content
    relayed = content.replace(b"Subject: Hello  you", b"subject:Hello\r\n\tyou ")
    relayed = b"Received: from a by b\r\n" + relayed.replace(b"two  spaces", b"two spaces  ")
    assert relayed != content
    assert "succeeded" in verify(relayed + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: Hello", b"Subject: Hullo"),
        (b"who=4711", b"who=4712"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
        (b"Dear", b"Deer"),
        (b"From: ", b"From: other@example.com\r\nFrom: "),
        (b"Subject: ", b"Subject: other\r\nSubject: "),
        (b"MIME-Version: ", b"Reply-To: other@example.org\r\nMIME-Version: "),
    ],
)
def test_whoever_changes_a_mail_breaks_its_signature(
    old: bytes, new: bytes, policy: MailPolicy, verify: Callable[[bytes], str]
) -> None:
    message = outbound(
        subject="Hello", text="Dear Ann", html=None, attachments=(), unsubscribe_url=UNSUBSCRIBE
    )
    content = build_mail(message, SENDER, policy).content
    assert content.count(old) == 1
    assert "succeeded" not in verify(content.replace(old, new))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"dkim_key": "a.pem"}, "TIDINGS_DKIM_SELECTOR: needs as many names"),
        ({"dkim_key": "/no/such.pem", "dkim_selector": "s"}, "TIDINGS_DKIM_KEY: /no/such.pem: No"),
        ({"dkim_key": __file__, "dkim_selector": "s"}, "is no PEM file"),
        ({"dkim_key": "{ec}", "dkim_selector": "s"}, "is neither an RSA nor an Ed25519 key"),
        ({"dkim_key": "{ec}", "dkim_selector": "a b"}, "TIDINGS_DKIM_SELECTOR: 'a b'"),
        ({"dkim_key": "{ec}", "dkim_selector": "s", "dkim_domain": "b;c"}, "TIDINGS_DKIM_DOMAIN"),
        ({"bounce_address": "nobody"}, "TIDINGS_BOUNCE_ADDRESS: must be an email address"),
        ({"bounce_address": f"{'a' * 17}@b.org"}, "TIDINGS_BOUNCE_ADDRESS: at most 16"),
        ({"bounce_address": "a@b.org", "bounce_secret": "short"}, "TIDINGS_BOUNCE_SECRET"),
    ],
)
def test_settings_that_cannot_be_used_are_explained(
    settings: dict[str, str], says: str, tmp_path: Path
) -> None:
    file = tmp_path / "ec.pem"
    file.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(*PRIVATE))
    given = {name: value.replace("{ec}", str(file)) for name, value in settings.items()}
    with pytest.raises(SettingsError) as caught:
        open_mail_policy(Settings.model_validate(given))
    assert says in str(caught.value)
