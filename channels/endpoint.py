"""What channel URLs say of the server to connect to: its host, and how TLS trusts it."""

import ssl

from channels.url import ChannelUrl, Parameters


def host_of(url: ChannelUrl) -> str:
    """The URL's host. SettingsError if it is missing or can't be a name."""
    try:
        if url.host and url.host.encode("idna"):
            return url.host
    except UnicodeError as error:
        raise url.fault("the host is no valid name") from error
    raise url.fault("a host is missing")


def in_url(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


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
