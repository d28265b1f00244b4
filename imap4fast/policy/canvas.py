"""Where the octets of a mail are while a helper works on it: small ones in memory, large ones in files.

A helper has two descriptors: the mail as it came, and the file that it writes. The second holds what is between, too,
behind the place where the result will stand; it is cut off at the end. So the memory that a mail takes does not grow
with its size, whatever is done to it.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from itertools import chain

from imap4fast.mail.canonical import Octets
from imap4fast.mail.splice import Piece

IN_MEMORY = 1 << 20
"""Octets up to which a mail is made in memory."""

_SLACK = 8 << 20
_AT_ONCE = 1 << 24


class Canvas:
    """One mail: `source` of `size` octets is mapped, `target` is written (and read again: open it for both)."""

    def __init__(self, source: int, target: int, size: int) -> None:
        self.original = _read(source, size)
        self._target = target
        granularity = mmap.ALLOCATIONGRANULARITY
        self._second = (2 * size + _SLACK + granularity - 1) // granularity * granularity
        self._mapped: Octets = b""
        self._at = -1

    def put(self, pieces: Iterable[Piece]) -> Octets:
        """The pieces, one behind the other, as one; what `put` gave before stays readable until the next but one."""
        held: list[Piece] = []
        size = 0
        rest = iter(pieces)
        for piece in rest:
            held.append(piece)
            size += len(piece)
            if size > IN_MEMORY:
                return self._put_in_file(chain(held, rest))
        return b"".join(held)

    def _put_in_file(self, pieces: Iterable[Piece]) -> Octets:
        start = at = self._second if self._at == 0 else 0
        for piece in pieces:
            at = self._write(piece, at)
            if not start and at > self._second:
                raise ValueError("the mail grows beyond all bounds")
        self._mapped = mmap.mmap(self._target, at - start, access=mmap.ACCESS_READ, offset=start)
        self._at = start
        return self._mapped

    def finish(self, mail: Octets, behind: bytes = b"") -> None:
        """The target is these octets, and nothing else. What `put` gave may be gone after it."""
        if mail is not self._mapped or self._at != 0:
            self._write(mail, 0)
        end = self._write(behind, len(mail))
        if self._at >= 0:
            os.ftruncate(self._target, end)

    def end(self, at: int) -> None:
        """The target ends here."""
        os.ftruncate(self._target, at)

    def append(self, octets: Octets | memoryview, at: int) -> int:
        """Octets at a place of the target, for jobs that make no mail; where the next ones go."""
        return self._write(octets, at)

    def _write(self, octets: Octets | memoryview, at: int) -> int:
        """Where the next octets go."""
        with memoryview(octets) as whole:
            for start in range(0, len(whole), _AT_ONCE):
                with whole[start : start + _AT_ONCE] as window:
                    done = 0
                    while done < len(window):
                        done += os.pwrite(self._target, window[done:], at + start + done)
            return at + len(whole)


def _read(source: int, size: int) -> Octets:
    """A small mail in memory, where searching is quicker; a large one as its file."""
    if size > IN_MEMORY:
        return mmap.mmap(source, size, access=mmap.ACCESS_READ)
    octets = os.pread(source, size, 0)
    if len(octets) != size:
        raise ValueError("the mail is not all there")
    return octets
