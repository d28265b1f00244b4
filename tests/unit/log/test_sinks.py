"""Files and streams: whole lines only, nothing lost in rotation, and trouble that neither raises nor waits."""

from __future__ import annotations

import fcntl
import os
import resource
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imap4fast.log.entry import Entry
from imap4fast.log.lines import TextLines
from imap4fast.log.logger import Logger
from imap4fast.log.sinks import FLUSH_BYTES, KEEP_BYTES, FileSink, Sink, StreamSink

LINE = Entry("TEST", 1, "I", "N=%u", "help")
LOST = "LOGS-101-E LINES-LOST COUNT="


def logger_to(sink: Sink, app: str = "app") -> Logger:
    return Logger(TextLines(app, "host", 1, lambda: 0.0, 0), sink)


def texts(*paths: Path) -> list[str]:
    """What the lines say, without head and identifier."""
    return [line.partition("]: ")[2] for path in paths for line in path.read_text().splitlines()]


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file may grow beyond this: a full disk, with a short write before it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_lines_wait_for_the_flush(tmp_path: Path) -> None:
    path = tmp_path / "log"
    logger = logger_to(FileSink(str(path)))
    logger.write(LINE, 1)
    assert path.read_text() == ""
    logger.flush()
    assert texts(path) == ["TEST-1-I N=1"]
    logger.write(LINE, 2)
    logger.close()
    assert texts(path) == ["TEST-1-I N=1", "TEST-1-I N=2"]


def test_much_in_memory_forces_a_flush(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = FileSink(str(path))
    line = "x" * 99 + "\n"
    for _ in range(FLUSH_BYTES // 100):
        sink.put(line, 6)
    assert path.stat().st_size == 0
    sink.put(line, 6)
    assert path.stat().st_size == (FLUSH_BYTES // 100 + 1) * 100


def test_one_flush_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = FileSink(str(tmp_path / "log"))
    blocks: list[bytes] = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: blocks.append(data) or real(fd, data))
    for number in range(100):
        sink.put(f"{number}\n", 6)
    sink.flush()
    sink.flush()
    assert blocks == ["".join(f"{number}\n" for number in range(100)).encode()]


def test_a_file_is_appended_to_and_not_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "log"
    os.umask(os.umask(0o022))
    sink = FileSink(str(path))
    sink.put("one\n", 6)
    sink.close()
    sink = FileSink(str(path))
    sink.put("two\n", 6)
    sink.close()
    assert path.read_text() == "one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_new_file_gets_its_owner_an_old_one_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    FileSink(str(path), owner=(4711, 4712)).close()
    assert (path.stat().st_uid, path.stat().st_gid) == (4711, 4712)
    FileSink(str(path), owner=(1, 1)).close()
    assert path.stat().st_uid == 4711


def test_a_file_that_cannot_be_opened_is_an_error_at_first(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        FileSink(str(tmp_path / "none" / "log"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        FileSink(str(tmp_path / "folder"))
    with pytest.raises(OSError, match="no regular file"):
        FileSink("/dev/null", rotate=(100, 1))
    assert len(os.listdir("/proc/self/fd")) == before


def test_trouble_keeps_lines_until_writing_works(tmp_path: Path) -> None:
    path = tmp_path / "log"
    logger = logger_to(FileSink(str(path)))
    with file_size_limit(0):
        for number in range(3):
            logger.write(LINE, number)
            logger.flush()
    assert texts(path) == []
    logger.write(LINE, 3)
    logger.flush()
    assert texts(path) == [f"TEST-1-I N={number}" for number in range(4)]


def test_long_trouble_drops_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "log"
    logger = logger_to(FileSink(str(path)))
    with file_size_limit(0):
        for number in range(60000):
            logger.write(LINE, number)
        logger.flush()
    for number in range(60000, 60003):
        logger.write(LINE, number)
    logger.flush()
    logger.write(LINE, 60003)
    logger.close()
    found = texts(path)
    place = next(index for index, text in enumerate(found) if text.startswith(LOST))
    lost = int(found[place].removeprefix(LOST).partition(" ")[0])
    assert 'REASON="File too large"' in found[place]
    numbers = [int(text.rpartition("=")[2]) for text in found[:place] + found[place + 1 :]]
    assert numbers == [*range(place), *range(60000, 60004)]
    assert lost == 60000 - place
    assert KEEP_BYTES * 0.9 < sum(len(text) for text in found) + 40 * len(found) < KEEP_BYTES * 1.5


def test_memory_is_bounded_while_nothing_can_be_written(tmp_path: Path) -> None:
    sink = FileSink(str(tmp_path / "log"))
    with file_size_limit(0):
        for _ in range(100000):
            sink.put("x" * 99 + "\n", 6)
        assert len(sink._queue) <= KEEP_BYTES
        assert sink._size < FLUSH_BYTES + 100


def test_a_torn_line_is_ended_and_repeated(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = FileSink(str(path))
    for number in range(10):
        sink.put(f"line {number}\n", 6)
    with file_size_limit(24):
        sink.flush()
        assert path.read_text() == "line 0\nline 1\nline 2\nlin"
    with path.open("a") as other:
        other.write("e of another process\n")
    sink.put("line 10\n", 6)
    sink.flush()
    assert path.read_text().splitlines() == [
        *["line 0", "line 1", "line 2", "line of another process", ""],
        *[f"line {number}" for number in range(3, 11)],
    ]


def test_a_torn_report_is_repeated(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = FileSink(str(path))
    sink.lost_line = lambda count, why: f"lost {count}\n"
    sink._lost = 7
    with file_size_limit(3):
        sink.put("gone\n", 6)
        sink.flush()
    sink.flush()
    assert path.read_text() == "los\nlost 8\n"


def test_dev_full_never_raises() -> None:
    sink = FileSink("/dev/full")
    for _ in range(30000):
        sink.put("x" * 99 + "\n", 6)
    sink.close()
    assert sink._lost > 10000


def test_reopening_follows_an_outside_rotation(tmp_path: Path) -> None:
    path, old = tmp_path / "log", tmp_path / "log.1"
    logger = logger_to(FileSink(str(path)))
    logger.write(LINE, 1)
    path.rename(old)
    logger.write(LINE, 2)
    logger.reopen()
    logger.write(LINE, 3)
    logger.close()
    assert texts(old) == ["TEST-1-I N=1", "TEST-1-I N=2"]
    assert texts(path) == ["TEST-1-I N=3"]


def test_reopening_that_fails_stays_with_the_old_file(tmp_path: Path) -> None:
    path, old = tmp_path / "log", tmp_path / "log.1"
    logger = logger_to(FileSink(str(path)))
    path.rename(old)
    path.mkdir()
    logger.reopen()
    logger.write(LINE, 1)
    logger.close()
    assert texts(old) == [f'LOGS-102-E REOPEN-FAILED FILE={path} REASON="Is a directory"', "TEST-1-I N=1"]


def test_the_directory_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a chroot: the path of the configuration leads nowhere any more."""
    monkeypatch.chdir(tmp_path)
    logger = logger_to(FileSink("log"))
    monkeypatch.chdir("/")
    logger.write(LINE, 1)
    logger.reopen()
    logger.close()
    assert texts(tmp_path / "log") == ["TEST-1-I N=1"]


def test_a_rotation_keeps_the_count(tmp_path: Path) -> None:
    path = tmp_path / "log"
    logger = logger_to(FileSink(str(path), rotate=(1, 3)))
    for number in range(6):
        logger.write(LINE, number)
        logger.flush()
    assert sorted(os.listdir(tmp_path)) == ["log", "log.1", "log.2", "log.3"]
    assert path.read_text() == ""
    assert texts(*(tmp_path / f"log.{number}" for number in (1, 2, 3))) == [f"TEST-1-I N={n}" for n in (5, 4, 3)]


def test_nothing_is_rotated_below_the_size(tmp_path: Path) -> None:
    logger = logger_to(FileSink(str(tmp_path / "log"), rotate=(1000, 3)))
    logger.write(LINE, 1)
    logger.flush()
    assert os.listdir(tmp_path) == ["log"]


def test_a_rotation_that_fails_is_told_once_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    logger = logger_to(FileSink(str(path), rotate=(1, 1)))
    (tmp_path / "log.new").mkdir()
    for number in range(3):
        logger.write(LINE, number)
        logger.flush()
    assert texts(path) == [
        "TEST-1-I N=0",
        f'LOGS-103-E ROTATION-FAILED FILE={path} REASON="Is a directory"',
        "TEST-1-I N=1",
        "TEST-1-I N=2",
    ]
    (tmp_path / "log.new").rmdir()
    logger.flush()
    assert len(texts(tmp_path / "log.1")) == 4


def test_a_copy_that_fails_midway_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = FileSink(str(path), rotate=(100, 1))
    with file_size_limit(150):
        sink.put("x" * 119 + "\n", 6)
        with file_size_limit(60):
            sink._try_rotation()
        sink.flush()
    assert (
        len(path.read_bytes()) + sum(len((tmp_path / n).read_bytes()) for n in os.listdir(tmp_path) if n != "log")
        == 120
    )
    assert not (tmp_path / "log.new").exists()


def test_many_processes_and_rotation_lose_and_double_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    master = logger_to(FileSink(str(path), rotate=(20000, 1000)))
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            master.after_fork(number)
            for count in range(3000):
                master.write(LINE, number * 10000 + count)
                if count % 7 == 0:
                    master.flush()
                if count % 20 == 0:
                    time.sleep(0.001)
            while master._sink._queue or master._sink._lines:  # type: ignore[attr-defined]
                master.flush()
            os._exit(0)
        children.append(pid)
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        master.flush()
        if pid:
            assert status == 0
            children.remove(pid)
    master.close()
    files = sorted(tmp_path.iterdir(), key=lambda file: -int(file.suffix[1:] or 0))
    assert len(files) > 2  # how many depends on how often the master comes to look
    for file in files:
        content = file.read_text()
        assert content == "" or content.endswith("\n")
    found = [int(text.removeprefix("TEST-1-I N=")) for text in texts(*files)]
    for number in range(4):
        mine = [value for value in found if value // 10000 == number]
        assert mine == [number * 10000 + count for count in range(3000)]
    assert len(found) == 12000


def test_a_follower_waits_in_memory_while_the_rotation_runs(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = FileSink(str(path), rotate=(1000, 1))
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        fcntl.lockf(sink._fd, fcntl.LOCK_EX)
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    sink.put("one\n", 6)
    sink.flush()
    assert path.read_text() == ""
    os.write(go[1], b"x")
    os.waitpid(pid, 0)
    sink.flush()
    assert path.read_text() == "one\n"


def test_a_child_does_not_write_its_parents_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    logger = logger_to(FileSink(str(path)))
    logger.write(LINE, 1)
    pid = os.fork()
    if pid == 0:
        logger.after_fork(os.getpid())
        logger.write(LINE, 2)
        logger.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    logger.flush()
    assert texts(path) == ["TEST-1-I N=2", "TEST-1-I N=1"]


def test_a_stream_gets_whole_lines() -> None:
    reader, writer = os.pipe()
    logger = logger_to(StreamSink(writer))
    for number in range(3):
        logger.write(LINE, number)
    logger.flush()
    assert os.read(reader, 65536).decode().count("TEST-1-I") == 3
    logger.reopen()
    logger.close()
    os.write(writer, b"still open")
    os.close(reader)
    os.close(writer)


def test_a_stream_that_nobody_reads_does_not_block() -> None:
    reader, writer = os.pipe()
    logger = logger_to(StreamSink(writer))
    for number in range(60000):
        logger.write(LINE, number)
    logger.flush()
    os.set_blocking(reader, False)
    got = b""
    for _ in range(200):
        while True:
            try:
                got += os.read(reader, 65536)
            except BlockingIOError:
                break
        logger.flush()
    found = [line.partition("]: ")[2] for line in got.decode().splitlines()]
    place = next(index for index, text in enumerate(found) if text.startswith(LOST))
    assert found[:place] == [f"TEST-1-I N={number}" for number in range(place)]
    assert found[place] == f'{LOST}{60000 - place} REASON="short write"'
    assert len(found) == place + 1
    os.close(reader)
    os.close(writer)


def test_a_stream_whose_reader_went_away_does_not_raise() -> None:
    reader, writer = os.pipe()
    sink = StreamSink(writer)
    os.close(reader)
    sink.put("one\n", 6)
    sink.flush()
    assert sink._why == "Broken pipe"
    os.close(writer)


def test_a_line_longer_than_a_piece_goes_out_whole() -> None:
    reader, writer = os.pipe()
    sink = StreamSink(writer)
    lines = [*("a" * 3000 + "\n" for _ in range(3)), "b" * 9000 + "\n", "c\n"]
    for line in lines:
        sink.put(line, 6)
    sink.close()
    assert os.read(reader, 65536).decode() == "".join(lines)
    os.close(reader)
    os.close(writer)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its root and its user")
def test_a_worker_in_a_chroot_without_privileges_opens_the_file_anew(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    path, jail = tmp_path / "log", tmp_path / "jail"
    jail.mkdir()
    logger = logger_to(FileSink(str(path), rotate=(1 << 20, 2), owner=(4711, 4711)))
    path.rename(tmp_path / "log.old")
    logger.reopen()
    pid = os.fork()
    if pid == 0:
        logger.after_fork(os.getpid())
        os.chroot(jail)
        os.chdir("/")
        os.setgroups([])
        os.setgid(4711)
        os.setuid(4711)
        logger.write(LINE, 1)
        logger.reopen()
        logger.write(LINE, 2)
        logger.close()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert texts(path) == ["TEST-1-I N=1", "TEST-1-I N=2"]
    logger.close()
