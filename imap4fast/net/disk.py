"""The one thread of a worker that touches files and the database of the spool: nothing of them ever runs on the loop.

Calls are put into a queue and done in their order; results come back to the loop in batches, one wake-up for all that
was done meanwhile. What is appended to a file needs no answer: chunks wait together and are written by one call; who
appends looks at `pending` and stops reading its socket above a mark. A reader that goes on where it stopped finds the
next octets here already, without the thread.

Every error is a ServiceError("spool", why); where there is no room it is a SpoolFullError.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

from imap4fast.errors import InternalError, ServiceError
from imap4fast.log import spol, tcps
from imap4fast.log.entry import Entry
from imap4fast.log.setup import Logs
from imap4fast.mail import ledger
from imap4fast.mail.ledger import Note
from imap4fast.mail.quota import SpoolFullError
from imap4fast.mail.spool import NO_ROOM, Found, Said, Spool
from imap4fast.mail.spoolkey import Origin
from imap4fast.mail.store import Kept
from imap4fast.mail.work import Verdicts
from imap4fast.net.openfile import OpenFile

MOST_CALLS = 4096
"""Calls that may wait at once; beyond that the disk is too slow for what is asked of it."""
BATCH = 32
"""Results are told at the latest when there are so many."""
AHEAD_BYTES = 256 * 1024
MOST_AHEAD_BYTES = 8 * 1024 * 1024
"""What is read ahead: at a time, and for all files together."""
CLOSE_S = 0.02
"""How long a file that was closed may stay open; its bytes are counted for so long."""
TIDY_S, TIDY_MORE_S = 60.0, 0.05
QUIET_S = 60.0
STAMP = "%Y%m%d-%H%M%S"

_ENTRIES: dict[str, Entry] = {
    ledger.BEGUN_ANEW: spol.BEGUN_ANEW,
    ledger.WITHOUT: spol.WITHOUT,
    ledger.FAILED: spol.FAILED,
    ledger.OTHER_OCTETS: spol.OTHER_OCTETS,
}


class _Call:
    """Something for the thread to do. `land` gets the result on the loop; without it, `future` does."""

    __slots__ = ("failure", "future", "land", "result", "work")

    def __init__(
        self, work: Callable[[], Any], future: asyncio.Future[Any] | None, land: Callable[[Any], object] | None
    ) -> None:
        self.work = work
        self.future = future
        self.land = land
        self.result: Any = None
        self.failure: ServiceError | InternalError | None = None


class Disk:
    """The spool's thread. `start` before anything else, `stop` at the end; all else is called on the loop.

    Descriptors that come from here are numbers for helpers to be given and for these methods; they are closed by
    `close`, once, and by nothing else.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, spool: Spool, logs: Logs, clock: Callable[[], float] = time.time
    ) -> None:
        self.pending_bytes = 0
        self._loop = loop
        self._spool = spool
        self._logs = logs
        self._clock = clock
        self._files: dict[int, OpenFile] = {}
        self._ahead_bytes = 0
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._done: deque[_Call] = deque()
        self._closing: list[int] = []
        self._told = False
        self._open = False
        self._quiet_until = 0.0
        self._ended: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins to work."""
        self._open = True
        self._thread.start()
        self._tidied(False)

    async def stop(self) -> None:
        """Does what is still to be done, closes the spool and ends the thread. Files may be closed after it, too."""
        if not self._open:
            return
        self._close_all()
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        self._calls.put(None)
        await self._ended
        self._thread.join()
        self._deliver()
        self._released(self._closing)  # what was closed meanwhile

    # Files in flight

    async def create(self, octets: int = 0) -> int:
        """A new file without a name, for which so much is reserved. Raises ServiceError."""
        fd: int = await self._asked(partial(self._spool.create, octets), self._release)
        self._files[fd] = OpenFile()
        return fd

    async def reserve(self, fd: int, octets: int) -> None:
        """From now on so much in all is reserved for the file. Raises ServiceError."""
        await self._asked(partial(self._spool.reserve, fd, octets))

    def append(self, fd: int, data: bytes) -> None:
        """Writes behind all that was appended before; what goes wrong is `failure`, and raised by `settled`."""
        file = self._files[fd]
        size = len(data)
        file.chunks.append(data)
        file.pending += size
        self.pending_bytes += size
        if file.ahead:
            self._forget_ahead(file)
        if not file.queued:
            file.queued = True
            self._calls.put(_Call(partial(self._write, fd, file), None, partial(self._written, file)))

    def pending(self, fd: int) -> int:
        """Octets that were appended to the file and are not written yet."""
        return self._files[fd].pending

    def when_below(self, fd: int, mark: int, callback: Callable[[], object]) -> None:
        """Calls once, when less than `mark` of the file is pending; at once if so it is. Never after `close`."""
        file = self._files[fd]
        if file.pending < mark:
            callback()
        else:
            file.marks.append((mark, callback))

    def failure(self, fd: int) -> ServiceError | None:
        """Why the file could not be written, as far as is known by now."""
        return self._files[fd].failure

    async def settled(self, fd: int) -> int:
        """Waits until all that was appended is written; how much that is. Raises ServiceError where it was not."""
        file = self._files[fd]
        size: int = await self._asked(lambda: file.written)
        if file.failure is not None:
            raise _service_error(file.failure)
        return size

    async def pread(self, fd: int, size: int, offset: int) -> bytes:
        """As pread(2), but fewer octets than asked for come at the end of the file, or of the mail in an object, alone.
        Raises ServiceError.
        """
        file = self._files[fd]
        size = file.within(size, offset)
        octets = file.ready(size, offset)
        if octets is None:
            octets = await self._read(fd, file, size, offset)
        file.next = offset + size
        return octets

    async def _read(self, fd: int, file: OpenFile, size: int, offset: int) -> bytes:
        goes_on = offset == file.next and size < AHEAD_BYTES
        if file.ahead:
            self._forget_ahead(file)
        if not goes_on or self._ahead_bytes + AHEAD_BYTES > MOST_AHEAD_BYTES:
            octets: bytes = await self._asked(partial(os.pread, fd, size, offset))
            return octets
        octets = await self._asked(partial(os.pread, fd, AHEAD_BYTES, offset))
        if self._files.get(fd) is file and not file.ahead:
            file.read_ahead(octets, offset, len(octets) < AHEAD_BYTES)
            self._ahead_bytes += len(octets)
        return octets[:size]

    def _forget_ahead(self, file: OpenFile) -> None:
        self._ahead_bytes -= len(file.ahead)
        file.ahead = b""

    def close(self, fd: int) -> None:
        """Closes a file after all that was asked of it; soon, since nobody waits for it."""
        file = self._files.pop(fd)
        file.marks.clear()
        self._forget_ahead(file)
        self._release(fd)

    def _release(self, fd: int) -> None:
        if self._open and not self._closing:
            self._loop.call_later(CLOSE_S, self._close_all)
        self._closing.append(fd)
        if self._ended.done():
            self._released(self._closing)
        elif len(self._closing) >= BATCH:
            self._close_all()

    def _close_all(self) -> None:
        """One call for all: to wake the thread costs more than to close a file."""
        if self._open and self._closing:
            closing, self._closing = self._closing, []
            self._calls.put(_Call(partial(self._released, closing), None, None))

    def _released(self, fds: list[int]) -> None:
        while fds:
            self._spool.release(fds.pop())

    def _write(self, fd: int, file: OpenFile) -> int:
        """On the thread: all chunks that have come by now; how much they were, written or not."""
        file.queued = False
        chunks = []
        while file.chunks:
            chunks.append(file.chunks.popleft())
        if file.failure is None:
            try:
                file.written = self._spool.write(fd, file.written, chunks)
            except (OSError, ServiceError) as error:
                file.failure = _service_error(error)
        return sum(map(len, chunks))

    def _written(self, file: OpenFile, size: int) -> None:
        file.pending -= size
        self.pending_bytes -= size
        for callback in file.take_due():
            callback()

    # Objects and verdicts

    async def find(self, key: bytes, ahead: int = 0) -> Found | None:
        """As Spool.find: the object is opened, its index is read. With `ahead`, up to so many octets of the mail are
        read as well, and the next `pread` of them need not wait. Raises ServiceError.
        """
        ahead = min(ahead, AHEAD_BYTES) if self._ahead_bytes + ahead <= MOST_AHEAD_BYTES else 0
        found: Found | None = await self._asked(partial(self._spool.find, key, self._now(), ahead), self._give_up)
        if found is not None and found.fd >= 0:
            file = self._files[found.fd] = OpenFile(found.kept.mail_size)
            file.read_ahead(found.head, 0, len(found.head) == found.kept.mail_size)
            self._ahead_bytes += len(found.head)
        return found

    def _give_up(self, found: Found | None) -> None:
        if found is not None and found.fd >= 0:
            self._release(found.fd)

    async def keep(self, origin: Origin, fd: int, kept: Kept, said: Said | None = None) -> bool:
        """As Spool.keep: True, the object behind `fd` is found from now on; the file stays open, and from now on only
        the mail in it is read. Raises ServiceError.
        """
        file = self._files[fd]
        entered: bool = await self._asked(partial(self._spool.keep, origin, fd, kept, self._now(), said))
        file.ends_at = kept.mail_size
        return entered

    def drop(self, key: bytes) -> None:
        """Forgets what is kept under the key."""
        self._calls.put(_Call(partial(self._spool.drop, key), None, None))

    def drop_mailbox(self, account: bytes, server: bytes, mailbox: bytes, delimiter: bytes) -> None:
        """Forgets what is kept of a mailbox and of those below it; nothing of it is found by a later `find`."""
        work = partial(self._spool.drop_mailbox, account, server, mailbox, delimiter)
        self._calls.put(_Call(work, None, None))

    async def verdicts(self, content: bytes, engines: bytes, versions: bytes) -> tuple[Verdicts, bool] | None:
        """As Spool.verdicts. Raises ServiceError."""
        work = partial(self._spool.verdicts, content, engines, versions, self._now())
        held: tuple[Verdicts, bool] | None = await self._asked(work)
        return held

    async def keep_verdicts(self, content: bytes, engines: bytes, versions: bytes, verdicts: Verdicts) -> Verdicts:
        """As Spool.keep_verdicts: the verdicts that hold. Raises ServiceError."""
        said = Said(content, engines, versions, verdicts)
        held: Verdicts = await self._asked(partial(self._spool.keep_verdicts, said, self._now()))
        return held

    async def quarantine(self, directory: int, fd: int, text: str) -> str:
        """As Spool.quarantine: the name of the copy. Raises ServiceError."""
        stamp = time.strftime(STAMP, time.gmtime(self._clock()))
        name: str = await self._asked(partial(self._spool.quarantine, directory, fd, text, stamp))
        return name

    def _now(self) -> int:
        return int(self._clock())

    def _tidied(self, more: bool) -> None:
        if self._open:
            self._timer = self._loop.call_later(TIDY_MORE_S if more else TIDY_S, self._tidy)

    def _tidy(self) -> None:
        self._calls.put(_Call(partial(self._spool.tidy, self._now()), None, self._tidied))

    # Between loop and thread

    async def _asked(self, work: Callable[[], Any], undo: Callable[[Any], object] | None = None) -> Any:
        """What `work` gives on the thread. Who no longer waits for a result has it undone."""
        if not self._open:
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

    def _run(self) -> None:
        """The thread."""
        waiting = 0
        while (call := self._calls.get()) is not None:
            self._do(call)
            waiting += 1
            if waiting >= BATCH or self._calls.empty():
                waiting = 0
                self._tell()
        try:
            self._spool.close()
        finally:
            self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _do(self, call: _Call) -> None:
        try:
            if call.land is not None and call.future is not None and call.future.cancelled():
                call.land = None  # what it gives would be undone
            else:
                call.result = call.work()
        except (OSError, ServiceError) as error:
            call.failure = _service_error(error)
        except Exception as error:
            call.failure = InternalError(f"disk: {type(error).__name__}: {error}")
        self._done.append(call)
        notes = self._spool.take_notes()
        if notes:
            told = _Call(lambda: None, None, self._log)
            told.result = notes
            self._done.append(told)

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._told = False
        done = self._done
        while done:
            self._land(done.popleft())

    def _land(self, call: _Call) -> None:
        future = call.future
        if future is None:
            if call.failure is not None:
                self._logs.write(tcps.INTERNAL_ERROR, "disk", str(call.failure))
            elif call.land is not None:
                call.land(call.result)
        elif future.cancelled():
            if call.land is not None and call.failure is None:
                call.land(call.result)
        elif call.failure is not None:
            future.set_exception(call.failure)
        else:
            future.set_result(call.result)

    def _log(self, notes: list[Note]) -> None:
        for note in notes:
            entry = _ENTRIES[note.kind]
            quiet = entry is spol.FAILED and self._loop.time() < self._quiet_until
            if entry is spol.FAILED and not quiet:
                self._quiet_until = self._loop.time() + QUIET_S
            self._logs.write(entry, note.text, severity="D" if quiet else None)


def _service_error(error: OSError | ServiceError) -> ServiceError:
    """Without a traceback, which would hold what raised it."""
    if isinstance(error, SpoolFullError):
        return SpoolFullError(error.why)
    if isinstance(error, ServiceError):
        return ServiceError(error.service, error.why)
    if error.errno in NO_ROOM:
        return SpoolFullError(error.strerror)
    return ServiceError("spool", error.strerror or str(error))
