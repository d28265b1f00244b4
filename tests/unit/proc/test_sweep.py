"""Subtracting a dead worker's sessions, from a process without privileges."""

from __future__ import annotations

import os
import signal
import time

import pytest

from imap4fast._wire import OVER_SESSIONS, CountTable
from imap4fast.proc import privileges, sweep
from imap4fast.proc.privileges import Identity

ADDRESS = b"\x0a\0\0\1"


@pytest.mark.parametrize("who", [None, Identity(65534, 65534, None)])
def test_subtracts_one_column(who: Identity | None) -> None:
    counts = CountTable(2)
    for column in (0, 0, 1):
        counts.admit(column, ADDRESS, 0)
    assert sweep.subtract(counts, 0, who)
    assert [counts.column_sessions(0), counts.column_sessions(1), counts.sessions_of(ADDRESS)] == [0, 1, 1]


def test_privileges_that_stay_let_nothing_be_done() -> None:
    counts = CountTable(1)
    counts.admit(0, ADDRESS, 0)
    assert not sweep.subtract(counts, 0, Identity(65534, 65534, "/no/such"))
    assert counts.sessions() == 1


def test_a_held_table_is_left_for_later() -> None:
    counts = CountTable(2)
    pid = os.fork()
    while not pid:
        if counts.admit(0, ADDRESS, 0) == 0:
            counts.leave(0, ADDRESS)
    for _ in range(500):
        time.sleep(0.001)
        os.kill(pid, signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        if counts.admit(1, ADDRESS, 0) == OVER_SESSIONS:
            break
        counts.leave(1, ADDRESS)
        os.kill(pid, signal.SIGCONT)
    assert not sweep.subtract(counts, 1, None)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert sweep.subtract(counts, 0, None)
    assert counts.sessions() == 0


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "LIMIT_S", 0.1)
    monkeypatch.setattr(privileges, "drop", lambda who: time.sleep(60))
    began = time.monotonic()
    assert not sweep.subtract(CountTable(1), 0, None)
    assert time.monotonic() - began < 5
