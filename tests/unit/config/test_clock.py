"""Types of times."""

from __future__ import annotations

import pytest
from hypothesis import given

from imap4fast.config.clock import DATES, HOUR_PAIR, HOURS, TIME, WEEKDAY_PAIR, WEEKDAY_SET, hhmm
from imap4fast.config.types import Type
from imap4fast.config.values import DateRange, TimeSpec
from tests.unit.config import strategies
from tests.unit.config.harness import read


@pytest.mark.parametrize(
    ("kind", "elements", "value"),
    [
        (TIME, "*", TimeSpec()),
        (TIME, "day 5", TimeSpec(days=frozenset({5}))),
        (TIME, "month { jan, 3-4 }", TimeSpec(months=frozenset({1, 3, 4}))),
        (TIME, "sat-sun", TimeSpec(weekdays=frozenset({6, 0}))),
        (TIME, "* 2200-0200", TimeSpec(minutes=((1320, 120),))),
        (WEEKDAY_SET, "{ ! mon-fri, * }", frozenset({6, 0})),
        (WEEKDAY_SET, "{ ! { ! mon, * }, * }", frozenset({1})),
        (WEEKDAY_SET, "0-6", None),
        (HOURS, "{ ! 0100-0200, 0000-0300 }", ((0, 60), (120, 180))),
        (HOURS, "{ ! 2300-0100, * }", ((60, 1380),)),
        (HOURS, "*", None),
        (HOUR_PAIR, "0000 2400", (0, 1440)),
        (WEEKDAY_PAIR, "fri 1", (5, 1)),
        (DATES, "29 feb 1 3", DateRange(29, 2, 1, 3)),
    ],
)
def test_read_and_write(kind: Type, elements: str, value: object) -> None:
    assert read(kind, elements) == value
    if value is not None:
        assert read(kind, kind.write(value)) == value


@pytest.mark.parametrize(
    ("kind", "elements", "error"),
    [
        (TIME, "", "write `*` for every time"),
        (TIME, "day 0", "day 1-31 expected, not `0`"),
        (TIME, "month 13", "month jan-dec expected"),
        (TIME, "fry", "did you mean `fri`"),
        (WEEKDAY_SET, "{ ! *, mon }", "the set is empty"),
        (HOURS, "{ ! *, 0100-0200 }", "the set is empty"),
        (HOURS, "0100", "hours are a range"),
        (HOURS, "2401-0100", "is no time of the day"),
        (HOURS, "0060-0100", "is no time of the day"),
        (HOUR_PAIR, "0100 0100", "the whole day is `0000 2400`"),
        (DATES, "31 apr 1 may", "no day 31"),
        (WEEKDAY_PAIR, "mon 7", "expected, not `7`"),
    ],
)
def test_wrong(kind: Type, elements: str, error: str) -> None:
    assert error in read(kind, elements)


@given(strategies.times)
def test_round_trip(time: TimeSpec) -> None:
    assert read(TIME, TIME.write(time)) == time


def test_hhmm() -> None:
    assert (hhmm(0), hhmm(61), hhmm(1440)) == ("0000", "0101", "2400")
