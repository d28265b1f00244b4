"""A zygote spoken to by hand: it makes helpers, tells of their ends, and leaves none behind."""

from __future__ import annotations

import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from imap4fast.net import jobs
from imap4fast.net.jobs import NOTICE_BYTES, Barren, Born, Gone, Notice
from imap4fast.proc import sandbox, zygote
from imap4fast.proc.nursery import Nursery
from imap4fast.proc.zygote import Zygote
from tests.unit.proc.nurseries import nursery, order


class Hand:
    """A worker's end of a zygote."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.setblocking(True)
        self.kept: list[int] = []

    def hear(self) -> Notice:
        data, ancillary, _, _ = self.sock.recvmsg(NOTICE_BYTES, jobs.room_for(2))
        self.kept += jobs.received(ancillary)
        return jobs.decode_notice(data)

    def bear(self) -> tuple[int, socket.socket, int]:
        """PID, socket and pidfd of a new helper."""
        self.sock.send(b"+")
        born = self.hear()
        assert isinstance(born, Born)
        pidfd, orders = self.kept.pop(), self.kept.pop()
        return born.pid, socket.socket(fileno=orders), pidfd


def until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not look():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(scope="module")
def home() -> Iterator[Nursery]:
    with nursery() as made:
        yield made


@pytest.fixture
def hand(home: Nursery) -> Iterator[Hand]:
    with home.sprout() as sock:
        yield Hand(sock)


def test_a_helper_comes_with_its_socket_and_pidfd(hand: Hand) -> None:
    pid, orders, pidfd = hand.bear()
    source = os.memfd_create("source")
    with orders:
        orders.sendmsg([jobs.encode(order())], jobs.rights(source, source))
        assert isinstance(jobs.decode_answer(memoryview(orders.recv(1000))), jobs.Done)
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        assert hand.hear() == Gone(pid, signal.SIGTERM)
    os.close(source)
    os.close(pidfd)


def test_a_helper_ends_when_its_worker_lets_it_go(hand: Hand) -> None:
    pid, orders, pidfd = hand.bear()
    orders.close()
    assert hand.hear() == Gone(pid, 0)
    assert not psutil.pid_exists(pid)
    os.close(pidfd)


def test_many_come_and_go(hand: Hand) -> None:
    born = [hand.bear() for _ in range(10)]
    parent = psutil.Process(born[0][0]).ppid()
    assert {psutil.Process(pid).ppid() for pid, _, _ in born} == {parent}
    until(lambda: psutil.Process(parent).num_fds() == 15)  # streams, worker, /proc, and a pidfd a helper
    for _, orders, _ in born[:5]:
        orders.close()
    gone = {notice.pid for notice in (hand.hear() for _ in range(5)) if isinstance(notice, Gone)}
    assert gone == {pid for pid, _, _ in born[:5]}
    until(lambda: psutil.Process(parent).num_fds() == 10)
    assert len(psutil.Process(parent).children()) == 5
    for _, orders, pidfd in born:
        orders.close()
        os.close(pidfd)


def test_it_ends_with_its_worker_and_leaves_no_helper(hand: Hand) -> None:
    pids = []
    for _ in range(3):
        pid, orders, pidfd = hand.bear()
        pids.append(psutil.Process(pid))
        os.close(pidfd)
        orders.detach()  # even while somebody holds a helper's socket
    zygote = pids[0].parent()
    assert zygote is not None
    hand.sock.close()
    assert psutil.wait_procs([zygote, *pids], timeout=5)[1] == []


def test_it_is_not_what_a_debugger_may_look_at(home: Nursery, hand: Hand) -> None:
    _, orders, pidfd = hand.bear()
    pid = psutil.Process(home.pid).children()[0].pid
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # not dumpable: nobody's though it runs as nobody
    assert psutil.Process(pid).uids().real == 65534
    orders.close()
    os.close(pidfd)


def test_killed_it_takes_its_helpers_along_and_leaves_no_zombie(home: Nursery, hand: Hand) -> None:
    pid, orders, pidfd = hand.bear()
    orders.send(b"")
    zygote = psutil.Process(pid).ppid()
    os.kill(zygote, signal.SIGKILL)
    assert hand.sock.recv(1) == b""
    helper = psutil.Process(pid) if psutil.pid_exists(pid) else None
    assert helper is None or psutil.wait_procs([helper], timeout=5)[1] == []
    assert not psutil.pid_exists(zygote)
    orders.close()
    os.close(pidfd)


@pytest.mark.parametrize("why", ["there are 0 already", "[Errno 24] Too many open files"])
def test_what_cannot_be_made_is_told(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def live() -> None:
        sandbox.keep_only(theirs.detach())
        made = Zygote(socket.socket(fileno=3), lambda orders: None)
        if why.startswith("there"):
            monkeypatch.setattr(zygote, "MOST_HELPERS", 0)
        else:
            resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))
        made.run()

    pid = sandbox.forked(live)
    theirs.close()
    with mine:
        mine.send(b"+")
        assert Hand(mine).hear() == Barren(why)
    assert os.waitpid(pid, 0)[1] == 0
