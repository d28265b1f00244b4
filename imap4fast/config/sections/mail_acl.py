"""imap4-proxy(5): `mail-acl`, and the conditions on content that it shares with `doc-acl`."""

from __future__ import annotations

import re
from typing import Any

from imap4fast.config.basesettings import Conditions
from imap4fast.config.composite import Branch, Opt, Seq
from imap4fast.config.cursor import Cursor
from imap4fast.config.diagnostic import ElementError, Report
from imap4fast.config.mailsettings import MailAcl, MailConditions
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.sections.acl import FROM, GROUP, RESULTS, SERVER, TO, USER, parent_acl
from imap4fast.config.types import DECIMAL, DIRECTORY, FILE, KEY, SIZE, STR, Str, Type, text_of, words
from imap4fast.config.wordlist import STRINGS, WordListType, known_word

VIRUS = ("found", "free", "skipped", "unknown", "error")
_OPERATORS = ("lt", "le", "eq", "ne", "ge", "gt")
_VIRUS_TYPE = WordListType("virus status", known_word("virus status", VIRUS, lambda word: word in VIRUS))
_HEADER_NAME = re.compile(r"[!-9;-~]{1,76}")
_STRUCTURAL = frozenset(
    ("content-type", "content-transfer-encoding", "content-disposition", "content-id", "mime-version")
)


class HeaderName(Str):
    """The name of a header field (RFC 5322 section 3.6.8)."""

    def __init__(self) -> None:
        super().__init__("name of a header")

    def read(self, cursor: Cursor) -> str:
        atom = cursor.take_atom(f"a {self.name}", *self.kinds)
        name = text_of(atom)
        if not _HEADER_NAME.fullmatch(name):
            raise ElementError(atom.span, f"`{name}` is no {self.name}")
        return name


class _Modifiable(HeaderName):
    """The name of a header field that says nothing about the structure of the mail."""

    def read(self, cursor: Cursor) -> str:
        place = cursor.peek()
        name = super().read(cursor)
        if place is not None and name.lower() in _STRUCTURAL:
            raise ElementError(place.span, f"`{name}` is part of the structure of a mail and cannot be modified")
        return name


class _HeaderText(Str):
    """The text of a header field: one line."""

    def read(self, cursor: Cursor) -> str:
        atom = cursor.take_atom(f"a {self.name}", *self.kinds)
        text = text_of(atom)
        if not text.isprintable():
            raise ElementError(atom.span, "a header holds no control characters")
        return text


class _ModifyHeader(Type):
    """`add|replace NAME TEXT` or `delete NAME`."""

    inner = Branch(
        {
            "add": Seq(_Modifiable(), _HeaderText()),
            "replace": Seq(_Modifiable(), _HeaderText()),
            "delete": Seq(_Modifiable()),
        }
    )
    name = inner.name

    def read(self, cursor: Cursor) -> tuple[str, str, str | None]:
        word, (name, *text) = self.inner.read(cursor)
        return word, name, text[0] if text else None

    def write(self, value: Any) -> str:
        word, name, text = value
        return self.inner.write((word, (name,) if text is None else (name, text)))


class _DenyText(Type):
    """An optional text; the empty one where there is none."""

    inner = Opt(STR)
    name = inner.name

    def read(self, cursor: Cursor) -> str:
        return self.inner.read(cursor) or ""

    def write(self, value: Any) -> str:
        return self.inner.write(value or None)


def _content(keyword: str, type: Type, text: str) -> Item:
    field = f"mail.{keyword.replace('-', '_')}"
    return Item(keyword=keyword, type=type, field=field, default="*", help=f"condition: {text}")


CONTENT = (
    Item(
        keyword="direction",
        type=words("download", "upload"),
        field="mail.direction",
        default="both",
        help="condition: the direction",
    ),
    _content("virus", _VIRUS_TYPE, f"{', '.join(VIRUS)}; merged over engines"),
    _content(
        "spam-score",
        Branch({**dict.fromkeys(_OPERATORS, DECIMAL), "UNKNOWN": None}),
        "the score; UNKNOWN: there is none, since no engine is in use, or it failed, or the mail is too large for it",
    ),
    _content("size", Branch(dict.fromkeys(_OPERATORS, SIZE)), "the size; of a document when decoded"),
    _content("header", Seq(HeaderName(), STRINGS), "a header of the mail and what it holds, decoded"),
    _content(
        "sender",
        STRINGS,
        'addresses of From and Sender, "" where there is none; to accept all must fit, to deny any',
    ),
    _content("recipient", STRINGS, 'any address of To, Cc and Bcc, "" where there is none'),
)


def check_content(bound: Bound, report: Report) -> None:
    """`spam-score` of a document is the mail's; lists of addresses with a `*` inside a string are no patterns."""
    for keyword in ("sender", "recipient", "filename"):
        if keyword in bound.places:
            for word in _starred(bound.values.get(_target(bound, keyword), ())):
                text = f"`{word}` stands for itself here; a pattern is written as a regular expression, `/.../`"
                report.warning(bound.place(keyword), text)


def _target(bound: Bound, keyword: str) -> str:
    member = bound.section.member(keyword)
    return member.target if member is not None else keyword


def _starred(members: Any) -> list[str]:
    found = []
    for member in members:
        if member.sublist is not None:
            found += _starred(member.sublist)
        elif member.word is not None and not member.regex and "*" in member.word:
            found.append(member.word)
    return found


def _check(bound: Bound, report: Report) -> None:
    check_content(bound, report)
    if "deny" in bound.places:
        for keyword in ("subject-prefix", "replace-body", "modify-header"):
            if keyword in bound.places:
                report.warning(bound.place(keyword), f"`{keyword}` has no effect in an ACL that denies")


MAIL_ACL = Section(
    keyword="mail-acl",
    help="phase 3, searched for each mail; the first that matches decides, none: denied",
    page="imap4-proxy",
    named=True,
    repeatable=True,
    field="mail_acls",
    struct=MailAcl,
    parts={"conditions": Conditions, "mail": MailConditions},
    one_of=RESULTS,
    check=_check,
    members=(
        FROM,
        TO,
        SERVER,
        USER,
        GROUP,
        parent_acl("command-acl"),
        *CONTENT,
        Item(keyword="accept", type=KEY, help="the ACL accepts; it says either this or deny"),
        Item(keyword="deny", type=_DenyText(), help="the ACL denies; a text for the replacement"),
        Item(keyword="subject-prefix", type=_HeaderText(), help="put before the subject"),
        Item(keyword="replace-body", type=FILE, help="a text in place of the body"),
        Item(
            keyword="modify-header",
            type=_ModifyHeader(),
            repeatable=True,
            help="name and value of a header; add takes an old one of that name out where it may stand once",
        ),
        Item(keyword="quarantine", type=DIRECTORY, help="where a copy is kept"),
    ),
)
