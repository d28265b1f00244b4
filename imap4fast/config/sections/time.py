"""time(5): `time-period-set`."""

from __future__ import annotations

from imap4fast.config.clock import DATES, HOUR_PAIR, WEEKDAY_PAIR
from imap4fast.config.schema import Item, Section
from imap4fast.config.types import KEY
from imap4fast.config.values import PeriodSpec, TimePeriodSet

TIME_SPEC = Section(
    keyword="time-spec",
    help="a period: kinds of items are all required, of one kind any; upper day and weekday included",
    page="time",
    named=True,
    repeatable=True,
    field="specs",
    struct=PeriodSpec,
    members=(
        Item(keyword="dates", type=DATES, repeatable=True, help="days of the year; may wrap over its end"),
        Item(keyword="weekdays", type=WEEKDAY_PAIR, repeatable=True, help="first and last weekday; may wrap"),
        Item(keyword="hours", type=HOUR_PAIR, repeatable=True, help="from and to, end exclusive; may wrap"),
    ),
)

TIME_PERIOD_SET = Section(
    keyword="time-period-set",
    help="a set of periods, in the local time zone; any of its time-specs fits",
    page="time",
    named=True,
    repeatable=True,
    struct=TimePeriodSet,
    members=(
        Item(keyword="exclude", type=KEY, help="inverts the set"),
        TIME_SPEC,
    ),
)
