"""Which log goes where, and what goes to which log."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from imap4fast.config.settings import LogSink
from imap4fast.log.imap import COMMAND_REFUSED, REMOVED, SESSION_START, UNKNOWN_UNTAGGED
from imap4fast.log.ring import read_ring
from imap4fast.log.setup import Logs, open_logs

START = ("198.51.100.7:40123", "192.0.2.20:143", "NO")


class Place:
    """A folder, and a log daemon's socket in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stopped: list[str] = []
        self.daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.daemon.bind(str(folder / "dev-log"))

    def datagrams(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            made.connect(str(self.folder / "dev-log"))
        except OSError:
            made.close()
            raise
        return made

    def open(self, debug: LogSink, stats: LogSink | None = None, *, nodaemon: bool = False) -> Logs:
        return open_logs(
            *(debug, stats, "imap4", "fw", 2018, lambda: 0.0, self.datagrams, nodaemon),
            stop=self.stopped.append,
            fallback_dir=str(self.folder),
        )

    def file(self, name: str) -> str:
        return str(self.folder / name)

    def ids(self, name: str) -> list[str]:
        lines = (self.folder / name).read_text().splitlines()
        return [line.partition("]: ")[2].partition(" ")[0] for line in lines]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.daemon.close()


def write_some(logs: Logs) -> None:
    logs.write(SESSION_START, *START, track=3)
    logs.write(COMMAND_REFUSED, "APPEND", "read-only", track=3)
    logs.write(REMOVED, "CODE", "REFERRAL", track=3)


def test_statistics_go_to_both(place: Place) -> None:
    logs = place.open(LogSink(file=place.file("debug")), LogSink(file=place.file("stats")))
    write_some(logs)
    logs.close()
    assert place.ids("debug") == ["IMAP-701-I", "IMAP-730-W"]
    assert place.ids("stats") == ["IMAP-701-I"]


def test_a_changed_severity_decides_too(place: Place) -> None:
    logs = place.open(LogSink(file=place.file("debug"), level=7), LogSink(file=place.file("stats")))
    logs.write(UNKNOWN_UNTAGGED, b"X-NEWS", severity="D")
    logs.close()
    assert place.ids("debug") == ["IMAP-734-D"]
    assert place.ids("stats") == []


def test_without_a_statistics_log_one_has_all(place: Place) -> None:
    logs = place.open(LogSink(file=place.file("debug"), level=7))
    write_some(logs)
    assert logs.enabled(REMOVED)
    logs.flush()
    assert place.ids("debug") == ["IMAP-701-I", "IMAP-730-W", "IMAP-731-D"]
    logs.close()


def test_one_destination_is_written_once(place: Place) -> None:
    logs = place.open(LogSink(file=place.file("log")), LogSink(file=place.file("./log")))
    write_some(logs)
    logs.close()
    assert place.ids("log") == ["IMAP-701-I", "IMAP-730-W"]


def test_syslog_is_the_default(place: Place) -> None:
    logs = place.open(LogSink(), LogSink(facility="LOCAL4"))
    write_some(logs)
    logs.close()
    assert [place.daemon.recv(4096)[:5] for _ in range(2)] == [b"<166>", b"<164>"]
    with pytest.raises(BlockingIOError):
        place.daemon.recv(4096)


def test_standard_error_without_a_daemon(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    logs = place.open(LogSink(format="json"), LogSink(), nodaemon=True)
    write_some(logs)
    logs.close()
    assert [line[:9] for line in capfd.readouterr().err.splitlines()] == ['{"time":"', '{"time":"']


def test_a_facility_counts_without_a_daemon_too(place: Place) -> None:
    logs = place.open(LogSink(facility="mail"), nodaemon=True)
    write_some(logs)
    logs.close()
    assert place.daemon.recv(4096).startswith(b"<22>")


def test_a_file_stands_in_for_syslog(place: Place) -> None:
    logs = place.open(LogSink(syslog_failure="file"))
    place.daemon.close()
    write_some(logs)
    logs.close()
    assert place.ids("imap4-debug.log") == ["IMAP-701-I", "IMAP-730-W", "LOGS-104-E"]


def test_stopping_reaches_the_caller(place: Place) -> None:
    logs = place.open(LogSink(syslog_failure="stop"))
    place.daemon.close()
    write_some(logs)
    logs.flush()
    assert place.stopped == ["syslog: Connection refused"]
    logs.close()


def test_the_ring_has_its_level(place: Place) -> None:
    logs = place.open(LogSink(file=place.file("debug"), mem_file=(place.file("ring"), 8192), mem_level=7))
    write_some(logs)
    assert len(read_ring(place.file("ring"))) == 3
    assert place.ids("debug") == []
    logs.close()
    assert len(place.ids("debug")) == 2


def test_the_data_limit_cuts(place: Place) -> None:
    logs = place.open(LogSink(file=place.file("debug"), data_limit=16))
    logs.write(COMMAND_REFUSED, b"X" * 100, "unknown")
    logs.close()
    assert "NAME=XXXXXXXXXXXXXXXX...+84 REASON" in Path(place.file("debug")).read_text()


def test_levels_move_the_debug_log_only(place: Place) -> None:
    logs = place.open(LogSink(file=place.file("debug")), LogSink(file=place.file("stats")))
    assert logs.level == 6
    assert logs.raise_level() == 7
    write_some(logs)
    assert logs.lower_level() == 6
    logs.set_level(3)
    write_some(logs)
    logs.close()
    assert place.ids("debug") == ["IMAP-701-I", "IMAP-730-W", "IMAP-731-D", "IMAP-701-I"]
    assert place.ids("stats") == ["IMAP-701-I", "IMAP-701-I"]


def test_a_fork_and_an_outside_rotation(place: Place) -> None:
    logs = place.open(LogSink(file=place.file("debug")), LogSink(file=place.file("stats")))
    write_some(logs)
    logs.after_fork(99)
    os.rename(place.file("debug"), place.file("debug.1"))
    os.rename(place.file("stats"), place.file("stats.1"))
    logs.reopen()
    write_some(logs)
    logs.close()
    assert place.ids("debug.1") == place.ids("stats.1") == []
    assert place.ids("stats") == ["IMAP-701-I"]
    assert " imap4[99]: " in Path(place.file("debug")).read_text()


def test_no_descriptor_stays_when_one_log_fails(place: Place) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        place.open(LogSink(file=place.file("debug")), LogSink(file=place.file("none/stats")))
    with pytest.raises(FileNotFoundError):
        place.open(LogSink(file=place.file("debug"), mem_file=(place.file("none/ring"), 8192)))
    assert len(os.listdir("/proc/self/fd")) == before
