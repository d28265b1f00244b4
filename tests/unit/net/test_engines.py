"""Engines over the network: what is presumed while they are asked, and a virus that is in none of the documents."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from imap4fast.errors import ServiceError
from imap4fast.session.mailwork import Refused
from tests.unit.net.mailrooms import bench, octets_of
from tests.unit.net.running import Talk
from tests.unit.net.scanning import clamd_with, scanner

MAIL = b"From: a@example.net\r\nSubject: one\r\n\r\nGood day.\r\n"
ACLS = "mail-acl ALL { accept; } doc-acl BAD { virus found; accept; remove; } doc-acl REST { accept; }"


async def shown(path: Path, script: Talk, uid: int = 5) -> tuple[bytes, list[str], bool]:
    """(the mail, the helper's jobs, whether it is kept)"""
    async with scanner(script) as fake:
        engine = f"clamav-net [127.0.0.1] : {fake.address.port}"
        async with bench(path, engine=engine, acls=ACLS) as made:
            mail = await octets_of(await made.processed(MAIL, uid=uid))
            return mail, [order.job for order in made.helper.orders], await made.found(uid) is not None


def test_all_documents_go_and_the_rest_is_shown(tmp_path: Path) -> None:
    mail, jobs, kept = asyncio.run(shown(tmp_path, clamd_with(b"Subject: one", b"Good day")))
    assert b"Subject: one" in mail
    assert b"Good day" not in mail
    assert jobs == ["presume", "examine", "leaves", "finish"]
    assert kept


def test_what_is_still_found_without_them_is_not_shown(tmp_path: Path) -> None:
    mail, jobs, kept = asyncio.run(shown(tmp_path, clamd_with(b"Subject: one")))
    assert b"Subject: one" not in mail
    assert b"Good day" not in mail
    assert jobs == ["presume", "examine", "leaves", "finish", "finish"]
    assert kept


def test_nor_is_what_nobody_could_look_at(tmp_path: Path) -> None:
    """The streams are the mail, its document, and what is left, which is tried again on another connection."""
    mail, jobs, kept = asyncio.run(shown(tmp_path, clamd_with(b"Subject: one", b"Good day", breaks_at=3)))
    assert b"Subject: one" not in mail
    assert b"Good day" not in mail
    assert jobs == ["presume", "examine", "leaves", "finish", "finish"]
    assert not kept  # the next time the engine may be up


@pytest.mark.parametrize("again", [False, True])
def test_the_second_look_is_taken_by_known_verdicts_too(tmp_path: Path, again: bool) -> None:
    signatures = [b"Subject: one"] if again else [b"Subject: one", b"Good day"]

    async def case() -> None:
        async with scanner(clamd_with(*signatures)) as fake:
            engine = f"clamav-net [127.0.0.1] : {fake.address.port}"
            async with bench(tmp_path, engine=engine, acls=ACLS) as made:
                first = await octets_of(await made.processed(MAIL, uid=5))
                made.helper.orders.clear()
                assert await octets_of(await made.processed(MAIL, uid=6)) == first
                assert [order.job for order in made.helper.orders] == ["finish", "finish"][: 1 + again]
                assert (b"Subject: one" in first) != again

    asyncio.run(case())


def test_a_mail_without_virus_is_one_job_and_one_stream(tmp_path: Path) -> None:
    streams: list[bytes] = []
    mail, jobs, kept = asyncio.run(shown(tmp_path, clamd_with(b"nothing", streams=streams)))
    assert (mail, jobs, kept, streams) == (MAIL, ["presume"], True, [MAIL])


def test_a_mail_in_another_form_is_scanned_in_both(tmp_path: Path) -> None:
    streams: list[bytes] = []

    async def case() -> None:
        async with scanner(clamd_with(b"nothing", streams=streams)) as fake:
            engine = f"clamav-net [127.0.0.1] : {fake.address.port}"
            async with bench(tmp_path, engine=engine) as made:
                came = MAIL.replace(b"\r\n", b"\n")
                assert await octets_of(await made.processed(came, uid=5)) == MAIL
                assert [order.job for order in made.helper.orders] == ["presume", "examine", "finish"]
                assert streams == [came, MAIL]

    asyncio.run(case())


def test_an_engine_of_the_helpers_that_finds_something_is_heard(tmp_path: Path) -> None:
    infected = MAIL + b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\r\n"

    async def case() -> None:
        async with scanner(clamd_with(b"nothing")) as fake:
            engine = f"clamav-net [127.0.0.1] : {fake.address.port}; }} antivirus OWN {{ connection builtin"
            async with bench(tmp_path, engine=engine, download="use-antivirus enable OWN;", acls=ACLS) as made:
                mail = await octets_of(await made.processed(infected, uid=5))
                assert b"EICAR" not in mail
                assert [order.job for order in made.helper.orders][:2] == ["presume", "examine"]

    asyncio.run(case())


def test_who_is_asked_is_not_waited_for_when_the_helper_fails(tmp_path: Path) -> None:
    """The engine never answers; the bench sees that no file is left open."""
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        left.set()

    async def case() -> None:
        async with scanner(silent) as fake:
            engine = f"clamav-net [127.0.0.1] : {fake.address.port}"
            async with bench(tmp_path, engine=engine) as made:
                made.helper.broken = ServiceError("helper", "killed")
                refused = await made.processed(MAIL, uid=5)
                assert isinstance(refused, Refused)
                await asyncio.wait_for(left.wait(), 20)

    asyncio.run(case())
