"""Becoming a daemon, as the starting process sees it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imap4fast.errors import SetupError
from imap4fast.proc.daemon import detach


def wait_for(path: Path) -> str:
    until = time.monotonic() + 5
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < until
        time.sleep(0.01)
    return path.read_text()


def test_returns_when_the_daemon_listens_and_lets_go_of_everything(tmp_path: Path) -> None:
    note = tmp_path / "note"

    def serve(on_ready: Callable[[], None]) -> None:
        before = os.getcwd()
        on_ready()
        streams = {os.readlink(f"/proc/self/fd/{number}") for number in (0, 1, 2)}
        leader = os.getsid(0) == os.getpid()
        (tmp_path / "new").write_text(f"{os.getpid()} {before} {os.getcwd()} {sorted(streams)} {leader}\n")
        (tmp_path / "new").rename(note)
        signal.pause()

    here = os.getcwd()
    detach(serve)
    pid, *rest = wait_for(note).split(maxsplit=1)
    os.kill(int(pid), signal.SIGKILL)
    assert rest == [f"{here} / ['/dev/null'] False\n"]


def test_the_daemons_error_is_raised_here() -> None:
    def serve(on_ready: Callable[[], None]) -> None:
        raise SetupError("pid-file /x: y", "no such place")

    with pytest.raises(SetupError) as error:
        detach(serve)
    assert (error.value.what, error.value.why) == ("pid-file /x: y", "no such place")


def test_a_fault_of_the_program_is_told_too() -> None:
    def serve(on_ready: Callable[[], None]) -> None:
        raise ZeroDivisionError("by zero")

    with pytest.raises(SetupError, match="ZeroDivisionError: by zero"):
        detach(serve)


def test_an_end_without_a_word_is_told_too() -> None:
    def serve(on_ready: Callable[[], None]) -> None:
        os._exit(0)

    with pytest.raises(SetupError, match="start: the service ended before it listened"):
        detach(serve)


def test_an_error_after_the_report_changes_nothing() -> None:
    def serve(on_ready: Callable[[], None]) -> None:
        on_ready()
        raise SetupError("late", "trouble")

    detach(serve)
