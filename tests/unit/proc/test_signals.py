"""Signals as something to read."""

from __future__ import annotations

import os
import select
import signal
import threading

import pytest

from imap4fast.proc import signals


def test_signals_are_read_and_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    caught = signals.Signals()
    try:
        assert caught.take() == []
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGRTMIN, signal.SIGRTMIN + 1):
            os.kill(os.getpid(), number)
        assert select.select([caught], [], [], 5)[0] == [caught]
        assert caught.take() == [1, 15, signals.RELOAD, signals.REOPEN]
    finally:
        caught.close()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("number", "name"), [(15, "SIGTERM"), (9, "SIGKILL"), (signals.RELOAD, "SIGRTMIN"), (signals.REOPEN, "SIGRTMIN+1")]
)
def test_names(number: int, name: str) -> None:
    assert signals.name(number) == name


def test_blocked_signals_come_after_the_mask_is_restored() -> None:
    caught = signals.Signals()
    mask = signals.block_all()
    try:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)  # not to a thread that another test left
        assert caught.take() == []
        signals.restore(mask)
        assert caught.take() == [int(signal.SIGUSR1)]
    finally:
        signals.restore(mask)
        caught.close()
