"""Any channel by its URL: `TIDINGS_CHANNEL=pigeon://loft pytest --pyargs channels.testing`.

`TIDINGS_CHANNEL_MEDIUM` is `email` (the default), `sms` or `push`. It sends some hundred messages.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.base import Channel
from channels.registry import open_channels
from channels.testing import ChannelContract, environment


class TestChannel(ChannelContract):
    """The contract, over the channel that the environment names."""

    @pytest.fixture
    def channel(self, tmp_path: Path) -> Iterator[Channel]:
        """It, opened as a worker does."""
        if "TIDINGS_CHANNEL" not in os.environ:
            pytest.fail("set TIDINGS_CHANNEL to the URL of the channel to test")
        medium = os.environ.get("TIDINGS_CHANNEL_MEDIUM", "email")
        opened = open_channels(os.environ["TIDINGS_CHANNEL"], environment(tmp_path, medium))
        yield opened
        opened.close()
