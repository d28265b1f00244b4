"""Calls in their order, results in batches, and nothing left of what nobody waits for."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import threading
import time
import weakref
from collections.abc import Awaitable, Callable

import pytest

from imap4fast.errors import InternalError, ServiceError
from imap4fast.mail.ledger import Note
from imap4fast.mail.quota import SpoolFullError
from imap4fast.net import iothread
from imap4fast.net.iothread import BATCH, IoThread, service_error
from tests.unit.net.running import run


class Scene:
    """A thread with this test as its owner."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.heard: list[list[Note] | str] = []
        self.finished: list[str] = []
        self.held, self.reached = threading.Event(), threading.Event()
        self.thread: IoThread

    def play(self, script: Callable[[Scene], Awaitable[None]]) -> None:
        async def whole() -> None:
            loop = asyncio.get_running_loop()
            self.thread = IoThread(
                loop, self.take, self.heard.append, lambda: self.finished.append(threading.current_thread().name)
            )
            self.thread.start()
            try:
                await script(self)
            finally:
                self.held.set()
                await self.thread.stop()

        run(whole())
        assert self.finished == ["disk"]
        assert not any(thread.name == "disk" for thread in threading.enumerate())

    def take(self) -> list[Note]:
        taken, self.notes = self.notes, []
        return taken

    def hold(self) -> None:
        """From here on calls wait, until `release`."""
        self.held.clear()
        self.reached.clear()
        self.thread.put(lambda: (self.reached.set(), self.held.wait(5)))
        assert self.reached.wait(5)

    def release(self) -> None:
        self.held.set()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_results_come_back_in_order(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        landed: list[int] = []
        for number in range(100):
            scene.thread.put(lambda number=number: number, landed.append)
        assert await scene.thread.ask(threading.get_ident) != threading.get_ident()
        assert landed == list(range(100))

    scene.play(script)


@pytest.mark.parametrize(("calls", "wakes"), [(BATCH - 1, 1), (3 * BATCH, 3)])
def test_the_loop_is_woken_once_for_many_results(scene: Scene, calls: int, wakes: int) -> None:
    async def script(scene: Scene) -> None:
        woken = []
        really = scene.thread._loop

        class Loop:
            def create_future(self) -> asyncio.Future[object]:
                return really.create_future()

            def call_soon_threadsafe(self, work: Callable[..., object], *args: object) -> None:
                woken.append(work)
                really.call_soon_threadsafe(work, *args)

        scene.hold()
        asked = [asyncio.ensure_future(scene.thread.ask(lambda: 1)) for _ in range(calls - 1)]
        await asyncio.sleep(0)
        scene.thread._loop = Loop()  # type: ignore[assignment]
        scene.release()
        assert await asyncio.gather(*asked) == [1] * (calls - 1)
        scene.thread._loop = really
        assert 1 <= len(woken) <= wakes

    scene.play(script)


def test_too_many_calls_are_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iothread, "MOST_CALLS", 3)

    async def script(scene: Scene) -> None:
        scene.hold()
        asked = [asyncio.ensure_future(scene.thread.ask(lambda: 1)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(ServiceError, match="too many calls"):
            await scene.thread.ask(lambda: 1)
        scene.release()
        assert await asyncio.gather(*asked) == [1] * 3
        assert await scene.thread.ask(lambda: 2) == 2

    scene.play(script)


@pytest.mark.parametrize("moment", ["waiting", "at it", "done", "landed"])
def test_what_nobody_waits_for_is_undone(scene: Scene, moment: str) -> None:
    async def script(scene: Scene) -> None:
        made: list[int] = []
        undone: list[int] = []
        if moment != "at it":
            scene.hold()
        work = make(made) if moment != "at it" else lambda: (time.sleep(0.05), make(made)())[1]
        asked = asyncio.ensure_future(scene.thread.ask(work, undone.append))
        await asyncio.sleep(0)
        if moment == "at it":
            time.sleep(0.01)
        if moment in ("done", "landed"):
            scene.release()
            time.sleep(0.02)
        if moment == "landed":
            scene.thread._deliver()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        scene.release()
        await scene.thread.ask(lambda: 0)
        assert undone == made == ([] if moment == "waiting" else [1])

    scene.play(script)


def make(made: list[int]) -> Callable[[], int]:
    def work() -> int:
        made.append(1)
        return 1

    return work


def test_errors_reach_who_waits_and_the_log_otherwise(scene: Scene) -> None:
    def fails(error: Exception) -> Callable[[], None]:
        def work() -> None:
            raise error

        return work

    async def script(scene: Scene) -> None:
        with pytest.raises(ServiceError, match="spool: No such file"):
            await scene.thread.ask(fails(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))))
        with pytest.raises(SpoolFullError):
            await scene.thread.ask(fails(SpoolFullError()))
        with pytest.raises(InternalError, match="disk: KeyError"):
            await scene.thread.ask(fails(KeyError("x")))
        scene.thread.put(fails(KeyError("x")))
        asked = asyncio.ensure_future(scene.thread.ask(fails(KeyError("x"))))
        await asyncio.sleep(0)
        asked.cancel()
        assert await scene.thread.ask(lambda: 3) == 3

    scene.play(script)
    assert scene.heard == ["disk: KeyError: 'x'"]


def test_notes_are_heard_on_the_loop(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        scene.notes = [Note("failed", "x")]
        await scene.thread.ask(lambda: 1)
        await scene.thread.ask(lambda: 1)

    scene.play(script)
    assert scene.heard == [[Note("failed", "x")]]


def test_all_is_done_before_the_end_and_nothing_after(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        done: list[int] = []
        for number in range(10):
            scene.thread.put(lambda number=number: done.append(number))
        await scene.thread.stop()
        assert done == list(range(10))
        with pytest.raises(ServiceError, match="stopped"):
            await scene.thread.ask(lambda: 1)
        scene.finished.clear()
        scene.thread = IoThread(
            asyncio.get_running_loop(), list, scene.heard.append, lambda: scene.finished.append("disk")
        )
        scene.thread.start()

    scene.play(script)


def test_errors_leave_no_cycle(scene: Scene) -> None:
    """The collector is off in workers."""

    def fails() -> None:
        raise OSError(errno.EIO, "x")

    async def script(scene: Scene) -> None:
        left = []
        gc.disable()
        try:
            for _ in range(50):
                try:
                    await scene.thread.ask(fails)
                except ServiceError as error:
                    left.append(weakref.ref(error))
            assert len(left) == 50
            assert [ref for ref in left[:-1] if ref() is not None] == []
        finally:
            gc.enable()

    scene.play(script)


def test_errors_of_the_service() -> None:
    first = SpoolFullError("why")
    assert service_error(first) is not first
    assert (type(service_error(first)), service_error(first).why) == (SpoolFullError, "why")
    assert type(service_error(OSError(errno.EDQUOT, "quota"))) is SpoolFullError
    assert str(service_error(ServiceError("a", "b"))) == "a: b"
    assert str(service_error(OSError("odd"))) == "spool: odd"
