"""The contract's parts under the name that tests know them by."""

from channels.testing import (
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
