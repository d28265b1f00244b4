"""Types made of other types: several elements, named elements, branches, and sets of words or numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imap4fast.config.cursor import Cursor, shown
from imap4fast.config.diagnostic import ElementError, suggestion
from imap4fast.config.syntax import Atom, ListNode, Negated, Node, Range
from imap4fast.config.types import Type


class Seq(Type):
    """All parts in a row; the value is a tuple."""

    def __init__(self, *parts: Type) -> None:
        self.parts = parts
        self.name = " ".join(part.name for part in parts)

    def read(self, cursor: Cursor) -> tuple[Any, ...]:
        return tuple(part.read(cursor) for part in self.parts)

    def write(self, value: Any) -> str:
        return " ".join(text for part, one in zip(self.parts, value, strict=True) if (text := part.write(one)))


class Opt(Type):
    """`part` where elements are left, else None."""

    def __init__(self, part: Type) -> None:
        self.part = part
        self.name = f"[{part.name}]"

    def read(self, cursor: Cursor) -> Any:
        return None if cursor.peek() is None else self.part.read(cursor)

    def write(self, value: Any) -> str:
        return "" if value is None else self.part.write(value)


class Named(Type):
    """`word` and then `part` (or nothing: the value is True); None where the word does not come next."""

    def __init__(self, word: str, part: Type | None = None, optional: bool = True) -> None:
        self.word = word
        self.part = part
        self.optional = optional
        inner = f"{word} {part.name}" if part else word
        self.name = f"[{inner}]" if optional else inner

    def read(self, cursor: Cursor) -> Any:
        if cursor.accept(self.word):
            return self.part.read(cursor) if self.part else True
        if self.optional:
            return None
        node = cursor.peek()
        if node is None:
            raise ElementError(cursor.end(), f"`{self.word}` is missing")
        raise ElementError(node.span, f"`{self.word}` expected, not {shown(node)}")

    def write(self, value: Any) -> str:
        if value is None:
            return ""
        return f"{self.word} {self.part.write(value)}" if self.part else self.word


class Branch(Type):
    """A word that says which elements follow; the value is (word, value of these or None)."""

    def __init__(self, branches: Mapping[str, Type | None]) -> None:
        self.branches = branches
        self.name = " | ".join(f"{word} {part.name}" if part else word for word, part in branches.items())

    def read(self, cursor: Cursor) -> tuple[str, Any]:
        known = ", ".join(f"`{word}`" for word in self.branches)
        atom = cursor.take_atom(f"one of {known}", "WORD")
        if atom.text not in self.branches:
            near = suggestion(atom.text, self.branches)
            raise ElementError(atom.span, f"one of {known} expected, not `{atom.text}`{near}")
        part = self.branches[atom.text]
        return atom.text, part.read(cursor) if part else None

    def write(self, value: Any) -> str:
        part = self.branches[value[0]]
        return f"{value[0]} {part.write(value[1])}" if part else str(value[0])


class WordOr(Type):
    """`word`, which stands for `meant`, or else `other`."""

    def __init__(self, word: str, meant: Any, other: Type) -> None:
        self.word = word
        self.meant = meant
        self.other = other
        self.name = f"{word} | {other.name}"

    def read(self, cursor: Cursor) -> Any:
        return self.meant if cursor.accept(self.word) else self.other.read(cursor)

    def write(self, value: Any) -> str:
        return self.word if value == self.meant else self.other.write(value)


class ListOf(Type):
    """One value of `part` or several in braces, without `!`; the value is a tuple."""

    def __init__(self, part: Type) -> None:
        self.part = part
        self.name = f"{{ {part.name}, ... }}"

    def read(self, cursor: Cursor) -> tuple[Any, ...]:
        node = cursor.take(self.part.name)
        members = node.members if isinstance(node, ListNode) else (node,)
        return tuple(self._member(member, cursor) for member in members)

    def _member(self, node: Node, cursor: Cursor) -> Any:
        one = type(cursor.statement)(cursor.statement.keyword, (node,), None, node.span)
        return self.part.read(Cursor(one, cursor.report, cursor.names))

    def write(self, value: Any) -> str:
        return "{ " + ", ".join(self.part.write(one) for one in value) + " }"


class SetOf(Type):
    """A set over the integers of `universe`, some of them with `names`; first member that fits decides."""

    def __init__(self, name: str, universe: range, names: Mapping[str, int] | None = None) -> None:
        self.universe = universe
        self.names = dict(names or {})
        self.name = f"{{ {name}, ... }}"
        self.member = name

    def read(self, cursor: Cursor) -> frozenset[int] | None:
        """None for all of them."""
        node = cursor.take(f"a set of {self.member}")
        chosen = frozenset(self.chosen(node))
        if not chosen:
            raise ElementError(node.span, "the set is empty")
        return None if chosen == frozenset(self.universe) else chosen

    def chosen(self, node: Node) -> list[int]:
        """The numbers that `node` includes."""
        members = node.members if isinstance(node, ListNode) else (node,)
        refuse_exclusions_alone(members, node)
        left = set(self.universe)
        taken: list[int] = []
        for member in members:
            value = member.value if isinstance(member, Negated) else member
            fits = left.intersection(self._fitting(value))
            left -= fits
            if not isinstance(member, Negated):
                taken.extend(fits)
        return taken

    def _fitting(self, node: Node) -> list[int]:
        if isinstance(node, ListNode):
            return self.chosen(node)
        if isinstance(node, Range):
            return self.between(self.number(node.low), self.number(node.high))
        if isinstance(node, Atom) and node.kind == "STAR":
            return list(self.universe)
        low, dash, high = node.text.partition("-") if isinstance(node, Atom) and node.kind == "WORD" else ("", "", "")
        if dash and low in self.names and high in self.names:
            return self.between(self.names[low], self.names[high])
        return [self.number(node)]

    def between(self, low: int, high: int) -> list[int]:
        """`low` to `high`, both included; where high is lower, over the end of the universe."""
        if low <= high:
            return list(range(low, high + 1))
        return [*range(low, self.universe.stop), *range(self.universe.start, high + 1)]

    def number(self, node: Node) -> int:
        """The number that a word or an integer stands for."""
        if isinstance(node, Atom) and node.kind == "INTEGER" and node.text.isdigit() and len(node.text) < 9:
            value = int(node.text)
            if value in self.universe:
                return value
        if isinstance(node, Atom) and node.text in self.names:
            return self.names[node.text]
        near = suggestion(node.text, self.names) if isinstance(node, Atom) else ""
        raise ElementError(node.span, f"{self.member} expected, not {shown(node)}{near}")

    def write(self, value: Any) -> str:
        if value is None:
            return "*"
        names = {number: name for name, number in self.names.items()}
        return "{ " + ", ".join(names.get(number, str(number)) for number in sorted(value)) + " }"


def refuse_exclusions_alone(members: tuple[Node, ...], node: Node) -> None:
    """A list in which every member begins with `!` fits nothing."""
    if all(isinstance(member, Negated) for member in members):
        last = members[-1].span.source.text[members[-1].span.start : members[-1].span.end]
        hint = f"`{last}, *`" if isinstance(node, ListNode) else f"`{{ {last}, * }}`"
        raise ElementError(node.span, f"a list of exclusions alone fits nothing; write {hint}")


__all__ = ["Branch", "ListOf", "Named", "Opt", "Seq", "SetOf", "WordOr", "refuse_exclusions_alone"]
