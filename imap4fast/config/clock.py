"""Types of times: `HHMM`, days, months, weekdays, and the item `time`."""

from __future__ import annotations

from typing import Any

from imap4fast.config.composite import Seq, SetOf, refuse_exclusions_alone
from imap4fast.config.cursor import Cursor, shown
from imap4fast.config.diagnostic import ElementError
from imap4fast.config.syntax import Atom, ListNode, Negated, Node, Range
from imap4fast.config.types import Type, Word
from imap4fast.config.values import DateRange, TimeSpec

WEEKDAYS = {name: at for at, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
MONTHS = {
    name: at
    for at, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_MINUTES = 1440
_Minutes = tuple[tuple[int, int], ...]


class TimeType(Type):
    """`[day SET] [month SET] [weekdays [hours]]`, for one `TimeSpec`."""

    name = "[day { 1-31, ... }] [month { jan-dec, ... }] [{ sun-sat, ... } [{ HHMM-HHMM, ... }]]"

    def read(self, cursor: Cursor) -> TimeSpec:
        if cursor.peek() is None:
            raise ElementError(cursor.end(), "a time is missing; write `*` for every time")
        days = DAYS.read(cursor) if cursor.accept("day") else None
        months = MONTH_SET.read(cursor) if cursor.accept("month") else None
        weekdays = WEEKDAY_SET.read(cursor) if cursor.peek() is not None else None
        minutes = HOURS.read(cursor) if cursor.peek() is not None else None
        return TimeSpec(days, months, weekdays, minutes)

    def write(self, value: Any) -> str:
        parts = [f"day {DAYS.write(value.days)}"] if value.days is not None else []
        if value.months is not None:
            parts.append(f"month {MONTH_SET.write(value.months)}")
        if value.weekdays is not None or value.minutes is not None or not parts:
            parts.append(WEEKDAY_SET.write(value.weekdays))
        if value.minutes is not None:
            parts.append(HOURS.write(value.minutes))
        return " ".join(parts)


class HoursType(Type):
    """A set of `HHMM-HHMM`, end exclusive; None for the whole day."""

    name = "{ HHMM-HHMM, ... }"

    def read(self, cursor: Cursor) -> _Minutes | None:
        node = cursor.take("hours")
        members = node.members if isinstance(node, ListNode) else (node,)
        if all(isinstance(member, Range) for member in members):
            return tuple(_pair(member) for member in members)
        chosen = _chosen(node)
        if not chosen:
            raise ElementError(node.span, "the set is empty")
        return _intervals(chosen)

    def write(self, value: Any) -> str:
        return "{ " + ", ".join(f"{hhmm(start)}-{hhmm(end)}" for start, end in value) + " }"


class ClockTime(Type):
    """`HHMM` as minutes of the day; 2400 is the end of it."""

    name = "HHMM"

    def read(self, cursor: Cursor) -> int:
        return minute_of(cursor.take("a time of the day, HHMM,"))

    def write(self, value: Any) -> str:
        return hhmm(value)


class HourPair(Seq):
    """`HHMM HHMM`: end exclusive, may wrap."""

    def __init__(self) -> None:
        super().__init__(ClockTime(), ClockTime())

    def read(self, cursor: Cursor) -> tuple[int, int]:
        first = cursor.peek()
        start, end = super().read(cursor)
        if start == end and first is not None:
            raise ElementError(first.span, "the hours are empty; the whole day is `0000 2400`")
        return start, end


class Dates(Type):
    """`fd fm td tm`: both ends included, may wrap over the year's end."""

    name = "day month day month"

    def read(self, cursor: Cursor) -> DateRange:
        from_day, from_month = _date(cursor)
        to_day, to_month = _date(cursor)
        return DateRange(from_day, from_month, to_day, to_month)

    def write(self, value: Any) -> str:
        months = {number: name for name, number in MONTHS.items()}
        return f"{value.from_day} {months[value.from_month]} {value.to_day} {months[value.to_month]}"


def minute_of(node: Node) -> int:
    """The minute of the day that four digits say."""
    if not isinstance(node, Atom) or len(node.text) != 4 or not (node.text.isascii() and node.text.isdigit()):
        raise ElementError(node.span, f"a time of four digits, HHMM, expected, not {shown(node)}")
    hour, minute = int(node.text[:2]), int(node.text[2:])
    if minute > 59 or hour * 60 + minute > _DAY_MINUTES:
        raise ElementError(node.span, f"`{node.text}` is no time of the day")
    return hour * 60 + minute


def hhmm(minutes: int) -> str:
    """Four digits."""
    return f"{minutes // 60:02}{minutes % 60:02}"


def _date(cursor: Cursor) -> tuple[int, int]:
    atom = cursor.take_atom("a day of the month", "INTEGER")
    day = DAYS.number(atom)
    month = MONTH_SET.number(cursor.take("a month"))
    if day > LONGEST_MONTHS[month - 1]:
        raise ElementError(atom.span, f"that month has no day {day}")
    return day, month


def _pair(node: Node) -> tuple[int, int]:
    if not isinstance(node, Range):
        raise ElementError(node.span, f"hours are a range like `0800-1630`, not {shown(node)}")
    start, end = minute_of(node.low), minute_of(node.high)
    if start == end:
        raise ElementError(node.span, "the hours are empty; the whole day is `0000-2400`")
    return start, end


def _chosen(node: Node) -> set[int]:
    """The minutes that a list with `!`, `*` or sublists includes: the first member that fits decides."""
    members = node.members if isinstance(node, ListNode) else (node,)
    refuse_exclusions_alone(members, node)
    left, taken = set(range(_DAY_MINUTES)), set()
    for member in members:
        fits = left & _fitting(member.value if isinstance(member, Negated) else member)
        left -= fits
        if not isinstance(member, Negated):
            taken |= fits
    return taken


def _fitting(node: Node) -> set[int]:
    if isinstance(node, ListNode):
        return _chosen(node)
    if isinstance(node, Atom) and node.kind == "STAR":
        return set(range(_DAY_MINUTES))
    start, end = _pair(node)
    if start < end:
        return set(range(start, end))
    return set(range(start, _DAY_MINUTES)) | set(range(end))


def _intervals(minutes: set[int]) -> _Minutes | None:
    if len(minutes) == _DAY_MINUTES:
        return None
    starts = sorted(minute for minute in minutes if minute - 1 not in minutes)
    ends = sorted(minute + 1 for minute in minutes if minute + 1 not in minutes)
    return tuple(zip(starts, ends, strict=True))


DAYS = SetOf("day 1-31", range(1, 32))
MONTH_SET = SetOf("month jan-dec", range(1, 13), MONTHS)
WEEKDAY_SET = SetOf("weekday sun-sat", range(7), WEEKDAYS)
HOURS = HoursType()
TIME = TimeType()
HOUR_PAIR = HourPair()
DATES = Dates()
WEEKDAY_PAIR = Seq(Word(WEEKDAYS, range(7)), Word(WEEKDAYS, range(7)))
