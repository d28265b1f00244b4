"""Who replaces a nursery where the process that wants mails made cannot."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from imap4fast.errors import SetupError
from imap4fast.net.jobs import Work
from imap4fast.proc import keeper
from imap4fast.proc.keeper import KeptNursery, Told
from tests.unit.proc.nurseries import QUICK, Desk, children, descriptors, eventually, play, trick


@contextmanager
def kept(make_work: Callable[[], Work] = lambda: trick) -> Iterator[KeptNursery]:
    made = KeptNursery(make_work, None, QUICK)
    try:
        yield made
    finally:
        made.end()


def nursery_of(made: KeptNursery) -> psutil.Process:
    (nursery,) = psutil.Process(made.pid).children()
    return nursery


def test_it_keeps_the_rights_and_nothing_else() -> None:
    with kept() as made:
        process = psutil.Process(made.pid)
        assert (process.uids().real, process.nice()) == (os.getuid(), psutil.Process().nice())
        names = [os.readlink(f"/proc/{made.pid}/fd/{name}") for name in sorted(os.listdir(f"/proc/{made.pid}/fd"))]
        assert names[:3] == ["/dev/null"] * 3
        assert all(name.startswith("socket:") for name in names[3:])
        assert len(names) == 5
        assert nursery_of(made).uids().real == 65534


def test_mails_are_made_and_a_nursery_is_replaced() -> None:
    before = children()

    async def script(desk: Desk) -> None:
        assert (await desk.run()).kind == "passed"
        first = nursery_of(made)
        (zygote,) = first.children()
        first.kill()
        await eventually(lambda: psutil.Process(made.pid).children() not in ([first], [first, zygote], [zygote]))
        assert made.heard() == Told(died=first.pid)
        assert (await desk.run()).kind == "passed"  # the zygote lives on
        zygote.kill()
        zygote.wait(5)
        await eventually(lambda: desk.lost)
        assert (await desk.run()).kind == "passed"
        assert psutil.Process(made.pid).children()[0].children()

    with kept() as made:
        play(made, script)
        assert all(child.status() != psutil.STATUS_ZOMBIE for child in psutil.Process(made.pid).children())
    assert children() == before


def broken() -> Work:
    raise ValueError("told to fail")


@pytest.mark.parametrize(
    ("make_work", "why"),
    [(broken, "ValueError: told to fail"), (lambda: os._exit(3), "the nursery died at its start")],
)
def test_the_first_one_must_be_made(make_work: object, why: str) -> None:
    before = descriptors(), children()
    with pytest.raises(SetupError, match=f"mail processing: {why}"):
        KeptNursery(make_work, None, QUICK)  # type: ignore[arg-type]
    assert (descriptors(), children()) == before


def test_one_that_cannot_be_made_again_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "AGAIN_S", 0.05)
    fails = tmp_path / "fails"

    def make_work() -> Work:
        if fails.exists():
            raise ValueError("told to fail")
        return trick

    with kept(make_work) as made:
        first = nursery_of(made)
        fails.touch()
        first.kill()
        assert made.heard() == Told(died=first.pid)
        for _ in range(2):
            assert made.heard() == Told(failed="mail processing: ValueError: told to fail")
        made.sprout().close()
        fails.unlink()
        until = time.monotonic() + 10
        while not any(child.nice() > psutil.Process().nice() for child in psutil.Process(made.pid).children()):
            assert time.monotonic() < until
            time.sleep(0.01)


def test_its_death_is_seen() -> None:
    with kept() as made:
        nursery = nursery_of(made)
        os.kill(made.pid, signal.SIGKILL)
        assert made.heard() is None
        assert psutil.wait_procs([nursery], timeout=10)[1] == []
        with pytest.raises(OSError, match="Broken pipe"):
            made.sprout()


def test_it_ends_with_who_has_it() -> None:
    mine, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        made = KeptNursery(lambda: trick, None, QUICK)
        theirs.send(str(made.pid).encode())
        time.sleep(60)
        os._exit(0)
    processes = [psutil.Process(int(mine.recv(20)))]
    processes += processes[0].children()
    assert len(processes) == 2
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert psutil.wait_procs(processes, timeout=10)[1] == []
    mine.close()
    theirs.close()
