"""What real scanners and broken ones say of mails, through all that a worker asks them with.

Rows T-A03, T-A04, T-A05, T-A06 and T-A07 of the attack table, as far as they are the scanner interface's.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
import uvloop

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.values import Address, Sock
from imap4fast.log.setup import Logs
from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, Scan
from imap4fast.net.scanners import Scanners
from imap4fast.scan.engines import AntispamEngine, AntivirusEngine, Use
from imap4fast.scan.icap import DOCUMENT
from tests.e2e.engines import (
    EICAR,
    GTUBE,
    SPAM_SCORE,
    SPAM_WORD,
    STREAM_LIMIT,
    VIRUS_NAME,
    CIcap,
    Clamd,
    Daemon,
    Rspamd,
    Spamd,
)
from tests.play.stage import Notebook

T = TypeVar("T")
Engine = AntivirusEngine | AntispamEngine

HEAD = b"From: joe@example.net\r\nTo: ann@example.net\r\nSubject: test\r\n\r\n"
CLEAN = HEAD + b"Nothing is in here.\r\n"
NET, UNIX, FILE, ICAP = "NET", "UNIX", "FILE", "ICAP"
KINDS = (NET, UNIX, FILE, ICAP)


class Disk:
    async def pread(self, fd: int, size: int, offset: int) -> bytes:
        return await asyncio.to_thread(os.pread, fd, size, offset)


@contextmanager
def file_of(octets: bytes) -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.write(octets)
        file.flush()
        yield file.fileno()


def asked(engines: list[Engine], what: Callable[[Scanners], Awaitable[T]], notebook: Notebook | None = None) -> T:
    """Run this with these engines, in the loop that workers use."""

    async def whole() -> T:
        viruses = [one for one in engines if isinstance(one, AntivirusEngine)]
        spams = [one for one in engines if isinstance(one, AntispamEngine)]
        scanners = Scanners(viruses, spams, Disk(), cast(Logs, notebook or Notebook(9)))
        try:
            return await asyncio.wait_for(_of(what, scanners), 60)
        finally:
            await scanners.close()

    return uvloop.run(whole())


async def _of(what: Callable[[Scanners], Awaitable[T]], scanners: Scanners) -> T:
    return await what(scanners)


def scan(engine: AntivirusEngine, octets: bytes, times: int = 1) -> Scan:
    """What the engine says, which must be the same each time."""

    async def what(scanners: Scanners) -> Scan:
        with file_of(octets) as fd:
            scans = {await scanners.virus(fd, len(octets), [Use(engine.name)]) for _ in range(times)}
        (one,) = scans
        return one

    return asked([engine], what)


def score(engine: AntispamEngine, octets: bytes) -> float | None:
    async def what(scanners: Scanners) -> float | None:
        with file_of(octets) as fd:
            return await scanners.spam(fd, len(octets), Use(engine.name))

    return asked([engine], what)


@pytest.fixture(scope="module")
def clamd() -> Iterator[Clamd]:
    daemon = Clamd()
    yield daemon
    daemon.close()


@pytest.fixture(scope="module")
def icap(clamd: Clamd) -> Iterator[CIcap]:
    daemon = CIcap(clamd)
    yield daemon
    daemon.close()


@pytest.fixture(scope="module")
def spamd() -> Iterator[Spamd]:
    daemon = Spamd()
    yield daemon
    daemon.close()


@pytest.fixture(scope="module")
def rspamd() -> Iterator[Rspamd]:
    daemon = Rspamd()
    yield daemon
    daemon.close()


def sock(daemon: Daemon) -> Sock:
    return Sock(Address(4, 0x7F000001), daemon.address[1])


@pytest.fixture
def engines(clamd: Clamd, icap: CIcap) -> dict[str, AntivirusEngine]:
    """The same clamd in each way."""
    return {
        NET: AntivirusEngine(NET, "clamav-net", sock(clamd)),
        UNIX: AntivirusEngine(UNIX, "clamav-unix", clamd.path),
        FILE: AntivirusEngine(FILE, "clamav-file", clamd.path, comm_dir=str(clamd.comm_dir)),
        ICAP: AntivirusEngine(ICAP, "icap", sock(icap), "/virus_scan"),
    }


MAILS = {
    "clean": (CLEAN, FREE),
    "one octet": (b"x", FREE),
    "EICAR alone": (EICAR, FOUND),
    "in the text": (HEAD + EICAR + b"\r\n", FOUND),
    "behind two previews": (HEAD + b"x" * 70 + b"\r\n" + b"y" * 3000 + EICAR, FOUND),
    "over several reads": (HEAD + b"line\r\n" * 50_000 + EICAR, FOUND),
    "large and clean": (HEAD + b"line\r\n" * 100_000, FREE),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mail", MAILS)
def test_mails(engines: dict[str, AntivirusEngine], kind: str, mail: str) -> None:
    octets, status = MAILS[mail]
    assert scan(engines[kind], octets, times=3) == Scan(status, VIRUS_NAME if status == FOUND else "", kind)


@pytest.mark.parametrize("kind", [NET, UNIX, FILE])
def test_an_empty_file(engines: dict[str, AntivirusEngine], kind: str) -> None:
    assert scan(engines[kind], b"", times=2).status == FREE


def test_copies_for_the_daemon_are_gone(engines: dict[str, AntivirusEngine], clamd: Clamd) -> None:
    async def what(scanners: Scanners) -> None:
        with file_of(CLEAN) as fd:
            await asyncio.gather(*(scanners.virus(fd, len(CLEAN), [Use(FILE)]) for _ in range(20)))

    asked([engines[FILE]], what)
    assert os.listdir(clamd.comm_dir) == []


def test_all_at_once_and_merged(engines: dict[str, AntivirusEngine]) -> None:
    async def what(scanners: Scanners) -> list[Scan]:
        uses = [Use(kind) for kind in KINDS]
        with file_of(CLEAN) as clean, file_of(EICAR) as found:
            mails = [(clean, len(CLEAN)), (found, len(EICAR))] * 15
            return await asyncio.gather(*(scanners.virus(fd, size, uses) for fd, size in mails))

    assert asked(list(engines.values()), what) == [Scan(FREE, "", NET), Scan(FOUND, VIRUS_NAME, NET)] * 15


@pytest.mark.parametrize("kind", KINDS)
def test_leaves_are_ranges(engines: dict[str, AntivirusEngine], kind: str) -> None:
    async def what(scanners: Scanners) -> list[str]:
        uses = [Use(kind)]
        with file_of(CLEAN + EICAR + CLEAN) as fd:
            places = [(0, len(CLEAN)), (len(CLEAN), len(EICAR)), (len(CLEAN + EICAR), len(CLEAN))]
            return [(await scanners.virus(fd, size, uses, offset, media=DOCUMENT)).status for offset, size in places]

    assert asked([engines[kind]], what) == [FREE, FOUND, FREE]


@pytest.mark.parametrize("kind", [NET, UNIX])
@pytest.mark.parametrize("size", [STREAM_LIMIT + 1, 20 << 20])
def test_t_a04_larger_than_clamd_takes(engines: dict[str, AntivirusEngine], kind: str, size: int) -> None:
    """The limit's answer comes in mid-stream, and the connection is reset: heard each time."""
    assert scan(engines[kind], bytes(size), times=5) == Scan(SKIPPED, "larger than the engine takes", kind)


def test_t_a04_larger_than_the_service_takes(engines: dict[str, AntivirusEngine]) -> None:
    """c-icap lets what is larger than MaxObjectSize pass with a 204 to the preview: not looked at is not free."""

    assert scan(engines[ICAP], bytes(3 << 20), times=3) == Scan(SKIPPED, "the preview was enough for it", ICAP)


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in members:
            archive.writestr(name, octets)
    return file.getvalue()


def tarred(octets: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("member")
        member.size = len(octets)
        archive.addfile(member, io.BytesIO(octets))
    return file.getvalue()


def nested(depth: int, octets: bytes) -> bytes:
    for level in range(depth):
        octets = zipped((f"{level}.zip", octets))
    return octets


BOMBS = {
    "1:1000": lambda: gzip.compress(bytes(200 << 20), 9),
    "1:1000 twice": lambda: gzip.compress(gzip.compress(bytes(100 << 20), 9), 9),
    "deep": lambda: nested(8, b"at the bottom"),
    "wide": lambda: nested(2, zipped(*((f"{number}", bytes(1 << 20)) for number in range(30)))),
}


@pytest.mark.parametrize("kind", [NET, UNIX, FILE])
@pytest.mark.parametrize("bomb", BOMBS)
def test_t_a03_a_bomb_is_not_clean(engines: dict[str, AntivirusEngine], kind: str, bomb: str) -> None:
    made = BOMBS[bomb]()
    assert len(made) < STREAM_LIMIT
    one = scan(engines[kind], made)
    assert one.status == FOUND
    assert one.name.startswith("Heuristics.Limits.Exceeded.")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "wrapped",
    [zipped(("a.com", EICAR)), gzip.compress(EICAR), tarred(EICAR), nested(2, EICAR)],
    ids=["zip", "gzip", "tar", "nested"],
)
def test_archives(engines: dict[str, AntivirusEngine], kind: str, wrapped: bytes) -> None:
    assert scan(engines[kind], wrapped) == Scan(FOUND, VIRUS_NAME, kind)


def test_one_connection_after_reload_uses_the_new_signatures_and_tells_another_version(
    engines: dict[str, AntivirusEngine], clamd: Clamd
) -> None:
    word = HEAD + b"another-word-of-imap4fast\r\n"
    loop_turn = 0.05

    async def version_but(scanners: Scanners, old: str) -> str:
        for _ in range(200):
            if scanners.versions()[NET] not in ("", old):
                break
            await asyncio.sleep(loop_turn)
        return scanners.versions()[NET]

    async def what(scanners: Scanners) -> None:
        scanners.start()
        first = await version_but(scanners, "")
        assert first.startswith("ClamAV ")
        with file_of(word) as fd:
            assert (await scanners.virus(fd, len(word), [Use(NET)])).status == FREE
            clamd.sign("other", {f"imap4fast.Test.Other{number}": b"other word %d" % number for number in range(500)})
            clamd.sign("word", {"imap4fast.Test.Word": b"another-word-of-imap4fast"})
            await asyncio.to_thread(clamd.reload)
            assert (await scanners.virus(fd, len(word), [Use(NET)])).name == "imap4fast.Test.Word.UNOFFICIAL"
            scanners._uncertain.set()
            second = await version_but(scanners, first)
        assert second != first
        assert second.startswith("ClamAV ")

    asked([engines[NET]], what)


def test_a_restart_of_the_daemon_costs_no_mail(engines: dict[str, AntivirusEngine], clamd: Clamd) -> None:
    """Kept connections are stale then, and nobody notices."""

    async def what(scanners: Scanners) -> list[Scan]:
        scans = []
        with file_of(CLEAN) as fd:
            scans.append(await scanners.virus(fd, len(CLEAN), [Use(NET), Use(UNIX)]))
            await asyncio.to_thread(clamd.stop)
            await asyncio.to_thread(clamd.begin)
            scans.append(await scanners.virus(fd, len(CLEAN), [Use(NET), Use(UNIX)]))
        return scans

    notebook = Notebook(6)
    assert asked([engines[NET], engines[UNIX]], what, notebook) == [Scan(FREE, "", NET)] * 2
    assert notebook.written == []


def test_t_a04_a_daemon_that_is_down_and_comes_back(engines: dict[str, AntivirusEngine], clamd: Clamd) -> None:
    engine = AntivirusEngine(NET, "clamav-net", sock(clamd), breaker=(2, 0.5))

    async def what(scanners: Scanners) -> list[str]:
        statuses = []
        with file_of(EICAR) as fd:
            await asyncio.to_thread(clamd.stop)
            for _ in range(4):
                statuses.append((await scanners.virus(fd, len(EICAR), [Use(NET)])).status)
            await asyncio.to_thread(clamd.begin)
            await asyncio.sleep(0.6)
            statuses.append((await scanners.virus(fd, len(EICAR), [Use(NET)])).status)
        return statuses

    notebook = Notebook(6)
    assert asked([engine], what, notebook) == [ERROR] * 4 + [FOUND]
    assert [one.entry.number for one in notebook.written] == [711, 711, 712, 713]


def test_t_a04_a_daemon_that_is_killed_in_mid_stream(engines: dict[str, AntivirusEngine], clamd: Clamd) -> None:
    mail = bytes(STREAM_LIMIT)

    class Slow(Disk):
        async def pread(self, fd: int, size: int, offset: int) -> bytes:
            if offset:
                await asyncio.sleep(0.3)
            return await super().pread(fd, size, offset)

    async def what(scanners: Scanners) -> Scan:
        scanners._disk = Slow()
        with file_of(mail) as fd:
            task = asyncio.create_task(scanners.virus(fd, len(mail), [Use(NET)]))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(clamd.stop, 9)
            one = await task
        await asyncio.to_thread(clamd.begin)
        return one

    one = asked([engines[NET]], what)
    assert (one.status, one.name) == (ERROR, "closed before the answer was whole")


def test_t_a04_a_file_that_the_daemon_cannot_read(clamd: Clamd) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hidden = Path(folder) / "hidden"
        hidden.mkdir()
        engine = AntivirusEngine(FILE, "clamav-file", clamd.path, comm_dir=str(hidden))

        async def what(scanners: Scanners) -> Scan:
            hidden.rename(Path(folder) / "moved")
            with file_of(EICAR) as fd:
                return await scanners.virus(fd, len(EICAR), [Use(FILE)])

        one = asked([engine], what)
    assert one.status == ERROR
    assert "No such file" in one.name


def test_icap_services_that_change_nothing_or_are_not_there(icap: CIcap) -> None:
    echo = AntivirusEngine("ECHO", "icap", sock(icap), "/echo")

    # It takes turns: what it sends back whole is free, what it lets pass after the preview was not looked at.
    async def twice(scanners: Scanners) -> list[str]:
        mail = HEAD + b"x" * 500_000
        with file_of(mail) as fd:
            return [(await scanners.virus(fd, len(mail), [Use("ECHO")])).status for _ in range(2)]

    assert sorted(asked([echo], twice)) == [FREE, SKIPPED]
    notebook = Notebook(6)
    nowhere = AntivirusEngine("NOWHERE", "icap", sock(icap), "/nowhere")

    async def what(scanners: Scanners) -> Scan:
        with file_of(CLEAN) as fd:
            return await scanners.virus(fd, len(CLEAN), [Use("NOWHERE")])

    assert asked([nowhere], what, notebook) == Scan(ERROR, "ICAP/1.0 404 Service not found", "NOWHERE")
    assert [one.entry.id for one in notebook.written] == ["MAVI-711-E"]


def test_t_a04_the_wrong_service_at_the_port(clamd: Clamd, icap: CIcap, spamd: Spamd) -> None:
    """Each engine's client at each other's daemon: never free, never a score."""
    opt = SockOpt(recv_timeout=2)
    daemons: list[Daemon] = [clamd, icap, spamd]
    for daemon in daemons:
        address = sock(daemon)
        viruses = {Clamd: "clamav-net", CIcap: "icap"}
        for kind in (kind for own, kind in viruses.items() if not isinstance(daemon, own)):
            engine = AntivirusEngine("X", kind, address, "/echo", sock_opt=opt, timeout=2)
            assert scan(engine, CLEAN).status not in (FREE, FOUND), (kind, daemon)
        for kind in ("spamd", "rspamd"):
            if kind == "rspamd" or not isinstance(daemon, Spamd):
                assert score(AntispamEngine("X", kind, address, sock_opt=opt, timeout=2), CLEAN) is None, daemon


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (CLEAN, 0.0),
        (HEAD + SPAM_WORD + b"\r\n", SPAM_SCORE),
        (HEAD + SPAM_WORD, SPAM_SCORE),
        (HEAD + b"line\r\n" * 50_000, 0.0),
    ],
    ids=["clean", "word", "no last line end", "large"],
)
def test_scores(spamd: Spamd, rspamd: Rspamd, octets: bytes, expected: float) -> None:
    assert score(AntispamEngine("S", "spamd", sock(spamd)), octets) == expected
    assert score(AntispamEngine("R", "rspamd", sock(rspamd)), octets) == expected


def test_t_a05_gtube(spamd: Spamd, rspamd: Rspamd) -> None:
    mail = HEAD + GTUBE + b"\r\n"
    assert score(AntispamEngine("S", "spamd", sock(spamd)), mail) == 1000.0
    assert score(AntispamEngine("R", "rspamd", sock(rspamd)), mail) == 15.0


def test_many_scores_at_once(spamd: Spamd, rspamd: Rspamd) -> None:
    mail = HEAD + SPAM_WORD + b"\r\n"
    engines: list[Any] = [AntispamEngine("S", "spamd", sock(spamd)), AntispamEngine("R", "rspamd", sock(rspamd))]

    async def what(scanners: Scanners) -> list[float | None]:
        scanners.start()
        with file_of(mail) as fd:
            scores = await asyncio.gather(*(scanners.spam(fd, len(mail), Use(name)) for name in "SR" * 20))
        for _ in range(100):
            if all(scanners.versions().values()):
                break
            await asyncio.sleep(0.05)
        versions = scanners.versions()
        assert versions["S"].startswith("SPAMD/1.")
        assert versions["R"].startswith("rspamd/")
        return scores

    assert asked(engines, what) == [SPAM_SCORE] * 40
