"""The master's parts that need no processes. (tests/e2e/test_proc.py has its life.)"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imap4fast._wire import OK, OVER_RATE, OVER_RATE_IP, OVER_SESSIONS, OVER_SESSIONS_IP
from imap4fast.config.settings import Listen, Proxy, TcpServer
from imap4fast.config.values import Sock
from imap4fast.errors import SetupError
from imap4fast.proc import master
from imap4fast.proc.pidfile import PidFile
from imap4fast.proc.seat import Seat
from tests.e2e.proc_running import LOOPBACK, free_port

A, B = b"\x0a\0\0\1", b"\x0a\0\0\2"


def proxy(**items: object) -> Proxy:
    return Proxy(name="IMAP", **items)  # type: ignore[arg-type]


def test_auto_is_one_worker_a_processor_that_may_be_used() -> None:
    allowed = os.sched_getaffinity(0)
    assert master.worker_count(proxy()) == len(allowed)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert master.worker_count(proxy()) == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert master.worker_count(proxy(tcpserver=TcpServer(workers=7))) == 7


@pytest.mark.parametrize(
    ("item", "answers"),
    [
        ("max_sessions", [OK, OK, OVER_SESSIONS, OVER_SESSIONS]),
        ("max_sessions_per_ip", [OK, OK, OVER_SESSIONS_IP, OK]),
        ("conn_rate", [OK, OK, OVER_RATE, OVER_RATE]),
        ("conn_rate_per_ip", [OK, OK, OVER_RATE_IP, OK]),
    ],
)
def test_limits_of_the_configuration_hold(item: str, answers: list[int]) -> None:
    counts = master.count_table(proxy(tcpserver=TcpServer(**{item: 2})), 2)  # type: ignore[arg-type]
    assert [counts.admit(i % 2, address, 0) for i, address in enumerate((A, A, A, B))] == answers


def test_a_pid_file_that_cannot_be_had_frees_the_sockets(tmp_path: Path) -> None:
    port = free_port()
    listen = (Listen(False, Sock(LOOPBACK, 0), None, None, port, port),)
    held = PidFile(str(tmp_path / "pid"))
    with pytest.raises(SetupError, match="in use by the running process"):
        master.bind(proxy(listen_on=listen, pid_file=held.path), 2)
    held.remove()
    groups, pid_file = master.bind(proxy(listen_on=listen, pid_file=held.path), 2)
    assert pid_file is not None
    pid_file.remove()
    for group in groups:
        group.close()


@pytest.mark.parametrize(
    ("failure", "exit_code", "text"),
    [(None, -9, "killed by SIGKILL"), (None, 1, "exit status 1"), (("what", "why"), 1, "what: why")],
)
def test_causes_of_death(failure: tuple[str, str] | None, exit_code: int, text: str) -> None:
    seat = Seat(0)
    seat.failure = failure
    assert master._cause(seat, exit_code) == text
