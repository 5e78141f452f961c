"""django-post_office: mails queued in the database, sent by processes and threads of its own.

`python -m bench.post_office N` queues N mails and prints how many seconds sending them takes. It
renders each at sending, from a template and a context, as Tidings does; all are queued before the
time begins. Of the set-ups tried (1, 2 and 4 processes of 4, 5, 8 and 16 threads; batches of 100 to
10,000) the fastest is used.
"""

import os
import sys
import time
from typing import Any
from urllib.parse import urlsplit

DATABASE = "BENCH_DATABASE_URL"
SINK = "BENCH_SINK_PORT"
PROCESSES, THREADS, BATCH = 2, 5, 5_000
SETTINGS = f"{PROCESSES} processes of {THREADS} threads, batches of {BATCH:,}"
COMMAND = ("-m", "bench.post_office")
_AT_ONCE = 1_000


def configure() -> None:
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
        POST_OFFICE={"THREADS_PER_PROCESS": THREADS, "BATCH_SIZE": BATCH},
    )
    django.setup()


def run(mails: int) -> float:
    """Queue the mails, send them, and return the seconds that sending took."""
    configure()
    from django.core.management import call_command  # noqa: PLC0415
    from post_office import mail  # noqa: PLC0415
    from post_office.models import STATUS, Email, EmailTemplate  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    template = EmailTemplate.objects.create(
        name="parcel",
        subject="Hello {{ Name }}",
        content="Dear {{ Name }}, your parcel {{ Parcel }} is on its way. It weighs {{ Weight }} kg.",
    )
    for start in range(0, mails, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, mails))
        mail.send_many([_arguments(number, template) for number in numbers])
    began = time.monotonic()
    mail.send_queued_mail_until_done(processes=PROCESSES)
    took = time.monotonic() - began
    sent = Email.objects.filter(status=STATUS.sent).count()
    assert sent == mails, f"of {mails} mails {sent} were sent"
    return took


def _arguments(number: int, template: Any) -> dict[str, Any]:
    return {
        "sender": "Parcels <parcels@example.com>",
        "recipients": [f"ann.{number}@example.com"],
        "template": template,
        "context": {"Name": f"Ann {number}", "Parcel": "P-2026-000123", "Weight": "2.5"},
        "render_on_delivery": True,
    }


if __name__ == "__main__":
    print(run(int(sys.argv[1])))
