"""The files of a configuration: reading, `version` and `include`."""

from __future__ import annotations

from pathlib import Path

from imap4fast.config.diagnostic import Report
from imap4fast.config.grammar import parse
from imap4fast.config.source import Source, Span
from imap4fast.config.syntax import Atom, Statement
from imap4fast.config.types import text_of
from imap4fast.names import DIALECT

_MAX_FILES = 1000
"""Most files that one configuration may include, counting one as often as it is included."""


class Reader:
    """Reads one configuration. `statements` has all includes put in their places."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._included = 0

    def statements(self, source: Source) -> tuple[Statement, ...]:
        """The statements of a main file, whose first item is `version`."""
        found = parse(source, self._report)
        if (not found or found[0].keyword.text != "version") and not self._report.partial:
            span = found[0].keyword.span if found else Span(source, 0, 0)
            self._report.error(span, f"the first item must be `version {DIALECT};`")
        return self._expanded(found, (Path(source.path).resolve(),))

    def _expanded(self, statements: tuple[Statement, ...], chain: tuple[Path, ...]) -> tuple[Statement, ...]:
        found: list[Statement] = []
        for statement in statements:
            if statement.keyword.text == "include":
                found.extend(self._include(statement, chain))
            elif statement.body is not None:
                body = self._expanded(statement.body, chain)
                found.append(Statement(statement.keyword, statement.elements, body, statement.end))
            else:
                found.append(statement)
        return tuple(found)

    def _include(self, statement: Statement, chain: tuple[Path, ...]) -> tuple[Statement, ...]:
        name = statement.elements[0] if len(statement.elements) == 1 else None
        if not isinstance(name, Atom) or name.kind != "STRING" or statement.body is not None:
            self._report.error(statement.keyword.span, 'an include is written `include "FILE";`')
            return ()
        shown = Path(name.span.source.path).parent / text_of(name)
        self._included += 1
        try:
            path = shown.resolve()
        except (OSError, ValueError) as error:
            self._report.error(name.span, f"`{shown}` cannot be read: {reason(error)}")
            return ()
        if path in chain:
            self._report.error(name.span, f"`{shown}` includes itself")
        elif self._included > _MAX_FILES:
            self._report.error(name.span, f"more than {_MAX_FILES} includes")
        else:
            return self._included_file(str(shown), name.span, (*chain, path))
        return ()

    def _included_file(self, path: str, span: Span, chain: tuple[Path, ...]) -> tuple[Statement, ...]:
        try:
            source = read_source(path, self._report)
        except (OSError, ValueError) as error:
            self._report.error(span, f"`{path}` cannot be read: {reason(error)}")
            self._report.partial = True
            return ()
        found = parse(source, self._report)
        if found and found[0].keyword.text == "version":
            self._check_version(found[0])
            found = found[1:]
        return self._expanded(found, chain)

    def _check_version(self, statement: Statement) -> None:
        given = [node.text for node in statement.elements if isinstance(node, Atom)]
        if given != [DIALECT]:
            self._report.error(statement.keyword.span, f"the file is not of `version {DIALECT};`")


def read_source(path: str, report: Report) -> Source:
    """The text of a file; bytes that are not UTF-8 are reported and replaced. OSError, ValueError as `open`."""
    data = Path(path).read_bytes()
    try:
        return Source(path, data.decode("utf-8").removeprefix("\N{BYTE ORDER MARK}"))
    except UnicodeDecodeError as error:
        source = Source(path, data.decode("utf-8", "replace"))
        at = len(data[: error.start].decode("utf-8"))
        report.error(Span(source, at, at + 1), f"byte 0x{data[error.start]:02x} is not UTF-8")
        return source


def reason(error: Exception) -> str:
    """Why a file could not be read."""
    return str(getattr(error, "strerror", None) or error)
