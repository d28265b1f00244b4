"""Connections to one scanner: made, kept for the next request, dropped once they are stale."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from imap4fast._wire import set_options
from imap4fast.config.basesettings import SockOpt
from imap4fast.config.values import Address, Sock
from imap4fast.errors import ServiceError
from imap4fast.net.addresses import literal_of
from imap4fast.net.options import ServerOptions, server_options

IDLE_S = 20.0
"""How long a connection is kept without use. clamd itself closes after 30 seconds, if not told otherwise."""
RESOLVED_S = 60.0
"""How long the addresses of a name are used."""
_BUSY_S = 0.01
"""The pause before the next try where a local socket's queue is full."""

Place = tuple[int, str | tuple[str, int]]
"""Address family and what to connect to."""


class Line:
    """A connected socket; `turns` requests were made on it, the last at `used`."""

    __slots__ = ("sock", "turns", "used")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.turns = 0
        self.used = 0.0

    @property
    def quiet(self) -> bool:
        """Open, and nothing came that nobody asked for: whatever came would be taken for the next answer."""
        try:
            self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


class Lines:
    """`keep` connections at most lie idle."""

    def __init__(self, address: Sock | str, opt: SockOpt, keep: int, clock: Callable[[], float]) -> None:
        self._address = address
        self._opt = opt
        self._options = server_options(opt)
        self._keep = keep
        self._clock = clock
        self._idle: list[Line] = []
        self._places: list[Place] = []
        self._places_until = 0.0

    def take(self) -> Line | None:
        """The connection used last, if one is there that is good."""
        while self._idle:
            line = self._idle.pop()
            if self._clock() - line.used < IDLE_S and line.quiet:
                return line
            line.sock.close()
        return None

    def give_back(self, line: Line) -> None:
        """Keep it for the next request, or close it."""
        line.used = self._clock()
        self.prune()
        if len(self._idle) < self._keep:
            self._idle.append(line)
        else:
            line.sock.close()

    def prune(self) -> None:
        """Close what lay idle for too long; the oldest come first."""
        while self._idle and self._clock() - self._idle[0].used >= IDLE_S:
            self._idle.pop(0).sock.close()

    def close(self) -> None:
        """Close those that lie idle."""
        while self._idle:
            self._idle.pop().sock.close()

    async def connect(self) -> Line:
        """A new connection, to the first address that takes it. ServiceError: none does, or not in `conn-timeout`."""
        why = "no address"
        try:
            async with asyncio.timeout(self._opt.conn_timeout):
                for place in await self._resolved():
                    try:
                        return Line(await self._connected(place))
                    except OSError as error:
                        why = os.strerror(error.errno) if error.errno else str(error)
        except TimeoutError:
            why = f"no connection in {self._opt.conn_timeout:g} s"
        raise ServiceError("scanner", why)

    async def _resolved(self) -> list[Place]:
        if isinstance(self._address, str):
            return [(socket.AF_UNIX, self._address)]
        host, port = self._address.host, self._address.port
        if isinstance(host, Address):
            return [(socket.AF_INET if host.version == 4 else socket.AF_INET6, (literal_of(host), port))]
        if self._clock() >= self._places_until:
            self._places = await _look_up(host or "localhost", port)
            self._places_until = self._clock() + RESOLVED_S
        return self._places

    async def _connected(self, place: Place) -> socket.socket:
        family, address = place
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            if isinstance(address, str):
                await _connect_local(sock, address)
            else:
                _set(sock, self._options)
                await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        return sock


def _set(sock: socket.socket, options: ServerOptions) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    set_options(sock.fileno(), options.four if sock.family == socket.AF_INET else options.six)
    set_options(sock.fileno(), options.watch)


async def _look_up(host: str, port: int) -> list[Place]:
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServiceError("scanner", f"{host} has no address: {error}") from error
    return [(family, (str(address[0]), port)) for family, _, _, _, address in answers]


async def _connect_local(sock: socket.socket, path: str) -> None:
    """A local socket connects at once or has a full queue; there is nothing in between to wait for."""
    while True:
        with suppress(BlockingIOError):
            sock.connect(path)
            return
        await asyncio.sleep(_BUSY_S)
