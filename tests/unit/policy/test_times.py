"""Times: ends, wraps, and both forms against a naive evaluator that counts."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.config.values import DateRange, PeriodSpec, TimePeriodSet, TimeSpec
from imap4fast.policy.fit import DOES_NOT_FIT, FITS, Fit
from imap4fast.policy.times import compile_period_set, compile_times
from tests.unit.policy import drawn

MONDAY = datetime.datetime(2024, 1, 1, 12, 0)


def answer(fits: bool) -> Fit:
    return FITS if fits else DOES_NOT_FIT


def in_minutes(when: datetime.datetime, pairs: tuple[tuple[int, int], ...]) -> bool:
    minute = when.hour * 60 + when.minute
    return any(first <= minute < end if first < end else not (end <= minute < first) for first, end in pairs)


def in_dates(when: datetime.datetime, dates: DateRange) -> bool:
    moment = (when.month, when.day)
    first, last = (dates.from_month, dates.from_day), (dates.to_month, dates.to_day)
    return first <= moment <= last if first <= last else moment >= first or moment <= last


def in_weekdays(when: datetime.datetime, pair: tuple[int, int]) -> bool:
    weekday = (when.weekday() + 1) % 7
    first, last = pair
    return first <= weekday <= last if first <= last else weekday >= first or weekday <= last


def in_spec(when: datetime.datetime, spec: TimeSpec) -> bool:
    return (
        (spec.days is None or when.day in spec.days)
        and (spec.months is None or when.month in spec.months)
        and (spec.weekdays is None or (when.weekday() + 1) % 7 in spec.weekdays)
        and (spec.minutes is None or in_minutes(when, spec.minutes))
    )


def in_period(when: datetime.datetime, spec: PeriodSpec) -> bool:
    return (
        (not spec.dates or any(in_dates(when, dates) for dates in spec.dates))
        and (not spec.weekdays or any(in_weekdays(when, pair) for pair in spec.weekdays))
        and (not spec.hours or in_minutes(when, spec.hours))
    )


@given(st.lists(drawn.time_specs, min_size=1, max_size=3).map(tuple), drawn.moments)
def test_time_items_are_ored_and_their_parts_anded(specs: tuple[TimeSpec, ...], when: datetime.datetime) -> None:
    assert compile_times(specs).fits(when) is answer(any(in_spec(when, spec) for spec in specs))


@given(drawn.period_sets, drawn.moments)
def test_a_period_set_fits_by_any_spec_and_exclude_inverts(section: TimePeriodSet, when: datetime.datetime) -> None:
    expected = any(in_period(when, spec) for spec in section.specs) is not section.exclude
    assert compile_period_set(section).fits(when) is answer(expected)


@given(st.integers(0, 1439), st.integers(0, 1439), drawn.moments)
def test_hours_that_wrap_are_the_complement_of_those_that_do_not(first: int, end: int, when) -> None:
    if first != end:
        one = compile_times((TimeSpec(minutes=((first, end),)),)).fits(when)
        other = compile_times((TimeSpec(minutes=((end, first),)),)).fits(when)
        assert {one, other} == {FITS, DOES_NOT_FIT}


@pytest.mark.parametrize(
    ("clock", "fit"),
    [((7, 59), DOES_NOT_FIT), ((8, 0), FITS), ((16, 29), FITS), ((16, 30), DOES_NOT_FIT)],
)
def test_the_end_of_hours_is_exclusive(clock: tuple[int, int], fit: Fit) -> None:
    when = MONDAY.replace(hour=clock[0], minute=clock[1], second=59)
    assert compile_times((TimeSpec(minutes=((480, 990),)),)).fits(when) is fit


@pytest.mark.parametrize("pair", [(0, 1440), (480, 480), (0, 0)])
def test_whole_days(pair: tuple[int, int]) -> None:
    test = compile_times((TimeSpec(minutes=(pair,)),))
    assert test.fits(MONDAY.replace(hour=0)) is FITS
    assert test.fits(MONDAY.replace(hour=23, minute=59)) is FITS


def test_dates_wrap_over_the_year_and_include_both_ends() -> None:
    section = TimePeriodSet("X", (PeriodSpec("HOLIDAYS", dates=(DateRange(24, 12, 1, 1),)),))
    days = [(12, 23), (12, 24), (12, 31), (1, 1), (1, 2)]
    found = [compile_period_set(section).fits(MONDAY.replace(month=month, day=day)) for month, day in days]
    assert found == [DOES_NOT_FIT, FITS, FITS, FITS, DOES_NOT_FIT]


def test_weekdays_wrap_over_the_weekend() -> None:
    section = TimePeriodSet("X", (PeriodSpec("S", weekdays=((6, 1),)),))
    test = compile_period_set(section)
    week = [test.fits(MONDAY + datetime.timedelta(days=day)) is FITS for day in range(7)]
    assert week == [True, False, False, False, False, True, True]


def test_parts_of_a_period_are_independent() -> None:
    section = TimePeriodSet("X", (PeriodSpec("NIGHT", weekdays=((5, 5),), hours=((1320, 360),)),))
    test = compile_period_set(section)
    friday = MONDAY + datetime.timedelta(days=4)
    assert test.fits(friday.replace(hour=3)) is FITS
    assert test.fits(friday.replace(hour=23)) is FITS
    assert test.fits((friday + datetime.timedelta(days=1)).replace(hour=3)) is DOES_NOT_FIT


def test_an_empty_set_fits_never_and_excluded_always() -> None:
    assert compile_period_set(TimePeriodSet("X")).fits(MONDAY) is DOES_NOT_FIT
    assert compile_period_set(TimePeriodSet("X", exclude=True)).fits(MONDAY) is FITS
