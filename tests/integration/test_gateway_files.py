"""Gateways' files of one's own: the guide's example, and mistakes."""

import re
from contextlib import closing
from pathlib import Path

import pytest

from channels.errors import OutcomeUnknown
from channels.registry import open_channel
from channels.testing import environment, outbound
from communication.errors import SettingsError
from communication.gateway.description import load_description
from tests.gateways import Reply, answer, gateway
from tests.running import REPOSITORY

GUIDE = REPOSITORY / "docs" / "sms-gateways.md"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The guide's example, as it stands there."""
    (text,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    file = tmp_path / "acme.toml"
    file.write_text(text)
    return file


def sent(file: Path, reply: Reply) -> str:
    with gateway(lambda _: reply) as server:
        place = environment(Path(), "sms")
        with closing(open_channel(server.url(f"gateway={file}"), place)) as channel:
            return channel.send(outbound(address="+46701234567", text="Hej"))


def test_the_guides_example_takes_a_yes_without_a_code(example: Path) -> None:
    assert sent(example, answer(200, {"messages": [{"id": "m-1"}]})) == "m-1"


def test_where_a_code_must_say_yes_an_answer_without_one_may_have_been_a_yes(
    example: Path,
) -> None:
    example.write_text(example.read_text().replace("# accepted", "accepted"))
    assert sent(example, answer(200, {"messages": [{"id": "m-1"}], "error": {"code": "0"}}))

    with pytest.raises(OutcomeUnknown) as caught:
        sent(example, answer(200, {"messages": [{"id": "m-1"}]}))

    assert caught.value.reason == "HTTP 200 without a code"


def test_every_mistake_is_told_by_its_field(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "Mine"\n'
        "[parameters]\n"
        'Region = "eu"\n'
        "[request]\n"
        'form = { to = "{to}" }\n'
        'json = { to = "{to}" }\n'
        "[answer]\n"
        'reference = "sid"\n'
        "[receipt]\n"
        'reference = "form:id"\n'
        'state = "form:state"\n'
        'states = { arrived = ["ok"] }\n'
    )

    with pytest.raises(SettingsError) as caught:
        load_description(str(file))

    name, *_ = faults = str(caught.value).removeprefix(f"gateway={file}: ").split("; ")
    assert name == "parameters.Region: String should match pattern '^[a-z][a-z_]*$'"
    assert "request: has either form or json" in faults
    assert "answer.reference: 'sid' must begin with one of json:, form:, header:, text:" in faults
    assert [one for one in faults if one.startswith("receipt.states.arrived: Input should be")]
    assert len(faults) == 4
