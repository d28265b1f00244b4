"""A gzip file that unpacks to itself, without end (T-A03), made as in Russ Cox, "Zip Files All The Way Down" (2010).

Deflate's blocks serve as the instructions of a program that prints itself: `_print(n)` is a stored block's header that
prints the n octets behind it, `_again(n)` prints the last n octets once more; both are five octets long.
"""

from __future__ import annotations

import zlib

_UNIT = 5
_HEAD = b"\x1f\x8b\x08\x08\0\0\0\0\x02\xff" + b"r.gz\0"
_LAST = b"\1\0\0\xff\xff"


def _print(size: int) -> bytes:
    return b"\0" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")


def _again(size: int) -> bytes:
    """A block of fixed codes: two matches of half the size (at most 10) at the distance `size` (17 to 24)."""
    bits = "010"  # not the last block; fixed codes, low bit first
    for length in (size // 2, size - size // 2):
        bits += f"{length - 2:07b}" + "01000" + f"{size - 17:03b}"[::-1]
    bits += "0" * 7
    assert len(bits) == 8 * _UNIT
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


def _program(crc: int) -> bytes:
    head, four = len(_HEAD) + _UNIT, 4 * _UNIT
    tail = len(_LAST) + 8 + _UNIT
    start = _HEAD + _print(head)
    first = _again(head) + _print(_UNIT) * 2 + _print(four)
    second = (_again(four) + _print(four)) * 2
    third = _again(four) + _print(0) * 2 + _print(tail)
    whole = start * 2 + _again(head) + _print(_UNIT) + _again(head) + _print(_UNIT) * 2 + _print(four) + first
    whole += _again(four) + _print(four) + second + _again(four) + _print(four) + third
    whole += _again(four) + _print(0) * 2 + _print(tail)
    size = len(whole) + 2 * tail
    end = _again(tail) + _LAST + crc.to_bytes(4, "little") + size.to_bytes(4, "little")
    return whole + end * 2


def gzip_quine() -> bytes:
    """The sum that the file holds is the sum of the file: 32 linear equations of 32 bits."""
    base = zlib.crc32(_program(0))
    rows = [(zlib.crc32(_program(1 << bit)) ^ base ^ (1 << bit), 1 << bit) for bit in range(32)]
    crc, left = 0, base
    for bit in range(32):
        pivot = next((row for row in rows if row[0] >> bit & 1), None)
        if pivot is None:
            continue
        rows = [
            row if not row[0] >> bit & 1 else (row[0] ^ pivot[0], row[1] ^ pivot[1]) for row in rows if row != pivot
        ]
        if left >> bit & 1:
            left, crc = left ^ pivot[0], crc ^ pivot[1]
    quine = _program(crc)
    assert zlib.decompress(quine, 31) == quine
    return quine
