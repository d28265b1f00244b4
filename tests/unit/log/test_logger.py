"""Levels: what is written where, and how signals move them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from imap4fast.log.entry import Entry
from imap4fast.log.lines import TextLines
from imap4fast.log.logger import MOST_DEFERRED, Logger
from imap4fast.log.ring import Ring, read_ring
from imap4fast.log.sinks import FileSink, Note

BY_SEVERITY = {letter: Entry("TEST", number, letter, "x", "help") for number, letter in enumerate("CEWNIKDTF", 1)}


class Kept:
    """A sink that keeps what it gets."""

    note: Note
    lost_line: Callable[[int, str], str]

    def __init__(self) -> None:
        self.lines: list[tuple[str, int]] = []
        self.calls: list[str] = []

    def put(self, line: str, priority: int) -> None:
        self.lines.append((line, priority))

    def flush(self) -> None:
        self.calls.append("flush")

    def reopen(self) -> None:
        self.calls.append("reopen")

    def after_fork(self) -> None:
        self.calls.append("after_fork")

    def close(self) -> None:
        self.calls.append("close")


def logger_at(level: int, ring: Ring | None = None, mem_level: int | None = None) -> tuple[Logger, Kept]:
    sink = Kept()
    return Logger(TextLines("app", "host", 1, lambda: 0.0, 0), sink, level, ring, mem_level), sink


@pytest.mark.parametrize(
    ("level", "written"),
    [(3, "CENI"), (4, "CEWNI"), (6, "CEWNIK"), (7, "CEWNIKD"), (8, "CEWNIKDT"), (9, "CEWNIKDTF")],
)
def test_each_level_writes_its_severities(level: int, written: str) -> None:
    logger, sink = logger_at(level)
    for entry in BY_SEVERITY.values():
        logger.write(entry)
        assert logger.enabled(entry) == (entry.severity in written)
    assert [line.partition("]: ")[2][-4:-3] for line, _ in sink.lines] == list(written)


def test_a_situation_chooses_the_severity() -> None:
    logger, sink = logger_at(6)
    entry = Entry("TEST", 1, "D", "x", "help", others="W")
    logger.write(entry)
    logger.write(entry, severity="W")
    assert [line.partition("]: ")[2] for line, _ in sink.lines] == ["TEST-1-W x\n"]
    assert not logger.enabled(entry)
    assert logger.enabled(entry, "W")
    with pytest.raises(KeyError):
        logger.write(entry, severity="E")


def test_priorities_are_those_of_syslog() -> None:
    logger, sink = logger_at(9)
    for entry in BY_SEVERITY.values():
        logger.write(entry)
    assert [priority for _, priority in sink.lines] == [2, 3, 4, 5, 6, 5, 7, 7, 7]


def test_urgent_lines_do_not_wait() -> None:
    for letter, entry in BY_SEVERITY.items():
        logger, sink = logger_at(9)
        logger.write(entry)
        assert sink.calls == (["flush"] if letter in "CEK" else [])


def test_levels_step_by_words() -> None:
    logger, _ = logger_at(4)
    assert [logger.raise_level() for _ in range(5)] == [6, 7, 8, 9, 9]
    assert [logger.lower_level() for _ in range(6)] == [8, 7, 6, 4, 3, 3]
    logger.set_level(5)
    assert logger.raise_level() == 6
    logger.set_level(5)
    assert logger.lower_level() == 4


def test_a_changed_level_is_in_force_at_once() -> None:
    logger, sink = logger_at(6)
    logger.write(BY_SEVERITY["D"])
    logger.raise_level()
    logger.write(BY_SEVERITY["D"])
    assert len(sink.lines) == 1


def test_the_ring_has_a_level_of_its_own(tmp_path: Path) -> None:
    ring = Ring(str(tmp_path / "ring"), 4096)
    logger, sink = logger_at(4, ring, 8)
    for entry in BY_SEVERITY.values():
        logger.write(entry)
    assert [line.split()[-2][-1] for line in read_ring(str(tmp_path / "ring"))] == list("CEWNIKDT")
    assert len(sink.lines) == 5
    assert logger.enabled(BY_SEVERITY["T"])
    assert not logger.enabled(BY_SEVERITY["F"])


def test_the_ring_follows_the_log_without_one(tmp_path: Path) -> None:
    logger, _ = logger_at(4, Ring(str(tmp_path / "ring"), 4096))
    logger.write(BY_SEVERITY["K"])
    logger.set_level(6)
    logger.write(BY_SEVERITY["K"])
    assert len(read_ring(str(tmp_path / "ring"))) == 1


def test_a_low_level_of_the_ring_keeps_the_log(tmp_path: Path) -> None:
    logger, sink = logger_at(6, Ring(str(tmp_path / "ring"), 4096), 3)
    logger.write(BY_SEVERITY["W"])
    assert len(sink.lines) == 1
    assert read_ring(str(tmp_path / "ring")) == []


def test_the_process_and_its_sinks_are_told(tmp_path: Path) -> None:
    logger, sink = logger_at(6, Ring(str(tmp_path / "ring"), 4096))
    logger.after_fork(77)
    logger.write(BY_SEVERITY["I"], track=5)
    assert " app[77]: TEST-5-I x SESSION=5\n" in sink.lines[0][0]
    logger.flush()
    logger.reopen()
    logger.close()
    assert sink.calls == ["after_fork", "flush", "reopen", "close"]
    assert sink.lost_line(3, "No space left on device").endswith(
        'LOGS-101-E LINES-LOST COUNT=3 REASON="No space left on device"\n'
    )


class TestDeferred:
    """Lines are made later, with the moment and the level at which their entries were written."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "log"

    @pytest.fixture
    def logger(self, path: Path) -> Logger:
        moments = iter(range(100000))
        lines = TextLines("app", "host", 1, lambda: float(next(moments)), 0)
        return Logger(lines, FileSink(str(path)), 6, defer=True)

    def test_nothing_is_made_before_the_flush(self, logger: Logger, path: Path) -> None:
        logger.write(BY_SEVERITY["I"], track=5)
        logger.write(BY_SEVERITY["D"])
        assert path.read_text() == ""
        logger.flush()
        assert [line.partition(" app")[2] for line in path.read_text().splitlines()] == ["[1]: TEST-5-I x SESSION=5"]
        logger.close()

    def test_the_moment_is_that_of_the_entry(self, logger: Logger, path: Path) -> None:
        logger.write(BY_SEVERITY["I"])
        logger.write(BY_SEVERITY["N"])
        logger.close()
        first, second = path.read_text().splitlines()
        assert (first.split()[2][-2:], second.split()[2][-2:]) == ("00", "01")

    def test_a_changed_level_is_in_force_at_once(self, logger: Logger, path: Path) -> None:
        logger.write(BY_SEVERITY["D"])
        logger.raise_level()
        logger.write(BY_SEVERITY["D"])
        logger.lower_level()
        logger.write(BY_SEVERITY["D"])
        logger.close()
        assert len(path.read_text().splitlines()) == 1

    def test_an_urgent_line_takes_all_with_it(self, logger: Logger, path: Path) -> None:
        logger.write(BY_SEVERITY["I"])
        logger.write(BY_SEVERITY["E"])
        assert [line.rsplit(" ", 2)[1] for line in path.read_text().splitlines()] == ["TEST-5-I", "TEST-2-E"]
        logger.close()

    def test_a_situation_chooses_the_severity(self, logger: Logger, path: Path) -> None:
        entry = Entry("TEST", 1, "D", "x", "help", others="W")
        logger.write(entry)
        logger.write(entry, severity="W")
        logger.close()
        assert path.read_text().endswith("app[1]: TEST-1-W x\n")

    def test_so_many_are_kept(self, logger: Logger, path: Path) -> None:
        for _ in range(3000):
            logger.write(BY_SEVERITY["I"])
        assert len(path.read_text().splitlines()) > 3000 - 2 * MOST_DEFERRED - 1000
        logger.close()
        assert len(path.read_text().splitlines()) == 3000

    def test_a_new_process_forgets_what_its_parent_writes(self, logger: Logger, path: Path) -> None:
        logger.write(BY_SEVERITY["I"])
        logger.after_fork(77)
        logger.write(BY_SEVERITY["N"])
        logger.close()
        assert path.read_text().endswith("app[77]: TEST-4-N x\n")
        assert path.read_text().count("\n") == 1
