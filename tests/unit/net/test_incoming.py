"""A mail as it comes: who must wait, and what becomes of its file."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

from imap4fast.net.incoming import CHOKED, FREE
from tests.unit.net.mailrooms import bench


def test_it_chokes_until_the_disk_has_caught_up(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            called = asyncio.Event()
            incoming = made.mails.receive(2 * CHOKED, called.set)
            assert incoming is not None
            assert incoming.write(b"x" * FREE)
            assert not incoming.write(b"y" * CHOKED)
            await asyncio.wait_for(called.wait(), 20)
            assert incoming.write(b"z")
            octets = b"x" * FREE + b"y" * CHOKED + b"z"
            fd = await incoming.opened()
            assert await made.room.disk.settled(fd) == len(octets)
            assert os.pread(fd, len(octets) + 1, 0) == octets
            assert incoming.sha256 == hashlib.sha256(octets).digest()
            incoming.drop()

    asyncio.run(case())


def test_dropped_before_there_is_a_file(tmp_path: Path) -> None:
    """`bench` sees to it that no file stays open."""

    async def case() -> None:
        async with bench(tmp_path) as made:
            incoming = made.mails.receive(10, lambda: None)
            assert incoming is not None
            incoming.write(b"octets")
            incoming.drop()
            assert incoming.write(b"more")
            assert await incoming.opened() == -1

    asyncio.run(case())
