"""The nursery: what it is before it makes anything, and who ends with whom."""

from __future__ import annotations

import mmap
import os
import resource
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from imap4fast.errors import SetupError
from imap4fast.net.jobs import Limits, Work
from imap4fast.proc import kernel, nursery, sandbox, seccomp
from imap4fast.proc.nursery import Nursery
from tests.unit.proc import nurseries
from tests.unit.proc.nurseries import Desk, children, descriptors, errno_of, eventually, lives, play, tells, trick


def told_at_its_start(**tried: object) -> str:
    """What the work says that was made in a nursery: `seen` is taken in there, before privileges go."""
    seen: list[object] = []

    def make_work() -> Work:
        for name, call in tried.items():
            seen.append((name, errno_of(call)))  # type: ignore[arg-type]
        return lambda order, source, target: tells(target, seen)

    texts: list[str] = []

    async def script(desk: Desk) -> None:
        texts.append(await desk.told())

    made = Nursery(make_work, None, Limits())
    try:
        play(made, script)
    finally:
        made.end()
    return texts[0]


def test_work_is_made_ready_with_the_masters_rights_once() -> None:
    text = told_at_its_start(uid=os.getuid, read=lambda: bool(Path("/etc/shadow").read_bytes()))
    assert text == "[('uid', 'done: 0'), ('read', 'done: True')]"


def test_what_the_master_has_is_forgotten_before() -> None:
    shared = mmap.mmap(-1, 4096)
    secret = ["key"]

    def make_work() -> Work:
        maps = Path("/proc/self/maps").read_text()
        seen = [list(secret), [line for line in maps.splitlines() if line.split()[1].endswith("s")]]
        return lambda order, source, target: tells(target, seen)

    texts: list[str] = []

    async def script(desk: Desk) -> None:
        texts.append(await desk.told())

    made = Nursery(make_work, None, Limits(), secret.clear)
    try:
        play(made, script)
    finally:
        made.end()
    assert texts == ["[[], []]"]
    assert (secret, shared[0]) == (["key"], 0)


def broken() -> Work:
    raise ValueError("told to fail")


@pytest.mark.parametrize(
    ("make_work", "why"),
    [(broken, "ValueError: told to fail"), (lambda: os._exit(3), "the nursery died at its start")],
)
def test_work_that_cannot_be_made_ready(make_work: object, why: str) -> None:
    before = descriptors(), children()
    with pytest.raises(SetupError, match=f"mail processing: {why}"):
        Nursery(make_work, None, Limits())  # type: ignore[arg-type]
    assert (descriptors(), children()) == before


def test_work_that_takes_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nursery, "END_S", 0.05)
    with pytest.raises(SetupError, match="mail processing: no answer"):
        Nursery(lambda: time.sleep(60), None, Limits(), ready_s=0.05)  # type: ignore[arg-type, return-value]


def test_without_seccomp_no_mail_is_processed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "_LIBRARY", "libnowhere.so.9")
    with pytest.raises(SetupError, match="libnowhere"):
        Nursery(lambda: trick, None, Limits())


def test_what_the_machine_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(what: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    with nurseries.nursery() as made:
        assert made.lacks == ""
    monkeypatch.setattr(kernel, "unshare", refuse)
    with nurseries.nursery() as made:
        assert made.lacks == "Operation not permitted"


def test_it_is_light_and_polite() -> None:
    with nurseries.nursery() as made:
        process = psutil.Process(made.pid)
        assert process.nice() == psutil.Process().nice() + sandbox.NICENESS
        assert process.uids().real == 65534
        assert process.num_threads() == 1
        assert Path(f"/proc/{made.pid}/oom_score_adj").read_text().strip() == str(sandbox.OOM_SCORE)
        assert process.num_fds() == 5  # streams, the master, /proc
        assert os.readlink(f"/proc/{made.pid}/ns/net") != os.readlink("/proc/self/ns/net")


def test_it_says_by_its_socket_that_it_is_dead() -> None:
    before = children()
    made = Nursery(lambda: trick, None, Limits())
    os.kill(made.pid, signal.SIGKILL)
    os.waitid(os.P_PID, made.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(OSError, match="Broken pipe"):
        made.sprout()
    made.end()
    assert children() == before


def test_who_forgets_it_does_not_end_it() -> None:
    made = Nursery(lambda: trick, None, Limits())

    def other() -> None:
        made.forget()

    os.waitpid(sandbox.forked(other), 0)
    made.sprout().close()
    made.end()
    assert not psutil.pid_exists(made.pid)


def test_zygotes_outlive_it_and_end_with_their_workers() -> None:
    made = Nursery(lambda: trick, None, Limits())

    async def script(desk: Desk) -> None:
        await desk.run()
        zygote = desk.zygotes()[0]
        os.kill(made.pid, signal.SIGKILL)
        await eventually(lambda: not lives(made.pid))
        await desk.run()
        desk.pool.close()
        await eventually(lambda: not lives(zygote.pid))

    play(made, script)
    made.end()


def test_it_waits_for_its_zygotes_when_the_master_lets_it_go() -> None:
    made = Nursery(lambda: trick, None, Limits())
    zygote = made.sprout()
    made._sock.close()
    time.sleep(0.1)
    assert lives(made.pid)
    zygote.close()
    os.waitpid(made.pid, 0)


def test_it_ends_though_a_zygote_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nursery, "END_S", 0.1)
    made = Nursery(lambda: trick, None, Limits())
    with made.sprout():
        made.end()
        assert not psutil.pid_exists(made.pid)


def test_many_zygotes_leave_nothing() -> None:
    with nurseries.nursery() as made:
        before = descriptors()
        for _ in range(30):
            made.sprout().close()
        with made.sprout() as last:  # it answers when all before it have been made
            last.setblocking(True)
            last.send(b"+")
            last.recv(100)
        process = psutil.Process(made.pid)
        until = time.monotonic() + 30
        while (seen := (process.children(), process.num_fds())) != ([], 5):
            assert time.monotonic() < until, seen
            time.sleep(0.01)
        assert descriptors() == before


def test_a_zygote_that_cannot_be_made_costs_its_socket_only() -> None:
    """Out of descriptors: the worker sees that its socket is closed, and asks again."""

    def make_work() -> Work:
        resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))
        return trick

    made = Nursery(make_work, None, Limits())
    for _ in range(2):
        with made.sprout() as sock:
            sock.setblocking(True)
            assert sock.recv(1) == b""
    assert lives(made.pid)
    made.end()


def test_the_pair_is_of_packets() -> None:
    with nurseries.nursery() as made, made.sprout() as sock:
        assert sock.type == socket.SOCK_SEQPACKET
        assert not sock.getblocking()
