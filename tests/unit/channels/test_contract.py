from pathlib import Path

import pytest

from channels.base import Channel
from channels.registry import open_channels
from channels.testing import ChannelContract, environment


@pytest.mark.parametrize("medium", ["email", "sms", "push"])
class _EachMedium(ChannelContract):
    urls: str

    @pytest.fixture
    def channel(self, tmp_path: Path, medium: str) -> Channel:
        return open_channels(self.urls, environment(tmp_path, medium))


class TestFolder(_EachMedium):
    urls = "folder://"


class TestNull(_EachMedium):
    urls = "null://?latency=1ms"


class TestFailover(_EachMedium):
    urls = "null://?fail=1,folder://"
