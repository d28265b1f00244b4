"""A seat: when its worker takes connections, is missed, is stuck; and how restarts are delayed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from imap4fast.proc.control import Channel
from imap4fast.proc.seat import DELAY_MAX_S, GUARD_DEATHS, Seat, State


def child() -> int:
    """A process that waits to be killed."""
    pid = os.fork()
    if not pid:
        signal.pause()
        os._exit(0)
    return pid


@pytest.fixture
def seat() -> Iterator[Seat]:
    made = Seat(0)
    yield made
    if made.living:
        made.kill()
        os.waitpid(made.pid, 0)
        made.leave(0)


def sit(seat: Seat, now: float) -> None:
    near, far = Channel.pair()
    far.close()
    seat.sit(child(), near, now)


def die(seat: Seat, now: float) -> int:
    seat.kill()
    os.waitpid(seat.pid, 0)
    return seat.leave(now)


def serve(seat: Seat, now: float) -> None:
    seat.state, seat.heard_at = State.SERVING, now


def test_takes_connections_only_while_it_is_heard(seat: Seat) -> None:
    sit(seat, 100)
    assert not seat.takes(100)
    serve(seat, 100)
    assert seat.takes(100.9)
    assert seat.why_out(100.9) is None
    assert not seat.takes(101.1)
    assert seat.why_out(101.1) == "silent"


def test_takes_none_while_full(seat: Seat) -> None:
    sit(seat, 100)
    serve(seat, 100)
    seat.full = True
    assert not seat.takes(100)
    assert seat.why_out(100) == "no descriptors left"


def test_failing_restarts_do_not_hide_the_absence(seat: Seat) -> None:
    sit(seat, 100)
    serve(seat, 100)
    die(seat, 100.2)
    assert not seat.takes(100.2)
    assert seat.why_out(100.2) is None
    sit(seat, 100.9)
    die(seat, 101.0)
    assert seat.why_out(101.1) == "not back yet"


def test_stuck_at_the_start_and_later(seat: Seat) -> None:
    sit(seat, 100)
    assert not seat.stuck(159)
    assert seat.stuck(161)
    serve(seat, 161)
    assert not seat.stuck(200)
    assert seat.stuck(222)


def test_a_new_process_is_not_stuck_for_the_old_ones_silence(seat: Seat) -> None:
    sit(seat, 100)
    serve(seat, 100)
    die(seat, 110)
    sit(seat, 200)
    assert not seat.stuck(210)


def delays(seat: Seat, times: list[float]) -> list[int]:
    found = []
    for now in times:
        sit(seat, now)
        found.append(die(seat, now))
    return found


def test_restarts_are_at_once_until_there_were_too_many(seat: Seat) -> None:
    assert delays(seat, [0, 1, 2, 3, 4]) == [0] * (GUARD_DEATHS - 1) + [1]


def test_delays_double_up_to_a_limit(seat: Seat) -> None:
    now, found = 0.0, []
    for _ in range(GUARD_DEATHS + 8):
        found += delays(seat, [now])
        now = seat.restart_at
    assert found[GUARD_DEATHS - 1 :] == [1, 2, 4, 8, 16, 32, *[int(DELAY_MAX_S)] * 3]


def test_slow_deaths_are_never_delayed(seat: Seat) -> None:
    assert delays(seat, [n * 6.0 for n in range(12)]) == [0] * 12


def test_a_long_life_is_a_new_beginning(seat: Seat) -> None:
    assert delays(seat, [0, 0, 0, 0, 0])[-1] == 1
    assert delays(seat, [20, 20, 20, 20, 20]) == [0, 0, 0, 0, 1]


def test_leaving_frees_everything(seat: Seat) -> None:
    before = len(os.listdir("/proc/self/fd"))
    sit(seat, 0)
    die(seat, 0)
    assert len(os.listdir("/proc/self/fd")) == before
    assert (seat.living, seat.channel, seat.state) == (False, None, State.EMPTY)
    seat.kill()  # nobody is there


def test_a_zygote_is_for_who_asked_and_not_too_often() -> None:
    seat = Seat(0)
    assert not seat.may_have_zygote(10)
    seat.wants_zygote, seat.zygote_at = True, 10.5
    assert not seat.may_have_zygote(10)
    assert seat.may_have_zygote(10.5)
