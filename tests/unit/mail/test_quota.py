"""Bytes counted over processes: never more than the limit, and nothing lost with a process that is killed."""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

import pytest

from imap4fast.mail import quota
from imap4fast.mail.quota import Quota, SpoolFullError
from tests.unit.mail import spools

PROCESSES, ROUNDS, LIMIT = 8, 300, 10_000


def test_reserves_up_to_the_limit_and_no_further(tmp_path: Path) -> None:
    made = Quota(2, 100)
    one, other = (spools.share(spools.made(tmp_path), made, column) for column in (0, 1))
    assert one.reserve(60)
    assert not other.reserve(41)
    assert other.missing(41) == 1
    assert other.reserve(40)
    assert [made.column(0), made.column(1), made.in_flight(), made.total()] == [60, 40, 100, 100]
    one.release(10)
    assert other.reserve(10)
    assert other.missing(0) == 0


def test_what_is_stored_counts(tmp_path: Path) -> None:
    made = Quota(1, 100)
    share = spools.share(spools.made(tmp_path), made)
    made.stored = 95
    assert not share.reserve(6)
    assert share.reserve(5)
    assert made.total() == 100


def test_no_limit(tmp_path: Path) -> None:
    made = Quota(1, 0)
    share = spools.share(spools.made(tmp_path), made)
    assert share.reserve(1 << 40)
    assert share.missing(1 << 60) == 0


def test_a_column_never_goes_below_nothing(tmp_path: Path) -> None:
    share = spools.share(spools.made(tmp_path), Quota(1, 100))
    share.release(5)
    assert share.quota.column(0) == 0


def test_a_successor_sees_the_intent_and_clears_the_column(tmp_path: Path) -> None:
    made = Quota(2, 100)
    dead = spools.share(spools.made(tmp_path), made, 1)
    dead.reserve(70)
    dead.intend(b"k" * 32, b"n" * 32)
    successor = spools.share(tmp_path, made, 1)
    assert successor.intended() == (b"k" * 32, b"n" * 32)
    assert spools.share(tmp_path, made, 0).intended() == (bytes(32), bytes(32))
    assert made.in_flight() == 70
    successor.clear()
    assert made.in_flight() == 0
    assert successor.intended() == (bytes(32), bytes(32))


def test_processes_at_once_never_exceed_the_limit(tmp_path: Path) -> None:
    """Each takes and gives back in its own rhythm; whoever sees more than the limit fails."""
    made = Quota(PROCESSES, LIMIT)
    spools.made(tmp_path)
    pids = [fork_taker(tmp_path, made, column) for column in range(PROCESSES)]
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * PROCESSES
    assert made.in_flight() == sum(made.column(column) for column in range(PROCESSES)) == PROCESSES * 100


def fork_taker(path: Path, made: Quota, column: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.alarm(30)
    status = 1
    try:
        share = spools.share(path, made, column)
        refused = 0
        for step in range(ROUNDS):
            octets = 500 + (step * 37 + column * 911) % 2000
            while not share.reserve(octets):
                refused += 1
                assert made.total() <= LIMIT
            assert made.total() <= LIMIT
            share.release(octets)
        assert share.reserve(100)
        status = 0
    finally:
        os._exit(status)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    made = Quota(2, 100)
    spools.made(tmp_path)
    reads, writes = os.pipe()
    pid = os.fork()
    if not pid:
        with spools.share(tmp_path, made, 1).locked():
            os.write(writes, b"x")
            signal.pause()
    os.read(reads, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert spools.share(tmp_path, made).reserve(1)


def test_a_lock_that_is_held_for_too_long_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "_TRIES", 5)
    share = spools.share(spools.made(tmp_path), Quota(1, 100))
    holder = os.open(tmp_path / "lock", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    assert not share.reserve(1)
    with share.locked() as held:
        assert not held
    os.close(holder)
    assert share.reserve(1)
    share.close()


def test_generation_and_error() -> None:
    made = Quota(1, 1)
    made.generation += 1
    assert made.generation == 1
    assert str(SpoolFullError()) == "spool: spool-max is reached"
