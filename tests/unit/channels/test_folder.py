import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from channels.base import Sender
from channels.email.email_message import build_mail
from channels.folder import FolderChannel
from channels.registry import open_channel
from channels.testing import ODD_IDS, SENDER, environment, outbound
from communication.errors import TransientDeliveryError

Open = Callable[[str], FolderChannel]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    return lambda medium: FolderChannel(tmp_path, medium, SENDER)


def without_date(mail: bytes) -> bytes:
    return re.sub(rb"^Date: [^\r]*\r\n", b"", mail)


def test_an_email_is_the_very_bytes_that_smtp_would_send(opened: Open, tmp_path: Path) -> None:
    reference = opened("email").send(outbound(delivery_id="id-1-0"))
    assert reference == "id-1-0.eml"
    written = (tmp_path / "email" / reference).read_bytes()
    built = build_mail(outbound(delivery_id="id-1-0"), SENDER).content
    assert without_date(written) == without_date(built)


def test_an_sms_is_json(opened: Open, tmp_path: Path) -> None:
    message = outbound(
        delivery_id="id-1-0", address="+46701234567", sender=Sender(phone="10086"), priority=1
    )
    assert opened("sms").send(message) == "id-1-0.json"
    assert json.loads((tmp_path / "sms" / "id-1-0.json").read_text()) == {
        "deliveryId": "id-1-0",
        "to": "+46701234567",
        "name": "Åsa Öberg",
        "sender": {"name": None, "phoneNumber": "10086", "email": None},
        "text": message.text,
        "priority": 1,
        "replyWanted": False,
    }


def test_a_push_message_has_a_title(opened: Open, tmp_path: Path) -> None:
    opened("push").send(outbound(delivery_id="id", address="device-1"))
    document = json.loads((tmp_path / "push" / "id.json").read_text())
    assert (document["to"], document["title"]) == ("device-1", "Din beställning")


def test_a_repeat_overwrites_its_file(opened: Open, tmp_path: Path) -> None:
    opened("sms").send(outbound(text="first"))
    opened("sms").send(outbound(text="second"))
    (file,) = (tmp_path / "sms").iterdir()
    assert json.loads(file.read_text())["text"] == "second"


def test_odd_ids_stay_in_the_folder_and_apart_from_one_another(
    opened: Open, tmp_path: Path
) -> None:
    channel = opened("sms")
    names = {channel.send(outbound(delivery_id=odd)) for odd in ODD_IDS}
    files = {path.name for path in (tmp_path / "sms").iterdir()}
    assert files == names
    assert len(names) == len(ODD_IDS)
    assert not any(name.startswith(".") for name in names)
    assert [path.name for path in tmp_path.iterdir()] == ["sms"]


def test_a_file_is_never_seen_half_written(opened: Open, tmp_path: Path) -> None:
    channel = opened("sms")
    text = "x" * 200_000
    channel.send(outbound(text=text))
    file = next((tmp_path / "sms").glob("*.json"))
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [channel.send(outbound(text=text)) for _ in range(50)])
        while not writing.done():
            assert json.loads(file.read_text())["text"] == text


def test_a_folder_that_was_removed_is_made_again(opened: Open, tmp_path: Path) -> None:
    channel = opened("sms")
    file = tmp_path / "sms" / channel.send(outbound())
    file.unlink()
    file.parent.rmdir()
    channel.send(outbound())
    assert file.exists()


def test_a_folder_that_cannot_be_written_is_transient(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "sms").write_text("a file where the folder should be")
    with pytest.raises(TransientDeliveryError, match="can't write to the outbox"):
        opened("sms").send(outbound())


def test_the_url_may_name_another_folder(tmp_path: Path) -> None:
    other = tmp_path / "else where"
    channel = open_channel(f"folder://{tmp_path}/else%20where", environment(tmp_path / "outbox"))
    channel.send(outbound(delivery_id="id"))
    assert (other / "email" / "id.eml").exists()
