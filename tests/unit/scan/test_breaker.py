"""A breaker counts failures in a row, waits, and lets one probe through."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imap4fast.scan.breaker import Breaker, Try


def opened(failures: int = 3, seconds: float = 10, now: float = 0) -> Breaker:
    breaker = Breaker(failures, seconds)
    for number in range(failures):
        assert breaker.begin(now) is Try.USUAL
        assert breaker.failed(now, Try.USUAL) == (number == failures - 1)
    assert breaker.open
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = opened()
    assert breaker.in_a_row == 3
    assert breaker.begin(9.9) is None


def test_a_success_between_starts_anew() -> None:
    breaker = Breaker(3, 10)
    for _ in range(10):
        assert not breaker.failed(0, Try.USUAL)
        assert not breaker.failed(0, Try.USUAL)
        assert not breaker.succeeded()
    assert breaker.begin(0) is Try.USUAL


def test_one_probe_at_a_time() -> None:
    breaker = opened()
    assert breaker.begin(10) is Try.PROBE
    assert breaker.begin(10) is None
    assert breaker.begin(1000) is None
    assert breaker.succeeded()
    assert not breaker.open
    assert breaker.begin(10) is Try.USUAL
    assert breaker.begin(10) is Try.USUAL


def test_a_probe_that_fails_opens_it_for_the_whole_time_again() -> None:
    breaker = opened()
    assert breaker.begin(12) is Try.PROBE
    assert not breaker.failed(15, Try.PROBE)
    assert breaker.begin(24.9) is None
    assert breaker.begin(25) is Try.PROBE


def test_an_abandoned_probe_lets_the_next_one_through() -> None:
    breaker = opened()
    assert breaker.begin(10) is Try.PROBE
    breaker.abandoned(Try.PROBE)
    assert breaker.open
    assert breaker.begin(10) is Try.PROBE


def test_a_late_usual_request_says_nothing_of_the_probe() -> None:
    breaker = opened()
    assert breaker.begin(10) is Try.PROBE
    breaker.abandoned(Try.USUAL)
    assert not breaker.failed(11, Try.USUAL)
    assert breaker.begin(12) is None
    assert not breaker.failed(12, Try.PROBE)
    assert breaker.begin(21) is None
    assert breaker.begin(22) is Try.PROBE


def test_a_late_usual_success_closes_it() -> None:
    breaker = opened()
    assert breaker.succeeded()
    assert breaker.begin(1) is Try.USUAL


def test_no_failures_no_breaker() -> None:
    breaker = Breaker(0, 30)
    for _ in range(100):
        assert breaker.begin(0) is Try.USUAL
        assert not breaker.failed(0, Try.USUAL)


@given(st.lists(st.tuples(st.sampled_from("sfa"), st.floats(0, 20)), max_size=60))
def test_never_more_than_one_probe_and_always_one_after_the_time(steps: list[tuple[str, float]]) -> None:
    breaker = Breaker(2, 10)
    now = 0.0
    for step, spent in steps:
        now += spent
        what = breaker.begin(now)
        if what is None:
            continue
        if what is Try.PROBE:
            assert breaker.begin(now + 1000) is None
        if step == "s":
            breaker.succeeded()
        elif step == "f":
            breaker.failed(now, what)
        else:
            breaker.abandoned(what)
    assert breaker.begin(now + 10) is not None
