"""Whether a message's template can be rendered from it: known before anything is rendered."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from communication.catalogue.snapshot import (
    TITLE_FILES,
    BrokenTemplate,
    Medium,
    Snapshot,
    TemplateNotFound,
)
from communication.errors import InvalidField, MissingField
from communication.wire.fields import Fields
from communication.wire.receiver import Addressee

_CHARACTERISTICS = "CommunicationRequestCharacteristic"


class Templates(Protocol):
    """What gives templates by name, each tenant its own."""

    def snapshot(self, name: str, tenant: str) -> Snapshot:
        """The newest good version. TemplateNotFound, BrokenTemplate."""
        ...


def check_template(
    fields: Fields,
    channel: str,
    document: Mapping[str, Any],
    receivers: Iterable[Addressee],
    find: Callable[[str], Snapshot],
) -> None:
    """MissingField or InvalidField naming the template and what it lacks, for the first lack.

    `find` gives the tenant's templates by name. TemplateNotFound, BrokenTemplate.
    """
    snapshot = _found(fields, document["template"], find)
    medium = Medium(channel)
    _check_medium(fields, snapshot, medium, document)
    given = _values(document.get(_CHARACTERISTICS))
    _check_types(snapshot, given, fields.spelled(_CHARACTERISTICS))
    lacking = _needed(snapshot, medium) - given.keys()
    for place, receiver in enumerate(receivers):
        own = (receiver.attributes or {}).get("characteristic")
        if own is None and not lacking:
            continue
        where = f"{fields.spelled('receiver')}[{place}].characteristic"
        values = _values(own)
        _check_types(snapshot, values, where)
        if open_names := sorted(lacking - values.keys()):
            where = where if own else fields.spelled(_CHARACTERISTICS)
            raise _missing(snapshot, open_names[0], where)


def _found(fields: Fields, name: str, find: Callable[[str], Snapshot]) -> Snapshot:
    try:
        return find(name)
    except TemplateNotFound:
        raise fields.invalid("template", f"there is no template {name!r}") from None
    except BrokenTemplate as error:
        raise fields.invalid("template", f"can't be used now: {error}") from None


def _check_medium(
    fields: Fields, snapshot: Snapshot, medium: Medium, document: Mapping[str, Any]
) -> None:
    locale = document.get("locale")
    if not snapshot.has(medium, locale):
        there = ", ".join(sorted(snapshot.media))
        where = f" in {locale}" if locale else ""
        raise fields.invalid(
            "template", f"{snapshot.name!r} has no text for {medium}{where}; it has {there}"
        )
    title = TITLE_FILES.get(medium)
    if title and not document.get("subject") and snapshot.path(title, locale) is None:
        raise fields.missing("subject", f"is required: template {snapshot.name!r} gives none")


def _needed(snapshot: Snapshot, medium: Medium) -> frozenset[str]:
    return snapshot.needs.get(medium, frozenset())


def _values(items: Any) -> dict[str, Any]:
    """By name, those that are not null."""
    return {one["name"]: one["value"] for one in items or () if one["value"] is not None}


def _check_types(snapshot: Snapshot, values: Mapping[str, Any], where: str) -> None:
    for name, value in values.items():
        known = snapshot.characteristics.get(name)
        if known is None:
            continue
        try:
            known.read(value)
        except ValueError as error:
            message = f"{error}, says template {snapshot.name!r}"
            raise InvalidField(message, field=f"{where}.{name}") from None


def _missing(snapshot: Snapshot, name: str, where: str) -> MissingField:
    about = snapshot.characteristics[name].description
    hint = f" ({about.rstrip('.')})" if about else ""
    return MissingField(
        f"template {snapshot.name!r} needs the characteristic {name!r}{hint}",
        field=f"{where}.{name}",
    )
