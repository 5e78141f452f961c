"""Lists of communicationMessage (TMF630; docs/filtering.md)."""

from collections.abc import Iterator
from typing import Any

from falcon import Request
from sqlalchemy import Connection

from api.answers import Answer
from api.context import Context
from api.edge import caller_of
from api.paging import page
from communication.encoding import to_json
from communication.messages.rows import Stored, load_documents, load_heads, load_receivers
from communication.query.conditions import selected
from communication.query.message_query import find
from communication.query.message_vocabulary import message_vocabulary
from communication.query.tmf630 import Query, parse_query_string
from communication.wire.message import APART
from communication.wire.representation import Head, message_href, represent

GROUP_DOCUMENTS = 25
GROUP_RECEIVERS = 100_000
"""A page is loaded in groups of about so many, so that large messages don't fill the memory."""
PAGE_BYTES = 32 * 1024 * 1024
"""A page ends early once it is as large as this; its `next` link goes on behind it."""


def list_messages(context: Context, req: Request) -> Answer:
    """The page that the query string asks for, whole resources unless `fields` selects."""
    vocabulary = message_vocabulary(context.settings.phone_region)
    query = parse_query_string(req.query_string, vocabulary)
    public_url = context.settings.public_url
    with context.store.read() as connection:
        href_base = message_href(public_url, "")
        found = find(connection, caller_of(req).tenant, query, href_base=href_base)
        items = list(_items(connection, found.keys, query, public_url))
    return page(req, items, offset=query.offset, limit=query.limit, total=found.total)


def wants_receivers(query: Query) -> bool:
    """Whether the answer shows receivers, which may be many."""
    return query.fields is None or any(path[0] == "receiver" for path in query.fields)


def _wants_documents(query: Query) -> bool:
    """Whether the answer shows anything of them: each may be as large as a body."""
    return query.fields is None or any(path[0] not in APART for path in query.fields)


def _items(
    connection: Connection, keys: list[int], query: Query, public_url: str
) -> Iterator[bytes]:
    size = 0
    for group in _groups(load_heads(connection, keys)):
        for stored in _load(connection, group, query):
            resource = represent(
                stored.head, stored.document, stored.receivers, public_url=public_url
            )
            item = to_json(selected(resource, query.fields) if query.fields else resource)
            size += len(item)
            yield item
            if size > PAGE_BYTES:
                return


def _groups(heads: list[Head]) -> Iterator[list[Head]]:
    group: list[Head] = []
    receivers = 0
    for head in heads:
        if group and receivers + head.receiver_count > GROUP_RECEIVERS:
            yield group
            group, receivers = [], 0
        group.append(head)
        receivers += head.receiver_count
    if group:
        yield group


def _load(connection: Connection, heads: list[Head], query: Query) -> Iterator[Stored]:
    keys = [head.key for head in heads]
    receivers = load_receivers(connection, keys) if wants_receivers(query) else {}
    for place in range(0, len(heads), GROUP_DOCUMENTS):
        some = keys[place : place + GROUP_DOCUMENTS]
        blank: dict[int, dict[str, Any]] = {key: {} for key in some}
        documents = load_documents(connection, some) if _wants_documents(query) else blank
        for head in heads[place : place + GROUP_DOCUMENTS]:
            theirs = receivers.get(head.key, [])
            yield Stored(head=head, document=documents[head.key], receivers=theirs)
