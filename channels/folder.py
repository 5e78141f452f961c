"""`folder://`: writes each message as a file, so that one sees what would be sent."""

from contextlib import suppress
from pathlib import Path
from typing import Self

import orjson

from channels.addresses import address_of
from channels.base import Environment, Outbound, Receiver, Sender
from channels.email.email_message import build_mail
from channels.email.mail_policy import MailPolicy
from channels.identifiers import plain
from communication.channel_url import ChannelUrl, Parameters
from communication.errors import TransientDeliveryError
from communication.ids import new_id

_CONCURRENCY = 4


class FolderChannel:
    """One file per delivery: the mail as SMTP would carry it, the rest as JSON.

    A repeat of a delivery overwrites its file: it isn't a second message.
    """

    def __init__(
        self,
        folder: Path,
        medium: str,
        default_sender: Sender,
        *,
        mail: MailPolicy | None = None,
        concurrency: int = _CONCURRENCY,
    ) -> None:
        self.provider = "folder://"
        self.concurrency = concurrency
        self._folder = folder / medium
        self._medium = medium
        self._default_sender = default_sender
        self._mail = mail or MailPolicy()

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        """From `folder://` (the outbox) or `folder:///absolute/path?concurrency=4`."""
        if url.host or url.user is not None:
            raise url.fault("an absolute path has three slashes: folder:///path")
        parameters = Parameters(url)
        concurrency = parameters.count("concurrency", _CONCURRENCY)
        parameters.end()
        folder = Path(url.path) if url.path.strip("/") else environment.outbox
        return cls(
            folder,
            environment.medium,
            environment.default_sender,
            mail=environment.mail,
            concurrency=concurrency,
        )

    def address(self, receiver: Receiver) -> str:
        """The receiver's address for the medium."""
        return address_of(receiver, self._medium)

    def send(self, outbound: Outbound) -> str:
        """The name of the file. TransientDeliveryError if it can't be written."""
        name, content = self._file(outbound)
        draft = self._folder / f".{new_id()}.tmp"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
            draft.replace(self._folder / name)
        except OSError as error:
            # The draft may be as unreachable as the folder.
            with suppress(OSError):
                draft.unlink()
            raise TransientDeliveryError(f"can't write to the outbox: {error.strerror}") from error
        return name

    def close(self) -> None:
        """Nothing to let go of."""

    def _file(self, outbound: Outbound) -> tuple[str, bytes]:
        name = plain(outbound.delivery_id)
        if self._medium == "email":
            return f"{name}.eml", build_mail(outbound, self._default_sender, self._mail).content
        return f"{name}.json", _as_json(outbound, self._medium)


def _as_json(outbound: Outbound, medium: str) -> bytes:
    title = {"title": outbound.subject} if medium == "push" else {}
    document = {
        "deliveryId": outbound.delivery_id,
        "to": outbound.address,
        "name": outbound.receiver_name,
        "sender": {
            "name": outbound.sender.name,
            "phoneNumber": outbound.sender.phone,
            "email": outbound.sender.email,
        },
        **title,
        "text": outbound.text,
        "priority": outbound.priority,
        "replyWanted": outbound.reply_wanted,
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
