"""The log daemon: datagrams, a full queue, a daemon that is gone, and the three ways to take that."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from imap4fast.log.entry import Entry
from imap4fast.log.lines import TextLines
from imap4fast.log.logger import Logger
from imap4fast.log.sinks import FileSink
from imap4fast.log.syslog import FACILITIES, MOST_OCTETS, SyslogSink

LINE = Entry("TEST", 1, "I", "N=%u", "help", others="W")
TEXT = Entry("TEST", 2, "I", "T=%s", "help")


class Daemon:
    """A socket like /dev/log, and what a proxy needs to reach it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "dev-log"
        self.stopped: list[str] = []
        self.start()

    def start(self) -> None:
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(str(self.path))

    def end(self) -> None:
        self.socket.close()

    def connect(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            made.connect(str(self.path))
        except OSError:
            made.close()
            raise
        return made

    def got(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(65536).decode())
            except BlockingIOError:
                return found

    def texts(self) -> list[str]:
        return [line.partition("]: ")[2] for line in self.got()]

    def logger(self, failure: str = "ignore", instead: FileSink | None = None) -> Logger:
        sink = SyslogSink(self.connect, "local4", failure, instead, self.stopped.append)
        return Logger(TextLines("app", "", 1, lambda: 0.0, 0, datagram=True), sink)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path)
    yield made
    made.end()


def test_a_datagram_a_line(daemon: Daemon) -> None:
    logger = daemon.logger()
    logger.write(LINE, 1)
    logger.write(LINE, 2, severity="W")
    assert daemon.got() == []
    logger.flush()
    first, second = daemon.got()
    assert first.startswith("<166>Jan  1 ")
    assert first.endswith(" app[1]: TEST-1-I N=1")
    assert second.startswith("<164>")
    logger.close()


def test_a_long_line_is_cut(daemon: Daemon) -> None:
    """A datagram that the kernel does not take would be tried for ever."""
    logger = daemon.logger("stop")
    logger.write(TEXT, "ř" * 500_000)
    logger.write(LINE, 1)
    logger.flush()
    long, short = daemon.texts()
    assert re.fullmatch(r"TEST-2-I T=ř+\.\.\.\+9\d{5}", long)
    assert len(long.encode()) < MOST_OCTETS + 20
    assert short == "TEST-1-I N=1"
    assert daemon.stopped == []
    logger.close()


def test_facilities_have_their_numbers() -> None:
    assert (FACILITIES["MAIL"], FACILITIES["DAEMON"], FACILITIES["LOCAL0"], FACILITIES["LOCAL7"]) == (2, 3, 16, 23)


def test_much_in_memory_forces_a_flush(daemon: Daemon) -> None:
    sink = SyslogSink(daemon.connect, "LOCAL4", "ignore", None, daemon.stopped.append)
    sink.put("x" * 40000 + "\n", 6)
    assert daemon.got() == []
    sink.put("x" * 40000 + "\n", 6)
    assert len(daemon.got()) == 2
    sink.close()


def test_a_full_queue_is_tried_again(daemon: Daemon) -> None:
    logger = daemon.logger("stop")
    for number in range(2000):
        logger.write(LINE, number)
    found: list[str] = []
    for _ in range(2000):
        logger.flush()
        found += daemon.texts()
    assert found == [f"TEST-1-I N={number}" for number in range(2000)]
    assert daemon.stopped == []
    logger.close()


def test_a_queue_that_stays_full_drops_and_counts(daemon: Daemon) -> None:
    logger = daemon.logger()
    for number in range(60000):
        logger.write(LINE, number)
    found: list[str] = []
    for _ in range(30000):
        logger.flush()
        if not (new := daemon.texts()):
            break
        found += new
    lost = 60000 - len(found) + 1
    assert lost > 10000
    assert found[:-1] == [f"TEST-1-I N={number}" for number in range(len(found) - 1)]
    assert found[-1].startswith(f"LOGS-101-E LINES-LOST COUNT={lost} ")
    logger.close()


def test_ignoring_a_daemon_that_is_gone(daemon: Daemon) -> None:
    logger = daemon.logger("ignore")
    logger.write(LINE, 1)
    logger.flush()
    assert daemon.texts() == ["TEST-1-I N=1"]
    daemon.end()
    for number in (2, 3):
        logger.write(LINE, number)
        logger.flush()
    daemon.start()
    logger.flush()
    reported = 'LOGS-104-E SYSLOG-FAILED REASON="Connection refused" ACTION=IGNORE'
    assert daemon.texts() == ["TEST-1-I N=2", reported, "TEST-1-I N=3"]
    assert daemon.stopped == []
    logger.close()


def test_ignoring_a_daemon_that_never_was(daemon: Daemon) -> None:
    daemon.end()
    daemon.path.unlink()
    logger = daemon.logger("ignore")
    for number in range(60000):
        logger.write(LINE, number)
    daemon.start()
    found: list[str] = []
    for _ in range(30000):
        logger.flush()
        if not (new := daemon.texts()):
            break
        found += new
    assert any("LINES-LOST" in line for line in found)
    assert len(found) < 59000
    logger.close()


def test_a_file_takes_over(daemon: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "instead.log"
    logger = daemon.logger("file", FileSink(str(path)))
    daemon.end()
    logger.write(LINE, 1)
    logger.flush()
    logger.write(LINE, 2)
    logger.flush()
    assert [line.partition("]: ")[2] for line in path.read_text().splitlines()] == [
        "TEST-1-I N=1",
        'LOGS-104-E SYSLOG-FAILED REASON="Connection refused" ACTION=FILE',
        "TEST-1-I N=2",
    ]
    path.rename(tmp_path / "old.log")
    logger.reopen()
    logger.write(LINE, 3)
    logger.close()
    assert path.read_text().endswith("TEST-1-I N=3\n")


def test_stopping_is_asked_for_once(daemon: Daemon) -> None:
    logger = daemon.logger("stop")
    daemon.end()
    for number in range(3):
        logger.write(LINE, number)
        logger.flush()
    assert daemon.stopped == ["syslog: Connection refused"]
    logger.close()


def test_a_child_does_not_send_its_parents_lines(daemon: Daemon) -> None:
    logger = daemon.logger()
    logger.write(LINE, 1)
    pid = os.fork()
    if pid == 0:
        logger.after_fork(os.getpid())
        logger.write(LINE, 2)
        logger.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    logger.flush()
    assert daemon.texts() == ["TEST-1-I N=2", "TEST-1-I N=1"]
    logger.close()


def test_reopening_connects_anew(daemon: Daemon) -> None:
    logger = daemon.logger("stop")
    logger.write(LINE, 1)
    logger.flush()
    old = daemon.socket
    daemon.start()
    logger.reopen()
    logger.write(LINE, 2)
    logger.flush()
    assert daemon.texts() == ["TEST-1-I N=2"]
    assert daemon.stopped == []
    logger.close()
    old.close()
