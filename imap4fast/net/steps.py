"""A coroutine without a Task: what connects each session to its server waits once, and a Task costs more than that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Steps:
    """Runs a coroutine from future to future; `run` begins. Whatever it awaits must not need a current task, as
    timeouts of asyncio do. Exceptions other than its cancellation reach whoever made the step. `ended` hears of the
    end, whatever it was.
    """

    __slots__ = ("_coroutine", "_ended", "_future")

    def __init__(
        self,
        coroutine: Coroutine[asyncio.Future[Any], None, None],
        ended: Callable[[Steps], object] | None = None,
    ) -> None:
        self._coroutine = coroutine
        self._ended = ended
        self._future: asyncio.Future[Any] | None = None

    def run(self, done: asyncio.Future[Any] | None = None) -> None:
        """Go on to the next future that is not done."""
        del done  # its exception will know the coroutine's frame, which knows this one: a circle
        self._future = None
        try:
            future = self._coroutine.send(None)
        except BaseException as error:
            if self._ended is not None:
                self._ended(self)
            if isinstance(error, (StopIteration, asyncio.CancelledError)):
                return
            raise
        self._future = future
        future.add_done_callback(self.run)

    def cancel(self) -> None:
        """Cancel what the coroutine waits for: CancelledError is raised there in the loop's next turn. Nothing, where
        it is running, about to go on, or has ended.
        """
        if self._future is not None:
            self._future.cancel()
