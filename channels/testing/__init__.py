"""What a channel of one's own is tested with (docs/add-a-channel.md). Needs pytest."""

import pytest

pytest.register_assert_rewrite("channels.testing.contract")

from channels.testing.contract import (  # noqa: E402 - registered before it is imported
    ODD_IDS,
    RECEIVER,
    SENDER,
    ChannelContract,
    addressed,
    environment,
    outbound,
)

__all__ = [
    "ODD_IDS",
    "RECEIVER",
    "SENDER",
    "ChannelContract",
    "addressed",
    "environment",
    "outbound",
]
