"""A coroutine that runs without a Task."""

from __future__ import annotations

import asyncio

import pytest

from imap4fast.net.steps import Steps


class Walk:
    """Awaits futures in order and remembers what happened. `patient`: a cancellation leads to the next one."""

    def __init__(self, *futures: asyncio.Future[int], patient: bool = False) -> None:
        self.seen: list[object] = []
        self._futures = futures
        self._patient = patient

    async def go(self) -> None:
        for future in self._futures:
            try:
                self.seen.append(await future)
            except OSError as exc:
                self.seen.append(exc)
            except asyncio.CancelledError:
                self.seen.append("cancelled")
                if not self._patient:
                    raise
        self.seen.append("end")


def run(walk_of: object) -> None:
    asyncio.run(walk_of())  # type: ignore[operator]


def test_each_future_in_turn() -> None:
    async def play() -> None:
        one, two = (asyncio.get_running_loop().create_future() for _ in range(2))
        walk = Walk(one, two)
        Steps(walk.go()).run()
        error = OSError("no")
        one.set_result(1)
        await asyncio.sleep(0)
        assert walk.seen == [1]
        two.set_exception(error)
        await asyncio.sleep(0)
        assert walk.seen == [1, error, "end"]

    run(play)


def test_futures_that_are_done_need_no_waiting() -> None:
    async def play() -> None:
        one = asyncio.get_running_loop().create_future()
        one.set_result(1)
        walk = Walk(one)
        steps = Steps(walk.go())
        steps.run()
        assert walk.seen == [1, "end"]
        steps.cancel()
        assert walk.seen == [1, "end"]

    run(play)


def test_cancelled_in_the_next_turn() -> None:
    async def play() -> None:
        one = asyncio.get_running_loop().create_future()
        walk = Walk(one)
        steps = Steps(walk.go())
        steps.run()
        steps.cancel()
        assert one.cancelled()
        await asyncio.sleep(0)
        assert walk.seen == ["cancelled"]
        steps.cancel()
        await asyncio.sleep(0)
        assert walk.seen == ["cancelled"]

    run(play)


def test_a_cancellation_that_comes_too_late_does_nothing() -> None:
    """The future is done, its callback waits in the loop."""

    async def play() -> None:
        one = asyncio.get_running_loop().create_future()
        walk = Walk(one)
        steps = Steps(walk.go())
        steps.run()
        one.set_result(1)
        steps.cancel()
        await asyncio.sleep(0)
        assert walk.seen == [1, "end"]

    run(play)


def test_a_coroutine_may_go_on_after_its_cancellation() -> None:
    async def play() -> None:
        one, two = (asyncio.get_running_loop().create_future() for _ in range(2))
        walk = Walk(one, two, patient=True)
        steps = Steps(walk.go())
        steps.run()
        steps.cancel()
        await asyncio.sleep(0)
        assert walk.seen == ["cancelled"]
        two.set_result(2)
        await asyncio.sleep(0)
        assert walk.seen == ["cancelled", 2, "end"]

    run(play)


def test_its_own_cancellation_does_nothing() -> None:
    async def play() -> None:
        seen: list[str] = []

        async def go() -> None:
            steps.cancel()
            seen.append("end")

        steps = Steps(go())
        steps.run()
        assert seen == ["end"]

    run(play)


def test_other_exceptions_are_not_swallowed() -> None:
    async def play() -> None:
        async def go() -> None:
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            Steps(go()).run()

    run(play)


@pytest.mark.parametrize("how", ["end", "cancelled", "broken"])
def test_its_end_is_told_once_whatever_it_was(how: str) -> None:
    async def play() -> None:
        one = asyncio.get_running_loop().create_future()
        told: list[Steps] = []
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["exception"]))

        async def go() -> None:
            await one
            if how == "broken":
                raise ValueError("broken")

        steps = Steps(go(), told.append)
        steps.run()
        assert told == []
        if how == "cancelled":
            steps.cancel()
        else:
            one.set_result(1)
        await asyncio.sleep(0)
        steps.cancel()
        await asyncio.sleep(0)
        assert told == [steps]
        assert [str(error) for error in complaints] == (["broken"] if how == "broken" else [])

    run(play)
