"""Conditions of mail-acl and doc-acl on content, compiled.

As those on sessions (`conditions.py`) each says for a trace how it stands in the configuration and which value it saw.
They are judged in the order: parent-acl (doc-acl), direction, virus, spam-score, size, header, sender, recipient,
mime-type, filename. Where a thing has several candidates, an ACL that accepts needs all of them to fit, one that denies
any: a second name or a second From must open no door.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from imap4fast.config.mailsettings import DocAcl, MailAcl, MailConditions
from imap4fast.config.schema import Item
from imap4fast.config.sections.doc_acl import DOC_ACL
from imap4fast.config.values import WordList
from imap4fast.policy.content import DocCase, MailCase
from imap4fast.policy.fit import DOES_NOT_FIT, FITS
from imap4fast.policy.syntax import word_list_text, word_text
from imap4fast.policy.trace import ConditionTrace
from imap4fast.policy.words import WordTest, without_case

Case = TypeVar("Case", bound=MailCase, contravariant=True)

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    name: getattr(operator, name) for name in ("lt", "le", "eq", "ne", "ge", "gt")
}
_NONE = ("",)


class ContentCondition(ABC, Generic[Case]):
    """One compiled condition. `item` is its keyword, `text` the whole item in configuration syntax."""

    __slots__ = ("item", "text")

    def __init__(self, item: str, text: str) -> None:
        self.item = item
        self.text = text

    @abstractmethod
    def fits(self, case: Case) -> bool:
        """Whether the mail or document fits."""

    @abstractmethod
    def seen(self, case: Case) -> str:
        """The value that `fits` looks at, for people."""

    def trace(self, case: Case) -> ConditionTrace:
        """How the condition was judged."""
        return ConditionTrace(self.item, self.text, self.seen(case), FITS if self.fits(case) else DOES_NOT_FIT)


def of_mail(acl: MailAcl) -> tuple[ContentCondition[MailCase], ...]:
    """The conditions of a mail-acl, those on the session left out."""
    return tuple(_shared(acl.mail, acl.accept))


def of_document(acl: DocAcl) -> tuple[ContentCondition[DocCase], ...]:
    """The conditions of a doc-acl, those on the session left out; the mail-acl that accepted is not decided by it."""
    return tuple(_of_document(acl))


def _of_document(acl: DocAcl) -> Iterator[ContentCondition[DocCase]]:
    if acl.conditions.parent_acl is not None:
        yield _Parent("parent-acl", acl.conditions.parent_acl)
    yield from _shared(acl.mail, acl.accept)
    if acl.mime_type is not None:
        yield _Type(acl.mime_type, acl.accept, acl.doctype_ident_order)
    if acl.filename is not None:
        yield _Filename(acl.filename, acl.accept)


def _shared(mail: MailConditions, accept: bool) -> Iterator[ContentCondition[MailCase]]:
    if mail.direction is not None:
        yield _Direction("direction", mail.direction)
    if mail.virus is not None:
        yield _Virus("virus", mail.virus)
    if mail.spam_score is not None:
        yield _Spam("spam-score", mail.spam_score)
    if mail.size is not None:
        yield _Size("size", mail.size)
    if mail.header is not None:
        yield _HeaderField("header", mail.header)
    if mail.sender is not None:
        yield _Sender(mail.sender, accept)
    if mail.recipient is not None:
        yield _Recipient("recipient", mail.recipient)


def _written(keyword: str, value: Any) -> str:
    """The item as the configuration would say it."""
    item = DOC_ACL.member(keyword)
    assert isinstance(item, Item)
    return f"{keyword} {item.type.write(value)};"


class _Parent(ContentCondition[DocCase]):
    __slots__ = ("_test",)

    def __init__(self, item: str, members: WordList) -> None:
        super().__init__(item, f"{item} {word_list_text(members)};")
        self._test = WordTest(members)

    def fits(self, case: DocCase) -> bool:
        return self._test.fits((case.parent,)) is FITS

    def seen(self, case: DocCase) -> str:
        return case.parent


class _Direction(ContentCondition[MailCase]):
    __slots__ = ("_direction",)

    def __init__(self, item: str, direction: str) -> None:
        super().__init__(item, f"{item} {direction};")
        self._direction = direction

    def fits(self, case: MailCase) -> bool:
        return case.direction == self._direction

    def seen(self, case: MailCase) -> str:
        return case.direction


class _Virus(ContentCondition[MailCase]):
    __slots__ = ("_test",)

    def __init__(self, item: str, members: WordList) -> None:
        super().__init__(item, f"{item} {word_list_text(members)};")
        self._test = WordTest(members)

    def fits(self, case: MailCase) -> bool:
        return self._test.fits((case.virus,)) is FITS

    def seen(self, case: MailCase) -> str:
        return case.virus


class _Spam(ContentCondition[MailCase]):
    """A score that is not known fits UNKNOWN alone, and UNKNOWN nothing else."""

    __slots__ = ("_compare", "_limit")

    def __init__(self, item: str, value: tuple[str, float | None]) -> None:
        super().__init__(item, _written(item, value))
        self._compare = _OPERATORS.get(value[0])
        self._limit = value[1] or 0.0

    def fits(self, case: MailCase) -> bool:
        if case.spam is None or self._compare is None:
            return case.spam is None and self._compare is None
        return self._compare(case.spam, self._limit)

    def seen(self, case: MailCase) -> str:
        return "UNKNOWN" if case.spam is None else f"{case.spam:g}"


class _Size(ContentCondition[MailCase]):
    __slots__ = ("_compare", "_limit")

    def __init__(self, item: str, value: tuple[str, int]) -> None:
        super().__init__(item, _written(item, value))
        self._compare = _OPERATORS[value[0]]
        self._limit = value[1]

    def fits(self, case: MailCase) -> bool:
        return self._compare(case.size, self._limit)

    def seen(self, case: MailCase) -> str:
        return str(case.size)


class _HeaderField(ContentCondition[MailCase]):
    """A field that is not there fits nothing."""

    __slots__ = ("_name", "_test")

    def __init__(self, item: str, value: tuple[str, WordList]) -> None:
        super().__init__(item, f"{item} {word_text(value[0])} {word_list_text(value[1])};")
        self._name = value[0]
        self._test = WordTest(without_case(value[1]))

    def fits(self, case: MailCase) -> bool:
        return self._test.fits(tuple(map(str.casefold, case.header.values(self._name)))) is FITS

    def seen(self, case: MailCase) -> str:
        return _shown(case.header.values(self._name)) or f"no {self._name}"


class _Recipient(ContentCondition[MailCase]):
    """Any address of To, Cc and Bcc: a mail goes to many, and none of them speaks for the others."""

    __slots__ = ("_test",)

    def __init__(self, item: str, members: WordList) -> None:
        super().__init__(item, f"{item} {word_list_text(members)};")
        self._test = WordTest(without_case(members))

    def fits(self, case: MailCase) -> bool:
        return self._test.fits(self._recipients(case)) is FITS

    def seen(self, case: MailCase) -> str:
        return _shown(self._recipients(case))

    @staticmethod
    def _recipients(case: MailCase) -> tuple[str, ...]:
        return case.header.addresses("to", "cc", "bcc") or _NONE


class _Candidates(ContentCondition[Case]):
    """A condition on a thing that may have several words: `need` says how many of them must fit."""

    __slots__ = ("_need", "_test")

    def __init__(self, item: str, members: WordList, accept: bool) -> None:
        super().__init__(item, f"{item} {word_list_text(members)};")
        self._test = WordTest(without_case(members))
        self._need = all if accept else any

    def fits(self, case: Case) -> bool:
        return self._need(self._one(candidate.casefold()) for candidate in self._of(case))

    def seen(self, case: Case) -> str:
        return _shown(self._of(case))

    def _one(self, candidate: str) -> bool:
        return self._test.fits((candidate,)) is FITS

    @abstractmethod
    def _of(self, case: Case) -> tuple[str, ...]:
        """The candidates; never none."""


class _Sender(_Candidates[MailCase]):
    __slots__ = ()

    def __init__(self, members: WordList, accept: bool) -> None:
        super().__init__("sender", members, accept)

    def _of(self, case: MailCase) -> tuple[str, ...]:
        return case.header.addresses("from", "sender") or _NONE


class _Type(_Candidates[DocCase]):
    """A type fits its own word and its family's, `text/*`, whichever stands first in the list."""

    __slots__ = ("_order",)

    def __init__(self, members: WordList, accept: bool, order: tuple[str, ...] | None) -> None:
        super().__init__("mime-type", members, accept)
        self._order = order

    def _of(self, case: DocCase) -> tuple[str, ...]:
        return case.types(self._order)

    def _one(self, candidate: str) -> bool:
        family, slash, _ = candidate.partition("/")
        return self._test.fits((candidate, f"{family}/*") if slash else (candidate,)) is FITS


class _Filename(_Candidates[DocCase]):
    __slots__ = ()

    def __init__(self, members: WordList, accept: bool) -> None:
        super().__init__("filename", members, accept)

    def _of(self, case: DocCase) -> tuple[str, ...]:
        return case.names


def _shown(values: tuple[str, ...]) -> str:
    """Values for people: one as it is, several in braces."""
    words = list(map(word_text, values))
    return words[0] if len(words) == 1 else f"{{ {', '.join(words)} }}" if words else ""
