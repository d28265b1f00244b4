"""Binding one section of the schema alone."""

from __future__ import annotations

from typing import Any

from imap4fast.config.bind import Binder
from imap4fast.config.cursor import Cursor, Names
from imap4fast.config.diagnostic import ElementError, Report
from imap4fast.config.grammar import parse
from imap4fast.config.schema import Bound, Section
from imap4fast.config.source import Source, Span
from imap4fast.config.types import Type
from imap4fast.errors import ConfigError


def parsed(text: str) -> Any:
    """The only statement of a text."""
    report = Report()
    (statement,) = parse(Source("t", text), report)
    report.raise_if_failed()
    return statement


def bind(section: Section, body: str, *known: tuple[str, str]) -> tuple[Bound, list[str]]:
    """The section with that body, and the texts of all errors and warnings; `known` are (kind, name) of sections."""
    name = "N" if section.named else ""
    report, names = Report(), Names()
    for kind, one in known:
        names.add(kind, one, Span(Source("t", one), 0, len(one)))
    bound = Binder(report, names, {}).bind(section, parsed(f"{section.keyword} {name} {{ {body} }}"))
    found = [warning.text for warning in report.warnings()]
    try:
        report.raise_if_failed()
    except ConfigError as error:
        found += [
            line.split("error: ", 1)[1]
            for line in str(error).split("\n")
            if line.startswith("t:") and ": error: " in line
        ]
    return bound, found


def good(section: Section, body: str, *known: tuple[str, str]) -> Bound:
    """The section, which has no error but that it or its items are not supported yet."""
    bound, errors = bind(section, body, *known)
    assert [error for error in errors if not error.endswith("is not supported yet")] == []
    return bound


def read(kind: Type, elements: str) -> Any:
    """What a type makes of the elements of an item; an ElementError or a report's text where they are wrong."""
    report = Report()
    try:
        cursor = Cursor(parsed(f"item {elements};"), report, Names())
        value = kind.read(cursor)
        report.raise_if_failed()
    except (ElementError, ConfigError) as error:
        return str(error).split("\n")[0]
    assert cursor.peek() is None
    return value
