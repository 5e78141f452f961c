"""What a customer would get: one template's email, SMS and push with the values of a form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from communication.catalogue.snapshot import Fault, Medium, Snapshot
from communication.errors import DeliveryError
from communication.sms_text import SmsSize, beyond_gsm_7, measure, simplify
from tidings.templates.faults import finding_of
from tidings.templates.findings import Finding
from tidings.templates.preview.fields import Field
from tidings.templates.trial import Render
from worker.templates.renderer import NotRendered, Result
from worker.templates.rendering import Rendered
from worker.templates.wire import RenderJob


@dataclass(frozen=True, slots=True)
class Sms:
    """The text as it is sent, and what it costs."""

    text: str
    size: SmsSize
    room: int
    """Plain letters that could be added before it takes another segment."""
    dear: str
    """The characters that make it UCS-2."""
    simplified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one medium: a message, or why there is none."""

    medium: Medium
    message: Rendered | None = None
    fault: Finding | None = None
    missing: Sequence[str] = ()
    """The characteristics for want of which Tidings would refuse it."""

    @property
    def absent(self) -> bool:
        """Whether the template has no text for the medium."""
        return not (self.message or self.fault or self.missing)


class Messages:
    """Renders as the workers do. Shared by threads."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self._faults: dict[Medium, tuple[str, Fault]] = {}
        """Each medium's last, with the version that has it."""

    def outcomes(
        self,
        snapshot: Snapshot,
        locale: str,
        fields: Sequence[Field],
        receiver: Mapping[str, str | None],
    ) -> dict[Medium, Outcome]:
        """Of every medium, with the values of a form."""
        values = {one.name: one.value for one in fields if one.value is not None}
        found = {one: _refused(snapshot, one, locale, values) for one in Medium}
        jobs = [
            RenderJob(
                # An SMS that never ends is no reason not to show the email.
                group=group,
                snapshot=snapshot,
                medium=one,
                locale=locale,
                values=values,
                receiver=receiver,
            )
            for group, one in enumerate(Medium, start=1)
            if found[one].absent and snapshot.has(one, locale)
        ]

        def note(job: RenderJob, result: Result) -> None:
            found[job.medium] = self._outcome(job, result)

        self._render(jobs, note)
        return found

    def _outcome(self, job: RenderJob, result: Result) -> Outcome:
        if isinstance(result, Rendered):
            return Outcome(medium=job.medium, message=result)
        fault = self._fault(job, result)
        finding = finding_of(job.snapshot.name, fault, job.snapshot.files)
        return Outcome(medium=job.medium, fault=finding)

    def _fault(self, job: RenderJob, error: DeliveryError) -> Fault:
        """What went too far several times is not tried again for a while, and has no line then."""
        if isinstance(error, NotRendered):
            self._faults[job.medium] = (job.snapshot.version, error.fault)
            return error.fault
        version, fault = self._faults.get(job.medium, ("", None))
        if fault and version == job.snapshot.version:
            return fault
        return Fault(message=error.reason)


def sms(text: str, *, simplified: bool) -> Sms:
    """A rendered SMS as the worker would send it; `simplified` is the setting sms_simplify."""
    sent = simplify(text) if simplified else text
    size = measure(sent)
    room = next(n for n in count() if measure(sent + "x" * (n + 1)).segments > size.segments)
    return Sms(sent, size, room, beyond_gsm_7(sent), sent != text)


def _refused(snapshot: Snapshot, medium: Medium, locale: str, values: Mapping[str, Any]) -> Outcome:
    needed = snapshot.needs[medium] if snapshot.has(medium, locale) else frozenset()
    return Outcome(medium=medium, missing=sorted(needed - values.keys()))
