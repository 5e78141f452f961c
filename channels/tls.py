"""Whose certificates are trusted, by a channel URL's `cafile` and `verify`."""

import ssl

from channels.url import ChannelUrl, Parameters


def tls_context(url: ChannelUrl, parameters: Parameters) -> ssl.SSLContext:
    """From `cafile=/path` (whom to trust, in place of the system) and `verify=no`."""
    cafile = parameters.text("cafile", "") or None
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:
        raise url.fault(f"cafile={cafile} can't be used: {error.strerror or error}") from error
    if not parameters.flag("verify", default=True):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
