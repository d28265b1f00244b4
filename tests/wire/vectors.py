"""What a vector is: bytes of one end, what must come out of the relay for them, whatever their chunks.

A vector's name begins with its row in protocol.md (`T-F01`) or with the section that decides (`4.1`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from imap4fast._wire import FAULTS, FIRST_FRAMING
from tests.wire.play import Event, Play, Split, cut, gate, pieces, single, whole
from tests.wire.server import Script

TRAILER = b"zz NOOP\r\n"


@dataclass(frozen=True)
class ClientVector:
    """`client` is all that the client says; the scripted server answers only when the relay waits for it."""

    name: str
    client: bytes
    sends: bytes | None = None  # to the server; None: as the client said it
    asks: tuple[str, ...] = ()  # questions in their order, see `told`
    ends: bool = False  # the relay has stopped
    state: str = "selected"
    script: Script = field(default_factory=Script)
    settings: tuple[tuple[str, int], ...] = ()
    unknown: bool = False  # UNKNOWN is permitted
    whole_units: bool = True  # more commands may follow

    @property
    def expected(self) -> bytes:
        return self.client if self.sends is None else self.sends

    def play(self, split: Split, trailer: bytes = b"", make: Callable[..., Play] = Play) -> Play:
        options = dict(self.settings)
        chosen = gate(denied=(b"DELETE",), unknown=True) if self.unknown else gate()
        play = make(state=self.state, script=self.script, gate=chosen, settings=options)
        play.client(self.client + trailer, split)
        play.settle()
        return play


@dataclass(frozen=True)
class ServerVector:
    """`server` is said after the commands of `client` have gone out."""

    name: str
    server: bytes
    shows: bytes | None = None  # to the client; None: as the server said it
    asks: tuple[str, ...] = ()
    ends: bool = False
    state: str = "selected"
    client: bytes = b""
    settings: tuple[tuple[str, int], ...] = ()
    unknown: bool = False
    greet: bool = True
    whole_units: bool = True

    @property
    def expected(self) -> bytes:
        return self.server if self.shows is None else self.shows

    def play(self, split: Split, trailer: bytes = b"", make: Callable[..., Play] = Play) -> Play:
        options = dict(self.settings)
        play = make(state=self.state, gate=gate(unknown=self.unknown), greet=self.greet, settings=options)
        if self.client:
            play.client(self.client)
            play.client_pipe.written.clear()
            play.events.clear()
        play.says(self.server + trailer, split)
        return play


def told(event: Event) -> str:
    """A question in short: its name and what identifies it."""
    name, *rest = event
    if name in ("CLIENT_FAULT", "SERVER_FAULT"):
        if FAULTS.index(str(rest[0])) >= FIRST_FRAMING:
            return str(rest[0])
        return f"{rest[0]} {_text(rest[1])}".strip()
    if name == "COMMAND":
        return f"COMMAND {_text(rest[0])} {_text(rest[1])}"
    if name == "COMPLETED":
        return f"COMPLETED {_text(rest[0])} {_text(rest[1])}"
    if name == "REFUSED":
        return f"REFUSED {_text(rest[0])} {_text(rest[1])}" + (" state" if rest[2] else "")
    if name == "TOO_BIG":
        return f"TOO_BIG {_text(rest[0])} {rest[1]}"
    if name == "LIMIT":
        return f"LIMIT {rest[0]}"
    return str(name)


def splits(data: bytes) -> Iterator[tuple[str, Split]]:
    """Whole, byte by byte, at every place in two; long ones at places near both ends and a few between."""
    yield "whole", whole
    if len(data) <= 20_000:
        yield "single", single
    yield "sevens", pieces((7, 1, 3))
    if len(data) <= 600:
        places = list(range(1, len(data)))
    else:
        places = [*range(1, 40), *range(40, len(data) - 40, len(data) // 20), *range(len(data) - 40, len(data))]
    for at in places:
        yield f"cut at {at}", cut(at)


def _text(value: object) -> str:
    assert isinstance(value, bytes)
    return value.decode("latin-1")
