"""From an entry and its arguments to one line: text, or JSON with the fields apart.

Knows neither levels nor sinks. A line is made for each event on the login path, hence: everything about an entry is
in its Form, the head of a line is made once a second, and arguments are looked at together before each by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from imap4fast._wire import fill, text_lines
from imap4fast.log.entry import Form
from imap4fast.log.escape import bare, escape_text, shown

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Kept = tuple[Form, tuple[object, ...], int, float]
"""An entry that was written: under which form, its arguments, its track, and when."""

BAD_ARGUMENTS = "BAD-ARGUMENTS"
"""Stands in a line whose arguments do not fit its entry: a fault of the program that must not end a session."""


class Lines(Protocol):
    """One format of one process."""

    pid: int
    clock: Callable[[], float]

    def line(self, form: Form, args: tuple[object, ...], track: int, moment: float | None = None) -> str:
        """The whole line with its newline; never raises. `moment` is when it was written, None for now."""

    def block(self, kept: list[Kept]) -> bytes:
        """The lines of many entries, in UTF-8."""


class _Head:
    """What starts each line of a second: made anew when the second or the process changed."""

    __slots__ = ("_clock", "_head", "_make", "_of", "_pid", "now")

    def __init__(self, clock: Callable[[], float], make: Callable[[datetime, int], str]) -> None:
        self._clock = clock
        self._make = make
        self._of = -1
        self._pid = -1
        self._head = ""
        self.now = 0.0

    def at(self, pid: int, moment: float | None) -> str:
        """The head for a moment, None for this one; `now` is the moment."""
        self.now = now = self._clock() if moment is None else moment
        second = int(now)
        if second != self._of or pid != self._pid:
            self._of, self._pid = second, pid
            self._head = self._make(datetime.fromtimestamp(second).astimezone(), pid)
        return self._head


def encoded(line: str) -> bytes:
    """A line as files and streams get it."""
    return line.encode("utf-8", "backslashreplace")


def body(form: Form, args: tuple[object, ...], limit: int) -> str:
    """The entry's text with its arguments in place, after the rules of escape.py."""
    plain = fill(form.template, args, limit)
    if plain is not None:
        return plain
    return _careful_body(form, args, limit)


def _careful_body(form: Form, args: tuple[object, ...], limit: int) -> str:
    """The same for any arguments, each by itself. A number that does not exist is 0."""
    try:
        return form.text % tuple(
            [shown(arg, limit) if kind == "s" else arg or 0 for arg, kind in zip(args, form.kinds, strict=True)]
        )
    except (TypeError, ValueError, OverflowError):
        return f"{BAD_ARGUMENTS} {form.text} " + " ".join([shown(arg, limit) for arg in args])


def _is_number(arg: object) -> bool:
    """Whether it may stand as a number in JSON: readers commonly take 64 bits."""
    return type(arg) is int and -(2**63) <= arg < 2**63


class TextLines:
    """`Mon D hh:mm:ss host app[PID]: CODE-NNN-S text`, and behind it `SESSION=N` for track N.

    With `datagram` the head is the one that the socket of a syslog daemon expects: no host, the day in two columns.
    """

    __slots__ = ("_app", "_head", "_host", "_limit", "clock", "pid")

    def __init__(
        self, app: str, host: str, pid: int, clock: Callable[[], float], limit: int, *, datagram: bool = False
    ) -> None:
        self.pid = pid
        self.clock = clock
        self._app = escape_text(app)
        self._host = escape_text(host)
        self._limit = limit
        self._head = _Head(clock, self._datagram_head if datagram else self._file_head)

    def _file_head(self, moment: datetime, pid: int) -> str:
        return f"{_MONTHS[moment.month - 1]} {moment.day} {moment:%H:%M:%S} {self._host} {self._app}[{pid}"

    def _datagram_head(self, moment: datetime, pid: int) -> str:
        return f"{_MONTHS[moment.month - 1]} {moment.day:2} {moment:%H:%M:%S} {self._app}[{pid}"

    def head(self, moment: float | None = None) -> str:
        """All that stands before the entry."""
        return f"{self._head.at(self.pid, moment)}]: "

    def line(self, form: Form, args: tuple[object, ...], track: int, moment: float | None = None) -> str:
        """See Lines."""
        session = f" SESSION={track}" if track else ""
        return f"{self.head(moment)}{form.id} {body(form, args, self._limit)}{session}\n"

    def block(self, kept: list[Kept]) -> bytes:
        """See Lines."""
        return text_lines(kept, self.head, self._limit, self._careful)

    def _careful(self, form: Form, args: tuple[object, ...]) -> str:
        return _careful_body(form, args, self._limit)


class JsonLines:
    """One JSON object a line: time host app pid track id severity, the entry's pairs under their keys, text.

    Values are escaped as in text, though never in quotes of their own; numbers are numbers and None is null. With
    `datagram` the object follows the head that a syslog daemon expects.
    """

    __slots__ = ("_app", "_encode", "_head", "_host", "_limit", "_syslog", "clock", "pid")

    def __init__(
        self, app: str, host: str, pid: int, clock: Callable[[], float], limit: int, *, datagram: bool = False
    ) -> None:
        self.pid = pid
        self.clock = clock
        self._app = escape_text(app)
        self._host = escape_text(host)
        self._limit = limit
        self._encode = msgspec.json.Encoder().encode
        self._head = _Head(clock, lambda moment, pid: moment.isoformat())
        self._syslog = TextLines(app, host, pid, clock, limit, datagram=True) if datagram else None

    def line(self, form: Form, args: tuple[object, ...], track: int, moment: float | None = None) -> str:
        """See Lines."""
        whole = self._head.at(self.pid, moment)
        record: dict[str, object] = {
            "time": f"{whole[:19]}.{int(self._head.now * 1000) % 1000:03}{whole[19:]}",
            "host": self._host,
            "app": self._app,
            "pid": self.pid,
            "track": track,
            "id": form.id,
            "severity": form.severity,
        }
        record.update(form.fixed)
        for key, arg in zip(form.keys, args, strict=False):
            record[key] = arg if arg is None or _is_number(arg) else bare(arg, self._limit)
        record["text"] = body(form, args, self._limit)
        return f"{self._lead(moment)}{self._encode(record).decode()}\n"

    def block(self, kept: list[Kept]) -> bytes:
        """See Lines."""
        return b"".join([encoded(self.line(*entry)) for entry in kept])

    def _lead(self, moment: float | None) -> str:
        if self._syslog is None:
            return ""
        self._syslog.pid = self.pid
        return self._syslog.head(moment)
