"""Processed mails as they are read: from memory, ahead, and by the disk's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

from imap4fast._wire import MailIndex
from imap4fast.errors import ServiceError
from imap4fast.net.disk import Disk
from imap4fast.net.keptmail import AHEAD, KeptMail

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


def test_decoded_parts() -> None:
    async def case() -> None:
        for fd, octets in ((3, None), (-1, MAIL)):
            done: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
            kept(OneFile(MAIL), fd, octets).decoded(0, done.set_result)
            assert await done == b"\0\1\2" * 500_000

    asyncio.run(case())


def test_a_decoded_part_is_decoded_once() -> None:
    async def case() -> None:
        disk = OneFile(MAIL)
        mail = kept(disk)
        for _ in range(3):
            done: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
            mail.decoded(0, done.set_result)
            assert await done == b"\0\1\2" * 500_000
        assert len(disk.reads) == 1

    asyncio.run(case())


def test_a_whole_mail_is_decoded_once() -> None:
    async def case() -> None:
        for disk, fd, octets in ((OneFile(MAIL), 3, None), (OneFile(MAIL), -1, MAIL)):
            mail = kept(disk, fd, octets)
            for _ in range(3):
                done: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
                mail.binary(0, len(MAIL), done.set_result)
                assert await done == b"A: b\r\nContent-Transfer-Encoding: binary\r\n\r\n" + b"\0\1\2" * 500_000
            assert len(disk.reads) == (fd >= 0)

    asyncio.run(case())
