"""Sequence sets (RFC 3501 section 9) in the face of EXPUNGE that a client has not heard of yet.

A set is never expanded: a range stays a range.
"""

from __future__ import annotations

from collections.abc import Sequence

STAR = b"*"


def to_server(number: int, expunged: Sequence[int]) -> int | None:
    """The server's number for the client's, after the server has said EXPUNGE of each of `expunged` in turn. None: the
    mail is gone.
    """
    for gone in expunged:
        if number == gone:
            return None
        if number > gone:
            number -= 1
    return number


def to_client(number: int, expunged: Sequence[int]) -> int:
    """The client's number for the server's."""
    for gone in reversed(expunged):
        if number >= gone:
            number += 1
    return number


def translated(text: bytes, expunged: Sequence[int]) -> bytes | None:
    """A set in the server's numbers; None: no mail is left in it. `$` names mails by themselves."""
    if not expunged or text == b"$":
        return text
    parts = []
    for part in text.split(b","):
        low, ranged, high = part.partition(b":")
        done = _range(low, high, expunged) if ranged else _single(low, expunged)
        if done is not None:
            parts.append(done)
    return b",".join(parts) or None


def _single(word: bytes, expunged: Sequence[int]) -> bytes | None:
    if word == STAR:
        return word
    number = to_server(int(word), expunged)
    return None if number is None else b"%d" % number


def _range(low: bytes, high: bytes, expunged: Sequence[int]) -> bytes | None:
    """A range shrinks from both ends to mails that are still there."""
    if high == STAR or low == STAR:
        word = low if high == STAR else high
        return STAR if word == STAR else b"%d:*" % _next(int(word), expunged)
    first, last = sorted((int(low), int(high)))
    start = _next(first, expunged)
    end = _next(last + 1, expunged) - 1
    return b"%d:%d" % (start, end) if start <= end else None


def _next(number: int, expunged: Sequence[int]) -> int:
    """The server's number of the mail, or of the first one behind it that is still there."""
    for gone in expunged:
        if number > gone:
            number -= 1
    return number
