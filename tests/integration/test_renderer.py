"""Rendering in processes of its own: bounded, and one job's end is no other's."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from communication.catalogue.catalogue import Medium
from communication.errors import PermanentDeliveryError, TransientDeliveryError
from tests.templates import snapshot
from worker.templates import process as process_module
from worker.templates.process import ChildProcess
from worker.templates.renderer import Renderer, Result
from worker.templates.rendering import Rendered
from worker.templates.strikes import MOST_OF_MESSAGE, MOST_OF_VERSION
from worker.templates.wire import RenderJob

SECONDS = 0.4
HEALTHY = snapshot({"sms.txt": "Hi {{ Name }}"}, name="healthy")
LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
MEMORY = (
    "{% set n = namespace(s='a') %}{% for a in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}"
)
DEADLY_NESTING = "<mjml><mj-body>{% for a in range(60000) %}<mj-wrapper>{% endfor %}"
SLOW_IN_C = "{% for a in (range(99999)|list * 10)|map('string')|sort|unique %}{% endfor %}"


@pytest.fixture(autouse=True)
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ended a process is not forgotten before the test is over."""
    monkeypatch.setattr("worker.templates.strikes.REMEMBERED", 3600.0)


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    opened = Renderer(processes=1, seconds=SECONDS, memory=2**28)
    yield opened
    opened.close()


def job(files: dict[str, str] | None = None, group: int = 0, **values: Any) -> RenderJob:
    found = snapshot(files) if files else HEALTHY
    medium = next(iter(found.media))
    return RenderJob(
        snapshot=found, medium=medium, locale=None, values=values, receiver={}, group=group
    )


def results(renderer: Renderer, jobs: list[RenderJob]) -> list[Result]:
    found: dict[int, Result] = {}
    renderer.render(jobs, lambda one, result: found.__setitem__(id(one), result))
    return [found[id(one)] for one in jobs]


def healthy(count: int) -> list[RenderJob]:
    return [job(Name=str(number)) for number in range(count)]


def test_a_batch_is_rendered(renderer: Renderer) -> None:
    found = results(renderer, healthy(250))

    assert found == [Rendered(text=f"Hi {number}") for number in range(250)]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"sms.txt": LOOP}, "hello/sms.txt:1: takes too long"),
        ({"sms.txt": MEMORY}, "hello/sms.txt:1: needs too much memory"),
        ({"sms.txt": "{{ 'a\nb'|indent(10**9) }}"}, "hello/sms.txt:"),
        ({"sms.txt": SLOW_IN_C}, "takes too long"),
        ({"email.mjml": DEADLY_NESTING, "email.subject.txt": "x"}, "hello: ends its process (SIG"),
        ({"sms.txt": "{{ Nmae }}"}, "hello/sms.txt:1: unknown variable 'Nmae'"),
    ],
    ids=["loop", "memory", "indent", "slow", "nesting", "unknown"],
)
def test_what_a_template_does_fails_that_message_alone(
    renderer: Renderer, files: dict[str, str], said: str
) -> None:
    jobs = [*healthy(20), job(files), *healthy(20)]
    found = results(renderer, jobs)

    hostile = found.pop(20)
    assert isinstance(hostile, PermanentDeliveryError)
    assert hostile.reason.startswith("template 'hello': ")
    assert said in hostile.reason
    assert all(isinstance(one, Rendered) for one in found)


def test_healthy_ones_do_not_wait_for_what_ends_its_process(renderer: Renderer) -> None:
    order: list[str] = []
    jobs = [one for number in range(5) for one in (job({"sms.txt": LOOP}, number), *healthy(5))]

    renderer.render(jobs, lambda one, _result: order.append(one.snapshot.name))

    assert order[:26].count("healthy") == 25


def test_a_message_that_ends_processes_fails_as_a_whole(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []

    def counted(child: ChildProcess, jobs: list[RenderJob]) -> None:
        rounds.append(len(jobs))
        send(child, jobs)

    send = ChildProcess.send
    monkeypatch.setattr(ChildProcess, "send", counted)
    found = results(renderer, [job({"sms.txt": LOOP}, group=7) for _ in range(50)])

    assert all(isinstance(one, PermanentDeliveryError) for one in found)
    assert len(rounds) <= MOST_OF_MESSAGE + 1


def test_other_messages_of_a_version_that_ends_processes_are_put_off(renderer: Renderer) -> None:
    jobs = [job({"sms.txt": LOOP}, group=number) for number in range(MOST_OF_VERSION + 5)]

    found = results(renderer, jobs)

    assert [type(one) for one in found[-5:]] == [TransientDeliveryError] * 5
    assert results(renderer, healthy(1)) == [Rendered(text="Hi 0")]


def test_a_process_that_is_killed_from_outside_is_nobodys_fault(renderer: Renderer) -> None:
    results(renderer, healthy(1))
    pid = child_pid(renderer)
    os.kill(pid, signal.SIGKILL)

    (found,) = results(renderer, healthy(1))
    assert isinstance(found, TransientDeliveryError)
    assert results(renderer, healthy(1)) == [Rendered(text="Hi 0")]
    assert child_pid(renderer) != pid


@pytest.mark.parametrize("timer", [signal.SIGALRM, signal.SIGVTALRM])
def test_a_process_that_a_timer_ends_is_not_one_that_ends_for_no_fault_of_its_jobs(
    renderer: Renderer, timer: signal.Signals
) -> None:
    results(renderer, healthy(1))
    os.kill(child_pid(renderer), timer)

    assert results(renderer, healthy(2)) == [Rendered(text="Hi 0"), Rendered(text="Hi 1")]


def test_a_process_that_stands_still_is_replaced(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "_GRACE", -SECONDS * 2)
    results(renderer, healthy(1))
    os.kill(child_pid(renderer), signal.SIGSTOP)

    pid = child_pid(renderer)

    assert results(renderer, healthy(2)) == [Rendered(text="Hi 0"), Rendered(text="Hi 1")]
    assert child_pid(renderer) != pid


def test_a_process_that_knows_many_versions_is_replaced(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "MOST_VERSIONS", 3)
    results(renderer, healthy(1))
    pid = child_pid(renderer)

    results(renderer, [job({"sms.txt": f"Hi {number}"}) for number in range(4)])

    assert child_pid(renderer) != pid


def test_large_values_and_answers_pass_side_by_side(renderer: Renderer) -> None:
    files = {"email.txt": "{{ text }}", "email.subject.txt": "x"}
    found = results(renderer, [job(files, text="x" * 300_000) for _ in range(30)])

    assert [len(one.text) for one in found if isinstance(one, Rendered)] == [300_000] * 30


def test_where_no_process_can_be_started_the_message_is_tried_again(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    (found,) = results(renderer, healthy(1))
    assert isinstance(found, TransientDeliveryError)
    monkeypatch.undo()

    assert results(renderer, healthy(1)) == [Rendered(text="Hi 0")]


def test_a_trial_renders_every_medium_and_locale_with_the_examples(renderer: Renderer) -> None:
    declaration = '[characteristics.Name]\nexample = "Ann"\n'
    files = {
        "sms.txt": "{{ Name }}",
        "sv/push.txt": "\n{{ Name / 2 }}",
        "template.toml": declaration,
    }
    fault = renderer.trial(snapshot(files))
    assert fault is not None
    assert (fault.file, fault.line) == ("hello/sv/push.txt", 2)

    assert renderer.trial(snapshot(files | {"sv/push.txt": "{{ Name }}"})) is None


def test_a_trial_without_examples_shows_nothing(renderer: Renderer) -> None:
    assert renderer.trial(snapshot({"sms.txt": "{{ Name / 2 }}"})) is None


def test_a_trial_of_what_never_ends_ends(renderer: Renderer) -> None:
    fault = renderer.trial(snapshot({"sms.txt": LOOP}))

    assert fault is not None
    assert "takes too long" in fault.message


def test_a_child_ends_with_its_input() -> None:
    child = ChildProcess(seconds=1, memory=2**28, hold=0)
    child.send(
        [
            RenderJob(
                snapshot=HEALTHY, medium=Medium.SMS, locale=None, values={"Name": "x"}, receiver={}
            )
        ]
    )
    child.receive()
    process = child._process  # noqa: SLF001 - it has no other use
    assert process.stdin is not None
    process.stdin.close()

    assert process.wait(120) == 0
    child.end()


def child_pid(renderer: Renderer) -> int:
    slots = renderer._trusted.free  # noqa: SLF001 - a process has no name to find it by
    child = slots.get()
    slots.put(child)
    assert child is not None
    return child._process.pid  # noqa: SLF001
