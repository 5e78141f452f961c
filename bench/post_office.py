"""django-post_office: mails queued in the database, sent by processes and threads of its own.

`python -m bench.post_office --mails N …` queues N mails and prints how many seconds sending them
takes, on the clock and of processors. It renders each at sending, from a template and a context, as
Tidings does; all are queued before the time begins.
"""

import argparse
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DATABASE = "BENCH_DATABASE_URL"
SINK = "BENCH_SINK_PORT"
COMMAND = ("-m", "bench.post_office")
_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How its command is called, and two of its settings."""

    processes: int
    threads: int
    batch: int

    def __str__(self) -> str:
        return f"processes: {self.processes} of {self.threads} threads, batches of {self.batch:,}"


AS_IT_COMES = Setup(processes=1, threads=5, batch=100)
TUNED = Setup(processes=2, threads=8, batch=5_000)


def configure(setup: Setup) -> None:
    """Django, on the database and the sink that the environment names."""
    import django  # noqa: PLC0415 - a process of the measurement's own needs it, and nobody else
    from django.conf import settings  # noqa: PLC0415

    url = urlsplit(os.environ[DATABASE])
    settings.configure(
        INSTALLED_APPS=["post_office"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": url.path.strip("/"),
                "USER": url.username,
                "PASSWORD": url.password,
                "HOST": url.hostname,
                "PORT": url.port,
            }
        },
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=int(os.environ[SINK]),
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        POST_OFFICE={"THREADS_PER_PROCESS": setup.threads, "BATCH_SIZE": setup.batch},
    )
    django.setup()


def run(mails: int, setup: Setup) -> tuple[float, float]:
    """Queue the mails and send them: the seconds that it took, on the clock and of processors."""
    configure(setup)
    from django.core.management import call_command  # noqa: PLC0415
    from post_office import mail  # noqa: PLC0415
    from post_office.models import STATUS, Email, EmailTemplate  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    template = EmailTemplate.objects.create(
        name="parcel",
        subject="Hello {{ Name }}",
        content="Dear {{ Name }}, your parcel {{ Parcel }} is on its way. "
        "It weighs {{ Weight }} kg.",
    )
    for start in range(0, mails, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, mails))
        mail.send_many([_arguments(number, template) for number in numbers])
    began, before = time.monotonic(), _processor()
    mail.send_queued_mail_until_done(processes=setup.processes)
    took = time.monotonic() - began, _processor() - before
    sent = Email.objects.filter(status=STATUS.sent).count()
    assert sent == mails, f"of {mails} mails {sent} were sent"
    return took


def _processor() -> float:
    """Seconds of processor time of this process and of those that it has ended."""
    return sum(os.times()[:4])


def _arguments(number: int, template: Any) -> dict[str, Any]:
    return {
        "sender": "Parcels <parcels@example.com>",
        "recipients": [f"ann.{number}@example.com"],
        "template": template,
        "context": {"Name": f"Ann {number}", "Parcel": "P-2026-000123", "Weight": "2.5"},
        "render_on_delivery": True,
    }


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.post_office", description=__doc__)
    for name in ("mails", "processes", "threads", "batch"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = vars(parser.parse_args())
    print(*run(given.pop("mails"), Setup(**given)))


if __name__ == "__main__":
    main()
