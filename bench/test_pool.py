"""What a helper's job costs beside its work: an empty one there and back, a hundred that wait, one with a new helper.

Guidance, not a gate: 100 us of processor time for an empty job, worker and helper together (`cpu_us` in the extra
information); a new helper at most 10 ms.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from imap4fast.mail.work import PASSED, Order, Outcome
from imap4fast.net import pool as module
from imap4fast.net.jobs import Limits
from imap4fast.net.pool import Pool
from imap4fast.proc.eventloop import uvloop
from imap4fast.proc.nursery import Nursery

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

JOBS = 100
ORDER = Order("process", "download", "ALL", ("A", "B"), ("C", "D"), 4000, b"s" * 16, "23-Nov-2026 01:02:03 +0000")


def work(order: Order, source: int, target: int) -> Outcome:
    return Outcome(PASSED, sha256=b"h" * 32, message_id="<a@example.org>")


class Desk:
    """A pool with one helper, in a loop that runs for as long as it is asked something."""

    def __init__(self, limits: Limits) -> None:
        self.nursery = Nursery(lambda: work, None, limits)
        self.loop = uvloop.new_event_loop()
        self.files = os.memfd_create("source"), os.memfd_create("target")
        self.pool = self.loop.run_until_complete(self._pool(limits))
        self.once()

    async def _pool(self, limits: Limits) -> Pool:
        return Pool(self.nursery.sprout(), 1, lambda *_, **__: None, lambda: None, limits)

    def run(self, script: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self.loop.run_until_complete(script())

    def once(self) -> None:
        self.run(lambda: self.pool.run(ORDER, *self.files, "me"))

    def close(self) -> None:
        self.pool.close()
        self.loop.close()
        self.nursery.end()
        for descriptor in self.files:
            os.close(descriptor)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(Limits(jobs=1_000_000))
    yield made
    made.close()


def cpu_us(*processes: int) -> float:
    """Processor time that these have had, by the scheduler's own clock."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in processes) / 1000


def measured(benchmark: BenchmarkFixture, desk: Desk, script: Callable[[], Coroutine[Any, Any, object]]) -> None:
    helper = psutil.Process(desk.nursery.pid).children(recursive=True)[-1].pid
    both = os.getpid(), helper
    rounds = 20
    before = cpu_us(*both)
    benchmark.pedantic(desk.run, (script,), rounds=rounds, warmup_rounds=0)
    benchmark.extra_info["cpu_us"] = round((cpu_us(*both) - before) / rounds / JOBS, 1)


def test_one_by_one(benchmark: BenchmarkFixture, desk: Desk) -> None:
    async def script() -> None:
        for _ in range(JOBS):
            await desk.pool.run(ORDER, *desk.files, "me")

    measured(benchmark, desk, script)


def test_all_at_once(benchmark: BenchmarkFixture, desk: Desk) -> None:
    async def script() -> None:
        await asyncio.gather(*(desk.pool.run(ORDER, *desk.files, f"user {number % 7}") for number in range(JOBS)))

    measured(benchmark, desk, script)


def test_a_new_helper_each(benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORKS_BURST", 1_000_000)
    desk = Desk(Limits(jobs=1))
    benchmark.pedantic(desk.once, rounds=50)
    desk.close()
