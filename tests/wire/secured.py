"""A play whose legs speak TLS: the relay's ends over real legs, the other ends by Python's ssl.

What is written to a pipe is opened at once, so that `sent` and `shown` are plain octets as in a plain play.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from imap4fast._wire import Tls, TlsContext
from tests.unit.tls.ends import NAME, TLS13, PythonEnd, RawEnd, client_context, join, python_context, server_context
from tests.wire.play import Pipe, Play, Split, whole

LEGS = ("client", "server", "both")
Cutter = Callable[[bytes], Iterable[bytes]]
Other = PythonEnd | RawEnd


@cache
def _contexts(client: bool, version: int) -> tuple[TlsContext, Any]:
    """Ours and the other side's of the leg of the client, or of the server."""
    own = server_context() if client else client_context()
    return own, python_context(not client, version)


def leg_of(client: bool, version: int = TLS13) -> tuple[Tls, PythonEnd]:
    """A leg whose handshake is done, and its other end."""
    own, other = _contexts(client, version)
    leg, end = Tls(own), PythonEnd(other, not client)
    if client:
        join(end, leg)
    else:
        leg.set_server_name(NAME.encode())
        join(leg, end)
    assert leg.handshake_done
    return leg, end


def at_random(seed: int) -> Cutter:
    """Cuts at random places, the same for the same seed."""
    drawn = random.Random(seed)

    def cut(data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            size = drawn.choice((1, 2, 5, 21, 100, 3000))
            yield data[at : at + size]
            at += size

    return cut


class TlsPipe(Pipe):
    """A transport towards an end that opens what comes; `written` holds plain octets. `back` is what it says to it."""

    def __init__(self, end: Other) -> None:
        super().__init__()
        self.end = end
        self.back: list[bytes] = []
        self.cipher = 0

    def write(self, data: bytes) -> None:
        assert type(data) is bytes
        assert data
        self.cipher += len(data)
        plain, said = self.end.pump(data)
        if plain:
            self.written.append(plain)
        if said:
            self.back.append(said)


class Secured(Play):
    """`legs` is one of LEGS. `cuts` cuts the ciphertext on its way to the relay; `split` of a call cuts plain octets
    into records.
    """

    def __init__(
        self, *, legs: str = "both", version: int = TLS13, cuts: Cutter = whole, raw: bool = False, **items: Any
    ) -> None:
        self.legs = legs
        self.version = version
        self.cuts = cuts
        self.raw = raw
        super().__init__(**items)

    def _attach(self) -> tuple[Pipe, Pipe]:
        relay = self.relay
        client, server = self._leg(True), self._leg(False)
        relay.attach_client(client[0], -1, 0.0)
        relay.attach_server(server[0], -1, 0.0)
        if client[1] is not None:
            relay.secure_client(client[1])
        if server[1] is not None:
            relay.secure_server(server[1])
        return client[0], server[0]

    def _leg(self, client: bool) -> tuple[Pipe, Tls | None]:
        if self.legs != "both" and (self.legs == "client") != client:
            return Pipe(), None
        if not self.raw:
            leg, end = leg_of(client, self.version)
            return TlsPipe(end), leg
        own, raw = Tls(_contexts(client, self.version)[0]), RawEnd(not client, self.version)
        if not client:
            own.set_server_name(NAME.encode())
        _shake(own, raw, client)
        return TlsPipe(raw), own

    # ---- both ends

    def client(self, data: bytes, split: Split | None = None) -> None:
        self._say(self.client_pipe, self.relay.client_data, data, split)

    def says(self, data: bytes, split: Split | None = None) -> None:
        self._say(self.server_pipe, self.relay.server_data, data, split)

    def _say(self, pipe: Pipe, feed: Callable[[bytes], None], data: bytes, split: Split | None) -> None:
        for chunk in split(data) if split else (data,):
            if isinstance(pipe, TlsPipe):
                self.cipher(pipe, pipe.end.seal(chunk))
            else:
                feed(chunk)

    def cipher(self, pipe: TlsPipe, data: bytes) -> None:
        """Ciphertext to the relay, and all that comes of it but for plain octets."""
        feed = self.relay.client_data if pipe is self.client_pipe else self.relay.server_data
        for part in self.cuts(data):
            feed(part)
        while pipe.back:
            feed(pipe.back.pop(0))

    @property
    def client_end(self) -> TlsPipe:
        assert isinstance(self.client_pipe, TlsPipe)
        return self.client_pipe

    @property
    def server_end(self) -> TlsPipe:
        assert isinstance(self.server_pipe, TlsPipe)
        return self.server_pipe


def _shake(own: Tls, raw: RawEnd, client: bool) -> None:
    """As `join`, for the end that is driven by hand."""
    said = raw.pump(b"")[1] if client else own.pump(b"")[1]
    turn = client
    while said:
        said = (own if turn else raw).pump(said)[1]
        turn = not turn
    assert own.handshake_done
    assert raw.handshake_done
