"""What the operator decides about all mails: who signs them, and where they come back to."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

from channels.email.dkim import DkimKey
from communication.errors import SettingsError
from communication.mail.bounce_address import LONGEST_LOCAL, BounceAddress
from communication.settings import Settings
from communication.wire.mailbox import mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPolicy:
    """Without keys mails are not signed; without `bounces` they come back to their sender."""

    keys: Sequence[DkimKey] = ()
    bounces: BounceAddress | None = None


def open_mail_policy(settings: Settings) -> MailPolicy:
    """As the settings have it. SettingsError names the setting and what is wrong."""
    return MailPolicy(keys=_keys(settings), bounces=open_bounce_address(settings))


def open_bounce_address(settings: Settings) -> BounceAddress | None:
    """As the settings have it; None where they name none."""
    if not settings.bounce_address:
        return None
    try:
        base = mailbox(settings.bounce_address)
    except ValueError as error:
        raise SettingsError(f"TIDINGS_BOUNCE_ADDRESS: {error}") from error
    if len(base.local) > LONGEST_LOCAL or not base.local.isascii() or '"' in base.local:
        raise SettingsError(
            f"TIDINGS_BOUNCE_ADDRESS: at most {LONGEST_LOCAL} plain characters before the @"
        )
    secrets = [one.strip() for one in settings.bounce_secret.split(",")]
    if min(map(len, secrets)) < 16:  # noqa: PLR2004
        raise SettingsError(
            "TIDINGS_BOUNCE_SECRET: TIDINGS_BOUNCE_ADDRESS needs one of at least 16 characters"
        )
    return BounceAddress(base=base, secrets=secrets)


def _keys(settings: Settings) -> list[DkimKey]:
    files = [part.strip() for part in settings.dkim_key.split(",") if part.strip()]
    selectors = [part.strip() for part in settings.dkim_selector.split(",") if part.strip()]
    if len(files) != len(selectors):
        raise SettingsError(
            "TIDINGS_DKIM_SELECTOR: needs as many names as TIDINGS_DKIM_KEY has files, "
            f"{len(files)}, not {len(selectors)}"
        )
    domain = settings.dkim_domain or parseaddr(settings.email_sender)[1].rpartition("@")[2]
    return [
        DkimKey.read(domain.lower(), selector.lower(), Path(file))
        for file, selector in zip(files, selectors, strict=True)
    ]
