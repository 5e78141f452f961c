"""What a template file asks for, read from its syntax alone: nothing of it is ever run here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from jinja2 import TemplateSyntaxError, meta, nodes, pass_context
from jinja2.filters import FILTERS as DEFAULT_FILTERS
from jinja2.sandbox import SandboxedEnvironment
from jinja2.tests import TESTS as DEFAULT_TESTS

from communication.catalogue.snapshot import BrokenTemplate, Fault

FORMATS = ("number", "currency", "percent", "date", "time", "datetime")
"""Filters of ours: they write values as the locale does."""
FILTERS = frozenset(DEFAULT_FILTERS.keys() - {"attr"}).union(FORMATS)
GLOBALS = frozenset(("range", "dict", "cycler", "joiner", "namespace"))
_GIVEN = frozenset(("self", "super", "loop", "caller", "varargs", "kwargs"))
_OPTIONAL_TESTS = ("defined", "undefined")
_OPTIONAL_FILTERS = ("default", "d")
_MARKS = re.compile("[\ufdd0-\ufdef]")

_References = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


@dataclass(frozen=True, slots=True)
class Reference:
    """Another file that this one extends, includes or imports."""

    path: str
    line: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One file's syntax. `wanted`: names it takes from outside, with the line of the first use."""

    references: tuple[Reference, ...]
    wanted: dict[str, int]
    optional: frozenset[str]
    """Of the wanted, those that it can do without."""
    assigned: frozenset[str]
    """Names it sets itself: what it includes may use them."""


@lru_cache(maxsize=1024)
def read_source(path: str, text: str) -> Source:
    """A file's syntax. BrokenTemplate if it has a fault that can be seen without rendering."""
    try:
        tree = _environment().parse(text, path, path)
        return _source(path, tree, text)
    except TemplateSyntaxError as error:
        raise _broken(path, error.lineno, error.message or "a mistake in the syntax") from error
    except RecursionError:
        raise _broken(path, 1, "is nested too deeply") from None


def _source(path: str, tree: nodes.Template, text: str) -> Source:
    if mark := _MARKS.search(text):
        line = text.count("\n", 0, mark.start()) + 1
        raise _broken(path, line, "has a character that no text may hold (U+FDD0 to U+FDEF)")
    _check_names(path, tree)
    wanted = meta.find_undeclared_variables(tree) - _GIVEN - GLOBALS
    lines = {node.name: node.lineno for node in reversed([*tree.find_all(nodes.Name)])}
    characteristics = dict(reversed([*_by_key(tree)]))
    return Source(
        references=tuple(_references(path, tree)),
        wanted={name: lines.get(name, 1) for name in wanted - {"characteristic"}} | characteristics,
        optional=frozenset(_optional(tree)),
        assigned=frozenset(_assigned(tree)),
    )


def _check_names(path: str, tree: nodes.Template) -> None:
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        known, what = (
            (FILTERS, "filter") if isinstance(node, nodes.Filter) else (DEFAULT_TESTS, "test")
        )
        if node.name not in known:
            raise _broken(path, node.lineno, f"there is no {what} {node.name!r}")


def _references(path: str, tree: nodes.Template) -> Iterator[Reference]:
    for node in tree.find_all(_References):
        optional = isinstance(node, nodes.Include) and node.ignore_missing
        for target in _targets(node):
            if not isinstance(target, str):
                raise _broken(
                    path, node.lineno, 'name the other file itself, such as "_partials/footer.txt"'
                )
            yield Reference(_checked(path, node.lineno, target), node.lineno, optional)


def _targets(node: Any) -> Iterator[object]:
    """Each name as it is written; None for one that is computed."""
    target = node.template
    items = target.items if isinstance(target, nodes.Tuple | nodes.List) else [target]
    for item in items:
        yield item.value if isinstance(item, nodes.Const) else None


def _checked(path: str, line: int, target: str) -> str:
    parts = target.split("/")
    odd = any(part in ("", ".", "..") or part.startswith(".") for part in parts)
    if odd or "\\" in target or "\0" in target or len(parts) == 1:
        raise _broken(
            path,
            line,
            f"{target!r} is no file in the templates folder; write its path from there, "
            'such as "_partials/footer.txt"',
        )
    return str(PurePosixPath(target))


def _by_key(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Names in `characteristic["order-id"]`."""
    for node in tree.find_all(nodes.Getitem):
        if _is_characteristic(node.node) and isinstance(node.arg, nodes.Const):
            yield str(node.arg.value), node.lineno
    for attribute in tree.find_all(nodes.Getattr):
        if _is_characteristic(attribute.node):
            yield attribute.attr, attribute.lineno


def _is_characteristic(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "characteristic"


def _optional(tree: nodes.Template) -> Iterator[str]:
    for test in tree.find_all(nodes.Test):
        if test.name in _OPTIONAL_TESTS:
            yield from _name_of(test.node)
    for one in tree.find_all(nodes.Filter):
        if one.name in _OPTIONAL_FILTERS and one.node is not None:
            yield from _name_of(one.node)


def _name_of(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Name):
        yield node.name
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        yield str(node.arg.value)
    elif isinstance(node, nodes.Getattr):
        yield node.attr


def _assigned(tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all(nodes.Name):
        if node.ctx in ("store", "param"):
            yield node.name
    for imported in tree.find_all(nodes.Import):
        yield imported.target


def _broken(path: str, line: int, message: str) -> BrokenTemplate:
    return BrokenTemplate(path.split("/", 1)[0], Fault(message=message, file=path, line=line))


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    """Parses, and computes nothing: no constant is folded, no filter is called."""
    environment = SandboxedEnvironment()
    environment.intercepted_binops = frozenset(environment.binop_table)
    environment.filters = dict.fromkeys(FILTERS, _never)
    environment.globals = dict.fromkeys(GLOBALS)
    return environment


@pass_context
def _never(*_arguments: object) -> None:
    """Stand in for every filter."""
