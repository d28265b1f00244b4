"""Which talk an engine takes, and what its answer means."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from imap4fast.config.values import Address, Sock
from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, UNKNOWN, Scan
from imap4fast.net.scanengines import host_of
from imap4fast.scan.engines import Use
from tests.play.stage import Notebook
from tests.unit.net.running import LOOPBACK, Talk, run
from tests.unit.net.scanning import MAIL, antispam, antivirus, clamd, mail_file, scanner, scanners, take_stream, until


def virus(script: Talk, mail: bytes = MAIL, use_size: int = 0, **items: object) -> tuple[Scan, list[str], int]:
    """What the engine said, what was logged, and how many connections it saw."""

    async def whole() -> tuple[Scan, list[str], int]:
        notebook = Notebook(6)
        async with scanner(script) as fake:
            engine = antivirus(fake.address, **items)
            async with scanners(engine, notebook=notebook) as made:
                with mail_file(mail) as fd:
                    scan = await made.virus(fd, len(mail), [Use("AV", use_size)])
            return scan, [one.entry.id for one in notebook.written], fake.connections

    return run(whole())


def spam(script: Talk, **items: object) -> tuple[float | None, list[str]]:
    async def whole() -> tuple[float | None, list[str]]:
        notebook = Notebook(6)
        async with scanner(script) as fake, scanners(antispam(fake.address, **items), notebook=notebook) as made:
            with mail_file() as fd:
                return await made.spam(fd, len(MAIL), Use("AS")), [one.entry.id for one in notebook.written]

    return run(whole())


def says(reply: bytes) -> Talk:
    """A scanner that takes a stream and says this."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_stream(reader)
        writer.write(reply)

    return script


@pytest.mark.parametrize(
    ("script", "scan", "logged"),
    [
        (clamd, Scan(FREE, "", "AV"), []),
        (says(b"1: stream: X FOUND\0"), Scan(FOUND, "X", "AV"), []),
        (says(b"1: no memory ERROR\0"), Scan(ERROR, "no memory ERROR", "AV"), ["MAVI-711-E"]),
        (says(b"1: what\0"), Scan(UNKNOWN, "what", "AV"), ["MAVI-710-C"]),
        (says(b""), Scan(ERROR, "closed before the answer was whole", "AV"), ["MAVI-711-E"]),
    ],
)
def test_answers_of_an_antivirus_engine(script: Talk, scan: Scan, logged: list[str]) -> None:
    assert virus(script)[:2] == (scan, logged)


@pytest.mark.parametrize(
    ("limit", "use", "size", "asked"),
    [(0, 0, 1000, True), (100, 0, 100, True), (100, 0, 101, False), (0, 100, 101, False), (100, 50, 51, False)],
)
def test_the_smaller_limit_counts_and_nothing_is_sent_above_it(limit: int, use: int, size: int, asked: bool) -> None:
    scan, logged, connections = virus(clamd, bytes(size), use, max_checked_size=limit)
    assert scan.status == (FREE if asked else SKIPPED)
    assert connections == asked
    assert logged == []
    if not asked:
        assert scan.name == f"larger than {min(limit or use, use or limit)}"


def test_a_file_in_comm_dir(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = (await reader.readuntil(b"SCAN ") + await reader.readuntil(b"\0"))[:-1]
        path = command.removeprefix(b"zIDSESSION\0zSCAN ")
        seen.append(Path(path.decode()).read_bytes())
        writer.write(b"1: %s: OK\0" % path)

    scan, _, _ = virus(script, kind="clamav-file", comm_dir=str(tmp_path))
    assert scan == Scan(FREE, "", "AV")
    assert seen == [MAIL]


def test_a_file_without_a_comm_dir_or_in_one_that_is_gone(tmp_path: Path) -> None:
    scan, _, connections = virus(clamd, kind="clamav-file")
    assert (scan.status, connections) == (ERROR, 0)

    async def gone() -> Scan:
        folder = tmp_path / "gone"
        folder.mkdir()
        async with scanners(antivirus("/x", kind="clamav-file", comm_dir=str(folder))) as made:
            folder.rmdir()
            with mail_file() as fd:
                return await made.virus(fd, len(MAIL), [Use("AV")])

    assert run(gone()) == Scan(ERROR, "comm-dir: No such file or directory", "AV")


async def icap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that wants a preview of 10 octets, and finds nothing."""
    while head := await reader.readuntil(b"\r\n\r\n"):
        if head.startswith(b"OPTIONS icap://127.0.0.1:"):
            writer.write(b'ICAP/1.0 200 OK\r\nISTag: "one"\r\nPreview: 10\r\n\r\n')
            return
        assert b"RESPMOD icap://127.0.0.1:" in head
        assert b"Preview: 10" in head
        await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.write(b"ICAP/1.0 100 Continue\r\n\r\n")
        assert b"/service ICAP/1.0" in head
        await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.write(b'ICAP/1.0 204 No Content\r\nISTag: "two"\r\n\r\n')


def test_icap_asks_for_options_before_the_first_mail() -> None:
    async def whole() -> list[str]:
        notebook = Notebook(9)
        async with scanner(icap) as fake:
            engine = antivirus(fake.address, kind="icap", service="/service")
            async with scanners(engine, notebook=notebook) as made:
                with mail_file() as fd:
                    first = await made.virus(fd, len(MAIL), [Use("AV")])
                    versions = [made.versions()["AV"]]
                    made.start()
                    await until(lambda: made.versions()["AV"] == "one")
                    versions.append(made.versions()["AV"])
                    second = await made.virus(fd, len(MAIL), [Use("AV")])
                    versions.append(made.versions()["AV"])
            assert first == second == Scan(FREE, "", "AV")
            return versions

    assert run(whole()) == ["two", "one", "two"]


async def spamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    sent = await reader.read()
    assert sent.startswith(b"CHECK SPAMC/1.5\r\n")
    user = b"5.5" if b"User: joe" in sent else b"2.5"
    writer.write(b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; %s / 5.0\r\n\r\n" % user)


async def rspamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(len(MAIL))
    writer.write(b'HTTP/1.1 200 OK\r\nServer: rspamd/9\r\nContent-Length: 13\r\n\r\n{"score":7.5}')


async def spamd_complains(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.write(b"SPAMD/1.1 74 EX_IOERR\r\n\r\n")


async def spamd_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.write(b"what\r\n\r\n")


@pytest.mark.parametrize(
    ("script", "items", "score", "logged"),
    [
        (spamd, {}, 2.5, []),
        (spamd, {"user": "joe"}, 5.5, []),
        (rspamd, {"kind": "rspamd"}, 7.5, ["MSPA-714-K"]),
        (spamd_complains, {}, None, ["MSPA-711-E"]),
        (spamd_nonsense, {}, None, ["MSPA-710-C"]),
    ],
)
def test_answers_of_an_antispam_engine(
    script: Talk, items: dict[str, object], score: float | None, logged: list[str]
) -> None:
    assert spam(script, **items) == (score, logged)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (Sock(LOOPBACK, 1344), "127.0.0.1:1344"),
        (Sock(Address(6, 1), 1344), "[::1]:1344"),
        (Sock("scan.example", 1344), "scan.example:1344"),
        (Sock(None, 1344), "localhost:1344"),
        ("/run/socket", "localhost"),
        (None, "localhost"),
    ],
)
def test_hosts_in_uris(address: Sock | str | None, host: str) -> None:
    assert host_of(address) == host


def versions(*answers: bytes) -> list[str]:
    """What clamd's version is after each round in which it answers VERSION with one, STATS with the next."""
    replies = iter(answers)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\0")
        await reader.readuntil(b"\0")
        writer.write(next(replies))

    async def whole() -> list[str]:
        seen = []
        async with scanner(script) as fake, scanners(antivirus(fake.address)) as made:
            for _ in range(len(answers) // 2):
                await made._refresh_one(made._antivirus["AV"])
                seen.append(made.versions()["AV"])
        return seen

    return run(whole())


def test_clamds_version_is_with_the_size_of_its_signatures() -> None:
    version, reloading = b"1: ClamAV 1/2/x\0", b"1: pools 2 pools_used 9.0M pools_total 9.0M\0"
    small, large = reloading.replace(b" 2 ", b" 1 "), b"1: pools 1 pools_used 10.5M pools_total 12.0M\0"
    assert versions(version, small, version, reloading, version, large, b"\0", b"") == [
        "ClamAV 1/2/x 9.0M",
        "ClamAV 1/2/x 9.0M",
        "ClamAV 1/2/x 10.5M",
        "ClamAV 1/2/x 10.5M",
    ]


def test_clamd_without_stats_has_its_version_alone() -> None:
    assert versions(b"1: ClamAV 1/2/x\0", b"COMMAND UNAVAILABLE\0") == ["ClamAV 1/2/x"]
