"""Tidings on real engines, started by supervisord once for all tests of e2e and faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.authority import Authority
from tests.processes import new_folder
from tests.recording import Record
from tests.running import Api, Supervised
from tests.services import PostgreSQL, RabbitMQ, Redis
from tests.smtp_script import SmtpServer
from tests.smtp_server import smtp_server

LOGIN = ("tidings", "correct horse")
LEASE = 3.0
BATCH = 50
THREADS = 4
LATENCY = 0.01
CONCURRENCY = 16


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What runs: Tidings, its engines and its providers.

    Email goes to the SMTP server, SMS to the record and push to a null provider.
    """

    supervised: Supervised
    postgresql: PostgreSQL
    rabbitmq: RabbitMQ
    redis: Redis
    smtp: SmtpServer
    record: Record

    @property
    def api(self) -> Api:
        return self.supervised.api


@contextmanager
def installed(postgresql: PostgreSQL, rabbitmq: RabbitMQ, redis: Redis) -> Iterator[Installation]:
    """An installation that serves; at the end it is told to stop."""
    folder = new_folder()
    record = Record(folder / "record")
    authority = Authority.make(folder)
    with (
        smtp_server(starttls=authority.context, login=LOGIN) as smtp,
        Supervised(
            database_url=postgresql.new_database(),
            broker_url=rabbitmq.url,
            redis_url=redis.url,
            email_url=_smtp_url(smtp, authority.cafile),
            sms_url=record.url(latency=f"{LATENCY * 1000:g}ms", concurrency=CONCURRENCY),
            push_url="null://",
            lease=LEASE,
            batch=BATCH,
            worker_threads=THREADS,
            retry_base=0.2,
            callback_schedule="0.3,0.3,0.6,1,2,2,2,2",
        ) as supervised,
    ):
        yield Installation(
            supervised=supervised,
            postgresql=postgresql,
            rabbitmq=rabbitmq,
            redis=redis,
            smtp=smtp,
            record=record,
        )


def _smtp_url(smtp: SmtpServer, cafile: Path) -> str:
    user, password = map(quote, LOGIN)
    return f"smtp+starttls://{user}:{password}@127.0.0.1:{smtp.port}?cafile={cafile}"
