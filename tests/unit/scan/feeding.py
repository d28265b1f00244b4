"""How the tests of codecs play a scanner: replies whole, octet by octet, in two parts at every place; and junk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from imap4fast.scan.talk import Talk

T = TypeVar("T")

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
MOST_HELD = 3 << 20
"""More than any codec may keep of what a scanner says."""


def splits(reply: bytes) -> Iterator[list[bytes]]:
    """The reply whole, octet by octet, and in two parts at every place."""
    yield [reply]
    yield [reply[at : at + 1] for at in range(len(reply))]
    for at in range(1, len(reply)):
        yield [reply[:at], reply[at:]]


def give_all(talk: Talk[Any], mail: bytes, piece: int = 1 << 20) -> bytes:
    """Give what the talk wants of the mail, which loses what is given; what it made of it."""
    made = b""
    at = 0
    while talk.wants and not talk.done:
        octets = mail[at : at + min(piece, talk.wants)]
        at += len(octets)
        made += b"".join(talk.give(octets))
    return made


def answered(talk: Talk[T], mail: bytes, reply: Iterable[bytes]) -> Talk[T]:
    """The talk after all of the mail was given, and the reply came."""
    talk.begin()
    give_all(talk, mail)
    for octets in reply:
        talk.receive(octets)
    return talk


def outcome(talk: Talk[T]) -> tuple[object, ...]:
    """All that a talk came to."""
    return (talk.result, talk.nonsense, talk.cut, talk.reusable, talk.version)


def same_at_every_split(make: Callable[[], Talk[T]], mail: bytes, reply: bytes, *, end: bool = False) -> Talk[T]:
    """The talk after the reply, which must come to the same however the reply is cut."""
    first: Talk[T] | None = None
    for pieces in splits(reply):
        talk = answered(make(), mail, pieces)
        if end:
            talk.end()
        first = first or talk
        assert outcome(talk) == outcome(first), pieces
    assert first is not None
    return first


def held(thing: object, depth: int = 6) -> int:
    """Octets in buffers that hang on an object."""
    if isinstance(thing, (bytes, bytearray, str)):
        return len(thing)
    if depth == 0 or isinstance(thing, (int, float, type(None), type)):
        return 0
    if isinstance(thing, dict):
        return sum(held(key, depth - 1) + held(value, depth - 1) for key, value in thing.items())
    if isinstance(thing, (list, tuple)):
        return sum(held(one, depth - 1) for one in thing)
    return held(getattr(thing, "__dict__", None), depth - 1)


def flooded(talk: Talk[Any], start: bytes, block: bytes, total: int = 8 << 20) -> Talk[Any]:
    """The talk after an answer without an end; what it keeps of it is bounded at every moment."""
    talk.receive(start)
    for _ in range(total // len(block)):
        talk.receive(block)
        assert held(talk) < MOST_HELD
    return talk


def survives(make: Callable[[], Talk[Any]], mail: bytes, pieces: list[bytes], give_after: int) -> Talk[Any]:
    """Whatever a scanner says: no exception, and at its end there is one of the three outcomes."""
    talk = make()
    talk.begin()
    for number, octets in enumerate(pieces):
        if number == give_after:
            give_all(talk, mail, 7)
        if talk.done:
            break
        talk.receive(octets)
        assert held(talk) < MOST_HELD
    talk.end()
    outcomes = (talk.result, talk.nonsense, talk.cut)
    assert sum(one is not None for one in outcomes) == 1, outcomes
    return talk
