"""Cores, ports, start and end of processes."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import pytest

from bench import processes
from bench.peers import Peer, PeerError
from bench.processes import Cores, choose_cores, free_ports, is_free, pinned, priority, started


def test_two_cores_are_used_where_there_are_two() -> None:
    assert choose_cores({3, 1, 2}) == Cores(load=1, peer=2)
    assert choose_cores({0}) == Cores(None, None)


def test_pinning_goes_before_the_command() -> None:
    assert pinned(["relay", "1"], 1) == ["taskset", "-c", "1", "relay", "1"]
    assert pinned(["relay", "1"], None) == ["relay", "1"]


def test_ports_are_distinct_and_free() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    assert all(is_free(port) for port in ports)


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])


def speaker(greeting: str, then: str = "time.sleep(60)") -> Peer:
    """A peer that says something to whoever connects; a child of its own makes its tree two processes."""
    code = (
        "import os, signal, socket, sys, time\n"
        "if os.fork() == 0: time.sleep(60) or os._exit(0)\n"
        "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        f"server.accept()[0].sendall({greeting!r}.encode())\n{then}\n"
    )
    return Peer("speaker", "", lambda place: [sys.executable, "-c", code, str(place.port)])


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(") ", 1)[1][0] != "Z"
    except FileNotFoundError:
        return False


def test_a_peer_that_ignores_sigterm_ends_with_its_children() -> None:
    peer = speaker("* OK hello\r\n", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)")
    with started(peer, 1, None) as running:
        time.sleep(0.2)
        pids = [stat.pid for stat in processes.tree(running.pid)]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
    time.sleep(0.2)
    assert not any(is_alive(pid) for pid in pids)
    assert not running.folder.exists()


def test_a_peer_that_dies_is_reported_with_its_output() -> None:
    peer = Peer("dying", "", lambda place: [sys.executable, "-c", "raise SystemExit('no such option')"])
    with pytest.raises(PeerError, match=r"dying can't start: exit status 1\n.*no such option"), started(peer, 1, None):
        pytest.fail("it never served")


def test_a_peer_that_says_something_else_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "START_S", 0.5)
    with pytest.raises(PeerError, match="no greeting"), started(speaker("* BYE full\r\n"), 1, None):
        pytest.fail("it never greeted")


def test_a_peer_that_ends_during_a_run_is_noticed() -> None:
    with started(speaker("* OK hello\r\n", "sys.exit(3)"), 1, None) as running:
        running.process.wait()
        with pytest.raises(PeerError, match="ended during the run: exit status 3"):
            running.check_alive()


def refuse(_by: int) -> int:
    raise PermissionError


def test_without_the_right_to_it_priority_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    group = tmp_path / "autogroup"
    monkeypatch.setattr("os.nice", refuse)
    monkeypatch.setattr(processes, "AUTOGROUP", group)
    with priority():
        assert not group.exists()


def test_the_login_session_gets_its_priority_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    group = tmp_path / "autogroup"
    monkeypatch.setattr("os.nice", lambda by: by)
    monkeypatch.setattr(processes, "AUTOGROUP", group)
    with priority():
        assert group.read_text() == str(processes.NICENESS)
    assert group.read_text() == "0"


def test_sigterm_ends_the_runner_in_order() -> None:
    with pytest.raises(SystemExit):
        processes.end_in_order(15, None)
