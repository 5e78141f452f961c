from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from channels import registry
from channels.base import Sender
from channels.null import NullChannel
from channels.push.to_devices import Push
from channels.registry import open_channel, open_channels
from channels.testing import environment
from communication.errors import SettingsError
from tests.push_messages import write_key_files

PLACES = {
    "apns": ("push", "sandbox{folder}/p256.pem?key=ABC123DEFG&team=DEF123GHIJ&topic=com.example"),
    "fcm": ("push", "{folder}/account.json"),
    "folder": ("email", ""),
    "http": ("sms", "localhost?gateway=46elks"),
    "https": ("sms", "localhost?gateway=46elks"),
    "ntfy": ("push", "localhost"),
    "ntfy+http": ("push", "localhost"),
    "null": ("email", ""),
    "smpp": ("sms", "user:password@localhost:1"),
    "smpps": ("sms", "user:password@localhost:1"),
    "smtp": ("email", "localhost"),
    "smtps": ("email", "localhost"),
    "smtp+starttls": ("email", "localhost"),
    "webpush": ("push", "{folder}/p256.pem?subject=mailto:ops@example.com"),
}


@pytest.mark.parametrize("scheme", registry.CHANNELS)
def test_every_scheme_of_the_table_opens(scheme: str, tmp_path: Path) -> None:
    medium, place = PLACES[scheme]
    write_key_files(tmp_path)
    url = f"{scheme}://{place.format(folder=tmp_path)}"
    channel = open_channel(url, environment(tmp_path, medium))
    assert channel.provider.startswith(scheme)
    channel.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("carrier-pigeon://loft", "unknown scheme; known are apns, fcm, folder, http"),
        ("null://?speed=9", "unknown parameter 'speed'"),
        ("null://host", "takes parameters only"),
        ("null://?latency=10s", "latency must be below 5s"),
        ("folder://relative/path", "folder:///path"),
        ("folder://?fail=0.1", "unknown parameter 'fail'"),
        ("smtp://", "a host is missing"),
        ("smtp://user@host", "needs both"),
        ("smtp://host/path", "takes no path"),
        ("smtp://host?cafile=/no/such/file", "cafile=/no/such/file can't be used"),
        ("smtp://host?ehlo=a%20b", "ehlo must be a host name"),
        ("smtp://host?timeout=0s", "at least 1ms"),
        ("smtp://host?concurrency=0", "from 1 to 1000"),
        (f"smtp://{'a' * 64}.example", "no valid name"),
        ("", "looks like smtp://"),
        ("folder://,", "looks like smtp://"),
    ],
)
def test_a_url_that_cannot_be_used_is_explained(url: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^TIDINGS_EMAIL_URL: ") as caught:
        open_channels(url, environment(tmp_path, send_timeout=5.0))
    assert says in str(caught.value)


def test_all_that_is_wrong_with_a_list_is_told_together(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        open_channels("null://?rate=1,loft://,folder://,null://?speed=9", environment(tmp_path))
    rate, scheme, parameter = str(caught.value).splitlines()
    assert rate.startswith("TIDINGS_EMAIL_URL: null://: rate=1: must be a rate")
    assert scheme.startswith("TIDINGS_EMAIL_URL: loft://: unknown scheme")
    assert parameter.startswith("TIDINGS_EMAIL_URL: null://: unknown parameter 'speed'")


def test_email_needs_a_default_sender(tmp_path: Path) -> None:
    nobody = replace(environment(tmp_path), default_sender=Sender(name="Tidings"))
    with pytest.raises(SettingsError, match="TIDINGS_EMAIL_SENDER: the default sender's email"):
        open_channels("folder://", nobody)
    assert open_channels("folder://", replace(nobody, medium="sms")).provider == "folder://"


def test_smtp_sends_email_only(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TIDINGS_SMS_URL: smtp://: sends email only"):
        open_channel("smtp://host", environment(tmp_path, "sms"))


def test_the_provider_is_the_url_without_its_secrets(tmp_path: Path) -> None:
    channel = open_channel("smtps://user:hunter2@[::1]:2465?timeout=5s", environment(tmp_path))
    assert channel.provider == "smtps://[::1]:2465"


def test_a_list_shares_the_time_of_one_send(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"latency must be below 2\.5s"):
        open_channels("folder://,null://?latency=3s", environment(tmp_path, send_timeout=5.0))


def _install(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = EntryPoint(name="pigeon", value=value, group=registry.PLUG_INS)
    monkeypatch.setattr(registry, "entry_points", lambda **_: EntryPoints([entry]))


def test_a_plug_in_serves_its_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "channels.null:NullChannel")
    channel = open_channel("pigeon://?concurrency=3", environment(tmp_path))
    assert isinstance(channel, NullChannel)
    assert channel.concurrency == 3


def test_a_plug_in_that_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, "no_such_loft:Pigeon")
    with pytest.raises(SettingsError, match=r"pigeon://: the plug-in no_such_loft:Pigeon can't"):
        open_channel("pigeon://", environment(tmp_path))


def test_push_services_are_for_their_own_platforms_alone(tmp_path: Path) -> None:
    place = environment(tmp_path, "push")
    channel = open_channels("ntfy://localhost,null://?latency=1ms", place)
    assert isinstance(channel, Push)
    channel.close()
    for url in ("apns://sandbox/key", "fcm:///file", "ntfy://localhost", "webpush:///key"):
        with pytest.raises(SettingsError, match="sends push only"):
            open_channel(url, environment(tmp_path, "email"))
