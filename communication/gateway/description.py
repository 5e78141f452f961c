"""How an HTTP gateway is spoken to: a TOML file (docs/sms-gateways.md)."""

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from communication.errors import SettingsError
from communication.gateway.fields import Place
from communication.receipts.receipt import ReceiptState

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
KNOWN = (
    "to",
    "to_digits",
    "from",
    "text",
    "id",
    "encoding",
    "priority",
    "receipt_url",
    "user",
    "password",
)
"""What may stand in braces in a request, beside the file's own parameters."""
RESERVED = (
    "gateway",
    "from",
    "receipts",
    "concurrency",
    "timeout",
    "cafile",
    "rate",
    "burst",
    "slow",
    "breaker",
)
"""Parameters that every gateway's URL may have."""
_SHIPPED = "communication.gateways"


def _places(value: object) -> tuple[Place, ...]:
    listed = value if isinstance(value, list) else [value]
    texts = [one for one in listed if isinstance(one, str)]
    if len(texts) < len(listed):
        raise ValueError("must be a place such as json:sid, or a list of places")
    return tuple(Place.parse(one) for one in texts)


Places = Annotated[tuple[Place, ...], BeforeValidator(_places)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class RequestTable(_Table):
    """What is sent for each message.

    Values have placeholders; fields that come out empty are left out.
    """

    method: Literal["POST", "PUT", "GET"] = "POST"
    path: str = ""
    auth: Literal["basic", "bearer", "none"] = "basic"
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    form: dict[str, str] | None = None
    json_body: Any = Field(None, alias="json")

    @model_validator(mode="after")
    def _one_body(self) -> "RequestTable":
        if self.form is not None and self.json_body is not None:
            raise ValueError("has either form or json")
        return self

    def texts(self) -> Iterator[str]:
        """Every text that may have placeholders."""
        yield self.path
        for table in (self.headers, self.query, self.form or {}):
            yield from table.values()
        yield from _texts_in(self.json_body)


class AnswerTable(_Table):
    """What an answer means. A status or code in no list goes by what HTTP says of the status."""

    reference: Places
    code: Places = ()
    reason: Places = ()
    accepted: list[str] = []
    """Codes that say yes, where a 2xx may also say no: then each answer must have one."""
    permanent: list[str | int] = []
    """Codes and statuses by which the message, or its receiver, is refused for good."""
    transient: list[str | int] = []
    busy: list[str | int] = []
    """By which the gateway wants fewer messages; a 429 does without standing here."""
    account: list[str | int] = []
    """By which we are refused: a wrong password, no credit, a sender that is not ours."""


class ReceiptTable(_Table):
    """How the gateway's webhook tells what became of a message."""

    reference: Places
    state: Places
    reason: Places = ()
    at: Places = ()
    each: str | None = None
    """JSON path of the list, where one request tells of several; "" is the body itself."""
    states: dict[ReceiptState, list[str]]
    signature: Literal["twilio"] | None = None


class Description(_Table):
    """A gateway's file."""

    name: str
    parameters: dict[Annotated[str, Field(pattern="^[a-z][a-z_]*$")], str] = {}
    """The file's own, with their defaults, in which other placeholders may stand."""
    encoding: dict[Literal["GSM-7", "UCS-2"], str] = {}
    """What {encoding} is for either."""
    request: RequestTable
    answer: AnswerTable
    receipt: ReceiptTable | None = None

    @model_validator(mode="after")
    def _placeholders_are_known(self) -> "Description":
        taken = [name for name in self.parameters if name in (*KNOWN, *RESERVED)]
        if taken:
            raise ValueError(f"a parameter can't be called {taken[0]}")
        known = {*KNOWN, *self.parameters}
        for text in (*self.request.texts(), *self.parameters.values()):
            for name in PLACEHOLDER.findall(text):
                if name not in known:
                    raise ValueError(f"{{{name}}} is none of {', '.join(sorted(known))}")
        return self


def shipped() -> list[str]:
    """The names of the files that come with Tidings."""
    return sorted(
        one.name.removesuffix(".toml")
        for one in files(_SHIPPED).iterdir()
        if one.name.endswith(".toml")
    )


def load_description(name: str) -> Description:
    """A shipped file by its name, or any by its path, which ends in `.toml`.

    SettingsError says what is wrong with it.
    """
    try:
        return Description.model_validate(tomllib.loads(_read(name)))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"gateway={name}: no valid TOML: {error}") from error
    except ValidationError as error:
        raise SettingsError(f"gateway={name}: {'; '.join(_faults(error))}") from error


def _read(name: str) -> str:
    if not name.endswith(".toml"):
        if name not in shipped():
            known = ", ".join(shipped())
            raise SettingsError(f"gateway={name}: none of {known}, nor the path of a .toml file")
        return (files(_SHIPPED) / f"{name}.toml").read_text("utf-8")
    try:
        return Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError(f"gateway={name}: can't be read: {why}") from error


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        where = ".".join(str(one) for one in fault["loc"] if one != "[key]")
        message = fault["msg"].removeprefix("Value error, ")
        yield f"{where}: {message}" if where else message


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts_in(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts_in(one)
