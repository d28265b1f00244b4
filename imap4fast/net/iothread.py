"""A thread beside the loop that does one call after the other: what is asked of it, and how results come back.

Results are told in batches: one wake-up of the loop for all that was done meanwhile. A result that nobody waits for any
more is undone. Errors come back without the traceback of the thread, which would hold what raised them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from imap4fast.errors import InternalError, ServiceError
from imap4fast.mail.ledger import Note
from imap4fast.mail.quota import SpoolFullError
from imap4fast.mail.spool import NO_ROOM

MOST_CALLS = 4096
"""Calls that may wait at once; beyond that the disk is too slow for what is asked of it."""
BATCH = 32
"""Results are told at the latest when there are so many."""


class _Call:
    """Something for the thread to do. `land` gets the result on the loop; where there is a `future` it is for the
    results that nobody waits for.
    """

    __slots__ = ("failure", "future", "land", "result", "work")

    def __init__(
        self, work: Callable[[], Any], future: asyncio.Future[Any] | None, land: Callable[[Any], object] | None
    ) -> None:
        self.work = work
        self.future = future
        self.land = land
        self.result: Any = None
        self.failure: ServiceError | InternalError | None = None


class IoThread:
    """`notes` is asked by the thread after each call and `hear` gets on the loop what it gave; `hear` also gets, as a
    text, what was wrong with a call that nobody waits for. `finish` is the thread's last call.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        notes: Callable[[], list[Note]],
        hear: Callable[[list[Note] | str], object],
        finish: Callable[[], object],
    ) -> None:
        self.open = False
        self.ended: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._notes = notes
        self._hear = hear
        self._finish = finish
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._done: deque[_Call] = deque()
        self._told = False
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self.open = True
        self._thread.start()

    async def stop(self) -> None:
        """Does what is still to be done, and ends the thread."""
        self.open = False
        self._calls.put(None)
        await self.ended
        self._thread.join()
        self._deliver()

    def put(self, work: Callable[[], Any], land: Callable[[Any], object] | None = None) -> None:
        """Has it done; nobody waits for it."""
        self._calls.put(_Call(work, None, land))

    async def ask(self, work: Callable[[], Any], undo: Callable[[Any], object] | None = None) -> Any:
        """What `work` gives. Raises ServiceError; InternalError for what should not have happened."""
        if not self.open:
            raise ServiceError("spool", "stopped")
        if self._calls.qsize() >= MOST_CALLS:
            raise ServiceError("spool", "too many calls wait for the disk")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._calls.put(_Call(work, future, undo))
        try:
            return await future
        except asyncio.CancelledError:
            if undo is not None and not future.cancelled() and future.exception() is None:
                undo(future.result())  # it had come, but the waiting task was cancelled before it could take it
            raise
        finally:
            del future  # its error would hold this frame, and this frame it

    # The thread

    def _run(self) -> None:
        waiting = 0
        while (call := self._calls.get()) is not None:
            self._do(call)
            waiting += 1
            if waiting >= BATCH or self._calls.empty():
                waiting = 0
                self._tell()
        try:
            self._finish()
        finally:
            self._loop.call_soon_threadsafe(self.ended.set_result, None)

    def _do(self, call: _Call) -> None:
        try:
            if call.land is not None and call.future is not None and call.future.cancelled():
                call.land = None  # what it gives would be undone
            else:
                call.result = call.work()
        except (OSError, ServiceError) as error:
            call.failure = service_error(error)
        except Exception as error:
            call.failure = InternalError(f"disk: {type(error).__name__}: {error}")
        if call.future is not None or call.land is not None or call.failure is not None:
            self._done.append(call)
        notes = self._notes()
        if notes:
            told = _Call(self._run, None, self._hear)
            told.result = notes
            self._done.append(told)

    def _tell(self) -> None:
        if self._done and not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._deliver)

    # The loop

    def _deliver(self) -> None:
        self._told = False
        done = self._done
        while done:
            self._land(done.popleft())

    def _land(self, call: _Call) -> None:
        future = call.future
        if future is None or future.cancelled():
            if call.failure is None:
                if call.land is not None:
                    call.land(call.result)
            elif future is None:
                self._hear(str(call.failure))
        elif call.failure is not None:
            future.set_exception(call.failure)
        else:
            future.set_result(call.result)


def service_error(error: OSError | ServiceError) -> ServiceError:
    """A new error that says the same, without a traceback."""
    if isinstance(error, SpoolFullError):
        return SpoolFullError(error.why)
    if isinstance(error, ServiceError):
        return ServiceError(error.service, error.why)
    if error.errno in NO_ROOM:
        return SpoolFullError(error.strerror)
    return ServiceError("spool", error.strerror or str(error))
