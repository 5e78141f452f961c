"""Mails per second to an SMTP server that only counts, by Tidings and by django-post_office."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench import post_office
from bench.deliver import WITHIN, measure_delivering
from bench.figure import Figure
from bench.post_office import Setup
from bench.stack import START_WITHIN, Stack
from tests.processes import Process, free_port, is_listening
from tests.waiting import wait_until


@contextmanager
def smtp_sink(stack: Stack) -> Iterator[int]:
    """The port of Postfix's smtp-sink, which takes every mail and throws it away."""
    port = free_port()
    command = ["/usr/sbin/smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "1024"]
    sink = Process(command, log=stack.folder / "sink")
    try:
        wait_until(lambda: is_listening(port), within=START_WITHIN)
        yield port
    finally:
        sink.kill()


def measure_mails(stack: Stack, *, mails: int, workers: int) -> Figure:
    """Mails per second by Tidings: claimed, rendered, sent by SMTP and recorded."""
    with smtp_sink(stack) as port:
        return measure_delivering(
            stack,
            deliveries=mails,
            workers=workers,
            each=1,
            # It answers at once: more connections would only wait for each other.
            TIDINGS_EMAIL_URL=f"smtp://127.0.0.1:{port}?concurrency=4",
        )


def measure_post_office(stack: Stack, *, mails: int, setup: Setup) -> Figure:
    """Mails per second by django-post_office: read, rendered, sent by SMTP and recorded."""
    database = stack.postgresql.new_database()
    try:
        with smtp_sink(stack) as port:
            named = {post_office.DATABASE: database, post_office.SINK: str(port)}
            given = [f"--{name}={value}" for name, value in vars(setup).items()]
            command = (*post_office.COMMAND, f"--mails={mails}", *given)
            with stack.process(*command, env=named) as process:
                assert process.wait(WITHIN) == 0, process.log_tail()
                took, processor = map(float, process.log_tail(lines=1).split())
    finally:
        stack.postgresql.drop_database(database)
    notes = f"processor µs each: Python {processor / mails * 1e6:,.0f}"
    return Figure(rate=mails / took, notes=notes)
