"""The pool against real helpers that do all that is forbidden: only their own job fails."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from imap4fast.errors import ServiceError
from imap4fast.log import tcps
from imap4fast.mail.quota import SpoolFullError
from imap4fast.mail.work import PASSED, Outcome, Scan, Verdicts
from imap4fast.net import pool as module
from imap4fast.net.jobqueue import JobQueue
from imap4fast.net.jobs import MIB, Limits
from imap4fast.proc.nursery import Nursery
from tests.unit.proc import nurseries
from tests.unit.proc.nurseries import (
    MAIL,
    QUICK,
    Desk,
    Held,
    Log,
    descriptors,
    eventually,
    lives,
    nursery,
    play,
    replaced,
)

DIED, OVER = tcps.HELPER_DIED.id, tcps.HELPER_OVER.id
FEW = replaced(QUICK, jobs=3)
LONG = replaced(QUICK, wall_s=60)


@pytest.fixture(scope="module")
def home() -> Iterator[Nursery]:
    """A nursery for all tests that do not harm it."""
    with nursery() as made:
        yield made


async def failure(desk: Desk, job: str, **more: object) -> str:
    with pytest.raises(ServiceError) as caught:
        await desk.run(job, **more)  # type: ignore[arg-type]
    assert caught.value.service == "helper"
    return str(caught.value.why)


def test_a_job_gets_the_mail_and_writes_what_it_makes(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        assert await desk.run() == Outcome(PASSED, len(MAIL))
        assert os.pread(desk.target, 100, 0) == MAIL

    assert play(home, script, most=3).log.lines == [f"{tcps.POOL_BEGAN.id} (3,)"]


@pytest.mark.parametrize(
    ("job", "why", "entry"),
    [
        ("crash", "killed by SIGSEGV", DIED),
        ("exit", "exit status 7", DIED),
        ("exit-well", "exit status 0", DIED),
        ("loop", "over its processor time", OVER),
        ("hog", "MemoryError: ", OVER),
        ("share", "PermissionError: [Errno 1] Operation not permitted", DIED),
        ("fill", "OSError: [Errno 27] File too large", OVER),
        ("fork", "a system call that no helper makes", DIED),
        ("thread", "a system call that no helper makes", DIED),
        ("execute", "a system call that no helper makes", DIED),
        ("socket", "a system call that no helper makes", DIED),
        ("kill", "a system call that no helper makes", DIED),
        ("raise", "IndexError: list index out of range", DIED),
        ("system-exit", "SystemExit: 3", DIED),
        ("nothing", "the work returned NoneType", DIED),
        ("lie", "it did not write what it says", DIED),
        ("negative", "its answer is none: of negative size", DIED),
        ("odd", "its answer is none: of no known kind", DIED),
        ("unheard-of", "KeyError: 'unheard-of'", DIED),
    ],
)
def test_what_breaks_a_helper_fails_its_job_alone(home: Nursery, job: str, why: str, entry: str) -> None:
    async def script(desk: Desk) -> None:
        others = [asyncio.ensure_future(desk.told(owner=f"user {number}")) for number in range(3)]
        assert await failure(desk, job) == why
        assert all(told.isdigit() for told in await asyncio.gather(*others))
        assert await desk.run() == Outcome(PASSED, len(MAIL))
        await eventually(lambda: desk.pool.helpers == 1)
        assert [line for line in desk.log.lines if line.startswith(entry)] == [f"{entry} ({pids[0]}, {why!r})"]

    pids: list[int] = []
    desk = play(home, _noting(script, pids), limits=LONG)
    assert set(desk.log.ids()) == {tcps.POOL_BEGAN.id, entry}
    assert desk.lost == 0


def test_a_full_disk_is_no_fault_of_helper_and_mail(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        with pytest.raises(SpoolFullError, match="the disk is full"):
            await desk.run("full")
        assert await desk.run() == Outcome(PASSED, len(MAIL))

    assert play(home, script).log.ids() == [tcps.POOL_BEGAN.id]


def _noting(script: object, pids: list[int]) -> object:
    async def noted(desk: Desk) -> None:
        pids.append(int(await desk.told()))
        await script(desk)  # type: ignore[operator]

    return noted


def test_an_answer_that_is_too_large_is_none(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        assert (await failure(desk, "huge")).startswith("an answer of 2000")
        await eventually(lambda: desk.pool.helpers == 0)
        assert await desk.run() == Outcome(PASSED, len(MAIL))

    assert play(home, script).log.ids() == [tcps.POOL_BEGAN.id, DIED]


def test_an_order_that_is_too_large_is_not_sent(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        verdicts = Verdicts(leaves=tuple(Scan("found", "x" * 200) for _ in range(1000)))
        assert (await failure(desk, "pass", verdicts=verdicts)).startswith("an order of ")
        assert (await desk.run(verdicts=Verdicts(leaves=verdicts.leaves[:500]))).kind == PASSED

    assert play(home, script).log.ids() == [tcps.POOL_BEGAN.id]


def test_who_speaks_unasked_ends(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        pid = int(await desk.told())
        assert (await failure(desk, "speak")).startswith("its answer is none: ")
        assert int(await desk.told()) != pid
        await eventually(lambda: desk.pool.helpers == 1)

    assert set(play(home, script).log.ids()) == {tcps.POOL_BEGAN.id, DIED}


def test_who_closes_its_socket_is_killed(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        pid = int(await desk.told())
        async with Held(desk, "close") as held:
            with pytest.raises(ServiceError, match="killed by SIGKILL"):
                await held.task
        assert not lives(pid)
        assert await desk.run() == Outcome(PASSED, len(MAIL))

    play(home, script, limits=LONG)


def test_who_takes_too_long_by_the_clock_is_killed(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        pid = int(await desk.told())
        began = desk.pool._loop.time()
        async with Held(desk) as held:
            with pytest.raises(ServiceError, match="over its time by the clock"):
                await held.task
        assert desk.pool._loop.time() - began >= 2
        assert not lives(pid)
        assert await desk.run() == Outcome(PASSED, len(MAIL))

    limits = replaced(QUICK, cpu_s=0, wall_s=2)
    assert play(home, script, limits=limits).log.ids() == [tcps.POOL_BEGAN.id, OVER]


# Owners, bounds, cancellation


def test_owners_take_turns(home: Nursery) -> None:
    """One helper; the first has a hundred mails waiting, and the others wait for one of his, not for all."""
    done: list[str] = []

    async def one(desk: Desk, owner: str) -> None:
        await desk.run(owner=owner)
        done.append(owner)

    async def script(desk: Desk) -> None:
        async with Held(desk):
            waiting = [asyncio.ensure_future(one(desk, owner)) for owner in "a" * 100 + "bbc"]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    play(home, script, limits=LONG)
    assert done[:6] == ["a", "b", "c", "a", "b", "a"]
    assert len(done) == 103


def test_the_queue_is_bounded_in_jobs_and_in_octets(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        async with Held(desk):
            waiting = [asyncio.ensure_future(desk.run(size=300, owner=str(number))) for number in range(3)]
            await asyncio.sleep(0)
            assert await failure(desk, "pass", size=101) == "the queue is full"
            waiting.append(asyncio.ensure_future(desk.run(size=100)))
            await asyncio.sleep(0)
            assert await failure(desk, "pass", size=0) == "the queue is full"
        await asyncio.gather(*waiting)
        assert (await desk.run(size=5000)).kind == PASSED

    play(home, script, limits=LONG, queue=JobQueue(4, 1000))


def test_a_job_that_waits_and_is_cancelled_is_taken_out(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        async with Held(desk):
            unwanted = asyncio.ensure_future(desk.run("crash"))
            await asyncio.sleep(0)
            assert desk.pool.waiting == 1
            unwanted.cancel()
            await asyncio.wait([unwanted])
            assert desk.pool.waiting == 0
        assert unwanted.cancelled()

    assert play(home, script, limits=LONG).log.ids() == [tcps.POOL_BEGAN.id]


def test_a_job_that_runs_and_is_cancelled_may_finish_unseen(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        pid = await desk.told()
        async with Held(desk) as held:
            held.task.cancel()
            await asyncio.wait([held.task])
            held.go()
            assert await desk.told() == pid
        assert held.task.cancelled()

    assert play(home, script, limits=LONG).log.ids() == [tcps.POOL_BEGAN.id]


def test_a_job_that_runs_on_after_it_was_cancelled_is_killed(home: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ABANDONED_S", 0.1)

    async def script(desk: Desk) -> None:
        pid = await desk.told()
        async with Held(desk) as held:
            held.task.cancel()
            assert await desk.told() != pid
            await eventually(lambda: not lives(int(pid)))
            await eventually(lambda: desk.log.lines[-1].endswith("'nobody waits any more')"))

    play(home, script, limits=LONG)


def test_a_job_waits_no_longer_than_it_may(home: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_S", 60)

    async def script(desk: Desk) -> None:
        async with Held(desk):
            assert await failure(desk, "pass") == "no helper had time for it"

    play(home, script, limits=replaced(LONG, queue_s=2))


def test_slow_jobs_do_not_hold_up_quick_ones(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        async with Held(desk):
            assert (await desk.told()).isdigit()
            assert desk.pool.helpers == 2
        await desk.told()
        await eventually(lambda: desk.pool.helpers == 1)

    assert play(home, script, limits=LONG).log.ids() == [tcps.POOL_BEGAN.id]


def test_a_descriptor_that_is_none_fails_the_job(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        pid = await desk.told()
        assert "Bad file descriptor" in await failure(desk, "pass", source=10_000)
        assert await desk.told() == pid

    play(home, script)


# Life and death


def test_helpers_are_made_on_demand_and_no_more_than_there_may_be(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        assert desk.pool.helpers == 0
        await desk.run()
        assert desk.pool.helpers == 1
        async with Held(desk), Held(desk), Held(desk):
            waiting = [asyncio.ensure_future(desk.run()) for _ in range(50)]
            await asyncio.gather(*waiting)
            assert desk.pool.helpers == 4

    play(home, script, most=4, limits=LONG)


def test_a_helper_is_renewed_after_its_jobs() -> None:
    async def script(desk: Desk) -> None:
        pids = [await desk.told() for _ in range(7)]
        assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
        await eventually(lambda: desk.pool.helpers == 1)

    with nursery(limits=FEW) as made:
        assert play(made, script, limits=FEW).log.ids() == [tcps.POOL_BEGAN.id]


def test_a_helper_is_renewed_when_it_has_grown() -> None:
    async def script(desk: Desk) -> None:
        pids = [await desk.told("grow") for _ in range(4)]
        assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 1]

    limits = replaced(QUICK, growth_bytes=10 * MIB)
    with nursery(limits=limits) as made:
        assert play(made, script, limits=limits).log.ids() == [tcps.POOL_BEGAN.id]


def test_an_idle_helper_that_dies_costs_no_job(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        pid = int(await desk.told())
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: not lives(pid))
        assert await desk.told() != str(pid)
        await eventually(lambda: desk.pool.helpers == 1)

    assert play(home, script).log.ids() == [tcps.POOL_BEGAN.id, DIED]


def test_nothing_is_left_after_many_jobs_and_deaths() -> None:
    async def script(desk: Desk) -> None:
        await asyncio.gather(*(desk.run(owner=str(number % 7)) for number in range(100)))
        before = descriptors(), psutil.Process(desk.zygotes()[0].pid).num_fds(), len(desk.helpers())
        deaths = 0
        for number in range(2000):
            if number % 40 == 0:
                await failure(desk, ("crash", "raise", "socket", "exit")[number // 40 % 4])
                deaths += 1
            else:
                await desk.run(owner=str(number % 7))
        assert deaths == 50
        await eventually(lambda: desk.pool.helpers == 1)
        await desk.run()
        assert (descriptors(), desk.zygotes()[0].num_fds()) == (before[0], before[1])
        assert [child.pid for child in desk.zygotes()[0].children() if lives(child.pid)] == list(desk.pool._helpers)
        assert len(desk.zygotes()[0].children()) == 1

    with nursery() as made:
        fds = descriptors()
        play(made, script)
        assert descriptors() == fds


def test_deaths_are_damped(home: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORKS_BURST", 2)
    monkeypatch.setattr(module, "FORKS_PER_S", 1.0)

    async def script(desk: Desk) -> None:
        began = desk.pool._loop.time()
        for _ in range(4):
            await failure(desk, "raise")
        assert desk.pool._loop.time() - began > 0.9
        assert await desk.run() == Outcome(PASSED, len(MAIL))

    assert play(home, script).log.ids().count(tcps.HELPERS_DAMPED.id) == 1


def test_a_zygote_that_dies_is_replaced_and_takes_its_helpers_along() -> None:
    async def script(desk: Desk) -> None:
        pid = int(await desk.told())
        zygote = desk.zygotes()[0]
        async with Held(desk) as held:
            zygote.kill()
            with pytest.raises(ServiceError, match="its zygote died"):
                await held.task
        assert int(await desk.told()) != pid
        await eventually(lambda: not psutil.pid_exists(pid) and not psutil.pid_exists(zygote.pid))
        assert len(desk.zygotes()) == 1

    with nursery() as made:
        desk = play(made, script, limits=LONG)
    assert desk.lost == 1
    assert desk.log.ids() == [tcps.POOL_BEGAN.id, tcps.ZYGOTE_DIED.id, DIED]


def test_jobs_wait_for_a_zygote_that_is_not_there_yet(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        late = module.Pool(None, 1, Log().write, lambda: late.renew(home.sprout()), Limits())
        first = asyncio.ensure_future(late.run(*order_of(desk), "me"))
        assert (await first).kind == PASSED
        late.close()

    play(home, script)


def order_of(desk: Desk) -> tuple[object, int, int]:
    return nurseries.order(), desk.source, desk.target


def test_a_closed_pool_fails_its_jobs(home: Nursery) -> None:
    async def script(desk: Desk) -> None:
        async with Held(desk) as held:
            waits = asyncio.ensure_future(desk.run())
            await asyncio.sleep(0)
            pids = [helper.pid for helper in desk.helpers()]
            desk.pool.close()
            for task in (held.task, waits):
                with pytest.raises(ServiceError, match="the pool is closed"):
                    await task
            await eventually(lambda: not any(map(psutil.pid_exists, pids)))
        assert await failure(desk, "pass") == "the pool is closed"

    play(home, script, limits=LONG)


def test_the_end_of_the_worker_leaves_nothing() -> None:
    with nursery() as made:
        read, write = os.pipe()
        pid = os.fork()
        if not pid:

            async def script(desk: Desk) -> None:
                told = [await desk.told(), str(desk.zygotes()[0].pid)]
                os.write(write, " ".join(told).encode())
                await desk.run("loop")

            try:
                play(made, script, limits=replaced(QUICK, wall_s=50, cpu_s=50))
            finally:
                os._exit(0)
        helper, zygote = map(int, os.read(read, 100).split())
        os.close(read)
        os.close(write)
        assert lives(helper)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        psutil.wait_procs([process for process in (_process(helper), _process(zygote)) if process], timeout=5)
        assert not psutil.pid_exists(helper)
        assert not psutil.pid_exists(zygote)


def _process(pid: int) -> psutil.Process | None:
    return psutil.Process(pid) if psutil.pid_exists(pid) else None
