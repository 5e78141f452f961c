"""Every setting, in one place. Each is the environment variable TIDINGS_ + its name in capitals."""

import os
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from communication.channel_url import split_urls
from communication.errors import SettingsError
from communication.settings_callbacks import CallbackSettings, Seconds
from communication.settings_names import SECRETS_DIR, misspelt
from communication.settings_security import SecuritySettings
from communication.wire.phone import is_region

_USER = re.compile(r"^([^/?]*//)[^/?]*@")
_URL_MARKS = frozenset("?#%")
_PORTS = range(1, 65_536)


class Settings(SecuritySettings, CallbackSettings):
    """What an operator may set. The defaults are the embedded mode: no other server."""

    model_config = SettingsConfigDict(env_prefix="TIDINGS_", frozen=True, extra="ignore")

    bind: str = Field("127.0.0.1:8080", description="Host and port that the API listens on.")
    data: Path = Field(Path("var"), description="Folder for the database, the outbox and metrics.")
    public_url: str = Field("", description="How others reach the API; default: http:// + bind.")

    database_url: str = Field("", description="Default: SQLite in the data folder.")
    broker_url: str = Field(
        "memory://", description="`memory://` or `amqp://user:password@host/vhost`."
    )
    redis_url: str = Field("memory://", description="`memory://` or `redis://host:6379/0`.")
    queue_type: Literal["classic", "quorum"] = Field(
        "classic", description="Of RabbitMQ's queues; `quorum` on a cluster."
    )

    email_url: str = Field("folder://", description="Where email goes; primary first, by comma.")
    sms_url: str = Field("folder://", description="Where SMS goes.")
    push_url: str = Field("folder://", description="Where mobile push goes.")
    email_sender: str = Field(
        "Tidings <tidings@localhost>", description="From, where the message names no sender."
    )
    dkim_key: str = Field(
        "", description="PEM files of the keys that sign mails (RSA, Ed25519), by comma."
    )
    dkim_selector: str = Field("", description="The keys' selectors in DNS, by comma.")
    dkim_domain: str = Field(
        "", description="Domain that signs mails; default: that of the email sender."
    )
    bounce_address: str = Field(
        "",
        description="Where mails come back to, such as `bounce@example.org`: each to an address "
        "of its own, `bounce+…@example.org`; default: to their sender.",
    )
    bounce_secret: str = Field(
        "",
        repr=False,
        description="By which these addresses are proved to be ours; of several by comma the "
        "first proves, all are believed.",
    )
    suppression: bool = Field(
        default=True, description="Write no more to addresses from which mail came back for good."
    )
    attachments: Path = Field(
        Path("attachments"), description="Folder that attachment paths are inside of."
    )
    templates: Path = Field(Path("templates"), description="The content authors' folder.")
    phone_region: str = Field(
        "",
        description="Country (such as `SE`) of phone numbers without a country code; "
        "by default they are refused.",
    )
    sms_simplify: bool = Field(
        default=True,
        description="Send typographic quotes, dashes and spaces in an SMS as GSM-7 has them, "
        "where that makes it cheaper.",
    )
    locale: str = Field(
        "en",
        pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$",
        description="Language of templates' files that are in no locale's folder.",
    )
    render_processes: int = Field(
        2, ge=1, description="Processes in which each worker renders templates."
    )
    render_seconds: Seconds = Field(1, description="Longest time that one rendering may compute.")
    render_memory: int = Field(
        512, ge=64, description="Memory that rendering may use in each process, in MiB."
    )

    try_times: int = Field(3, ge=0, le=100, description="Tries again after a transient failure.")
    retry_base: Seconds = Field(5, description="Seconds before the first try again; then doubled.")
    retry_cap: Seconds = Field(3600, description="Longest wait before a try again, in seconds.")
    receipt_wait: Seconds = Field(
        86_400, description="Seconds that a provider's receipt is waited for."
    )
    lease: Seconds = Field(30, description="Seconds for which claimed work belongs to its worker.")
    batch: int = Field(100, ge=1, le=1000, description="Most deliveries in one broker message.")
    window: int = Field(8, ge=1, description="Most broker messages that wait in a queue.")
    poll: Seconds = Field(0.1, description="Seconds between the relay's looks when nothing is due.")

    api_workers: int = Field(2, ge=1, description="gunicorn's worker processes.")
    api_threads: int = Field(8, ge=1, description="Threads in each of them.")
    worker_threads: int = Field(
        4, ge=1, description="Batches that a worker runs at once, per channel and lane."
    )
    max_body: int = Field(16 * 1024 * 1024, ge=1024, description="Largest request body, in bytes.")
    max_head: int = Field(
        32 * 1024, ge=8192, description="Largest request line and headers together, in bytes."
    )
    max_receivers: int = Field(100_000, ge=1, description="Most receivers of one message.")
    event_types: str = Field(
        "", description="More values of the Event Collector's `event_type`, by comma."
    )
    event_sources: str = Field("", description="The same of its `event_source`.")
    event_operations: str = Field("", description="The same of its `operation`.")
    event_collector_url: str = Field(
        "", description="Another Event Collector, to which own faults are forwarded."
    )
    notification_ttl: Seconds = Field(
        21_600, description="Seconds that a notification waits for its poller."
    )
    notification_page_size: int = Field(
        100, ge=1, le=1000, description="Notifications in an answer that does not ask for a size."
    )
    event_receivers: int = Field(
        100, ge=0, le=100, description="Most receivers that a message in an event is shown with."
    )
    idempotency_ttl: Seconds = Field(86_400, description="Seconds that an Idempotency-Key is kept.")
    operations_allow: str = Field(
        "127.0.0.0/8,::1/128",
        description="CIDRs that may read /metrics and /ready without a token.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )

    @field_validator("bind")
    @classmethod
    def _bind_is_host_and_port(cls, value: str, info: ValidationInfo) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) not in _PORTS:
            raise ValueError("must be HOST:PORT, for example 127.0.0.1:8080")
        if info.data.get("jwks") == "" and not is_loopback(host.strip("[]")):
            raise ValueError(
                "without authentication the API may only listen on loopback, for example "
                "127.0.0.1:8080; set TIDINGS_JWKS to serve others"
            )
        return value

    @field_validator("operations_allow")
    @classmethod
    def _operations_allow_is_networks(cls, value: str) -> str:
        for network in filter(None, value.split(",")):
            ip_network(network.strip())
        return value

    @field_validator("phone_region")
    @classmethod
    def _phone_region_has_numbers(cls, value: str) -> str:
        if value and not is_region(value):
            raise ValueError("must be a country's two capital letters (ISO 3166), such as SE")
        return value

    @field_validator("data")
    @classmethod
    def _data_fits_into_a_url(cls, value: Path) -> Path:
        if not _URL_MARKS.isdisjoint(str(value)):
            raise ValueError("must be a folder without ?, # or % in its name")
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url_has_no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_is_known(cls, value: str) -> str:
        return _known_scheme(value, ("sqlite", "postgresql", "postgresql+psycopg"))

    @field_validator("event_collector_url")
    @classmethod
    def _collector_is_known(cls, value: str) -> str:
        return _known_scheme(value, ("http", "https"))

    @field_validator("broker_url")
    @classmethod
    def _broker_is_known(cls, value: str) -> str:
        return _known_scheme(value, ("memory", "amqp", "amqps"))

    @field_validator("redis_url")
    @classmethod
    def _redis_is_known(cls, value: str) -> str:
        return _known_scheme(value, ("memory", "redis", "rediss", "unix"))

    @model_validator(mode="after")
    def _defaults_that_depend_on_others(self) -> Self:
        if not self.public_url:
            object.__setattr__(self, "public_url", f"http://{self.bind}")
        if not self.database_url:
            path = self.data.resolve() / "tidings.sqlite3"
            object.__setattr__(self, "database_url", f"sqlite:///{path}")
        return self

    def channel_url(self, channel: str) -> str:
        """The provider list of one channel: `sms`, `email` or `push`."""
        return str(getattr(self, f"{channel}_url"))


def load_settings(**overrides: object) -> Settings:
    """Settings from the overrides, the environment and the folder TIDINGS_SECRETS_DIR.

    In that folder a file `tidings_database_url` holds that setting's value.
    SettingsError lists everything that is wrong, not the first fault alone; a name that is all
    but a setting's is wrong too.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    wrong = misspelt(Settings.model_fields)
    try:
        settings = Settings(_secrets_dir=os.environ.get(SECRETS_DIR), **given)  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        raise SettingsError("\n".join([*wrong, *_faults(error)])) from error
    if wrong:
        raise SettingsError("\n".join(wrong))
    return settings


def listed(value: str) -> list[str]:
    """The parts of a list that is written with commas."""
    return [part for one in value.split(",") if (part := one.strip())]


def redacted(url: str) -> str:
    """A URL, or a comma-separated list of them, without passwords: the form that may be logged."""
    return ",".join(_redact_one(part) for part in split_urls(url))


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _redact_one(url: str) -> str:
    hidden = _USER.sub(r"\1***@", url)
    path, mark, _ = hidden.partition("?")
    return f"{path}{mark}***" if mark else path


def _known_scheme(url: str, schemes: tuple[str, ...]) -> str:
    if url and urlsplit(url).scheme not in schemes:
        raise ValueError(f"must begin with one of {', '.join(s + '://' for s in schemes)}")
    return url


def _faults(error: ValidationError) -> list[str]:
    return [
        f"TIDINGS_{'_'.join(map(str, fault['loc'])).upper()}: "
        f"{fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_input=False, include_url=False)
    ]
