"""A mail's way through spool, helper and store: what becomes of it, what is kept, and that nothing is lost."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from pathlib import Path

import msgspec
import pytest

from imap4fast.errors import ServiceError
from imap4fast.mail import spool
from imap4fast.mail.quota import SpoolFullError
from imap4fast.mail.work import FREE, Scan, Verdicts
from imap4fast.net.keptmail import SMALL, KeptMail
from imap4fast.session.login import normalised
from imap4fast.session.mailwork import Refused, Work
from tests.unit.mail import spools
from tests.unit.net.mailrooms import bench, octets_of
from tests.unit.net.scanning import clamd, scanner, until

HEAD = b"From: a@example.net\r\nSubject: one\r\n\r\n"
CLEAN = HEAD + b"Good day.\r\n"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
INFECTED = HEAD + EICAR + b"\r\n"


def run(case: object) -> None:
    asyncio.run(case)  # type: ignore[arg-type]


def test_a_clean_mail_goes_on_and_is_kept(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            mail = await made.processed(CLEAN, uid=5)
            assert isinstance(mail, KeptMail)
            assert await octets_of(mail) == CLEAN
            assert mail.at_once(0, 4) == b"From"
            again = await made.found(5)
            assert isinstance(again, KeptMail)
            assert await octets_of(again) == CLEAN
            assert again.index.bodystructure == mail.index.bodystructure
            assert await made.found(6) is None
            assert [line.entry for line in made.lines][-1] == "IMAP-706"
            assert [order.job for order in made.helper.orders] == ["process"]

    run(case())


def test_an_infected_one_is_replaced_and_so_it_stays(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            mail = await made.processed(INFECTED, uid=5)
            shown = await octets_of(mail)
            assert EICAR not in shown
            again = await made.found(5)
            assert isinstance(again, KeptMail)
            assert await octets_of(again) == shown
            # the same octets under another UID: the verdict is known, and the mail the same
            other = await made.processed(INFECTED, uid=6)
            assert await octets_of(other) == shown
            assert [order.job for order in made.helper.orders] == ["process", "finish"]

    run(case())


async def spamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything is spam by now."""
    command = await reader.readuntil(b"\n")
    if command.startswith(b"PING"):
        writer.write(b"SPAMD/1.5 0 PONG\r\n")
        return
    await reader.readuntil(CLEAN)
    writer.write(b"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: True ; 9.0 / 5.0\r\n\r\n")


@pytest.mark.parametrize(("age", "shown"), [(86400, True), (-1, False)])
def test_a_spam_score_that_is_old_may_rise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int, shown: bool
) -> None:
    monkeypatch.setattr(spool, "SPAM_AGE_S", age)

    async def case() -> None:
        async with scanner(spamd) as fake:
            engines = f"builtin; }} antispam SPAM {{ connection spamd [127.0.0.1] : {fake.address.port}"
            scoring = {"engine": engines, "download": "use-antispam enable SPAM;", "condition": "spam-score lt 5;"}
            async with bench(tmp_path, **scoring) as made:
                await until(lambda: any(made.room.scanners.versions().values()))
                early = Verdicts(Scan(FREE), spam=1.0)
                engines_and_versions = made.room.engines(made.processing)
                await made.room.disk.keep_verdicts(hashlib.sha256(CLEAN).digest(), *engines_and_versions, early)
                mail = await made.processed(CLEAN, uid=5)
                assert (await octets_of(mail) == CLEAN) is shown
                later = await made.processed(CLEAN, uid=6)  # what holds from now on is kept
                assert (await octets_of(later) == CLEAN) is shown

    run(case())


def test_refused_and_remembered(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path, download="on-deny error;") as made:
            refused = await made.processed(INFECTED, uid=5)
            assert isinstance(refused, Refused)
            again = await made.found(5)
            assert isinstance(again, Refused)
            assert again.code == refused.code

    run(case())


def test_uploads_are_refused(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            assert isinstance(await made.processed(INFECTED, direction="upload"), Refused)
            mail = await made.processed(CLEAN, direction="upload")
            assert await octets_of(mail) == CLEAN

    run(case())


def test_denied_unseen(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            mail = await made.told(Work("download", refused="size: 99 octets", size=99), None)
            assert isinstance(mail, KeptMail)
            assert b"99 octets" in await octets_of(mail)
            assert made.lines[-1].args[:2] == ("IN", 99)

    run(case())


def test_mails_denied_unseen_have_names_of_their_own(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            shown = []
            for uid in (5, 6, 5):
                work = Work(
                    "download", made.mails.origin(b"INBOX", 7, uid), "23-Nov-2026 13:22:32 +0000", "size: 99 octets"
                )
                mail = await made.told(work, None)
                assert isinstance(mail, KeptMail)
                shown.append(await octets_of(mail))
            assert shown[0] == shown[2] != shown[1]
            assert b"Message-ID: <" in shown[1]

    run(case())


def test_a_helper_that_fails_is_an_error_of_that_mail(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            made.helper.broken = ServiceError("helper", "died")
            refused = await made.processed(CLEAN, uid=5)
            assert isinstance(refused, Refused)
            assert (refused.code, refused.full) == (b"UNAVAILABLE", False)
            made.helper.broken = None
            assert await made.found(5) is None
            assert isinstance(await made.processed(CLEAN, uid=5), KeptMail)

    run(case())


def test_no_room(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path, limits=spools.Limits(100_000, 0, 0)) as made:
            refused = await made.processed(HEAD + b"x" * 200_000)
            assert isinstance(refused, Refused)
            assert (refused.code, refused.full) == (b"LIMIT", True)
            assert isinstance(await made.processed(CLEAN), KeptMail)

    run(case())


def test_a_full_disk_makes_room_of_kept_mails(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            assert isinstance(await made.processed(CLEAN, uid=5), KeptMail)
            made.helper.failures = [SpoolFullError("the disk is full")]
            mail = await made.processed(HEAD + b"another\r\n", uid=6)
            assert await octets_of(mail) == HEAD + b"another\r\n"
            assert await made.found(5) is None, "it made room"
            assert isinstance(await made.found(6), KeptMail)

    run(case())


def test_a_disk_that_stays_full(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            made.helper.failures = [SpoolFullError("the disk is full")] * 2
            refused = await made.processed(CLEAN, uid=5)
            assert isinstance(refused, Refused)
            assert (refused.code, refused.full) == (b"LIMIT", True)
            assert await made.found(5) is None

    run(case())


def test_a_large_mail_is_read_from_its_file(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            octets = HEAD + b"line of text\r\n" * (SMALL // 7)
            mail = await made.processed(octets, uid=5)
            assert mail.at_once(0, 10) is None
            assert await octets_of(mail, 100_000, 50) == octets[100_000:100_050]
            assert mail.at_once(100_050, 50) == octets[100_050:100_100]
            assert await octets_of(mail) == octets

    run(case())


def test_what_breaks_behind_a_read_ends_the_session(tmp_path: Path) -> None:
    """It must not be lost in a task: the client would be told for ever that work goes on."""

    async def case() -> None:
        async with bench(tmp_path) as made:
            mail = await made.processed(HEAD + b"line of text\r\n" * (SMALL // 7), uid=5)
            mail.read(0, 10, lambda octets: 1 // 0)
            await asyncio.sleep(0.1)
            assert made.mails._session.over

    run(case())


def test_accounts_that_are_no_utf8_are_not_kept(tmp_path: Path) -> None:
    """Names in Latin-1 would all read the same, and one account get another's mail."""

    async def case() -> None:
        async with bench(tmp_path) as made:
            made.mails._session.user = normalised(b"jos\xe9")
            assert made.mails._session.user == normalised(b"jos\xe8")
            assert made.mails.origin(b"INBOX", 7, 5) is None

    run(case())


def test_what_nobody_waits_for_is_given_up(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            incoming = made.mails.receive(len(CLEAN), lambda: None)
            assert incoming is not None
            incoming.write(CLEAN)
            give_up = made.mails.process(incoming, Work("download"), lambda mail, lines: pytest.fail("told"))
            await asyncio.sleep(0)
            give_up()
            await asyncio.sleep(0.05)
            dropped = made.mails.receive(10, lambda: None)
            assert dropped is not None
            dropped.drop()

    run(case())


def test_a_scanner_that_is_down(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path, engine="clamav-net [127.0.0.1] : 1") as made:
            refused = await made.processed(CLEAN, uid=5)
            assert isinstance(refused, Refused)
            assert refused.code == b"UNAVAILABLE"
            assert await made.found(5) is None  # the next time it may be up

    run(case())


def test_engines_that_are_down_are_told_of_under_the_session(tmp_path: Path) -> None:
    async def case() -> None:
        engines = "clamav-net [127.0.0.1] : 1; } antispam SPAM { connection spamd [127.0.0.1] : 1"
        async with bench(tmp_path, engine=engines, download="use-antispam enable SPAM;") as made:
            await made.processed(CLEAN)
            told = {(line.entry.id, line.track) for line in made.logs.written}
            number = made.mails._session.number
            assert {("MAVI-711-E", number), ("MSPA-711-E", number)} <= told

    run(case())


def test_a_mail_in_another_form_that_a_scanner_saw(tmp_path: Path) -> None:
    """What is decided about it starts from the mail as it came, as without scanners."""
    came = CLEAN.replace(b"\r\n", b"\n")
    aside = tmp_path / "aside"
    aside.mkdir()

    async def case() -> None:
        directory = os.open(aside, os.O_RDONLY)
        told = []
        async with scanner(clamd) as fake:
            engines = ("builtin", f"clamav-net [127.0.0.1] : {fake.address.port}")
            for number, engine in enumerate(engines):
                place = tmp_path / str(number)
                place.mkdir()
                action = f'quarantine "{aside}";'
                async with bench(place, engine=engine, action=action, directories={str(aside): directory}) as made:
                    assert await octets_of(await made.processed(came, uid=5)) == CLEAN
                    origin = made.mails.origin(b"INBOX", 7, 5)
                    assert origin is not None
                    found = await made.room.disk.find(origin.key(), SMALL)
                    assert found is not None
                    assert (found.kept.kind, found.kept.original_size) == ("changed", len(came))
                    made.room.disk.close(found.fd)
                    told.append([(line.entry, line.args[:5]) for line in made.lines])
            assert fake.connections
        os.close(directory)
        assert told[0] == told[1]
        assert told[1][-1] == ("IMAP-706", ("IN", len(came), len(CLEAN), None, "CHANGED"))
        assert {path.read_bytes() for path in aside.glob("*.eml")} == {came}

    run(case())


def test_a_copy_that_cannot_be_kept_aside(tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()

    async def case() -> None:
        directory = os.open(aside, os.O_RDONLY)
        aside.rmdir()
        action = f'quarantine "{aside}";'
        async with bench(tmp_path, action=action, directories={str(aside): directory}) as made:
            refused = await made.processed(CLEAN, uid=5)
            assert isinstance(refused, Refused)
            assert (refused.code, refused.reason) == (b"UNAVAILABLE", f"quarantine {aside}: No such file or directory")
            assert await made.found(5) is None
        os.close(directory)

    run(case())


def test_what_is_looked_for_at_the_end_is_given_up(tmp_path: Path) -> None:
    async def case() -> None:
        held = threading.Event()
        found: list[object] = []
        async with bench(tmp_path) as made:
            await made.processed(CLEAN, uid=5)
            origin = made.mails.origin(b"INBOX", 7, 5)
            assert origin is not None
            made.room.disk._thread.put(lambda: held.wait(5))
            made.mails.find(origin, found.append)
            assert made.room._steps
            asyncio.get_running_loop().call_soon(held.set)
        assert found == []
        assert not made.room._steps
        assert not made.room.disk._files

    run(case())


def test_engines_are_told_apart_by_their_settings_and_their_signatures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            acl = made.mails._session.powers.acl
            told: dict[str, str] = {}
            monkeypatch.setattr(made.room.scanners, "versions", lambda: dict(told))
            download, versions = made.room.engines(acl.download)
            assert made.room.engines(acl.download) == (download, versions)
            without = msgspec.structs.replace(acl.download, use_antivirus=())
            assert made.room.engines(without)[0] != download
            told["AV"] = "1"
            first = made.room.engines(acl.download)
            told["AV"] = "2"
            second = made.room.engines(acl.download)
            assert first[0] == second[0] == download
            assert len({versions, first[1], second[1]}) == 3

    run(case())


def test_other_accounts_have_other_mails(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            await made.processed(CLEAN, uid=5)
            made.mails._session.user = "karel"
            assert await made.found(5) is None
            made.mails._session.user = None
            assert made.mails.origin(b"INBOX", 7, 5) is None

    run(case())


def test_a_mailbox_that_is_gone(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path) as made:
            await made.processed(CLEAN, uid=5)
            made.mails.forget_mailbox(b"INBOX")
            assert await made.found(5) is None

    run(case())


def test_headers_alone(tmp_path: Path) -> None:
    async def case() -> None:
        async with bench(tmp_path, download="mail-filter { accept-8bit-header; }") as made:
            mail = made.mails.header(b"Subject: \xc4\x8d\r\nA: b\r\n\r\n", 4711)
            assert mail is not None
            assert mail.size == 4711
            header = mail.at_once(*(mail.index.section(b"HEADER") or (0, 0)))
            assert header is not None
            assert header.isascii()
            parts = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            mail = made.mails.header(parts, 4711)
            assert mail is not None
            assert mail.at_once(0, len(parts)) == parts
        async with bench(tmp_path) as made:
            assert made.mails.header(b"Subject: \xc4\x8d\r\n\r\n", 4711) is None

    run(case())
