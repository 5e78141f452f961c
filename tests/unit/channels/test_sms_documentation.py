"""docs/sms.md says what the code does."""

import re
from pathlib import Path

import pytest

from channels.smpp.settings import SmppSettings
from channels.smpp.status import STATUSES, Verdict
from communication.channel_url import ChannelUrl
from communication.errors import SettingsError

PAGE = (Path(__file__).parents[3] / "docs" / "sms.md").read_text()
OUTCOMES = {
    Verdict.PERMANENT: "| failed for good |",
    Verdict.TRANSIENT: "| tried again |",
    Verdict.BUSY: "| tried again after 5 s",
    Verdict.CONFIGURATION: "| tried again after a minute",
}


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_stands_in_the_row_of_its_outcome(status: int) -> None:
    name, verdict, _ = STATUSES[status]
    (row,) = [line for line in PAGE.splitlines() if f"`0x{status:02X}` {name}" in line]
    assert OUTCOMES[verdict] in row


def test_every_parameter_is_documented() -> None:
    url = ChannelUrl.parse("smpps://user:password@host?nonsense=1")
    with pytest.raises(SettingsError) as caught:
        SmppSettings.read(url, send_timeout=10, hears=True)
    known = re.findall(r"[a-z_]+", str(caught.value).partition("known are ")[2])
    table = PAGE.partition("## Parameters")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    documented = re.findall(r"`([a-z_]+)`", " ".join(first_cells))
    assert sorted(documented) == sorted(known)
