"""Where templates run: with their own files and values alone, and in bounds.

The bounds here give good reasons early. What slips through them ends at those of the process
(worker/templates/child.py).
"""

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from jinja2 import Environment, StrictUndefined, TemplateNotFound, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as DEFAULT_FILTERS
from jinja2.loaders import BaseLoader
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from communication.catalogue.snapshot import Snapshot, variants
from communication.catalogue.source import FILTERS, GLOBALS
from worker.templates.formats import filters_of
from worker.templates.marks import Marks

LONGEST_REPEAT = 1_000_000
LARGEST_BITS = 4_096
_WIDE = re.compile(r"\d{4}|\*")
_FILLING = frozenset(("center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill"))
"""Methods of text that make as much text as they are told to."""


class SnapshotLoader(BaseLoader):
    """Files of one snapshot and no other, in the variant for one locale."""

    def __init__(self, snapshot: Snapshot, locale: str) -> None:
        self._files = snapshot.files
        self._locale = locale

    def get_source(
        self, _environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Jinja's own contract; the file name is the variant's path."""
        for path in variants(template, self._locale):
            if path in self._files:
                return self._files[path], path, lambda: True
        raise TemplateNotFound(template)


class Sandbox(ImmutableSandboxedEnvironment):
    """Nothing of Python's insides, nothing that grows without bounds by a single operation."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self, snapshot: Snapshot, locale: str, *, markup: bool) -> None:
        super().__init__(
            loader=SnapshotLoader(snapshot, locale),
            undefined=StrictUndefined,
            autoescape=markup,
            finalize=mark if markup else _plain,
            cache_size=-1,
            auto_reload=False,
        )
        self.globals = {name: self.globals[name] for name in GLOBALS}
        known = {**DEFAULT_FILTERS, **filters_of(locale), "format": _format, "center": _center}
        self.filters = {name: known[name] for name in FILTERS}
        self.marks: Marks | None = None
        """Of the rendering that goes on; it is one at a time."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:  # noqa: ARG002 - no template has globals of its own
        """The same for all: a chain of mappings, as Jinja has it, is copied at every include."""
        return self.globals

    def concat(self, pieces: Iterable[str]) -> str:
        """What a macro, a block or a filter has put together, for the template to work with."""
        text = "".join(pieces)
        return text if self.marks is None else self.marks.captured(text)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As Jinja has it, and no method that fills text up to any width."""
        if isinstance(obj, str | bytes) and attr in _FILLING:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Text is not formatted here: {:>999999999} makes as much of it as it says."""
        if super().wrap_str_format(value) is not None:
            raise SecurityError('.format is not there in templates; join texts with "~"')
        return None

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """SecurityError for results of an unreasonable size."""
        _OPERATORS[operator](left, right)
        return super().call_binop(context, operator, left, right)


@pass_context
def mark(context: Context, value: Any) -> Any:
    """A value on its way into the page: its mark, where the page is made with marks."""
    marks = context.parent.get(Marks.KEY)
    return _nothing_for_none(value) if marks is None else marks.mark(value)


@pass_context
def _plain(_context: Context, value: Any) -> Any:
    # It asks for the context so that constants are not worked out while a template is compiled.
    return _nothing_for_none(value)


def _nothing_for_none(value: Any) -> Any:
    return "" if value is None else value


def _check_product(left: Any, right: Any) -> None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str | list | tuple) and isinstance(other, int):
            if len(one) * other > LONGEST_REPEAT:
                raise SecurityError("this would repeat a text too often")
        elif isinstance(one, int) and isinstance(other, int):
            _check_bits(one.bit_length() + other.bit_length())


def _check_power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() * abs(right))


def _check_bits(bits: int) -> None:
    if bits > LARGEST_BITS:
        raise SecurityError("this number is too large")


def _check_format(left: Any, _right: Any) -> None:
    if isinstance(left, str) and _WIDE.search(left):
        raise SecurityError("this would make a text too wide")


_OPERATORS: Mapping[str, Callable[[Any, Any], None]] = {
    "*": _check_product,
    "**": _check_power,
    "%": _check_format,
}


def _format(value: Any, *args: Any, **kwargs: Any) -> Any:
    _check_format(str(value), None)
    return DEFAULT_FILTERS["format"](value, *args, **kwargs)


def _center(value: Any, width: int = 80) -> Any:
    if width > LONGEST_REPEAT:
        raise SecurityError("this would make a text too wide")
    return DEFAULT_FILTERS["center"](value, width)
