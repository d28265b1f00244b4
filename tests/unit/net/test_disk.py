"""The thread that files and the database run on: order, back-pressure, errors, and nothing left behind."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from imap4fast.errors import InternalError, ServiceError
from imap4fast.log.entry import Entry
from imap4fast.mail import spoolfiles
from imap4fast.mail.ledger import FAILED, OTHER_OCTETS, Note
from imap4fast.mail.quota import Quota, SpoolFullError
from imap4fast.mail.spool import Limits, Said, Spool
from imap4fast.mail.spoolkey import Origin
from imap4fast.mail.work import FREE, Scan, Verdicts
from imap4fast.net import disk as module
from imap4fast.net.disk import AHEAD_BYTES, Disk
from tests.unit.mail import spools
from tests.unit.mail.spools import NOW, index_of, kept, mail, origin
from tests.unit.net.running import run

LIMIT = 8_000_000
CONTENT, ENGINES = b"c" * 32, b"e" * 32


class Logs:
    """Remembers what was written."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str | None]] = []

    def write(self, entry: Entry, *args: object, severity: str | None = None) -> None:
        self.lines.append((entry.id, severity))


class Gate:
    """Holds the thread up between two calls, so that what comes meanwhile waits."""

    def __init__(self, disk: Disk) -> None:
        self._opened, self.reached = threading.Event(), threading.Event()
        disk._thread.put(self._hold)

    def _hold(self) -> None:
        self.reached.set()
        self._opened.wait(5)

    def open(self) -> None:
        self._opened.set()


class Scene:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = Logs()
        self.quota = Quota(1, LIMIT)
        self.now = float(NOW)
        self.spool: Spool = spools.spool(path, self.quota, 0, Limits(LIMIT, 1000, 1000))
        self.disk: Disk

    def play(self, script: Callable[[Disk], Awaitable[None]]) -> None:
        async def whole() -> None:
            self.disk = Disk(asyncio.get_running_loop(), self.spool, self.logs, lambda: self.now)  # type: ignore[arg-type]
            self.disk.start()
            try:
                await script(self.disk)
                await asyncio.sleep(0)
                assert self.disk._files == {}
            finally:
                await self.disk.stop()
            assert not any(thread.name == "disk" for thread in threading.enumerate())

        run(whole())
        assert self.quota.in_flight() == 0
        assert open_below(self.path) == []


def open_below(path: Path) -> list[str]:
    """What this process has open there; the directory that lists it has gone by then."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue
    return [target for target in found if target.startswith(str(path))]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


async def put(disk: Disk, uid: int, octets: bytes) -> bool:
    fd = await disk.create(len(octets) + len(index_of(octets)))
    disk.append(fd, octets)
    disk.append(fd, index_of(octets))
    entered = await disk.keep(origin(uid), fd, kept(octets))
    disk.close(fd)
    return entered


async def got(disk: Disk, uid: int) -> bytes | None:
    found = await disk.find(origin(uid).key())
    if found is None:
        return None
    octets = await disk.pread(found.fd, found.kept.mail_size, 0)
    assert found.index == index_of(octets)
    disk.close(found.fd)
    return octets


def test_the_way_of_a_mail(scene: Scene) -> None:
    async def script(disk: Disk) -> None:
        assert await got(disk, 1) is None
        assert await put(disk, 1, mail(1))
        assert await got(disk, 1) == mail(1)
        disk.drop(origin(1).key())
        assert await got(disk, 1) is None
        assert await put(disk, 1, mail(1))
        disk.drop_mailbox(b"ann", b"mail.example:143", b"INBOX", b"/")
        assert await got(disk, 1) is None

    scene.play(script)
    assert scene.logs.lines == []


def test_no_octet_of_the_index_is_read_as_mail(scene: Scene) -> None:
    whole = mail(1) + index_of(mail(1))

    async def script(disk: Disk) -> None:
        fd = await disk.create()
        disk.append(fd, whole)
        assert await disk.pread(fd, 5000, 0) == whole
        await disk.keep(origin(1), fd, kept(mail(1)))
        assert await disk.pread(fd, 5000, 0) == mail(1)
        for offset in range(0, 1500, 100):  # in one go, with what is read ahead
            assert await disk.pread(fd, 100, offset) == mail(1)[offset : offset + 100]
        disk.close(fd)

    scene.play(script)


def test_chunks_are_written_in_their_order(scene: Scene) -> None:
    chunks = [bytes([number % 256]) * (number * 37 % 3000) for number in range(500)]

    async def script(disk: Disk) -> None:
        fds = [await disk.create() for _ in range(3)]
        for number, chunk in enumerate(chunks):
            for fd in fds:
                disk.append(fd, chunk)
            if number % 100 == 0:
                await asyncio.sleep(0.001)
        for fd in fds:
            assert await disk.settled(fd) == sum(map(len, chunks))
            assert await disk.pread(fd, LIMIT, 0) == b"".join(chunks)
            assert disk.pending(fd) == 0
            disk.close(fd)
        assert disk.pending_bytes == 0

    scene.play(script)


def test_chunks_that_wait_are_written_by_one_call(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    really = os.pwritev

    def counting(fd: int, chunks: list[bytes], offset: int) -> int:
        calls.append(len(chunks))
        return really(fd, chunks, offset)

    monkeypatch.setattr(spoolfiles.os, "pwritev", counting)

    async def script(disk: Disk) -> None:
        fd = await disk.create(1000)
        gate = Gate(disk)
        for _ in range(100):
            disk.append(fd, b"0123456789")
        gate.open()
        await disk.settled(fd)
        disk.close(fd)

    scene.play(script)
    assert calls == [100]


def test_who_appends_hears_when_less_is_pending(scene: Scene) -> None:
    async def script(disk: Disk) -> None:
        fd = await disk.create(100)
        gate, heard = Gate(disk), []
        disk.append(fd, b"x" * 60)
        disk.append(fd, b"x" * 40)
        assert (disk.pending(fd), disk.pending_bytes) == (100, 100)
        disk.when_below(fd, 101, lambda: heard.append("at once"))
        disk.when_below(fd, 50, lambda: heard.append("low"))
        assert heard == ["at once"]
        gate.open()
        await disk.settled(fd)
        assert heard == ["at once", "low"]
        assert (disk.pending(fd), disk.pending_bytes) == (0, 0)
        disk.append(fd, b"x")
        await disk.settled(fd)
        assert heard == ["at once", "low"]
        disk.close(fd)

    scene.play(script)


def test_a_closed_file_calls_nobody(scene: Scene) -> None:
    async def script(disk: Disk) -> None:
        fd = await disk.create(100)
        gate, heard = Gate(disk), []
        disk.append(fd, b"x" * 100)
        disk.when_below(fd, 1, lambda: heard.append("low"))
        disk.close(fd)
        gate.open()
        await disk.find(b"k" * 32)
        assert (disk.pending_bytes, heard) == (0, [])

    scene.play(script)


def test_there_is_no_room(scene: Scene) -> None:
    async def script(disk: Disk) -> None:
        with pytest.raises(SpoolFullError):
            await disk.create(LIMIT + 1)
        fd = await disk.create(10)
        with pytest.raises(SpoolFullError):
            await disk.reserve(fd, LIMIT + 1)
        await disk.reserve(fd, LIMIT)
        with pytest.raises(SpoolFullError):
            await disk.create(1)
        disk.append(fd, bytes(LIMIT))
        await disk.settled(fd)
        assert disk.failure(fd) is None
        disk.append(fd, b"x")
        disk.append(fd, b"y")
        with pytest.raises(SpoolFullError):
            await disk.settled(fd)
        assert isinstance(disk.failure(fd), SpoolFullError)
        with pytest.raises(SpoolFullError):
            await disk.settled(fd)
        disk.close(fd)

    scene.play(script)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EIO, ServiceError), (errno.ENOSPC, SpoolFullError), (errno.EDQUOT, SpoolFullError)]
)
def test_what_the_kernel_refuses(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[ServiceError]
) -> None:
    def fails(*args: object) -> int:
        raise OSError(number, os.strerror(number))

    async def script(disk: Disk) -> None:
        fd = await disk.create(10)
        monkeypatch.setattr(spoolfiles.os, "pwritev", fails)
        disk.append(fd, b"x")
        with pytest.raises(kind) as caught:
            await disk.settled(fd)
        assert type(caught.value) is kind
        assert (caught.value.service, caught.value.why) == ("spool", os.strerror(number))
        monkeypatch.undo()
        disk.append(fd, b"y")
        with pytest.raises(kind):
            await disk.settled(fd)  # a file with a gap is no mail
        disk.close(fd)

    scene.play(script)


def test_a_descriptor_that_cannot_be_read(scene: Scene) -> None:
    async def script(disk: Disk) -> None:
        fd = await disk.create()
        with pytest.raises(ServiceError, match="Invalid argument"):
            await disk.pread(fd, 1, -5)
        disk.close(fd)

    scene.play(script)


def test_a_mistake_in_the_thread_ends_one_call(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*args: object) -> None:
        raise TypeError("wrong")

    async def script(disk: Disk) -> None:
        monkeypatch.setattr(scene.spool, "find", mistaken)
        monkeypatch.setattr(scene.spool, "drop", mistaken)
        with pytest.raises(InternalError, match="TypeError: wrong"):
            await disk.find(b"k" * 32)
        disk.drop(b"k" * 32)
        monkeypatch.undo()
        assert await put(disk, 1, mail(1))

    scene.play(script)
    assert scene.logs.lines == [("TCPS-790-E", None)]


def test_who_goes_on_reading_finds_the_next_octets_here(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    octets, reads = os.urandom(2_000_000), []
    really = os.pread

    def counting(fd: int, size: int, offset: int) -> bytes:
        reads.append(size)
        return really(fd, size, offset)

    async def script(disk: Disk) -> None:
        fd = await disk.create(len(octets))
        disk.append(fd, octets)
        await disk.settled(fd)
        monkeypatch.setattr(module.os, "pread", counting)
        parts = [await disk.pread(fd, 65536, offset) for offset in range(0, len(octets) + 65536, 65536)]
        assert b"".join(parts) == octets
        assert parts[-1] == b""
        assert reads[0] == 65536
        assert len(reads) == 2 + (len(octets) - 65536) // AHEAD_BYTES
        assert disk._ahead_bytes <= AHEAD_BYTES
        disk.close(fd)
        assert disk._ahead_bytes == 0

    scene.play(script)


def test_single_reads_are_exact(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    octets = os.urandom(1_000_000)

    async def script(disk: Disk) -> None:
        fd = await disk.create(len(octets))
        disk.append(fd, octets)
        for offset, size in ((5, 7), (500_000, 3), (500_003, 10), (500_020, 5), (999_990, 50), (0, 1), (1, 1), (3, 1)):
            assert await disk.pread(fd, size, offset) == octets[offset : offset + size]
        disk.append(fd, b"more")
        assert await disk.pread(fd, 10, 999_995) == octets[-5:] + b"more"
        disk.close(fd)

    scene.play(script)


@pytest.mark.parametrize("ahead", [0, 100, 999, 1000, 5000, AHEAD_BYTES])
def test_what_is_found_may_be_read_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch, ahead: int) -> None:
    async def script(disk: Disk) -> None:
        await put(disk, 1, mail(1))
        found = await disk.find(origin(1).key(), ahead)
        assert found is not None
        assert found.index == index_of(mail(1))
        for size, offset in ((1000, 0), (50, 20), (5000, 0), (10, 2000), (5000, 10)):
            assert await disk.pread(found.fd, size, offset) == mail(1)[offset : offset + size]
        disk.close(found.fd)
        assert disk._ahead_bytes == 0

    scene.play(script)


def test_reading_ahead_has_a_bound(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_AHEAD_BYTES", 2 * AHEAD_BYTES)

    async def script(disk: Disk) -> None:
        fds = [await disk.create(600_000) for _ in range(4)]
        for fd in fds:
            disk.append(fd, bytes([fd]) * 600_000)
        for offset in range(0, 600_000, 50_000):
            for fd in fds:
                assert await disk.pread(fd, 50_000, offset) == bytes([fd]) * 50_000
            assert disk._ahead_bytes <= 2 * AHEAD_BYTES
        for fd in fds:
            disk.close(fd)
        assert disk._ahead_bytes == 0

    scene.play(script)


def test_who_waits_no_longer_leaves_no_file_open(scene: Scene) -> None:
    """Cancelled before the thread came to it, while it was at it, and after the result had come."""

    async def script(disk: Disk) -> None:
        await put(disk, 1, mail(1))
        for moment in range(4):
            gate = Gate(disk)
            asked = [asyncio.ensure_future(disk.create(5)), asyncio.ensure_future(disk.find(origin(1).key()))]
            await asyncio.sleep(0)
            if moment == 0:
                cancel(asked)
            gate.open()
            if moment == 1:
                time.sleep(0.01)  # the results are there, the loop has not looked
                cancel(asked)
            if moment == 2:
                asyncio.get_running_loop().call_soon(cancel, asked)
                disk._thread._deliver()
            if moment == 3:
                time.sleep(0.01)
                disk._thread._deliver()
                cancel(asked)
            results = await asyncio.gather(*asked, return_exceptions=True)
            if moment == 2:
                close_all(disk, results)
            else:
                assert all(isinstance(result, asyncio.CancelledError) for result in results)
        await disk.find(b"k" * 32)

    scene.play(script)


def cancel(tasks: list[asyncio.Future[object]]) -> None:
    for task in tasks:
        task.cancel()


def close_all(disk: Disk, results: list[object]) -> None:
    for result in results:
        if isinstance(result, int):
            disk.close(result)
        elif not isinstance(result, BaseException):
            disk.close(result.fd)  # type: ignore[attr-defined]


def test_verdicts(scene: Scene) -> None:
    clean = Verdicts(Scan(FREE), spam=2.5)

    async def script(disk: Disk) -> None:
        assert await disk.verdicts(CONTENT, ENGINES, b"v") is None
        assert await disk.keep_verdicts(CONTENT, ENGINES, b"v", clean) == clean
        assert await disk.verdicts(CONTENT, ENGINES, b"v") == (clean, True, False)
        fd = await disk.create()
        disk.append(fd, mail(1) + index_of(mail(1)))
        assert await disk.keep(origin(1), fd, kept(mail(1)), Said(b"d" * 32, ENGINES, b"v", clean))
        disk.close(fd)
        assert await disk.verdicts(b"d" * 32, ENGINES, b"v") == (clean, True, False)

    scene.play(script)


@pytest.mark.parametrize("ahead", [0, 1000])
@pytest.mark.parametrize("whose", [origin(1), None])
def test_a_mail_in_two_calls(scene: Scene, whose: Origin | None, ahead: int) -> None:
    octets, said = mail(1), Said(CONTENT, ENGINES, b"v", Verdicts(Scan(FREE)))

    async def script(disk: Disk) -> None:
        source = await disk.create(len(octets))
        disk.append(source, octets)
        held, target = await disk.prepared(source, CONTENT, ENGINES, b"v", 5000)
        assert held is None
        os.write(target, octets + index_of(octets))  # as a helper does
        found = await disk.finished(target, kept(octets), whose, said, ahead)
        assert (found.fd, found.index, found.head) == (target, index_of(octets), octets[:ahead])
        assert await disk.pread(target, 5000, 0) == octets
        disk.close(target)
        assert await got(disk, 1) == (octets if whose else None)
        held, target = await disk.prepared(source, CONTENT, ENGINES, b"w", 10)
        assert held == (said.verdicts, False, False)
        disk.close(source)
        disk.close(target)

    scene.play(script)


def test_a_mail_that_was_not_written_is_not_processed(scene: Scene) -> None:
    async def script(disk: Disk) -> None:
        source = await disk.create(10)
        disk.append(source, bytes(LIMIT + 1))
        with pytest.raises(SpoolFullError):
            await disk.prepared(source, CONTENT, ENGINES, b"v", 10)
        disk.close(source)
        source = await disk.create(LIMIT)
        with pytest.raises(SpoolFullError):
            await disk.prepared(source, CONTENT, ENGINES, b"v", 10)
        asked = asyncio.ensure_future(disk.prepared(source, CONTENT, ENGINES, b"v", 0))
        await asyncio.sleep(0)
        time.sleep(0.01)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        disk.close(source)

    scene.play(script)


def test_quarantine(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("quarantine")
    directory = os.open(place, os.O_RDONLY)

    async def script(disk: Disk) -> None:
        fd = await disk.create()
        disk.append(fd, mail(1))
        name = await disk.quarantine(directory, fd, "why")
        assert name.startswith("20231114-221320-")
        assert (place / f"{name}.eml").read_bytes() == mail(1)
        assert (place / f"{name}.txt").read_text() == "why"
        with pytest.raises(ServiceError, match="descriptor"):
            await disk.quarantine(-1, fd, "why")
        disk.close(fd)

    scene.play(script)
    os.close(directory)


def test_what_is_old_goes_by_itself(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIDY_S", 0.01)

    async def script(disk: Disk) -> None:
        await put(disk, 1, mail(1))
        await asyncio.sleep(0.05)
        assert await got(disk, 1) == mail(1)
        scene.now += 1001
        for _ in range(200):
            if not spools.names(scene.path):
                return
            await asyncio.sleep(0.01)
        pytest.fail("it is still there")

    scene.play(script)


def test_notes_go_to_the_log(scene: Scene) -> None:
    async def script(disk: Disk) -> None:
        scene.spool._ledger.notes += [Note(FAILED, "one"), Note(OTHER_OCTETS, "two"), Note(FAILED, "three")]
        await disk.find(b"k" * 32)
        await asyncio.sleep(0)

    scene.play(script)
    assert scene.logs.lines == [("SPOL-720-W", None), ("SPOL-730-W", None), ("SPOL-720-W", "D")]


def test_all_that_was_asked_is_done_before_the_end(scene: Scene) -> None:
    async def script(disk: Disk) -> None:
        fd = await disk.create()
        disk.append(fd, mail(1) + index_of(mail(1)))
        asked = asyncio.ensure_future(disk.keep(origin(1), fd, kept(mail(1))))
        await asyncio.sleep(0)
        disk.close(fd)
        await disk.stop()
        assert await asked
        with pytest.raises(ServiceError, match="stopped"):
            await disk.find(b"k" * 32)
        await disk.stop()

    scene.play(script)
    again = spools.spool(scene.path)
    assert spools.got(again, 1) == mail(1)
    again.close()


def test_files_may_be_closed_while_it_stops_and_after(scene: Scene) -> None:
    async def script(disk: Disk) -> None:
        fds = [await disk.create(10) for _ in range(3)]
        stopping = asyncio.ensure_future(disk.stop())
        disk.close(fds[0])
        await asyncio.sleep(0)
        disk.close(fds[1])
        await stopping
        disk.close(fds[2])

    scene.play(script)


def test_errors_leave_no_cycle_behind(scene: Scene) -> None:
    """The collector is off in workers."""

    async def script(disk: Disk) -> None:
        fd = await disk.create()
        gc.disable()
        try:
            left = [await fails(disk, fd) for _ in range(50)]
            assert [ref for ref in left[:-1] if ref() is not None] == []
        finally:
            gc.enable()
            disk.close(fd)

    scene.play(script)


async def fails(disk: Disk, fd: int) -> weakref.ref[ServiceError]:
    try:
        await disk.reserve(fd, LIMIT * 2)
    except ServiceError as error:
        return weakref.ref(error)
    raise AssertionError("room was found")


def test_a_file_in_memory_is_read_while_the_thread_is_busy(tmp_path: Path) -> None:
    async def script(disk: Disk) -> None:
        gate = Gate(disk)
        try:
            fd = disk.in_memory(8)
            disk.append(fd, b"abcdefgh")
            await asyncio.to_thread(gate.reached.wait, 5)
            with pytest.raises(StopIteration) as read:
                disk.pread(fd, 4, 2).send(None)  # type: ignore[attr-defined]
            assert read.value.value == b"cdef"
        finally:
            gate.open()
        disk.close(fd)

    Scene(tmp_path).play(script)
