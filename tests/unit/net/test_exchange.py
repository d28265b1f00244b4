"""One talk over one socket: both directions at once, and every way in which it can break."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
import tracemalloc

import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.errors import ServiceError
from imap4fast.mail.work import FOUND, FREE, SKIPPED, Scan
from imap4fast.net.exchange import CHUNK, Exchange, Source
from imap4fast.scan.clamd import Instream
from imap4fast.scan.icap import Respmod, Service
from imap4fast.scan.spamd import Check
from tests.unit.net.running import Talk, run
from tests.unit.net.scanning import MAIL, OPT, ThreadDisk, clamd, mail_file, mail_source, scanner, take_stream

LARGE = os.urandom(1 << 16) * 320
"""20 MiB: more than any socket takes at once."""


async def connected(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return sock


async def scanned(script: Talk, mail: bytes = MAIL, opt: SockOpt = OPT, size: int | None = None) -> Instream:
    """A mail that goes to a clamd of this script."""
    async with scanner(script) as fake:
        sock = await connected(fake.address.port)
        talk = Instream(len(mail) if size is None else size)
        try:
            with mail_source(mail) as source:
                await Exchange(sock, talk, source, opt).run()
        finally:
            sock.close()
        return talk


@pytest.mark.parametrize("mail", [b"", MAIL, b"virus", bytes(CHUNK), bytes(CHUNK + 1), LARGE], ids=len)
def test_a_mail_of_any_size(mail: bytes) -> None:
    talk = run(scanned(clamd, mail))
    assert talk.result == (Scan(FOUND, "Test") if b"virus" in mail else Scan(FREE))


def test_what_arrives_is_the_mail() -> None:
    came: list[bytes] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await take_stream(reader))
        writer.write(b"1: stream: OK\0")

    assert run(scanned(keep, LARGE)).result == Scan(FREE)
    assert came == [LARGE]


def test_what_is_held_of_a_mail_does_not_grow_with_it() -> None:
    size = 100 << 20

    async def drain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = len(b"zIDSESSION\0zINSTREAM\0") + size + 4 * (size // CHUNK + 1)
        while left:
            left -= len(await reader.read(65536))
        writer.write(b"1: stream: OK\0")

    async def whole() -> tuple[Scan | None, int]:
        async with scanner(drain) as fake:
            sock = await connected(fake.address.port)
            talk = Instream(size)
            with tempfile.TemporaryFile() as file:
                file.truncate(size)
                tracemalloc.start()
                await Exchange(sock, talk, Source(ThreadDisk(), file.fileno(), size), OPT).run()
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            sock.close()
            return talk.result, peak

    result, peak = run(whole())
    assert result == Scan(FREE)
    assert peak < 20 * CHUNK


def test_the_octets_are_a_range_of_the_file() -> None:
    async def ranged() -> tuple[Instream, list[tuple[int, int]]]:
        disk = ThreadDisk()
        async with scanner(clamd) as fake:
            sock = await connected(fake.address.port)
            with mail_file(b"before virus behind") as fd:
                talk = Instream(6)
                await Exchange(sock, talk, Source(disk, fd, 6, 13), OPT).run()
            sock.close()
        return talk, disk.reads

    talk, reads = run(ranged())
    assert talk.result == Scan(FREE)
    assert reads == [(6, 13)]


async def refuses_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads a little, says that it is too much, and closes with most of it unread: the kernel sends a reset."""
    await reader.readexactly(100)
    writer.write(b"1: INSTREAM size limit exceeded. ERROR\0")


def test_t_a04_an_answer_before_the_end_is_heard_although_the_connection_is_reset() -> None:
    for _ in range(20):
        assert run(scanned(refuses_early, LARGE)).result == Scan(SKIPPED, "larger than the engine takes")


def test_t_a04_ok_for_a_truncated_stream_is_nonsense() -> None:
    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100)
        writer.write(b"1: stream: OK\0")
        await reader.read()

    talk = run(scanned(early, LARGE))
    assert (talk.result, talk.nonsense) == (None, "stream: OK")


@pytest.mark.parametrize(
    ("reply", "came_to"),
    [
        (b"1: stream: OK\0", (None, "answered before it had all")),
        (b"1: stream: Test FOUND\0", (Scan(FOUND, "Test"), None)),
    ],
)
def test_t_a04_ok_before_the_last_octet_left_is_nonsense(reply: bytes, came_to: tuple[Scan | None, str | None]) -> None:
    """All of the mail was given to the socket, which could not take it: the scanner did not read."""

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(0.1)
        writer.write(reply)
        await asyncio.sleep(1)

    async def whole() -> Instream:
        async with scanner(hasty, receive_buffer=4096) as fake:
            sock = socket.socket()
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", fake.address.port))
            talk = Instream(CHUNK)
            with mail_source(bytes(CHUNK)) as source:
                await Exchange(sock, talk, source, OPT).run()
            sock.close()
            return talk

    talk = run(whole())
    assert (talk.result, talk.nonsense, talk.reusable) == (*came_to, False)


@pytest.mark.parametrize("octets", [0, 30, 100_000])
def test_t_a04_closing_in_mid_stream(octets: int) -> None:
    async def leaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(octets)

    talk = run(scanned(leaves, LARGE))
    assert (talk.result, talk.nonsense) == (None, None)
    assert talk.cut


def test_t_a04_a_scanner_that_takes_nothing() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(5)

    begun = time.monotonic()
    with pytest.raises(ServiceError, match=r"took nothing for 0\.2 s"):
        run(scanned(deaf, LARGE, SockOpt(send_timeout=0.2)))
    assert time.monotonic() - begun < 3


def test_t_a04_a_scanner_that_falls_silent_in_its_answer() -> None:
    async def stops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_stream(reader)
        writer.write(b"1: stre")
        await asyncio.sleep(5)

    with pytest.raises(ServiceError, match=r"fell silent for 0\.2 s"):
        run(scanned(stops, MAIL, SockOpt(recv_timeout=0.2)))


def test_thinking_is_not_silence() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_stream(reader)
        await asyncio.sleep(0.4)
        writer.write(b"1: stream: OK\0")

    assert run(scanned(slow, MAIL, SockOpt(recv_timeout=0.2))).result == Scan(FREE)


def test_an_endless_answer_ends_with_the_first_part_that_is_too_long() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    assert run(scanned(endless)).nonsense is not None


def test_a_file_that_is_shorter_than_the_mail() -> None:
    with pytest.raises(ServiceError, match="shorter"):
        run(scanned(clamd, MAIL, size=len(MAIL) + 1))


def test_a_file_that_cannot_be_read() -> None:
    async def broken() -> None:
        async with scanner(clamd) as fake:
            sock = await connected(fake.address.port)
            try:
                await Exchange(sock, Instream(5), Source(ThreadDisk(), -1, 5), OPT).run()
            finally:
                sock.close()

    with pytest.raises(ServiceError, match="Bad file descriptor"):
        run(broken())


def test_the_rest_goes_on_when_it_is_asked_for() -> None:
    async def continues(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = await reader.readuntil(b"\r\n0\r\n\r\n")
        assert b"Preview: 10" in sent
        await asyncio.sleep(0.05)
        writer.write(b"ICAP/1.0 100 Continue\r\n\r\n")
        await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.write(b"ICAP/1.0 204 No Content\r\n\r\n")

    async def previewed() -> Respmod:
        async with scanner(continues) as fake:
            sock = await connected(fake.address.port)
            talk = Respmod(Service("x", "/y"), len(MAIL), 10)
            with mail_source() as source:
                await Exchange(sock, talk, source, OPT).run()
            sock.close()
            return talk

    assert run(previewed()).result == Scan(FREE)


def test_our_side_is_closed_where_the_talk_says_so() -> None:
    async def by_lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.read()).endswith(MAIL)
        writer.write(b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; 1.5 / 5.0\r\n\r\n")

    async def checked() -> Check:
        async with scanner(by_lines) as fake:
            sock = await connected(fake.address.port)
            talk = Check(len(MAIL))
            with mail_source() as source:
                await Exchange(sock, talk, source, OPT).run()
            sock.close()
            return talk

    result = run(checked()).result
    assert result is not None
    assert result.value == 1.5


def test_cancelling_leaves_nothing_behind() -> None:
    async def cancelled() -> int:
        async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            await asyncio.sleep(5)

        async with scanner(waits) as fake:
            sock = await connected(fake.address.port)
            before = len(asyncio.all_tasks())
            with mail_source(LARGE) as source:
                task = asyncio.create_task(Exchange(sock, Instream(len(LARGE)), source, OPT).run())
                await asyncio.sleep(0.1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            sock.close()
            return len(asyncio.all_tasks()) - before

    # The scanner's own task began in between.
    assert run(cancelled()) <= 1
