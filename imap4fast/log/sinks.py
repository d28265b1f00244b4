"""Where lines go: files and streams. (syslog.py and ring.py hold the other two.)

A sink takes whole lines into memory and writes them on `flush()`, which the net tier calls from a timer; 64 KiB in
memory, or an urgent line, force one. Nothing here raises for a failed write or waits for one: what cannot be written
is kept up to KEEP_BYTES, then dropped and counted, and the count is written once writing works again.

Several processes append to one file. Each flush is one write of whole lines to a descriptor opened O_APPEND, so lines
of different processes never mix. Only the process that opened the file rotates it (`after_fork` makes the others
followers): under an exclusive lock it copies the file aside and empties it in place, so that nobody has to open
anything anew, which a worker in a chroot without privileges could not. Followers write under a shared lock, keep
their lines while the rotation runs, and thus none is lost or written twice. Locks are taken only where `rotate` is set.
"""

from __future__ import annotations

import fcntl
import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from stat import S_ISREG
from typing import Protocol

from imap4fast.log.entry import Entry
from imap4fast.log.lines import encoded
from imap4fast.log.logs import REOPEN_FAILED, ROTATION_FAILED

FLUSH_BYTES = 65536
KEEP_BYTES = 1 << 20
_LOCK_ATTEMPTS = 200
_PIPE_BYTES = select.PIPE_BUF


class Note(Protocol):
    """How a sink reports its own troubles: the entry as a line, for the sink to write where it can."""

    def __call__(self, entry: Entry, *args: object) -> None: ...


class Sink(Protocol):
    """Takes lines; `note` is set by the logger which owns the sink."""

    note: Note
    lost_line: Callable[[int, str], str]

    def put(self, line: str, priority: int) -> None:
        """Takes one line with its newline."""

    def flush(self) -> None:
        """Writes what there is, without waiting."""

    def reopen(self) -> None:
        """Opens anew what an outside rotation has renamed."""

    def after_fork(self) -> None:
        """In a new process: forgets lines that the parent is going to write."""

    def close(self) -> None:
        """Last flush; what still cannot be written is lost."""


def reason(error: OSError) -> str:
    """What an operator wants to read of it."""
    return error.strerror or str(error)


def _no_note(entry: Entry, *args: object) -> None:
    """Until a logger owns the sink there is nobody to tell."""


def _no_lost_line(count: int, why: str) -> str:
    return ""


class Buffered:
    """The memory of a sink that writes bytes. Theory:

    `_lines` are fresh, `_queue` holds whole lines that could not be written yet. When it is full, lines are dropped
    and counted in `_lost`; from then on every line is, until the queue and behind it the count could be written.
    `_torn` says that the last write ended inside a line (a full disk): the next one starts a line of its own and
    repeats the torn one whole, since another process may have written behind the torn piece.
    """

    def __init__(self) -> None:
        self.note: Note = _no_note
        self.lost_line: Callable[[int, str], str] = _no_lost_line
        self._lines: list[bytes] = []
        self._size = 0
        self._queue = b""
        self._lost = 0
        self._why = ""
        self._torn = False

    def put(self, line: str, priority: int) -> None:
        """See Sink."""
        self.put_block(encoded(line))

    def put_block(self, block: bytes) -> None:
        """Takes whole lines."""
        self._lines.append(block)
        self._size += len(block)
        if self._size >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """See Sink."""
        fresh = b"".join(self._lines)
        self._forget_fresh()
        if self._lost and not self._settle():
            self._lost += fresh.count(b"\n")
            return
        self._queue += fresh
        if self._queue:
            self._push(b"")
        if len(self._queue) > KEEP_BYTES:
            self._drop_newest()

    def after_fork(self) -> None:
        """See Sink."""
        self._forget_fresh()
        self._queue = b""
        self._lost = 0
        self._torn = False

    def _forget_fresh(self) -> None:
        self._lines.clear()
        self._size = 0

    def _settle(self) -> bool:
        """Writes what was kept and the count of what was lost. True: done, nothing is owed."""
        if self._push(self.lost_line(self._lost, self._why).encode()):
            self._lost = 0
        return not self._lost

    def _push(self, tail: bytes) -> bool:
        """One write of the queue and `tail`. True when all of it went out."""
        lead = b"\n" if self._torn else b""
        try:
            taken = self._write(lead + self._queue + tail)
        except OSError as error:
            self._why = reason(error)
            return False
        written, self._torn = taken - len(lead), self._torn and not taken
        owed = len(self._queue) + len(tail)
        if written < owed:
            self._why = "short write"
        if written <= 0:
            return not owed
        whole = (self._queue + tail).rfind(b"\n", 0, written) + 1
        self._torn = whole != written
        self._queue = self._queue[whole:]
        return written == owed

    def _drop_newest(self) -> None:
        kept = self._queue.rfind(b"\n", 0, KEEP_BYTES) + 1
        self._lost += self._queue.count(b"\n", kept)
        self._queue = self._queue[:kept]

    def _write(self, block: bytes) -> int:
        """Writes without waiting; the count of bytes taken. OSError: none were."""
        raise NotImplementedError


class StreamSink(Buffered):
    """Standard error or another stream that is ours by inheritance: a pipe, a terminal, a socket.

    The description is shared with whoever started us, so it is not made non-blocking; it is asked before each piece,
    and a piece is what a pipe takes without blocking. A longer line goes out alone and may have to wait.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._fd = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def _write(self, block: bytes) -> int:
        taken = 0
        while taken < len(block) and self._poll.poll(0):
            piece = block[taken : _piece_end(block, taken)]
            try:
                wrote = os.write(self._fd, piece)
            except OSError:
                if taken:
                    break
                raise
            taken += wrote
            if wrote < len(piece):
                break
        return taken

    def reopen(self) -> None:
        """A stream cannot be opened anew."""

    def close(self) -> None:
        """See Sink; the descriptor is not ours to close."""
        self.flush()


def _piece_end(block: bytes, start: int) -> int:
    """Where a piece ends that begins at `start`: whole lines, as many as a pipe takes at once, at least one."""
    end = block.rfind(b"\n", start, start + _PIPE_BYTES) + 1
    return end or block.find(b"\n", start) + 1 or len(block)


class FileSink(Buffered):
    """A log file. `rotate` is (bytes, kept files); `owner` (uid, gid) gets the file when it is made here.

    Raises OSError when the file cannot be opened at first. The directory stays open, so that `reopen` works after a
    chroot, if the process may then search the directory and write the file.
    """

    def __init__(self, path: str, rotate: tuple[int, int] | None = None, owner: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.path = path
        self._name = os.path.basename(path)
        self._owner = owner
        self._rotate = rotate
        self._rotates = rotate is not None
        self._rotation_fails = False
        self._directory = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._fd = self._open()
        except OSError:
            os.close(self._directory)
            raise

    def _open(self) -> int:
        """A new descriptor. O_NONBLOCK is for a FIFO; reading is needed for a shared lock and for the copy."""
        mode = os.O_RDWR if self._rotate else os.O_WRONLY
        flags = mode | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
        fresh = not self._exists()
        fd = os.open(self._name, flags, 0o640, dir_fd=self._directory)
        if fresh and self._owner:
            os.fchown(fd, *self._owner)
        if self._rotate and not S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(f"{self.path} is no regular file, it cannot be rotated")
        return fd

    def _exists(self) -> bool:
        try:
            os.stat(self._name, dir_fd=self._directory)
        except OSError:
            return False
        return True

    def _write(self, block: bytes) -> int:
        if self._rotate is None:
            return os.write(self._fd, block)
        fcntl.lockf(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        try:
            return os.write(self._fd, block)
        finally:
            fcntl.lockf(self._fd, fcntl.LOCK_UN)

    def flush(self) -> None:
        """See Sink; the process that opened the file also rotates it."""
        super().flush()
        if self._rotates and self._rotate and os.fstat(self._fd).st_size >= self._rotate[0]:
            self._try_rotation()

    def _try_rotation(self) -> None:
        try:
            with self._alone() as alone:
                if alone:
                    self._empty_into_first()
            self._rotation_fails = False
        except OSError as error:
            if not self._rotation_fails:
                self._rotation_fails = True
                self.note(ROTATION_FAILED, self.path, reason(error))

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Holds the exclusive lock; False when somebody is writing all the time (the next flush tries again)."""
        alone = any(self._locked_alone() for _ in range(_LOCK_ATTEMPTS))
        try:
            yield alone
        finally:
            if alone:
                fcntl.lockf(self._fd, fcntl.LOCK_UN)

    def _locked_alone(self) -> bool:
        """One attempt. No waiting lock: a follower that is stopped while it writes must not stop this process."""
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.sched_yield()
            return False
        return True

    def _empty_into_first(self) -> None:
        """FILE becomes FILE.1, FILE.1 becomes FILE.2 and so on. The copy is complete before anything is given up."""
        kept = self._rotate[1] if self._rotate else 0
        if kept:
            self._copy(f"{self._name}.new")
            for number in range(kept - 1, 0, -1):
                self._rename(f"{self._name}.{number}", f"{self._name}.{number + 1}")
            self._rename(f"{self._name}.new", f"{self._name}.1")
        os.ftruncate(self._fd, 0)

    def _copy(self, name: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        target = os.open(name, flags, 0o640, dir_fd=self._directory)
        try:
            status = os.fstat(self._fd)
            os.fchmod(target, status.st_mode & 0o777)
            sent = 0
            while part := os.sendfile(target, self._fd, sent, max(status.st_size - sent, 0)):
                sent += part
        except OSError:
            os.unlink(name, dir_fd=self._directory)
            raise
        finally:
            os.close(target)

    def _rename(self, old: str, new: str) -> None:
        with suppress(FileNotFoundError):
            os.rename(old, new, src_dir_fd=self._directory, dst_dir_fd=self._directory)

    def reopen(self) -> None:
        """See Sink. When the file cannot be opened the old descriptor stays and the log says so."""
        self.flush()
        try:
            fresh = self._open()
        except OSError as error:
            self.note(REOPEN_FAILED, self.path, reason(error))
            return
        os.close(self._fd)
        self._fd = fresh

    def after_fork(self) -> None:
        """See Sink; only the process that opened the file rotates it."""
        super().after_fork()
        self._rotates = False

    def close(self) -> None:
        """See Sink."""
        self.flush()
        os.close(self._fd)
        os.close(self._directory)
