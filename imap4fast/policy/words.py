"""Lists of words and strings, compiled: users, groups, names of ACLs, commands.

The rules are those of host lists: first member that fits decides, `!` excludes, nothing fits: no match, a sublist
fits what it represents. Words are compared exactly after Unicode normalisation (NFC); regular expressions are
searched without case.
Names of users are compared without case (`without_case`): servers such as Dovecot take `Jana` for `jana`, so an exact
comparison could be side-stepped. A thing with several words (the groups of a user) fits a member that any of them fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Protocol
from unicodedata import normalize

import msgspec

from imap4fast.config.values import WordList, WordMember
from imap4fast.policy.fit import EXCLUDE, GO_ON, INCLUDE, SETTLED, Fit, outcome
from imap4fast.policy.regex import compile_regex


class _Stage(Protocol):
    def outcome(self, words: Sequence[str]) -> int: ...


class WordTest:
    """A compiled list of words."""

    __slots__ = ("_stages",)

    def __init__(self, members: WordList) -> None:
        stages: list[_Stage] = []
        for exact, run in groupby(members, key=_is_exact):
            part = tuple(run)
            stages += [_Exact(part)] if exact else map(_compile_member, part)
        self._stages = tuple(stages)

    def fits(self, words: Sequence[str]) -> Fit:
        """Whether the list fits a thing that has these words; no words fit nothing, not even `*`."""
        for stage in self._stages:
            said = stage.outcome(words)
            if not said & GO_ON:
                return SETTLED[said]
        return SETTLED[GO_ON]


def without_case(members: WordList) -> WordList:
    """The list with its plain words case-folded, for values that are case-folded before they are tried."""
    return tuple(
        msgspec.structs.replace(
            member,
            word=member.word.casefold() if _is_exact(member) and member.word is not None else member.word,
            sublist=None if member.sublist is None else without_case(member.sublist),
        )
        for member in members
    )


def plain_word(word: str) -> str:
    """The one spelling of a word: NFC."""
    return word if word.isascii() else normalize("NFC", word)


class _Exact:
    """A run of plain words: one look-up in a table of (rank, bits)."""

    __slots__ = ("_said",)

    def __init__(self, members: WordList) -> None:
        self._said: dict[str, tuple[int, int]] = {}
        for rank, member in enumerate(members):
            self._said.setdefault(plain_word(member.word or ""), (rank, _effect(member)))

    def outcome(self, words: Sequence[str]) -> int:
        found = [said for word in words if (said := self._said.get(plain_word(word))) is not None]
        return min(found)[1] if found else GO_ON


class _ByRegex:
    __slots__ = ("_effect", "_regex")

    def __init__(self, member: WordMember) -> None:
        self._regex = compile_regex(member.word or "")
        self._effect = _effect(member)

    def outcome(self, words: Sequence[str]) -> int:
        search = self._regex.search
        return self._effect if any(search(plain_word(word)) is not None for word in words) else GO_ON


class _Any:
    """`*`."""

    __slots__ = ("_effect",)

    def __init__(self, member: WordMember) -> None:
        self._effect = _effect(member)

    def outcome(self, words: Sequence[str]) -> int:
        return self._effect if words else GO_ON


class _BySublist:
    __slots__ = ("_effect", "_test")

    def __init__(self, sublist: WordList, member: WordMember) -> None:
        self._test = WordTest(sublist)
        self._effect = _effect(member)

    def outcome(self, words: Sequence[str]) -> int:
        return outcome(self._test.fits(words), self._effect)


def _compile_member(member: WordMember) -> _Stage:
    if member.sublist is not None:
        return _BySublist(member.sublist, member)
    return _ByRegex(member) if member.regex else _Any(member)


def _is_exact(member: WordMember) -> bool:
    return member.sublist is None and not member.regex and member.word is not None


def _effect(member: WordMember) -> int:
    return EXCLUDE if member.negate else INCLUDE
