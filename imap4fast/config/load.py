"""A configuration file becomes settings, or one report of everything that is wrong with it."""

from __future__ import annotations

import msgspec

from imap4fast.config.bind import Binder
from imap4fast.config.checks import check_file
from imap4fast.config.cursor import Names
from imap4fast.config.diagnostic import Diagnostic, Report
from imap4fast.config.dump import digest
from imap4fast.config.files import Reader, read_source, reason
from imap4fast.config.schema import Bound, Section
from imap4fast.config.sections.file import FILE_SECTION
from imap4fast.config.sections.imap4_proxy import IMAP4_PROXY
from imap4fast.config.settings import Settings
from imap4fast.config.source import Source, Span
from imap4fast.config.syntax import Atom, Statement
from imap4fast.errors import ConfigError


class Loaded(msgspec.Struct, frozen=True):
    """What a good file gives."""

    settings: Settings
    warnings: list[Diagnostic]


def load(path: str) -> Loaded:
    """The settings of the file at `path`. ConfigError: `str()` is the report of all errors and warnings."""
    report = Report()
    try:
        source = read_source(path, report)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: error: cannot be read: {reason(error)}") from None
    return _load(source, report)


def load_text(text: str, path: str = "<text>") -> Loaded:
    """As `load`, of a text; `path` is what reports show, and includes are relative to it."""
    return _load(Source(path, text), Report())


def _load(source: Source, report: Report) -> Loaded:
    bound = _bind(source, Reader(report).statements(source), report)
    check_file(bound, report)
    report.raise_if_failed()
    proxy = bound.named("imap4-proxy")[0].struct
    return Loaded(Settings(source.path, digest(proxy), proxy), report.warnings())


def _bind(source: Source, statements: tuple[Statement, ...], report: Report) -> Bound:
    """Sections first that others refer to: `imap4-proxy` is bound last."""
    start = Span(source, 0, 0)
    ordered = tuple(sorted(statements, key=lambda one: one.keyword.text == IMAP4_PROXY.keyword))
    file = Statement(Atom("WORD", "", start), (), ordered, start)
    return Binder(report, _names(statements), _homes()).bind(FILE_SECTION, file)


def _names(statements: tuple[Statement, ...]) -> Names:
    """The names of all sections that others can refer to: the global ones, and the ACLs of the proxy."""
    names = Names()
    _add_names(names, FILE_SECTION, statements)
    for statement in statements:
        if statement.keyword.text == IMAP4_PROXY.keyword:
            _add_names(names, IMAP4_PROXY, statement.body or ())
    return names


def _add_names(names: Names, section: Section, statements: tuple[Statement, ...]) -> None:
    for statement in statements:
        member = section.member(statement.keyword.text)
        first = statement.elements[0] if statement.elements else None
        if isinstance(member, Section) and member.named and isinstance(first, Atom):
            names.add(member.keyword, first.text, first.span)


def _homes() -> dict[str, list[str]]:
    """For each keyword the sections in which it may stand."""
    homes: dict[str, list[str]] = {}
    todo = [FILE_SECTION]
    for section in todo:
        for member in section.members:
            known = homes.setdefault(member.keyword, [])
            if section.keyword and section.keyword not in known:
                known.append(section.keyword)
            if isinstance(member, Section):
                todo.append(member)
    return homes
