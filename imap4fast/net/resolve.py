"""What the system's resolver says: addresses of the names in a configuration, and the name of a client."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from imap4fast.config.values import Address

_AT_ONCE = 16
NAME_S = 3.0
"""How long a client waits for its name; after that it has none."""
MOST_LOOKUPS = 1024
"""Addresses whose names may be looked up or wait for it at once; a client beyond them has none."""
_NO_SUCH = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def resolve_names(names: Iterable[str]) -> dict[str, frozenset[Address]]:
    """All addresses of each name; empty: there is no such name or it has none; missing: nobody could say.

    Blocks; for start-up and for `test-imap4 -r`, never for an event loop.
    """
    wanted = sorted(set(names))
    with ThreadPoolExecutor(_AT_ONCE, "resolve") as pool:
        found = dict(zip(wanted, pool.map(_addresses, wanted), strict=True))
    return {name: addresses for name, addresses in found.items() if addresses is not None}


def _addresses(name: str) -> frozenset[Address] | None:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return frozenset() if error.errno in _NO_SUCH else None
    except (OSError, UnicodeError):
        return None
    return frozenset(_address(str(answer[4][0])) for answer in answers)


def _address(text: str) -> Address:
    """An address as getaddrinfo writes it, without its zone; mapped IPv4 is IPv4."""
    address = ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    shown = address if mapped is None else mapped
    return Address(shown.version, int(shown))


class ClientNames:
    """Looks up the names of a worker's clients.

    Who runs a client's network decides how long the answer takes. So there are threads for this alone: those in which
    names of servers are looked up stay free. Nothing waits in the queue for longer than a client waits, and clients
    with one address share a lookup.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_AT_ONCE, "client-names")
        self._open: dict[str, asyncio.Future[str | None]] = {}

    async def of(self, host: str) -> str | None:
        """The name of the address `host` (a literal), if that name has the address, too. None: it has none, or nobody
        could say in time.
        """
        lookup = self._open.get(host)
        if lookup is None:
            if len(self._open) >= MOST_LOOKUPS:
                return None
            loop = asyncio.get_running_loop()
            lookup = loop.run_in_executor(self._pool, _confirmed_name, host, time.monotonic() + NAME_S)
            self._open[host] = lookup
            lookup.add_done_callback(lambda done: self._open.pop(host))
        try:
            async with asyncio.timeout(NAME_S):
                return await asyncio.shield(lookup)
        except TimeoutError:
            return None


def _confirmed_name(host: str, until: float) -> str | None:
    """Blocks, unless it is too late."""
    if time.monotonic() >= until:
        return None
    try:
        name, _ = socket.getnameinfo((host, 0), socket.NI_NAMEREQD)
        if name[-1:].isdigit():  # an address, or nothing that DNS has
            return None
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    wanted = _address(host)
    return name if any(_address(str(answer[4][0])) == wanted for answer in answers) else None
