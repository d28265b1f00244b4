"""The ring: always the last bytes, in order, whole lines, from several processes."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.log.ring import HEADER, Ring, read_ring


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    path = str(tmp_path / "ring")
    ring = Ring(path, 4096)
    assert read_ring(path) == []
    ring.put("one\n")
    ring.put("two\n")
    assert read_ring(path) == ["one", "two"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=300), max_size=60))
def test_what_is_there_is_the_end_of_what_was_put(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = str(tmp_path_factory.mktemp("ring") / "ring")
    ring = Ring(path, 4096)
    for line in lines:
        ring.put(f"{line}\n")
    ring.close()
    found = read_ring(path)
    assert found == lines[len(lines) - len(found) :]
    size = sum(len(line.encode()) + 1 for line in lines)
    kept = sum(len(line.encode()) + 1 for line in found)
    assert kept == size if size < 4096 else kept >= 4096 - 1300
    assert os.path.getsize(path) == HEADER + 4096


def test_a_new_process_goes_on_in_the_same_ring(tmp_path: Path) -> None:
    path = str(tmp_path / "ring")
    first = Ring(path, 4096)
    first.put("one\n")
    first.close()
    second = Ring(path, 4096)
    second.put("two\n")
    assert read_ring(path) == ["one", "two"]


def test_another_size_begins_anew(tmp_path: Path) -> None:
    path = str(tmp_path / "ring")
    Ring(path, 4096).put("one\n")
    ring = Ring(path, 8192)
    assert read_ring(path) == []
    ring.put("two\n")
    assert read_ring(path) == ["two"]


def test_processes_share_it_and_one_that_waits_loses_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "ring")
    ring = Ring(path, 65536)
    children = []
    for number in range(3):
        pid = os.fork()
        if pid == 0:
            ring.after_fork()
            for count in range(200):
                ring.put(f"{number}-{count}\n")
            while ring._waiting:
                ring.flush()
            os._exit(0)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
    found = read_ring(path)
    for number in range(3):
        mine = [line for line in found if line.startswith(f"{number}-")]
        assert mine == [f"{number}-{count}" for count in range(200)]


def test_it_never_waits_for_a_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "ring")
    ring = Ring(path, 4096)
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        fcntl.lockf(ring._fd, fcntl.LOCK_EX)
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    ring.put("held\n")
    assert read_ring(path) == []
    os.write(go[1], b"x")
    os.waitpid(pid, 0)
    ring.put("free\n")
    assert read_ring(path) == ["held", "free"]


@pytest.mark.parametrize("content", [b"", b"x" * 5000, b"imap4fast-ring 4096 9999".ljust(HEADER) + b"\0" * 4096])
def test_another_file_is_no_ring(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ring"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no ring"):
        read_ring(str(path))


def test_the_command_prints_the_lines(tmp_path: Path) -> None:
    path = str(tmp_path / "ring")
    Ring(path, 4096).put("one\n")
    command = [sys.executable, "-m", "imap4fast.log.ring", path]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "one\n"
