"""Copies in comm-dir: of the right octets, private, and gone afterwards."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from imap4fast.errors import ServiceError
from imap4fast.net.commfile import PREFIX, STALE_S, CommDir
from tests.unit.net.running import run
from tests.unit.net.scanning import mail_file


@pytest.fixture
def comm_dir(tmp_path: Path) -> Iterator[CommDir]:
    descriptor = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    made = CommDir(str(tmp_path), descriptor)
    yield made
    made.close()
    os.close(descriptor)


async def emptied(folder: Path) -> None:
    """Wait until nothing is left in the folder; removing is a thread's work."""
    for _ in range(100):
        if not os.listdir(folder):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(os.listdir(folder))


def test_a_range_is_copied_and_removed(comm_dir: CommDir, tmp_path: Path) -> None:
    async def whole() -> None:
        with mail_file(b"before the mail behind") as fd:
            async with comm_dir.copy(fd, 8, 7) as path:
                assert Path(os.fsdecode(path)).parent == tmp_path
                assert Path(os.fsdecode(path)).read_bytes() == b"the mail"
                assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
        await emptied(tmp_path)

    run(whole())


def test_t_a06_no_two_copies_have_one_name_and_none_is_of_the_mail(comm_dir: CommDir) -> None:
    async def whole() -> None:
        with mail_file(b"the mail") as fd:
            async with comm_dir.copy(fd, 8, 0) as one, comm_dir.copy(fd, 8, 0) as two:
                assert one != two
                assert os.path.basename(one).startswith(PREFIX.encode())

    run(whole())


def test_it_is_removed_whatever_happens(comm_dir: CommDir, tmp_path: Path) -> None:
    async def whole() -> None:
        with mail_file(b"the mail") as fd, pytest.raises(ZeroDivisionError):
            async with comm_dir.copy(fd, 8, 0):
                raise ZeroDivisionError
        await emptied(tmp_path)

    run(whole())


def test_cancelled_while_copying(comm_dir: CommDir, tmp_path: Path) -> None:
    async def copying(fd: int) -> None:
        async with comm_dir.copy(fd, 50 << 20, 0):
            await asyncio.sleep(5)

    async def whole() -> None:
        with mail_file(bytes(50 << 20)) as fd:
            task = asyncio.create_task(copying(fd))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        comm_dir.close()
        assert os.listdir(tmp_path) == []

    run(whole())


def test_a_file_that_is_shorter_than_the_mail(comm_dir: CommDir, tmp_path: Path) -> None:
    async def whole() -> None:
        with mail_file(b"short") as fd, pytest.raises(ServiceError, match="shorter"):
            async with comm_dir.copy(fd, 6, 0):
                pass
        await emptied(tmp_path)

    run(whole())


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    folder.rmdir()

    comm_dir = CommDir(str(folder), descriptor)

    async def whole() -> None:
        with mail_file() as fd, pytest.raises(ServiceError, match="comm-dir: No such file"):
            async with comm_dir.copy(fd, 1, 0):
                pass

    run(whole())
    comm_dir.close()
    os.close(descriptor)


def test_sweeping_takes_old_copies_alone(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    old, new, other = tmp_path / f"{PREFIX}old", tmp_path / f"{PREFIX}new", tmp_path / "other"
    for path in (old, new, other):
        path.write_bytes(b"")
    for path in (old, other):
        os.utime(path, (0, 0))
    comm_dir = CommDir(str(tmp_path), descriptor)
    comm_dir.start()
    comm_dir.close()
    os.close(descriptor)
    assert sorted(path.name for path in tmp_path.iterdir()) == [new.name, "other"]
    assert STALE_S > 600
