"""The one thread of a worker that touches files and the database of the spool: nothing of them ever runs on the loop.

Calls are done in their order (iothread.py). What is appended to a file needs no answer: chunks wait together and are
written by one call; who appends looks at `pending` and stops reading its socket above a mark. A reader that goes on
where it stopped finds the next octets here already, without the thread.

Every error is a ServiceError("spool", why); where there is no room it is a SpoolFullError.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from imap4fast.errors import ServiceError
from imap4fast.log import spol, tcps
from imap4fast.log.entry import Entry
from imap4fast.log.setup import Logs
from imap4fast.mail import ledger
from imap4fast.mail.ledger import Note
from imap4fast.mail.spool import Found, Held, Said, Spool
from imap4fast.mail.spoolfiles import write
from imap4fast.mail.spoolkey import Origin
from imap4fast.mail.store import Kept
from imap4fast.mail.work import Verdicts
from imap4fast.net.iothread import BATCH, IoThread, service_error
from imap4fast.net.openfile import OpenFile

AHEAD_BYTES = 256 * 1024
MOST_AHEAD_BYTES = 8 * 1024 * 1024
"""What is read ahead: at a time, and for all files together."""
IN_MEMORY = 256 * 1024
MOST_IN_MEMORY = 16 * 1024 * 1024
"""Files that pass and never get a name are in memory: each up to so large, and all together."""
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
        self._in_memory: dict[int, int] = {}
        self._memory_bytes = 0
        self._closing: list[int] = []
        self._quiet_until = 0.0
        self._thread = IoThread(loop, spool.take_notes, self._log, spool.close)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()
        self._tidied(False)

    async def stop(self) -> None:
        """Does what is still to be done, closes the spool and ends the thread. Files may be closed after it, too."""
        if not self._thread.open:
            return
        self._close_all()
        if self._timer is not None:
            self._timer.cancel()
        await self._thread.stop()
        self._released(self._closing)  # what was closed meanwhile

    # Files in flight

    def in_memory(self, octets: int) -> int:
        """As `create`, at once, for a small file that will never get a name; -1: there is no room for it in memory."""
        if octets > IN_MEMORY or self._memory_bytes + octets > MOST_IN_MEMORY:
            return -1
        try:
            fd = os.memfd_create("mail", os.MFD_CLOEXEC)
        except OSError:
            return -1
        self._files[fd] = OpenFile()
        self._in_memory[fd] = octets
        self._memory_bytes += octets
        return fd

    async def create(self, octets: int = 0) -> int:
        """A new file without a name, for which so much is reserved. Raises ServiceError."""
        fd: int = await self._asked(partial(self._spool.create, octets), self._release)
        self._files[fd] = OpenFile()
        return fd

    async def reserve(self, fd: int, octets: int) -> None:
        """From now on so much in all is reserved for the file. Raises ServiceError."""
        await self._asked(partial(self._spool.reserve, fd, octets))

    async def make_room(self, fd: int) -> None:
        """As Spool.make_room. Raises ServiceError."""
        await self._asked(partial(self._spool.make_room, fd))

    def append(self, fd: int, data: bytes) -> None:
        """Writes behind all that was appended before; what goes wrong is `failure`, and raised by `settled`."""
        file = self._files[fd]
        if fd in self._in_memory:
            self._append_in_memory(fd, file, data)
            return
        size = len(data)
        file.chunks.append(data)
        file.pending += size
        self.pending_bytes += size
        if file.ahead:
            self._forget_ahead(file)
        if not file.queued:
            file.queued = True
            self._thread.put(partial(self._write, fd, file), partial(self._written, file))

    @staticmethod
    def _append_in_memory(fd: int, file: OpenFile, data: bytes) -> None:
        if file.failure is None:
            try:
                write(fd, [data], file.written)
                file.written += len(data)
            except OSError as error:
                file.failure = service_error(error)

    @staticmethod
    def _read_in_memory(fd: int, size: int, offset: int) -> bytes:
        try:
            return os.pread(fd, size, offset)
        except OSError as error:
            raise service_error(error) from error

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
            raise service_error(file.failure)
        return size

    async def pread(self, fd: int, size: int, offset: int) -> bytes:
        """As pread(2), but fewer octets than asked for come at the end of the file, or of the mail in an object, alone.
        Raises ServiceError.
        """
        file = self._files[fd]
        size = file.within(size, offset)
        octets = file.ready(size, offset)
        if octets is None and fd in self._in_memory:
            octets = self._read_in_memory(fd, size, offset)
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

    async def aside(self, work: Callable[[], Any]) -> Any:
        """What `work` gives, which is nothing of the disk's but takes too long for the loop. Raises ServiceError."""
        return await self._thread.ask(work)

    def close(self, fd: int) -> None:
        """Closes a file after all that was asked of it; soon, since nobody waits for it."""
        file = self._files.pop(fd)
        file.marks.clear()
        self._forget_ahead(file)
        self._memory_bytes -= self._in_memory.pop(fd, 0)
        self._release(fd)

    def _release(self, fd: int) -> None:
        if self._thread.open and not self._closing:
            self._loop.call_later(CLOSE_S, self._close_all)
        self._closing.append(fd)
        if self._thread.ended.done():
            self._released(self._closing)
        elif len(self._closing) >= BATCH:
            self._close_all()

    def _close_all(self) -> None:
        """One call for all: to wake the thread costs more than to close a file."""
        if self._thread.open and self._closing:
            closing, self._closing = self._closing, []
            self._thread.put(partial(self._released, closing))

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
                file.failure = service_error(error)
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
        work = partial(self._spool.find, key, self._now(), self._may_read(ahead))
        found: Found | None = await self._asked(work, self._give_up)
        if found is not None and found.fd >= 0:
            file = self._files[found.fd] = OpenFile()
            self._took(file, found)
        return found

    def _may_read(self, ahead: int) -> int:
        return min(ahead, AHEAD_BYTES) if self._ahead_bytes + ahead <= MOST_AHEAD_BYTES else 0

    def _took(self, file: OpenFile, found: Found) -> None:
        file.ends_at = found.kept.mail_size
        if file.ahead:
            self._forget_ahead(file)
        file.read_ahead(found.head, 0, len(found.head) == found.kept.mail_size)
        self._ahead_bytes += len(found.head)

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

    async def prepared(
        self, fd: int, content: bytes, engines: bytes, versions: bytes, octets: int
    ) -> tuple[Held | None, int]:
        """`settled`, `verdicts` and `create` by one call: what precedes the processing of a mail that has come."""
        file = self._files[fd]
        work = partial(self._prepare, file, (content, engines, versions, self._now()), octets)
        held, target = await self._asked(work, lambda made: self._release(made[1]))
        self._files[target] = OpenFile()
        return held, target

    def _prepare(self, file: OpenFile, asked: tuple[bytes, bytes, bytes, int], octets: int) -> tuple[Held | None, int]:
        if file.failure is not None:
            raise service_error(file.failure)
        return self._spool.verdicts(*asked), self._spool.create(octets)

    async def finished(
        self, fd: int, kept: Kept, origin: Origin | None = None, said: Said | None = None, ahead: int = 0
    ) -> Found:
        """What follows the processing, by one call: the object behind `fd` is kept where there is an `origin`, what was
        said of it in any case, and it is read as `find` reads it. The descriptor is the same. Raises ServiceError.
        """
        file, ahead = self._files[fd], self._may_read(ahead)
        work = partial(self._spool.finish, fd, kept, origin, said, self._now(), ahead)
        found: Found = await self._asked(work)
        self._took(file, found)
        return found

    def drop(self, key: bytes) -> None:
        """Forgets what is kept under the key."""
        self._thread.put(partial(self._spool.drop, key))

    def drop_mailbox(self, account: bytes, server: bytes, mailbox: bytes, delimiter: bytes) -> None:
        """Forgets what is kept of a mailbox and of those below it; nothing of it is found by a later `find`."""
        work = partial(self._spool.drop_mailbox, account, server, mailbox, delimiter)
        self._thread.put(work)

    async def verdicts(self, content: bytes, engines: bytes, versions: bytes) -> Held | None:
        """As Spool.verdicts. Raises ServiceError."""
        work = partial(self._spool.verdicts, content, engines, versions, self._now())
        held: Held | None = await self._asked(work)
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
        if self._thread.open:
            self._timer = self._loop.call_later(TIDY_MORE_S if more else TIDY_S, self._tidy)

    def _tidy(self) -> None:
        self._thread.put(partial(self._spool.tidy, self._now()), self._tidied)

    async def _asked(self, work: Callable[[], Any], undo: Callable[[Any], object] | None = None) -> Any:
        self._close_all()  # before it: their bytes may be needed
        return await self._thread.ask(work, undo)

    def _log(self, notes: list[Note] | str) -> None:
        if isinstance(notes, str):
            self._logs.write(tcps.INTERNAL_ERROR, "disk", notes)
            return
        for note in notes:
            entry = _ENTRIES[note.kind]
            quiet = entry is spol.FAILED and self._loop.time() < self._quiet_until
            if entry is spol.FAILED and not quiet:
                self._quiet_until = self._loop.time() + QUIET_S
            self._logs.write(entry, note.text, severity="D" if quiet else None)
