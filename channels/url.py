"""Channel URLs, which the api reads too: see communication.channel_url."""

from communication.channel_url import ChannelUrl, Parameters, split_urls

__all__ = ["ChannelUrl", "Parameters", "split_urls"]
