"""Walking over the elements of one item, and what types may ask while they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imap4fast.config.diagnostic import ElementError, Report
from imap4fast.config.source import Span
from imap4fast.config.syntax import Atom, Node, Statement


class Names:
    """The named sections of a file: where each stands, and what became of those that are bound already."""

    def __init__(self) -> None:
        self.places: dict[str, dict[str, Span]] = {}
        self.values: dict[str, dict[str, Any]] = {}

    def of(self, kind: str) -> Mapping[str, Span]:
        """The names of all sections of a kind."""
        return self.places.get(kind, {})

    def add(self, kind: str, name: str, span: Span) -> None:
        """Note a section; the first of a name counts."""
        self.places.setdefault(kind, {}).setdefault(name, span)


class Cursor:
    """The elements of `statement`, read from left to right."""

    def __init__(self, statement: Statement, report: Report, names: Names) -> None:
        self.statement = statement
        self.report = report
        self.names = names
        self._at = 0

    def peek(self) -> Node | None:
        """The next element, None at the end."""
        return self.statement.elements[self._at] if self._at < len(self.statement.elements) else None

    def take(self, what: str) -> Node:
        """The next element, which must be there and should be `what`."""
        node = self.peek()
        if node is None:
            raise ElementError(self.end(), f"{what} is missing")
        self._at += 1
        return node

    def take_atom(self, what: str, *kinds: str) -> Atom:
        """The next element, which must be one of `kinds`."""
        return self.atom(self.take(what), what, *kinds)

    def next_word(self) -> str | None:
        """The next element's text where it is a word."""
        node = self.peek()
        return node.text if isinstance(node, Atom) and node.kind == "WORD" else None

    def accept(self, word: str) -> bool:
        """Step over `word` where it comes next."""
        if self.next_word() != word:
            return False
        self._at += 1
        return True

    def end(self) -> Span:
        """The place behind the last element."""
        nodes = self.statement.elements
        return (nodes[-1].span if nodes else self.statement.keyword.span).after()

    @staticmethod
    def atom(node: Node, what: str, *kinds: str) -> Atom:
        """`node` as an atom of one of `kinds`; ElementError says that it should be `what`."""
        if isinstance(node, Atom) and node.kind in kinds:
            return node
        raise ElementError(node.span, f"{what} expected, not {shown(node)}{_hint(node, kinds)}")


def shown(node: Node) -> str:
    """The node as it stands in the file, in a phrase."""
    if isinstance(node, Atom) or node.span.end - node.span.start <= 40:
        text = node.span.source.text[node.span.start : node.span.end]
        return f"`{text if len(text) <= 40 else text[:37] + '...'}`"
    return "a list"


def _hint(node: Node, kinds: tuple[str, ...]) -> str:
    if not isinstance(node, Atom):
        return ""
    if node.kind == "REGEX" and kinds == ("STRING",):
        return "; a path is written in quotes"
    if "STRING" in kinds and "WORD" not in kinds and node.kind in ("WORD", "BAD_NUMBER"):
        return f'; write "{node.text}"'
    return bare_hint(node, "STRING" in kinds)


def bare_hint(node: Atom, quotable: bool = True) -> str:
    """What is wrong with a bare address or a word that begins with a digit."""
    if node.kind == "BAD_ADDRESS" or (node.kind == "BAD_NUMBER" and node.text.count(".") >= 3):
        low, _, high = node.text.partition("-")
        bracketed = f"[{low}]-[{high}]" if high else f"[{low}]"
        return f"; an address is written in brackets: `{bracketed}`"
    if node.kind == "BAD_NUMBER" and quotable:
        return f'; a word that begins with a digit is written in quotes: "{node.text}"'
    return ""
