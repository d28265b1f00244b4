"""The argument of `test-imap4 -t` (configuration.md section 6): what it may ask for, as typed structures.

`parse_expression` reads it with the grammar of configuration files; it searches no ACL and knows no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from imap4fast.config.clock import LONGEST_MONTHS
from imap4fast.config.composite import ListOf
from imap4fast.config.cursor import Cursor, Names, shown
from imap4fast.config.diagnostic import ElementError, Report, suggestion
from imap4fast.config.grammar import parse
from imap4fast.config.host import HOST, SockType
from imap4fast.config.source import Source, Span
from imap4fast.config.syntax import Statement
from imap4fast.config.types import DECIMAL, FILE, KEY, STR, Integer, Type, words
from imap4fast.config.values import Address, Sock

UNSPECIFIED = Address(4, 0)


class TestTime(msgspec.Struct, frozen=True):
    """`[[MM]DD]hhmm`; None: that of now. The year is the current one."""

    __test__: ClassVar[bool] = False

    hour: int
    minute: int
    day: int | None = None
    month: int | None = None


class TestExpr(msgspec.Struct, frozen=True):
    """`test ...`: search the ACLs with these entry values.

    `from_` and the hosts of `to` and `server` are an `Address` or a name as written (a name has to be resolved by
    who asks). Omitted: `[0.0.0.0]`, and port 0. `time` None: now. `cert` and `mail` are paths. `direction` is
    `download` (the default) or `upload`; `virus` one of found, free, skipped, unknown, error and `spam_score`: what the
    engines say, None: not given. `write` is where the mail that comes of it goes.
    """

    __test__: ClassVar[bool] = False

    from_: Address | str = UNSPECIFIED
    transparent: bool = False
    to: Sock = Sock(UNSPECIFIED, 0)
    server: Sock = Sock(UNSPECIFIED, 0)
    user: str | None = None
    group: tuple[str, ...] = ()
    time: TestTime | None = None
    cert: str | None = None
    mail: str | None = None
    direction: str | None = None
    spam_score: float | None = None
    virus: str | None = None
    write: str | None = None


class ShowAcl(msgspec.Struct, frozen=True):
    """`show-acl [PHASE]`: 1 session-acl, 2 command-acl, 3 mail-acl and doc-acl."""

    phase: int = 1


class ShowProxy(msgspec.Struct, frozen=True):
    """`show-proxy [all]`: `all` also prints what was left at its default."""

    all: bool = False


class ShowHash(msgspec.Struct, frozen=True):
    """`show-hash`: the hash of the configuration."""


class Help(msgspec.Struct, frozen=True):
    """`help`."""


Expr = TestExpr | ShowAcl | ShowProxy | ShowHash | Help


def parse_expression(text: str) -> tuple[Expr, ...]:
    """What a `-t` argument asks for, in order; the last `;` may be left out. ConfigError shows all errors in it."""
    report = Report()
    source = Source("<expression>", text if text.rstrip()[-1:] in ("", ";") else f"{text};")
    found: list[Expr] = []
    for statement in parse(source, report):
        try:
            found.append(_expr(statement, report))
        except ElementError as error:
            report.error(error.span, error.text)
    if not found and not report.failed():
        report.error(Span(source, 0, 0), "the expression is empty")
    report.raise_if_failed()
    return tuple(found)


class _TimeType(Type):
    """`[[MM]DD]hhmm`."""

    name = "[[MM]DD]hhmm"

    def read(self, cursor: Cursor) -> TestTime:
        atom = cursor.take_atom("a time, [[MM]DD]hhmm,", "INTEGER")
        digits = atom.text
        if not digits.isdigit() or len(digits) not in (4, 6, 8):
            raise ElementError(atom.span, f"a time of 4, 6 or 8 digits, [[MM]DD]hhmm, expected, not `{digits}`")
        pairs = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
        minute, hour, day, month = [*reversed(pairs), None, None][:4]
        time = TestTime(hour or 0, minute or 0, day, month)
        if not _exists(time):
            raise ElementError(atom.span, f"there is no time `{digits}`")
        return time

    def write(self, value: Any) -> str:
        parts = (value.month, value.day, value.hour, value.minute)
        return "".join(f"{part:02}" for part in parts if part is not None)


def _exists(time: TestTime) -> bool:
    longest = LONGEST_MONTHS[time.month - 1] if time.month is not None and 1 <= time.month <= 12 else 31
    month_good = time.month is None or 1 <= time.month <= 12
    return time.hour < 24 and time.minute < 60 and month_good and (time.day is None or 1 <= time.day <= longest)


_ENTRY_SOCK = SockType(zero=True)
_PARTS: dict[str, tuple[str, Type]] = {
    "from": ("from_", HOST),
    "transparent": ("transparent", KEY),
    "to": ("to", _ENTRY_SOCK),
    "server": ("server", _ENTRY_SOCK),
    "user": ("user", STR),
    "group": ("group", ListOf(STR)),
    "time": ("time", _TimeType()),
    "cert": ("cert", FILE),
    "mail": ("mail", FILE),
    "direction": ("direction", words("download", "upload")),
    "spam-score": ("spam_score", DECIMAL),
    "virus": ("virus", words("found", "free", "skipped", "unknown", "error")),
    "write": ("write", FILE),
}
_OF_MAILS = ("direction", "spam_score", "virus", "write")
_PHASE = Integer(1, 3, "phase")


def _expr(statement: Statement, report: Report) -> Expr:
    keyword = statement.keyword
    reader = _READERS.get(keyword.text)
    if statement.body is not None:
        raise ElementError(keyword.span, f"`{keyword.text}` is no section")
    if reader is None:
        known = ", ".join(f"`{word}`" for word in _READERS)
        near = suggestion(keyword.text, _READERS)
        raise ElementError(keyword.span, f"one of {known} expected, not `{keyword.text}`{near}")
    cursor = Cursor(statement, report, Names())
    found = reader(cursor)
    extra = cursor.peek()
    if extra is not None:
        raise ElementError(extra.span, f"unexpected {shown(extra)}")
    return found


def _test(cursor: Cursor) -> TestExpr:
    given: dict[str, Any] = {}
    places: dict[str, Span] = {}
    while (node := cursor.peek()) is not None:
        atom = cursor.take_atom("a part of `test`", "WORD")
        if atom.text not in _PARTS:
            raise ElementError(node.span, f"`test` has no part `{atom.text}`{suggestion(atom.text, _PARTS)}")
        field, kind = _PARTS[atom.text]
        if field in given:
            raise ElementError(node.span, f"`{atom.text}` stands a second time")
        given[field] = kind.read(cursor)
        places[field] = node.span
    if "group" in given and "user" not in given:
        raise ElementError(places["group"], "`group` stands only together with `user`")
    for field in _OF_MAILS:
        if field in given and "mail" not in given:
            raise ElementError(places[field], f"`{field.replace('_', '-')}` stands only together with `mail`")
    return TestExpr(**given)


def _show_acl(cursor: Cursor) -> ShowAcl:
    return ShowAcl() if cursor.peek() is None else ShowAcl(_PHASE.read(cursor))


def _show_proxy(cursor: Cursor) -> ShowProxy:
    return ShowProxy(cursor.accept("all"))


_READERS: dict[str, Callable[[Cursor], Expr]] = {
    "test": _test,
    "show-acl": _show_acl,
    "show-proxy": _show_proxy,
    "show-hash": lambda cursor: ShowHash(),
    "help": lambda cursor: Help(),
}
