"""Binding: one SO_REUSEPORT socket a worker and listening address, made before anything is dropped and kept.

Options that accepted sockets inherit are set here once, on the listening sockets, so that accepting costs nothing.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

from imap4fast.config.settings import Listen, Proxy
from imap4fast.config.values import Address
from imap4fast.errors import SetupError
from imap4fast.net.options import listening_options
from imap4fast.proc import interface, steering

SockAddress = tuple[str, int] | tuple[str, int, int, int]


class Place:
    """One address and port to listen at, and the item that asks for it."""

    def __init__(self, item: Listen, family: socket.AddressFamily, address: SockAddress) -> None:
        self.item = item
        self.family = family
        self.address = address

    def __str__(self) -> str:
        return f"[{self.address[0]}]:{self.address[1]}"


class Group:
    """The sockets of one place, worker by worker; together they are one SO_REUSEPORT group."""

    def __init__(self, place: Place, sockets: Sequence[socket.socket]) -> None:
        self.place = place
        self.sockets = list(sockets)
        self._steered = False

    def steer(self, live: Sequence[int]) -> None:
        """New connections go to these workers' sockets only; to all when `live` is everybody or nobody."""
        if 0 < len(live) < len(self.sockets):
            self._steered = steering.attach(self.sockets[0], live) or self._steered
        elif self._steered:
            steering.detach(self.sockets[0])
            self._steered = False

    def close(self) -> None:
        """Closes this process's descriptors."""
        for sock in self.sockets:
            sock.close()

    def unbind(self) -> None:
        """Ends listening for whoever still has descriptors too, such as a worker that was stopped."""
        for sock in self.sockets:
            if sock.fileno() != -1:
                sock.shutdown(socket.SHUT_RDWR)
        self.close()


def bind_all(proxy: Proxy, workers: int) -> list[Group]:
    """Listens at every place of `listen-on`, with a socket a worker. Raises SetupError naming item and address."""
    places = [place for item in proxy.listen_on for place in _places(item)]
    _no_doubles(places)
    for place in places:
        _probe(place)
    groups: list[Group] = []
    try:
        for place in places:
            groups.append(_bind(place, proxy, workers))
    except SetupError:
        for group in groups:
            group.close()
        raise
    return groups


def describe(item: Listen) -> str:
    """The item as it stands in a configuration, about."""
    kind = "transparent" if item.transparent else "non-transparent"
    what = f"iface {item.iface}" if item.iface else _host_text(item)
    version = f" version {item.version}" if item.iface and item.version else ""
    ports = f"port {item.port}" + (f" to {item.to_port}" if item.to_port != item.port else "")
    return f"listen-on {kind} {what}{version} {ports}"


def _host_text(item: Listen) -> str:
    host = item.address.host if item.address else None
    return f"[{ip_address(_packed(host))}]" if isinstance(host, Address) else host or "*"


def _packed(address: Address) -> bytes:
    return address.value.to_bytes(4 if address.version == 4 else 16, "big")


def _places(item: Listen) -> Iterator[Place]:
    hosts = list(_hosts(item))
    for port in range(item.port, item.to_port + 1):
        for family, text, scope in hosts:
            address: SockAddress = (text, port) if family == socket.AF_INET else (text, port, 0, scope)
            yield Place(item, family, address)


def _hosts(item: Listen) -> Iterator[tuple[socket.AddressFamily, str, int]]:
    host = item.address.host if item.address else None
    if item.iface:
        yield from interface.addresses(item.iface, item.version)
    elif isinstance(host, Address):
        yield (socket.AF_INET if host.version == 4 else socket.AF_INET6), str(ip_address(_packed(host))), 0
    elif host is None:
        yield socket.AF_INET, "0.0.0.0", 0  # noqa: S104 - what `*` means
        yield socket.AF_INET6, "::", 0
    else:
        yield from _resolved(item, host)


def _resolved(item: Listen, name: str) -> Iterator[tuple[socket.AddressFamily, str, int]]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SetupError(describe(item), error.strerror or error) from error
    for family, _, _, _, address in found:
        yield family, str(address[0]), int(address[3]) if len(address) > 3 else 0


def _no_doubles(places: Sequence[Place]) -> None:
    """SO_REUSEPORT would let the second of two equal places succeed and share its clients with the first."""
    seen: dict[SockAddress, Place] = {}
    for place in places:
        first = seen.setdefault(place.address, place)
        if first is not place:
            raise SetupError(describe(place.item), f"{place} is listened at already, by {describe(first.item)}")


def _probe(place: Place) -> None:
    """Binds without SO_REUSEPORT first: a running instance of the same user would share the place silently."""
    with _socket(place) as sock:
        _bind_one(sock, place)


def _socket(place: Place) -> socket.socket:
    sock = socket.socket(place.family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if place.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


def _bind_one(sock: socket.socket, place: Place) -> None:
    try:
        sock.bind(place.address)
    except OSError as error:
        why = "another program listens there" if error.errno == errno.EADDRINUSE else error.strerror or error
        raise SetupError(f"{describe(place.item)}: {place}", why) from error


def _bind(place: Place, proxy: Proxy, workers: int) -> Group:
    """All sockets of a place. They listen in the workers' order: steering names them by it."""
    sockets: list[socket.socket] = []
    try:
        for _ in range(workers):
            sock = _socket(place)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            for level, option, value in listening_options(proxy.client_conn, place.family):
                sock.setsockopt(level, option, value)
            sock.setblocking(False)
            _bind_one(sock, place)
            sock.listen(proxy.tcpserver.queue_size)
    except (SetupError, OSError) as error:
        for sock in sockets:
            sock.close()
        raise (
            error if isinstance(error, SetupError) else SetupError(f"{describe(place.item)}: {place}", error)
        ) from error
    return Group(place, sockets)
