"""All engines together: merged, bounded, never an exception; their versions."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from imap4fast.config.values import Sock
from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, Scan
from imap4fast.net import scanners as module
from imap4fast.net.scanengines import Antivirus
from imap4fast.scan.engines import Use
from tests.play.stage import Notebook
from tests.unit.net.running import LOOPBACK, run, unused_port
from tests.unit.net.scanning import MAIL, antispam, antivirus, clamd, mail_file, scanner, scanners, take_stream, until


def down() -> Sock:
    return Sock(LOOPBACK, unused_port())


@pytest.mark.parametrize(
    ("names", "mail", "scan"),
    [
        (["GOOD"], MAIL, Scan(FREE, "", "GOOD")),
        (["GOOD"], b"virus", Scan(FOUND, "Test", "GOOD")),
        (["DOWN", "GOOD"], MAIL, Scan(FREE, "", "GOOD")),
        (["SMALL", "DOWN"], MAIL, Scan(SKIPPED, "larger than 10", "SMALL")),
        (["SMALL", "GOOD", "DOWN"], MAIL + b"virus", Scan(FOUND, "Test", "GOOD")),
        (["DOWN"], MAIL, Scan(ERROR, "scanner: Connection refused", "DOWN")),
        (["OWN", "GOOD"], MAIL, Scan(FREE, "", "GOOD")),
        (["OWN"], MAIL, Scan(ERROR, "no engine")),
        ([], MAIL, Scan(ERROR, "no engine")),
        (["STRANGE"], MAIL, Scan(ERROR, "no engine")),
    ],
)
def test_engines_are_merged(names: list[str], mail: bytes, scan: Scan) -> None:
    async def whole() -> Scan:
        async with scanner(clamd) as fake:
            engines = [
                antivirus(fake.address, "GOOD"),
                antivirus(down(), "DOWN"),
                antivirus(fake.address, "SMALL", max_checked_size=10),
                antivirus(None, "OWN", "builtin"),
            ]
            async with scanners(*engines) as made:
                with mail_file(mail) as fd:
                    return await made.virus(fd, len(mail), [Use(name) for name in names])

    assert run(whole()) == scan


def test_engines_are_asked_at_once() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_stream(reader)
        await asyncio.sleep(0.3)
        writer.write(b"1: stream: OK\0")

    async def whole() -> float:
        async with scanner(slow) as fake:
            engines = [antivirus(fake.address, name) for name in "ABCD"]
            async with scanners(*engines) as made:
                begun = asyncio.get_running_loop().time()
                with mail_file() as fd:
                    await made.virus(fd, len(MAIL), [Use(name) for name in "ABCD"])
                return asyncio.get_running_loop().time() - begun

    assert run(whole()) < 0.9


def test_a_range_of_the_file() -> None:
    async def whole() -> list[str]:
        async with scanner(clamd) as fake, scanners(antivirus(fake.address)) as made:
            with mail_file(b"clean virus clean") as fd:
                return [(await made.virus(fd, 5, [Use("AV")], offset)).status for offset in (0, 6, 12)]

    assert run(whole()) == [FREE, FOUND, FREE]


def test_no_exception_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*arguments: object) -> Scan:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(Antivirus, "scan", broken)
    monkeypatch.setattr(module.Antispam, "score", broken)

    async def whole() -> tuple[Scan, float | None, list[str]]:
        notebook = Notebook(6)
        async with scanners(antivirus(down()), antispam(down()), notebook=notebook) as made:
            with mail_file() as fd:
                scan = await made.virus(fd, len(MAIL), [Use("AV")])
                score = await made.spam(fd, len(MAIL), Use("AS"))
        return scan, score, [f"{one.entry.id} {one.args[1]}" for one in notebook.written]

    scan, score, logged = run(whole())
    assert (scan, score) == (Scan(ERROR, "internal error", "AV"), None)
    expected = [f"{code} ZeroDivisionError (ours) at" for code in ("MAVI-711-E", "MSPA-711-E")]
    assert [line[: len(expected[0])] for line in logged] == expected


def test_cancelling_leaves() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def whole() -> list[str]:
        notebook = Notebook(9)
        async with scanner(silent) as fake:
            engines = [antivirus(fake.address, name) for name in "AB"]
            async with scanners(*engines, notebook=notebook) as made:
                with mail_file() as fd:
                    task = asyncio.create_task(made.virus(fd, len(MAIL), [Use("A"), Use("B")]))
                    await asyncio.sleep(0.1)
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                assert len(asyncio.all_tasks()) <= 1 + fake.connections
        return [one.entry.id for one in notebook.written]

    assert run(whole()) == []


@pytest.mark.parametrize(("use", "scored"), [(Use("AS"), True), (Use("AS", len(MAIL) - 1), False), (Use("NO"), False)])
def test_mails_too_large_or_of_strange_engines_have_no_score(use: Use, scored: bool) -> None:
    async def spamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.write(b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; 1.5 / 5.0\r\n\r\n")

    async def whole() -> tuple[float | None, int, list[str]]:
        notebook = Notebook(9)
        async with scanner(spamd) as fake, scanners(antispam(fake.address), notebook=notebook) as made:
            with mail_file() as fd:
                score = await made.spam(fd, len(MAIL), use)
            return score, fake.connections, [f"{one.entry.id} {one.args[2]}" for one in notebook.written]

    assert run(whole()) == ((1.5, 1, ["MSPA-701-D 1500"]) if scored else (None, 0, []))


def test_which_engines_are_of_the_network() -> None:
    async def whole() -> list[bool]:
        async with scanners(antivirus(down()), antivirus(None, "OWN", "builtin"), antispam(down())) as made:
            assert made.versions() == {"AV": "", "AS": ""}
            return [made.has(name) for name in ("AV", "OWN", "AS", "NO")]

    assert run(whole()) == [True, False, True, False]


def test_versions_follow_the_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """At start, and at once when an engine that failed answers again: it may have been started anew."""
    monkeypatch.setattr(module, "AGAIN_S", 0.05)
    version = [b"1"]

    async def versioned(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while command := await reader.readuntil(b"\0"):
            if command == b"zVERSION\0":
                writer.write(b"1: ClamAV 1\0")
                return
            if command == b"zSTATS\0":
                writer.write(b"1: MEMSTATS: pools 1 pools_used %s.0M pools_total 9.0M\nEND\0" % version[0])
                return
            if command == b"zINSTREAM\0":
                size = int.from_bytes(await reader.readexactly(4), "big")
                mail = await reader.readexactly(size + 4)
                if not mail.startswith(b"die"):
                    writer.write(b"1: stream: OK\0")
                return

    async def whole() -> None:
        async with scanner(versioned) as fake, scanners(antivirus(fake.address)) as made:
            made.start()
            await until(lambda: made.versions()["AV"] == "ClamAV 1 1.0M")
            version[0] = b"2"
            for mail in (MAIL, b"die", MAIL):
                await asyncio.sleep(0.1)
                assert made.versions()["AV"] == "ClamAV 1 1.0M"
                with mail_file(mail) as fd:
                    await made.virus(fd, len(mail), [Use("AV")])
            await until(lambda: made.versions()["AV"] == "ClamAV 1 2.0M")

    run(whole())


def test_engines_of_one_name_are_told_together() -> None:
    async def whole() -> dict[str, str]:
        async with scanners(antivirus(down(), "X"), antispam(down(), "X")) as made:
            made._antivirus["X"].engine.told("one")
            made._antispam["X"].engine.told("two")
            return made.versions()

    assert run(whole()) == {"X": "one; two"}


def test_directories_that_were_opened_before(tmp_path: Path) -> None:
    """With a descriptor of a chroot's outside the path need not exist; what was opened here is closed here."""

    async def clamd_by_file(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"SCAN ") and await reader.readuntil(b"\0"))[:-1]
        assert path.startswith(b"/not/here/imap4fast-scan.")
        assert (tmp_path / os.path.basename(path).decode()).read_bytes() == MAIL
        writer.write(b"1: %s: OK\0" % path)

    async def whole() -> Scan:
        descriptor = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
        async with scanner(clamd_by_file) as fake:
            engine = antivirus(fake.address, kind="clamav-file", comm_dir="/not/here")
            async with scanners(engine, comm_dirs={"/not/here": descriptor}) as made:
                with mail_file() as fd:
                    scan = await made.virus(fd, len(MAIL), [Use("AV")])
        os.close(descriptor)
        return scan

    assert run(whole()) == Scan(FREE, "", "AV")
    before = len(os.listdir("/proc/self/fd"))

    async def opened() -> None:
        async with scanners(antivirus(down(), kind="clamav-file", comm_dir=str(tmp_path))):
            pass

    run(opened())
    assert len(os.listdir("/proc/self/fd")) <= before
