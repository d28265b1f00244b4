"""Canonical octets of a mail: line ends are CRLF, and there is no NUL.

Whether anything is to be done is found by C functions over windows, so that a mapped file costs no memory of its size.
The final line end is a rule of its own: a mail that ends without one goes on ending without one, since the server
counts it so; a lone CR or LF at its end becomes CRLF as anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from mmap import mmap

Octets = bytes | mmap
"""What holds a mail: octets in memory, or a mapped file."""

WINDOW = 1 << 20

LONE_LF = re.compile(rb"(?<!\r)\n")

NOT_LINE_ENDS = bytes(set(range(256)) - set(b"\r\n"))


def canonical(data: Octets) -> Octets:
    """`data` itself where it is canonical; else its octets with LF and CR alone made CRLF, and NULs left out."""
    return data if is_canonical(data) else repaired(data[:])


def repaired(octets: bytes) -> bytes:
    return octets.replace(b"\0", b"").replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def repaired_pieces(data: Octets) -> Iterator[bytes]:
    """The same of a mail, piece by piece."""
    return map(repaired, windows(data))


def is_canonical(data: Octets) -> bool:
    return all(b"\0" not in window and lines_are_whole(window) for window in windows(data))


def has_bad_char(data: Octets, start: int = 0, stop: int | None = None) -> bool:
    """Whether there is a NUL, or a CR without LF. A LF without CR is no bad character: it is a line end."""
    return any(
        b"\0" in window or (not lines_are_whole(window) and window.count(b"\r") != window.count(b"\r\n"))
        for window in windows(data, start, stop)
    )


def is_ascii(data: Octets, start: int = 0, stop: int | None = None) -> bool:
    return all(window.isascii() for window in windows(data, start, stop))


def lines_are_whole(window: bytes) -> bool:
    """Each CR and each LF is half of a CRLF."""
    return len(window.translate(None, NOT_LINE_ENDS)) == 2 * window.count(b"\r\n")


def windows(data: Octets, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The octets from `start` to `stop` in pieces; a CRLF is never cut."""
    stop = len(data) if stop is None else stop
    while start < stop:
        window = data[start : min(start + WINDOW, stop)]
        behind = start + len(window)
        if behind < stop and window.endswith(b"\r") and data[behind : behind + 1] == b"\n":
            window += b"\n"
        yield window
        start += len(window)
