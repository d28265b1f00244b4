"""Times, compiled: does a moment of local time fit `time` items or a `time-period-set`?

Each period is three tables, looked up by date, weekday and minute. The parts of a period are ANDed and independent
of one another: `weekdays fri fri; hours 2200 0600;` holds on Friday before 06:00 and from 22:00, not on Saturday.
Dates and weekdays include their upper end, minutes do not; all may wrap; minutes that end where they begin are the
whole day.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from imap4fast.config.values import DateRange, PeriodSpec, TimePeriodSet, TimeSpec
from imap4fast.policy.fit import DOES_NOT_FIT, FITS, Fit

DAY_MINUTES = 1440
_MONTH = 32
"""Dates are numbered month * 32 + day."""
_DATES = 13 * _MONTH


class TimeTest:
    """A compiled set of periods, any of which fits; `exclude` inverts the whole."""

    __slots__ = ("_otherwise", "_periods", "_within")

    def __init__(self, periods: Iterable[_Period], exclude: bool = False) -> None:
        self._periods = tuple(periods)
        self._within, self._otherwise = (DOES_NOT_FIT, FITS) if exclude else (FITS, DOES_NOT_FIT)

    def fits(self, when: datetime.datetime) -> Fit:
        """Whether the moment, taken as local time, fits."""
        date = when.month * _MONTH + when.day
        weekday = when.isoweekday() % 7
        minute = when.hour * 60 + when.minute
        for period in self._periods:
            if period.dates[date] and period.weekdays[weekday] and period.minutes[minute]:
                return self._within
        return self._otherwise


def compile_times(specs: tuple[TimeSpec, ...]) -> TimeTest:
    """`time` items: any of them fits."""
    return TimeTest(map(_from_spec, specs))


def compile_period_set(section: TimePeriodSet) -> TimeTest:
    """Section `time-period-set`."""
    return TimeTest(map(_from_period_spec, section.specs), section.exclude)


class _Period:
    """Tables with a byte for each date, weekday from Sunday, and minute of the day: 1 where it fits."""

    __slots__ = ("dates", "minutes", "weekdays")

    def __init__(self, dates: Iterable[int], weekdays: Iterable[int], minutes: Iterable[int]) -> None:
        self.dates = _table(dates, _DATES)
        self.weekdays = _table(weekdays, 7)
        self.minutes = _table(minutes, DAY_MINUTES)


def _table(fitting: Iterable[int], size: int) -> bytes:
    table = bytearray(size)
    for place in fitting:
        table[place] = 1
    return bytes(table)


def _from_spec(spec: TimeSpec) -> _Period:
    days = range(1, 32) if spec.days is None else spec.days
    months = range(1, 13) if spec.months is None else spec.months
    return _Period(
        (month * _MONTH + day for month in months for day in days),
        range(7) if spec.weekdays is None else spec.weekdays,
        range(DAY_MINUTES) if spec.minutes is None else _minutes(spec.minutes),
    )


def _from_period_spec(spec: PeriodSpec) -> _Period:
    return _Period(
        _dates(spec.dates) if spec.dates else range(_DATES),
        _weekdays(spec.weekdays) if spec.weekdays else range(7),
        _minutes(spec.hours) if spec.hours else range(DAY_MINUTES),
    )


def _dates(ranges: tuple[DateRange, ...]) -> Iterable[int]:
    for date in ranges:
        first = date.from_month * _MONTH + date.from_day
        last = date.to_month * _MONTH + date.to_day
        yield from _around(first, last + 1, _DATES)


def _weekdays(ranges: tuple[tuple[int, int], ...]) -> Iterable[int]:
    for first, last in ranges:
        yield from _around(first, (last + 1) % 7, 7)


def _minutes(ranges: tuple[tuple[int, int], ...]) -> Iterable[int]:
    for first, end in ranges:
        yield from _around(first, end % DAY_MINUTES, DAY_MINUTES)


def _around(first: int, end: int, size: int) -> Iterable[int]:
    """Places from `first` up to `end`, not included, on a circle; the whole circle where they are the same."""
    return range(first, end) if first < end else (place % size for place in range(first, end + size))
