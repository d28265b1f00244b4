"""The last bytes of the log in a mapped file of fixed size, for the time after a crash.

The file starts with one line of HEADER bytes, `imap4fast-ring SIZE END`, END being where the next byte goes in the
ring that follows; then the ring. It is written at once, not on a timer. All processes share one ring under a record
lock; who finds it taken keeps the line until the next one. `python -m imap4fast.log.ring FILE` prints the lines in
order.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sys

HEADER = 64
_KEEP_BYTES = 65536


class Ring:
    """A ring of `size` bytes in the file `path`. OSError when it cannot be made."""

    def __init__(self, path: str, size: int, owner: tuple[int, int] | None = None) -> None:
        self._size = max(size, 4096)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        if owner and os.geteuid() == 0:
            os.fchown(self._fd, *owner)
        self._waiting = b""
        fresh = os.fstat(self._fd).st_size != HEADER + self._size
        if fresh:
            os.ftruncate(self._fd, 0)
            os.posix_fallocate(self._fd, 0, HEADER + self._size)
        self._map = mmap.mmap(self._fd, HEADER + self._size)
        if fresh or _end(self._map, self._size) is None:
            self._write_header(0)

    def _write_header(self, end: int) -> None:
        self._map[:HEADER] = f"imap4fast-ring {self._size} {end}".ljust(HEADER - 1).encode() + b"\n"

    def put(self, line: str) -> None:
        """Takes one line with its newline."""
        self._waiting = (self._waiting + line.encode("utf-8", "backslashreplace"))[-_KEEP_BYTES:]
        self.flush()

    def flush(self) -> None:
        """Writes what waits, unless another process is writing."""
        if not self._waiting:
            return
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        try:
            self._append(self._waiting[-self._size :])
        finally:
            fcntl.lockf(self._fd, fcntl.LOCK_UN)
        self._waiting = b""

    def _append(self, data: bytes) -> None:
        """The bytes first, the header behind them: who dies in between leaves the old end."""
        start = _end(self._map, self._size) or 0
        first = data[: self._size - start]
        self._map[HEADER + start : HEADER + start + len(first)] = first
        rest = data[len(first) :]
        self._map[HEADER : HEADER + len(rest)] = rest
        self._write_header((start + len(data)) % self._size)

    def after_fork(self) -> None:
        """In a new process: forgets what the parent is going to write. The mapping is shared."""
        self._waiting = b""

    def close(self) -> None:
        """Ends its use; the file stays."""
        self.flush()
        self._map.close()
        os.close(self._fd)


def _end(ring: bytes | mmap.mmap, size: int) -> int | None:
    """Where the next byte goes, by the header; None when there is no header for a ring of this size."""
    words = ring[:HEADER].split()
    if len(words) != 3 or words[0] != b"imap4fast-ring" or not words[2].isdigit() or words[1] != str(size).encode():
        return None
    end = int(words[2])
    return end if end < size else None


def read_ring(path: str) -> list[str]:
    """The lines of a ring, oldest first, without the piece of a line that was overwritten. ValueError: no ring."""
    with open(path, "rb") as file:
        whole = file.read()
    end = _end(whole, len(whole) - HEADER)
    if end is None:
        raise ValueError(f"{path} is no ring of imap4fast")
    ring = whole[HEADER:]
    text = ring[end:] + ring[:end]
    if b"\0" not in text:
        text = text.partition(b"\n")[2]
    return text.lstrip(b"\0").decode("utf-8", "replace").splitlines()


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in read_ring(sys.argv[1])))
