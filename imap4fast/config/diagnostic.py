"""Errors and warnings of a configuration: how they are collected, and how they look.

FILE:LINE:COLUMN: error: TEXT; did you mean `WORD`?
  the line of the file
      ^~~~
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec

from imap4fast.config.source import Source, Span
from imap4fast.errors import ConfigError

_WINDOW = 160
"""Most characters of a source line that are shown."""


class Diagnostic(msgspec.Struct, frozen=True):
    """One error or warning; `str()` is its block as shown, without a final newline."""

    severity: str
    path: str
    line: int
    column: int
    text: str
    source_line: str
    width: int

    def __str__(self) -> str:
        head = f"{self.path}:{self.line}:{self.column}: {self.severity}: {self.text}"
        shown, at = _window(self.source_line, self.column - 1)
        pad = "".join("\t" if char == "\t" else " " for char in shown[:at])
        mark = "^" + "~" * (min(self.width, len(shown) - at) - 1)
        return f"{head}\n  {_printable(shown)}\n  {pad}{mark}"


class ElementError(Exception):
    """What stands at `span` cannot be understood; the rest of its item is given up. Never leaves this package."""

    def __init__(self, span: Span, text: str) -> None:
        super().__init__(text)
        self.span = span
        self.text = text


class Report:
    """All that was found in one run over a file and its includes.

    `partial`: statements were dropped, so that nobody should complain about what is missing.
    """

    def __init__(self) -> None:
        self.partial = False
        self._found: list[tuple[int, int, int, Diagnostic]] = []
        self._order: dict[int, int] = {}
        self._sources: list[Source] = []

    def error(self, span: Span, text: str) -> None:
        """Add an error at `span`."""
        self._add("error", span, text)

    def warning(self, span: Span, text: str) -> None:
        """Add a warning at `span`."""
        self._add("warning", span, text)

    def failed(self) -> bool:
        """Whether there is an error."""
        return any(found[3].severity == "error" for found in self._found)

    def warnings(self) -> list[Diagnostic]:
        """The warnings, in the order of the text."""
        return [found for found in self._sorted() if found.severity == "warning"]

    def raise_if_failed(self) -> None:
        """Raise all that was found, warnings too, as one ConfigError where there is an error."""
        if self.failed():
            raise ConfigError("\n".join(str(found) for found in self._sorted()))

    def _sorted(self) -> list[Diagnostic]:
        return [found[3] for found in sorted(self._found, key=lambda found: found[:3])]

    def _add(self, severity: str, span: Span, text: str) -> None:
        line, column = span.source.position(span.start)
        shown = span.source.line(line)
        diagnostic = Diagnostic(severity, span.source.path, line, column, text, shown, max(1, span.end - span.start))
        if not any(found[3] == diagnostic for found in self._found[-8:]):
            self._found.append((self._source_order(span.source), span.start, len(self._found), diagnostic))

    def _source_order(self, source: Source) -> int:
        if id(source) not in self._order:
            self._order[id(source)] = len(self._sources)
            self._sources.append(source)
        return self._order[id(source)]


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` where a known word is near, else nothing."""
    by_folded = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(by_folded), n=1, cutoff=0.66)
    return f"; did you mean `{by_folded[near[0]]}`?" if near else ""


def _window(line: str, at: int) -> tuple[str, int]:
    """At most `_WINDOW` characters of `line` around `at`, and where `at` is among them."""
    start = 0 if len(line) <= _WINDOW else max(0, min(at - _WINDOW // 2, len(line) - _WINDOW))
    return line[start : start + _WINDOW], at - start


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
