"""Processed mails as they are read: from memory, ahead, and by the disk's thread."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from imap4fast._wire import MailIndex, decode_transfer
from imap4fast.errors import ServiceError
from imap4fast.net import keptmail
from imap4fast.net.disk import Disk
from imap4fast.net.keptmail import AHEAD, KeptMail
from imap4fast.session.mailwork import Decoded, Span
from tests.unit.net.test_disk import LIMIT, Scene

MAIL = b"A: b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"AAEC\r\n" * 500_000


class OneFile:
    """The part of Disk that is used, over octets. `reads` are (size, offset)."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.reads: list[tuple[int, int]] = []
        self.closed = 0
        self.broken = False

    async def pread(self, fd: int, size: int, offset: int) -> bytes:
        self.reads.append((size, offset))
        if self.broken:
            raise ServiceError("spool", "gone")
        return self.octets[offset : offset + size]

    async def aside(self, work: Callable[[], bytes | None]) -> bytes | None:
        return work()

    def close(self, fd: int) -> None:
        self.closed += 1


class Loop:
    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)


def kept(disk: OneFile, fd: int = 3, octets: bytes | None = None) -> KeptMail:
    return KeptMail(cast(Disk, disk), Loop(), MailIndex.scan(MAIL), len(MAIL), fd, octets)


async def read(mail: KeptMail, offset: int, size: int) -> bytes | None:
    done: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
    mail.read(offset, size, done.set_result)
    return await done


def test_partials_one_behind_the_other_cost_few_reads() -> None:
    async def case() -> None:
        disk = OneFile(MAIL)
        mail = kept(disk)
        got = [await read(mail, at, min(65536, len(MAIL) - at)) for at in range(0, len(MAIL), 65536)]
        assert b"".join(part or b"" for part in got) == MAIL
        assert len(disk.reads) <= len(MAIL) // AHEAD + 2

    asyncio.run(case())


def test_the_file_is_closed_with_the_mail() -> None:
    disk = OneFile(MAIL)
    mail = kept(disk)
    del mail
    assert disk.closed == 1
    in_memory = kept(disk, -1, MAIL)
    assert in_memory.at_once(0, 4) == b"A: b"
    del in_memory
    assert disk.closed == 1


def test_a_file_that_cannot_be_read() -> None:
    async def case() -> None:
        disk = OneFile(MAIL)
        mail = kept(disk)
        disk.broken = True
        assert await read(mail, 0, 10) is None
        disk.broken = False
        disk.octets = MAIL[:100]
        assert await read(mail, 50, 100) is None

    asyncio.run(case())


async def decoded(mail: KeptMail, span: Span = None) -> Decoded | None:
    done: asyncio.Future[Decoded | None] = asyncio.get_running_loop().create_future()
    mail.decoded(0, span, done.set_result)
    return await done


async def whole(mail: KeptMail, span: Span = None) -> Decoded | None:
    done: asyncio.Future[Decoded | None] = asyncio.get_running_loop().create_future()
    mail.binary(0, mail.size, span, done.set_result)
    return await done


def test_decoded_parts() -> None:
    async def case() -> None:
        for fd, octets in ((3, None), (-1, MAIL)):
            mail = kept(OneFile(MAIL), fd, octets)
            assert await decoded(mail) == (b"\0\1\2" * 500_000, 1_500_000)
            assert await decoded(mail, (2, 3)) == (b"\2\0\1", 1_500_000)
            assert await decoded(mail, (1_499_999, 3)) == (b"\2", 1_500_000)
            assert await decoded(mail, (1_500_000, 3)) == (b"", 1_500_000)

    asyncio.run(case())


def test_a_decoded_part_is_decoded_once() -> None:
    async def case() -> None:
        disk = OneFile(MAIL)
        mail = kept(disk)
        for _ in range(3):
            assert await decoded(mail) == (b"\0\1\2" * 500_000, 1_500_000)
        assert len(disk.reads) == 1

    asyncio.run(case())


def test_a_whole_mail_is_decoded_once() -> None:
    octets = b"A: b\r\nContent-Transfer-Encoding: binary\r\n\r\n" + b"\0\1\2" * 500_000

    async def case() -> None:
        for disk, fd, held in ((OneFile(MAIL), 3, None), (OneFile(MAIL), -1, MAIL)):
            mail = kept(disk, fd, held)
            for _ in range(3):
                assert await whole(mail) == (octets, len(octets))
            assert len(disk.reads) == (fd >= 0)

    asyncio.run(case())


LINE = b"A" * 72 + b"\r\n"
LARGE = b"A: b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + LINE * 90_000
DECODED = 90_000 * 54
"""More than stays in memory."""


class Threads:
    """Where parts are decoded, in their order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        monkeypatch.setattr(keptmail, "decode_transfer", self._decode)

    def _decode(self, octets: bytes, encoding: bytes) -> bytes | None:
        self.names.append(threading.current_thread().name)
        return decode_transfer(octets, encoding)


def large(disk: Disk) -> KeptMail:
    return KeptMail(disk, Loop(), MailIndex.scan(LARGE), len(LARGE), -1, LARGE)


def test_a_large_part_is_decoded_once_and_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(monkeypatch)

    async def script(disk: Disk) -> None:
        mail = large(disk)
        for at in range(0, DECODED + 1_000_000, 1_000_000):
            assert await decoded(mail, (at, 1_000_000)) == (b"\0" * max(0, min(1_000_000, DECODED - at)), DECODED)
        assert await decoded(mail) == (b"\0" * DECODED, DECODED)
        assert threads.names == ["disk"]
        assert disk._files
        found = await whole(mail, (20, 30))
        assert found is not None
        assert found.octets == b"er-Encoding: binary\r\n\r\n" + b"\0" * 7
        del mail

    Scene(tmp_path).play(script)


def test_what_is_asked_for_whole_goes_into_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(monkeypatch)

    async def script(disk: Disk) -> None:
        mail = large(disk)
        assert await decoded(mail) == (b"\0" * DECODED, DECODED)
        assert disk._files == {}
        assert threads.names == ["disk"]

    Scene(tmp_path).play(script)


def test_without_room_it_is_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(monkeypatch)

    async def script(disk: Disk) -> None:
        fd = await disk.create(LIMIT - 1_000_000)
        mail = large(disk)
        for _ in range(2):
            assert await decoded(mail, (3, 2)) == (b"\0\0", DECODED)
        assert threads.names == ["disk", "disk"]
        disk.close(fd)

    Scene(tmp_path).play(script)


def test_a_file_of_decoded_octets_that_fails(tmp_path: Path) -> None:
    async def script(disk: Disk) -> None:
        mail = large(disk)
        assert await decoded(mail, (3, 2)) == (b"\0\0", DECODED)
        (fd,) = disk._files
        os.ftruncate(fd, 100)
        assert await decoded(mail, (1_000_000, 2)) is None

    Scene(tmp_path).play(script)
