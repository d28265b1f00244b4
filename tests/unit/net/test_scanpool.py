"""One engine: connections used again, stale ones, the breaker, turns, what is logged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from imap4fast.config.values import Sock
from imap4fast.log import mavi
from imap4fast.mail.work import FOUND, FREE, Scan
from imap4fast.net import scanpool
from imap4fast.net.exchange import Source
from imap4fast.net.scanners import _MAVI
from imap4fast.net.scanpool import MOST_AT_ONCE, Engine, Failure
from imap4fast.scan.clamd import Instream, Version
from imap4fast.scan.talk import Talk
from tests.play.stage import Notebook
from tests.unit.net.running import LOOPBACK, run, unused_port
from tests.unit.net.running import Talk as Script
from tests.unit.net.scanning import antivirus, clamd, mail_source, scanner, take_stream


class Asking:
    """An engine with its log, and a mail to ask it about."""

    def __init__(self, source: Source, address: Sock, **items: object) -> None:
        self.notebook = Notebook(9)
        self.now = 0.0
        self.uncertain = asyncio.Event()
        self.source = source
        self.engine = Engine(antivirus(address, **items), _MAVI, self.notebook.write, lambda: self.now, self.uncertain)

    async def ask(self) -> Scan | Failure:
        return await self.engine.ask(lambda turn: Instream(self.source.size, turn), self.source)

    @property
    def logged(self) -> list[str]:
        return [f"{one.entry.id} {one.args}" for one in self.notebook.written]


def asked(*scripts: Script, times: int = 1, **items: object) -> tuple[list[Scan | Failure], int, Asking]:
    """The answers one after the other, the connections that were made, and the log."""

    async def whole() -> tuple[list[Scan | Failure], int, Asking]:
        with mail_source() as source:
            async with scanner(*scripts) as fake:
                asking = Asking(source, fake.address, **items)
                answers = [await asking.ask() for _ in range(times)]
                asking.engine.close()
                return answers, fake.connections, asking

    return run(whole())


async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers one request and closes."""
    await take_stream(reader)
    writer.write(b"1: stream: OK\0")


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"* OK IMAP4rev1 <ready>\0")
    await reader.read()


async def leaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)


def test_one_connection_for_many_mails() -> None:
    answers, connections, asking = asked(clamd, times=5)
    assert answers == [Scan(FREE)] * 5
    assert connections == 1
    assert asking.logged == []


def test_no_pool_no_second_use() -> None:
    answers, connections, _ = asked(clamd, times=3, pool=0)
    assert answers == [Scan(FREE)] * 3
    assert connections == 3


def test_a_stale_connection_is_replaced_and_the_version_asked_for_anew() -> None:
    async def closes_with_the_next_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_stream(reader)
        writer.write(b"1: stream: OK\0")
        await reader.read(5)

    answers, connections, asking = asked(closes_with_the_next_request, clamd, times=2)
    assert answers == [Scan(FREE)] * 2
    assert connections == 2
    assert asking.uncertain.is_set()
    assert asking.logged == []


def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    async def pauses() -> list[Scan | Failure]:
        with mail_source() as source:
            async with scanner(once) as fake:
                asking = Asking(source, fake.address)
                first = await asking.ask()
                await asyncio.sleep(0.1)
                second = await asking.ask()
                asking.engine.close()
                return [first, second]

    assert run(pauses()) == [Scan(FREE)] * 2


def test_once_more_is_once_more_only() -> None:
    async def one_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_stream(reader)
        writer.write(b"1: stream: OK\0")
        await reader.read(5)

    answers, connections, asking = asked(one_answer, leaves, times=2)
    assert answers == [Scan(FREE), Failure("closed before the answer was whole")]
    assert connections == 2
    assert asking.logged == ["MAVI-711-E ('AV', 'closed before the answer was whole')"]


def test_t_a04_a_new_connection_that_breaks_is_not_tried_again() -> None:
    answers, connections, _ = asked(leaves)
    assert answers == [Failure("closed before the answer was whole")]
    assert connections == 1


def test_t_a04_no_answer_in_time() -> None:
    answers, _, asking = asked(silent, timeout=0.2)
    assert answers == [Failure("no answer in 0.2 s")]
    assert asking.logged == ["MAVI-711-E ('AV', 'no answer in 0.2 s')"]


def test_no_timeout_is_none() -> None:
    assert asked(clamd, timeout=0)[0] == [Scan(FREE)]


def test_t_a04_nobody_listens() -> None:
    async def refused() -> tuple[Scan | Failure, Asking]:
        with mail_source() as source:
            asking = Asking(source, Sock(LOOPBACK, unused_port()))
            return await asking.ask(), asking

    answer, asking = run(refused())
    assert answer == Failure("scanner: Connection refused")
    assert asking.logged == ["MAVI-711-E ('AV', 'scanner: Connection refused')"]


def test_t_a04_nonsense_is_told_apart_and_made_harmless() -> None:
    answers, _, asking = asked(nonsense)
    assert answers == [Failure("* OK IMAP4rev1 _ready_", nonsense=True)]
    assert asking.logged == ["MAVI-710-C ('AV', '* OK IMAP4rev1 _ready_')"]


def test_an_error_of_ours_is_a_failure_with_its_place() -> None:
    def broken(turn: int) -> Talk[Scan]:
        raise ZeroDivisionError("ours")

    async def ask() -> tuple[Scan | Failure, list[str]]:
        with mail_source() as source:
            async with scanner(clamd) as fake:
                asking = Asking(source, fake.address)
                return await asking.engine.ask(broken, source), asking.logged

    answer, logged = run(ask())
    assert isinstance(answer, Failure)
    assert "ZeroDivisionError (ours) at" in answer.why
    assert len(logged) == 1


def test_the_breaker_opens_probes_and_closes() -> None:
    async def whole() -> tuple[list[Scan | Failure], int, list[str]]:
        with mail_source() as source:
            async with scanner(leaves, leaves, leaves, clamd) as fake:
                asking = Asking(source, fake.address, breaker=(2, 10.0))
                answers = [await asking.ask() for _ in range(4)]
                asking.now = 10.0
                answers.append(await asking.ask())
                answers.append(await asking.ask())
                asking.now = 20.0
                answers.append(await asking.ask())
                asking.engine.close()
                return answers, fake.connections, asking.logged

    cut, alone = Failure("closed before the answer was whole"), Failure("left alone after failures")
    failed = "MAVI-711-E ('AV', 'closed before the answer was whole')"
    answers, connections, logged = run(whole())
    assert answers == [cut, cut, alone, alone, cut, alone, Scan(FREE)]
    assert connections == 4
    assert logged == [failed, failed, "MAVI-712-E ('AV', 2, '10')", failed, "MAVI-713-N ('AV',)"]


def test_an_answer_that_tells_of_an_error_is_an_answer() -> None:
    async def complains(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_stream(reader)
        writer.write(b"1: stream: Can't allocate memory ERROR\0")

    answers, connections, _ = asked(complains, times=4, breaker=(2, 10.0))
    assert {type(answer) for answer in answers} == {Scan}
    assert connections == 4


def cancelling(script: Script, check: Callable[[Asking], None]) -> None:
    async def whole() -> None:
        with mail_source() as source:
            async with scanner(script) as fake:
                asking = Asking(source, fake.address, breaker=(1, 10.0))
                task = asyncio.create_task(asking.ask())
                await asyncio.sleep(0.1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                check(asking)

    run(whole())


def test_cancelling_says_nothing_of_the_engine_and_closes() -> None:
    def check(asking: Asking) -> None:
        assert asking.logged == []
        assert asking.engine._lines.take() is None
        assert not asking.engine._breaker.open

    cancelling(silent, check)


def test_a_cancelled_probe_lets_another_one_through() -> None:
    async def whole() -> Scan | Failure:
        with mail_source() as source:
            async with scanner(leaves, silent, clamd) as fake:
                asking = Asking(source, fake.address, breaker=(1, 10.0))
                await asking.ask()
                asking.now = 10.0
                task = asyncio.create_task(asking.ask())
                await asyncio.sleep(0.1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                answer = await asking.ask()
                asking.engine.close()
                return answer

    assert run(whole()) == Scan(FREE)


def test_turns_are_bounded_and_all_are_served() -> None:
    at_once: list[int] = []
    under_way: set[object] = set()

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.add(reader)
        at_once.append(len(under_way))
        await take_stream(reader)
        await asyncio.sleep(0.02)
        under_way.discard(reader)
        writer.write(b"1: stream: Test FOUND\0")

    async def whole() -> list[Scan | Failure]:
        with mail_source() as source:
            async with scanner(counting) as fake:
                asking = Asking(source, fake.address)
                answers = await asyncio.gather(*(asking.ask() for _ in range(3 * MOST_AT_ONCE)))
                asking.engine.close()
                return answers

    assert run(whole()) == [Scan(FOUND, "Test")] * 3 * MOST_AT_ONCE
    assert 1 < max(at_once) <= MOST_AT_ONCE


def test_those_who_wait_for_a_dead_engine_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanpool, "MOST_AT_ONCE", 2)

    async def whole() -> float:
        with mail_source() as source:
            async with scanner(silent) as fake:
                asking = Asking(source, fake.address, timeout=0.3, breaker=(2, 30.0))
                begun = asyncio.get_running_loop().time()
                await asyncio.gather(*(asking.ask() for _ in range(50)))
                return asyncio.get_running_loop().time() - begun

    assert run(whole()) < 1.5


def test_versions_are_told_once_each() -> None:
    async def versions(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"VERSION\0") == b"zIDSESSION\0zVERSION\0"
        writer.write(b"1: ClamAV 1/2/x\0")

    async def whole() -> tuple[list[str | None], list[str]]:
        with mail_source() as source:
            async with scanner(versions, leaves) as fake:
                asking = Asking(source, fake.address)
                answers = [await asking.engine.ask_aside(Version, source) for _ in range(2)]
                for version in (*answers, "ClamAV 1/2/x", "ClamAV 1/3/y"):
                    asking.engine.told(version or "")
                return answers, asking.logged

    answers, logged = run(whole())
    assert answers == ["ClamAV 1/2/x", None]
    assert logged == ["MAVI-714-K ('AV', 'ClamAV 1/2/x')", "MAVI-714-K ('AV', 'ClamAV 1/3/y')"]


def test_asking_aside_fails_silently() -> None:
    async def whole() -> tuple[str | None, list[str]]:
        with mail_source() as source:
            asking = Asking(source, Sock(LOOPBACK, unused_port()))
            return await asking.engine.ask_aside(Version, source), asking.logged

    assert run(whole()) == (None, [])


def test_entries_are_of_the_antivirus_component() -> None:
    assert (_MAVI.failed, _MAVI.nonsense) == (mavi.FAILED, mavi.NONSENSE)
