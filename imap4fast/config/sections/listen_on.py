"""listen-on(5)."""

from __future__ import annotations

from typing import Any

from imap4fast.config.composite import Named
from imap4fast.config.cursor import Cursor, shown
from imap4fast.config.diagnostic import ElementError, Report
from imap4fast.config.host import ADDRESS, HOSTS
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.settings import Listen
from imap4fast.config.syntax import SockNode
from imap4fast.config.types import PORT, STR, Integer, Type, bare_or_quoted, words
from imap4fast.config.values import Sock

_VERSION = Named("version", Integer(4, 6, "4 | 6"))
_PORT = Named("port", PORT, optional=False)
_TO = Named("to", PORT)


class ListenType(Type):
    """`[address] ADDR port P [to P2]` or `iface IF [version V] port P [to P2]`; transparent: `[method M]`."""

    def __init__(self, transparent: bool) -> None:
        self.transparent = transparent
        method = " [method redirect | tproxy]" if transparent else ""
        self.name = f"[address] [address] port P [to P2]{method} | iface IF [version 4 | 6] port P [to P2]{method}"

    def read(self, cursor: Cursor) -> Listen:
        first = cursor.peek()
        if isinstance(first, SockNode):
            raise ElementError(first.span, f"unexpected {shown(first)}; write `{_as_port(first)}`")
        if cursor.accept("iface"):
            name = STR.read(cursor)
            return self._ports(cursor, None, name, self._version(cursor))
        cursor.accept("address")
        return self._ports(cursor, ADDRESS.read(cursor), None, None)

    def _version(self, cursor: Cursor) -> int | None:
        version: int | None = _VERSION.read(cursor)
        if version == 5:
            raise ElementError(cursor.statement.elements[-1].span, "the version of IP is 4 or 6")
        return version

    def _ports(self, cursor: Cursor, address: Any, iface: str | None, version: int | None) -> Listen:
        port: int = _PORT.read(cursor)
        to_node = cursor.peek()
        to_port: int = _TO.read(cursor) or port
        if to_port < port and to_node is not None:
            raise ElementError(to_node.span, f"the range is upside down: {port} is higher than {to_port}")
        method = Named("method", words("redirect", "tproxy")).read(cursor) if self.transparent else None
        sock = None if address is None else Sock(address, port)
        return Listen(self.transparent, sock, iface, version, port, to_port, method or "redirect")

    def write(self, value: Any) -> str:
        if value.address is not None:
            head = ADDRESS.write(value.address.host)
        else:
            version = f" version {value.version}" if value.version else ""
            head = f"iface {bare_or_quoted(value.iface)}{version}"
        to_port = f" to {value.to_port}" if value.to_port != value.port else ""
        method = f" method {value.method}" if self.transparent and value.method != "redirect" else ""
        return f"{head} port {value.port}{to_port}{method}"


def _as_port(node: SockNode) -> str:
    text = node.span.source.text
    return f"{text[node.host.span.start : node.host.span.end]} port {text[node.port.span.start : node.port.span.end]}"


def _check(bound: Bound, report: Report) -> None:
    if not bound.partial and not {"non-transparent", "transparent"} & bound.places.keys():
        report.error(bound.statement.keyword.span, "`listen-on` is empty: nothing would be listened on")
    listens: tuple[Listen, ...] = bound.values.get("listen_on", ())
    spans = bound.places.get("non-transparent", [])
    if len(spans) != len(listens):
        return
    for at, listen in enumerate(listens):
        twin = next((before for before in range(at) if _meet(listens[before], listen)), None)
        if twin is not None:
            report.error(spans[at], f"the ports meet those of the item at {spans[twin].where()}")


def _meet(one: Listen, other: Listen) -> bool:
    same = (one.address and one.address.host, one.iface) == (other.address and other.address.host, other.iface)
    return same and one.port <= other.to_port and other.port <= one.to_port


LISTEN_ON = Section(
    keyword="listen-on",
    help="where connections are taken; `[::]` never includes IPv4",
    page="listen-on",
    obligatory=True,
    inline=True,
    check=_check,
    members=(
        Item(
            keyword="non-transparent",
            type=ListenType(False),
            field="listen_on",
            repeatable=True,
            default="none",
            help="connections to the proxy's own addresses; IF is the system's name of an interface",
        ),
        Item(
            keyword="transparent",
            type=ListenType(True),
            repeatable=True,
            supported=False,
            default="none",
            help="connections to other addresses",
        ),
        Item(
            keyword="proxy-protocol",
            type=Named("from", HOSTS, optional=False),
            supported=False,
            default="none",
            help="who sends a PROXY header",
        ),
    ),
)
