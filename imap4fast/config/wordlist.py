"""Types of lists of words and strings: users, groups, names of ACLs, commands, capabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from imap4fast.config.composite import refuse_exclusions_alone
from imap4fast.config.cursor import Cursor
from imap4fast.config.diagnostic import ElementError, suggestion
from imap4fast.config.pattern import pattern_of, write_pattern
from imap4fast.config.syntax import Atom, ListNode, Negated, Node
from imap4fast.config.types import Type, bare_or_quoted, text_of
from imap4fast.config.values import WordList, WordMember

_Check = Callable[[Atom, Cursor], None]


class WordListType(Type):
    """Words, strings, `*`, `!` and sublists; `check` may refuse a word; `regex` allows `/.../`."""

    def __init__(self, name: str, check: _Check | None = None, regex: bool = False) -> None:
        self.name = f"{{ {name}, ... }}"
        self.member = name
        self.check = check
        self.kinds = ("WORD", "STRING", "STAR", "REGEX") if regex else ("WORD", "STRING", "STAR")

    def read(self, cursor: Cursor) -> WordList:
        return self._members(cursor.take(f"a list of {self.member}"), cursor)

    def _members(self, node: Node, cursor: Cursor) -> WordList:
        nodes = node.members if isinstance(node, ListNode) else (node,)
        refuse_exclusions_alone(nodes, node)
        found = []
        for member in nodes:
            try:
                found.append(self._one(member, cursor))
            except ElementError as error:
                cursor.report.error(error.span, error.text)
        return tuple(found)

    def _one(self, node: Node, cursor: Cursor) -> WordMember:
        negate = isinstance(node, Negated)
        inner = node.value if isinstance(node, Negated) else node
        if isinstance(inner, ListNode):
            return WordMember(None, negate, sublist=self._members(inner, cursor))
        atom = Cursor.atom(inner, f"{self.member}", *self.kinds)
        if atom.kind == "STAR":
            return WordMember(None, negate)
        if atom.kind == "REGEX":
            return WordMember(pattern_of(atom), negate, regex=True)
        if self.check is not None:
            self.check(atom, cursor)
        return WordMember(text_of(atom), negate)

    def write(self, value: Any) -> str:
        return _write(value)


def known_word(what: str, known: Iterable[str], fits: Callable[[str], bool]) -> _Check:
    """Refuses words that `fits` does not know, and suggests one of `known`."""

    def check(atom: Atom, cursor: Cursor) -> None:
        word = text_of(atom)
        if not fits(word):
            raise ElementError(atom.span, f"unknown {what} `{word}`{suggestion(word, known)}")

    return check


def section_name(kind: str) -> _Check:
    """Refuses words that are no name of a section of `kind`."""

    def check(atom: Atom, cursor: Cursor) -> None:
        known = cursor.names.of(kind)
        word = text_of(atom)
        if word not in known:
            raise ElementError(atom.span, f"no section {kind} {word}{suggestion(word, known)}")

    return check


def first_fit(members: WordList, word: str) -> bool | None:
    """Whether a list includes (True) or excludes (False) a word; None: nothing fits. For lists without `/.../`."""
    for member in members:
        if member.sublist is not None:
            fits = first_fit(member.sublist, word) is True
        else:
            fits = member.word is None or member.word == word
        if fits:
            return not member.negate
    return None


def named_words(members: WordList) -> frozenset[str]:
    """The words that a list includes by their names, upper case: not those behind a `!`, nor what `*` stands for."""
    found: set[str] = set()
    for member in members:
        if member.negate:
            continue
        if member.sublist is not None:
            found |= named_words(member.sublist)
        elif member.word is not None and not member.regex:
            found.add(member.word.upper())
    return frozenset(found)


def _write(members: WordList) -> str:
    return "{ " + ", ".join(f"{'! ' if member.negate else ''}{_write_member(member)}" for member in members) + " }"


def _write_member(member: WordMember) -> str:
    if member.sublist is not None:
        return _write(member.sublist)
    if member.word is None:
        return "*"
    return write_pattern(member.word) if member.regex else bare_or_quoted(member.word)


STRINGS = WordListType("string", regex=True)
