"""/receipt/{channel}: what HTTP gateways tell of messages that they took (docs/receipts.md)."""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qsl

from falcon import Request, Response

from api.body import read_raw
from communication.errors import (
    InvalidBody,
    InvalidCredentials,
    MissingCredentials,
    NotFound,
)
from communication.gateway.fields import Said
from communication.gateway.gateway import Gateway, receiving_gateways
from communication.gateway.receipts import is_signed, read_receipts, with_secret
from communication.lanes import CHANNELS
from communication.receipts.recording import record
from communication.settings import Settings
from communication.store import Store

_LARGEST = 256 * 1024
"""Bytes of a webhook's body."""

_Pairs = list[tuple[str, str]]


class Receipts:
    """The webhook of every gateway of a channel: the secret in its URL says whose it is."""

    scopes: ClassVar[Mapping[str, str]] = {}

    def __init__(self, store: Store, settings: Settings) -> None:
        """SettingsError for a gateway that can't be used."""
        self._store = store
        self._public_url = settings.public_url
        self._gateways = {medium: receiving_gateways(settings, medium) for medium in CHANNELS}

    def on_post(self, req: Request, resp: Response, channel: str) -> None:
        """200 when the receipts are committed."""
        body = read_raw(req, max_body=_LARGEST)
        query, form = _pairs(req.query_string), _form(req, body)
        gateway = self._gateway(channel, dict(query).get("key"))
        headers = {name.lower(): value for name, value in req.headers.items()}
        said = Said(body=body, headers=headers, form=dict(query + form))
        if not is_signed(gateway, said, gateway.receipt_url(self._public_url, channel), form):
            raise InvalidCredentials("the signature is missing or wrong")
        try:
            receipts = read_receipts(gateway, said)
        except ValueError as error:
            raise InvalidBody(f"no receipt of {gateway.description.name}: {error}") from error
        record(self._store, receipts)
        resp.data = b"{}"

    on_get = on_post

    def _gateway(self, channel: str, key: str | None) -> Gateway:
        gateways = self._gateways.get(channel)
        if not gateways:
            raise NotFound(f"no receipts come to a channel {channel!r} by webhook")
        if not key:
            raise MissingCredentials("the secret key= is missing from the URL", field="key")
        gateway = with_secret(gateways, key)
        if gateway is None:
            raise InvalidCredentials("this is no gateway's secret", field="key")
        return gateway


def _form(req: Request, body: bytes) -> _Pairs:
    is_form = (req.content_type or "").partition(";")[0].strip().lower().endswith("urlencoded")
    return _pairs(body.decode("utf-8", "replace")) if is_form else []


def _pairs(text: str) -> _Pairs:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=200)
    except ValueError as error:
        raise InvalidBody("has too many fields") from error
