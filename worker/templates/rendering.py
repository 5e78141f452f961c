"""A message from a template: pure, and without bounds on time; those are the renderer's."""

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType, TracebackType
from typing import Any, Never

from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateSyntaxError, Undefined
from jinja2.exceptions import UndefinedError

from communication.catalogue.snapshot import (
    OWN_FILES,
    PREHEADER_FILE,
    TITLE_FILES,
    Fault,
    Medium,
    Snapshot,
    TemplateError,
)
from worker.templates.cleaning import one_line, plain
from worker.templates.environment import Sandbox
from worker.templates.marks import Marks
from worker.templates.page import PageError, PageMaker

LONGEST = {Medium.SMS: 10_000, Medium.PUSH: 10_000, Medium.EMAIL: 2_000_000}
"""Characters of a rendered file."""
LONGEST_TITLE = 998
"""RFC 5322 §2.1.1: what one line of a mail may hold."""
_SHOWN = 300
_PIECES = 1_000
"""Of a text that are joined at once; it may grow by so many before its length is looked at."""


class TooSlow(BaseException):
    """Rendering took too long. No `except Exception` on the way may take it for its own."""


class RenderError(TemplateError):
    """A template and values that make no message. `fault` says where and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One message's texts, clean for their medium."""

    subject: str | None = None
    """An email's subject, a push's title."""
    preheader: str | None = None
    text: str = ""
    html: str | None = None


def render(
    snapshot: Snapshot,
    medium: Medium,
    *,
    locale: str | None = None,
    values: Mapping[str, Any],
    receiver: Mapping[str, Any] = MappingProxyType({}),
    subject: str | None = None,
) -> Rendered:
    """A message to one receiver. RenderError with file and line for whatever goes wrong.

    `values`: characteristics by name; `receiver`: its `name` and `id`; `subject`: the message's
    own, which goes over the template's.
    """
    compiled = CompiledTemplate(snapshot, locale)
    return compiled.render(medium, values, receiver=receiver, subject=subject)


class CompiledTemplate:
    """A snapshot in one locale, made ready once for many messages. For one thread."""

    def __init__(self, snapshot: Snapshot, locale: str | None) -> None:
        self.snapshot = snapshot
        self.locale = snapshot.effective_locale(locale)
        self._text = Sandbox(snapshot, self.locale, markup=False)
        self._markup = Sandbox(snapshot, self.locale, markup=True)
        self._pages = PageMaker()
        self._paths = {name: snapshot.path(name, self.locale) for name in OWN_FILES}
        self._bodies = {medium: snapshot.body(medium, self.locale) for medium in Medium}

    def render(
        self,
        medium: Medium,
        values: Mapping[str, Any],
        *,
        receiver: Mapping[str, Any],
        subject: str | None = None,
    ) -> Rendered:
        """As the function of this name."""
        body = self._bodies[medium]
        if body is None:
            where = f"for {medium} in {self.locale}"
            raise RenderError(Fault(message=f"has no text {where}", file=self.snapshot.name))
        variables = self._variables(values, receiver)
        title = one_line(subject or "") or self._title(medium, variables)
        if medium is Medium.EMAIL:
            return self._email(body, variables, title)
        return Rendered(subject=title, text=self._some(body, variables, LONGEST[medium]))

    def _variables(self, values: Mapping[str, Any], receiver: Mapping[str, Any]) -> dict[str, Any]:
        known = dict(values)
        for name, one in self.snapshot.characteristics.items():
            try:
                if known.get(name) is not None:
                    known[name] = one.read(known[name])
                elif one.default is not None:
                    known[name] = one.read(one.default)
                elif not one.required:
                    known[name] = Undefined(name=name)
            except ValueError as error:
                fault = Fault(message=f"characteristic {name!r} {error}", file=self.snapshot.name)
                raise RenderError(fault) from None
        return known | {
            "characteristic": known,
            "receiver": {"name": None, "id": None, **receiver},
            "locale": self.locale,
        }

    def _title(self, medium: Medium, variables: dict[str, Any]) -> str | None:
        name = TITLE_FILES.get(medium)
        path = name and self._paths[name]
        if not path:
            return None
        title = one_line(self._run(self._text, path, variables, LONGEST_TITLE * 2))
        if not title or len(title) > LONGEST_TITLE:
            raise _blank(path) if not title else _too_long(path, LONGEST_TITLE)
        return title

    def _email(self, body: str, variables: dict[str, Any], title: str | None) -> Rendered:
        variables["subject"] = title or ""
        preheader_path = self._paths[PREHEADER_FILE]
        preheader = None
        if preheader_path:
            preheader = one_line(self._run(self._text, preheader_path, variables, 10_000))
        variables["preheader"] = preheader or ""
        text_path = self._paths["email.txt"]
        text = self._some(text_path, variables, LONGEST[Medium.EMAIL]) if text_path else None
        if body == text_path:
            return Rendered(subject=title, preheader=preheader, text=text or "")
        html, derived = self._page(body, variables, wants_text=text is None)
        return Rendered(subject=title, preheader=preheader, text=text or derived, html=html)

    def _page(self, path: str, variables: dict[str, Any], *, wants_text: bool) -> tuple[str, str]:
        marks = self._markup.marks = Marks()
        source = self._run(
            self._markup, path, variables | {Marks.KEY: marks}, LONGEST[Medium.EMAIL]
        )
        if not source.strip():
            raise _blank(path)
        try:
            page = self._pages.page(source, marks.values)
            html = page.html(marks.values)
            text = plain(page.text(marks.values)) if wants_text else ""
        except PageError as error:
            raise RenderError(Fault(message=str(error), file=path)) from error
        if len(html) > LONGEST[Medium.EMAIL]:
            raise _too_long(path, LONGEST[Medium.EMAIL])
        return html, text

    def _some(self, path: str, variables: dict[str, Any], longest: int) -> str:
        text = plain(self._run(self._text, path, variables, longest))
        if not text:
            raise _blank(path)
        return text

    def _run(self, sandbox: Sandbox, path: str, variables: dict[str, Any], longest: int) -> str:
        text = ""
        try:
            template = sandbox.get_template(path)
            pieces = template.root_render_func(template.new_context(variables))
            while more := [*islice(pieces, _PIECES)]:
                text += "".join(more)
                if len(text) > longest:
                    raise _too_long(path, longest)  # noqa: TRY301 - the loop is the bound
        except RenderError:
            raise
        except (Exception, TooSlow) as error:  # noqa: BLE001 - a template may raise anything
            _explain(error, path)
        return text


def _explain(error: BaseException, path: str) -> Never:
    file, line = _place(error, path)
    raise RenderError(Fault(message=_said(error)[:_SHOWN], file=file, line=line)) from error


def _place(error: BaseException, path: str) -> tuple[str, int | None]:
    """Where in a template it happened: the innermost one that was running."""
    if isinstance(error, TemplateSyntaxError):
        return error.filename or path, error.lineno
    places = [*_template_lines(error.__traceback__)]
    return places[-1] if places else (path, None)


def _template_lines(at: TracebackType | None) -> Iterator[tuple[str, int]]:
    for frame, line in traceback.walk_tb(at):
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            yield template.filename, template.get_corresponding_lineno(line)


def _said(error: BaseException) -> str:
    match error:
        case TooSlow():
            return "takes too long; is there a loop in it that is far too large?"
        case MemoryError():
            return "needs too much memory"
        case RecursionError():
            return "calls itself too often"
        case UndefinedError():
            name = (error.message or "").removesuffix(" is undefined")
            return f"unknown variable {name}" if name != error.message else name
        case JinjaError():
            return error.message or type(error).__name__
        case _:
            pass
    return f"{type(error).__name__}: {error}"


def _blank(path: str) -> RenderError:
    return RenderError(Fault(message="is empty with these values", file=path))


def _too_long(path: str, longest: int) -> RenderError:
    return RenderError(Fault(message=f"is longer than {longest:,} characters", file=path))
