"""From settings to what runs: logs, foreground or daemon, master or single process."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from imap4fast.config.settings import LogSink, Proxy, Settings
from imap4fast.errors import SetupError
from imap4fast.log.setup import Logs
from imap4fast.log.syslog import Datagrams
from imap4fast.proc import daemon, launch, master, single
from imap4fast.proc.brood import Craft

Serve = Callable[[Callable[[], None]], None]


def settings(folder: Path, **items: object) -> Settings:
    proxy = Proxy(name="IMAP", nodaemon=True, log_debug=LogSink(file=str(folder / "log")))
    return Settings("proxy.cfg", "abc", msgspec.structs.replace(proxy, **items))


def fill(end: Datagrams) -> None:
    """Sends until the other side's queue is full."""
    for _ in range(100000):
        end.send(b"line")


def no_service(*arguments: object) -> None:
    raise AssertionError("nothing is to be served")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of the ways to run was taken."""
    names: list[str] = []

    def note(name: str) -> Callable[..., None]:
        def run(
            settings: Settings, logs: Logs, make_service: object, on_ready: Callable[[], None], craft: Craft | None
        ) -> None:
            names.append(name)
            on_ready()

        return run

    def detach(serve: Serve) -> None:
        names.append("daemon")
        serve(lambda: None)

    monkeypatch.setattr(master, "run", note("master"))
    monkeypatch.setattr(single, "run", note("single"))
    monkeypatch.setattr(daemon, "detach", detach)
    return names


@pytest.mark.parametrize(
    ("nodaemon", "singleproc", "expected"),
    [
        (True, False, ["master"]),
        (True, True, ["single"]),
        (False, False, ["daemon", "master"]),
        (False, True, ["daemon", "single"]),
    ],
)
def test_runs_what_the_items_say(
    tmp_path: Path, ran: list[str], nodaemon: bool, singleproc: bool, expected: list[str]
) -> None:
    launch.run(settings(tmp_path, nodaemon=nodaemon, singleproc=singleproc), no_service)  # type: ignore[arg-type]
    assert ran == expected


def test_the_log_begins_with_the_configuration(tmp_path: Path, ran: list[str]) -> None:
    launch.run(settings(tmp_path), no_service, ["proxy.cfg:3:1: warning: odd"])  # type: ignore[arg-type]
    first, second = (tmp_path / "log").read_text().splitlines()
    assert "CFGP-102-W" in first
    assert "warning: odd" in first
    assert "CFGP-110-K Configuration proxy.cfg read, hash abc" in second


def test_a_failed_start_is_logged_and_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: object) -> None:
        raise SetupError("what", "why")

    monkeypatch.setattr(master, "run", run)
    with pytest.raises(SetupError, match="what: why"):
        launch.run(settings(tmp_path), no_service)  # type: ignore[arg-type]
    assert "TCPS-604-C Cannot start: what: why" in (tmp_path / "log").read_text()


def test_a_log_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"log: .*No such file or directory"):
        launch.run(settings(tmp_path / "none"), no_service)  # type: ignore[arg-type]


def test_log_files_belong_to_the_workers(tmp_path: Path, ran: list[str]) -> None:
    assert os.geteuid() == 0, "run as root"
    launch.run(settings(tmp_path, app_user="nobody"), no_service)  # type: ignore[arg-type]
    assert (tmp_path / "log").stat().st_uid == 65534


def test_syslog_is_a_connected_socket_that_never_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    monkeypatch.setattr(launch, "SYSLOG_SOCKET", str(path))
    with pytest.raises(FileNotFoundError):
        launch._connect_syslog()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon_end:
        daemon_end.bind(str(path))
        near = launch._connect_syslog()
        near.send(b"line")
        assert daemon_end.recv(10) == b"line"
        with pytest.raises(BlockingIOError):
            fill(near)
        near.close()


def test_syslog_failure_stop_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    launch._stop("gone")
    assert sent == [(os.getpid(), signal.SIGTERM)]
