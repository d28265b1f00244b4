"""Types of hosts: sockets, single hosts and host lists."""

from __future__ import annotations

import re
from typing import Any

from imap4fast.config.address import address_of, network_of, write_address, write_network
from imap4fast.config.composite import refuse_exclusions_alone
from imap4fast.config.cursor import Cursor, bare_hint, shown
from imap4fast.config.diagnostic import ElementError
from imap4fast.config.pattern import pattern_of, write_pattern
from imap4fast.config.syntax import Atom, ListNode, Negated, Node, Range, SockNode
from imap4fast.config.types import Type, bare_or_quoted, text_of
from imap4fast.config.values import (
    Address,
    AnyHost,
    HostList,
    HostMember,
    HostName,
    HostRange,
    HostRegex,
    HostSpec,
    HostSublist,
    Sock,
)

_NAME = re.compile(r"(?=.{1,253}\.?\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?")
_ADDRESS_LIKE = re.compile(r"[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*")


class Host(Type):
    """An address or a name."""

    name = "host"

    def read(self, cursor: Cursor) -> Address | str:
        return host_of(cursor.take("a host"))

    def write(self, value: Any) -> str:
        return write_host(value)


class AddressType(Type):
    """An address."""

    name = "[address]"

    def read(self, cursor: Cursor) -> Address:
        return address_of(cursor.take_atom("an address in brackets", "ADDRESS"))

    def write(self, value: Any) -> str:
        return write_address(value)


class SockType(Type):
    """`HOST : PORT`; `any_host`: HOST may be `*`; `zero`: PORT may be 0."""

    name = "host : port"

    def __init__(self, any_host: bool = False, zero: bool = False) -> None:
        self.any_host = any_host
        self.lowest = 0 if zero else 1

    def read(self, cursor: Cursor) -> Sock:
        node = cursor.take("a socket, HOST : PORT,")
        if not isinstance(node, SockNode):
            raise ElementError(node.span, f"a socket expected, not {shown(node)}; write `HOST : PORT`")
        if self.any_host and isinstance(node.host, Atom) and node.host.kind == "STAR":
            return Sock(None, port_of(node.port, self.lowest))
        return Sock(host_of(node.host), port_of(node.port, self.lowest))

    def write(self, value: Any) -> str:
        return f"{'*' if value.host is None else write_host(value.host)} : {value.port}"


class HostListType(Type):
    """Addresses, ranges, networks, names, regular expressions, `*`, each also with `: port`; `!` and sublists."""

    name = "{ host list }"

    def read(self, cursor: Cursor) -> HostList:
        node = cursor.take("a host list")
        return _members(node, cursor)

    def write(self, value: Any) -> str:
        return _write_list(value)


def host_of(node: Node) -> Address | str:
    """A single address, or a name."""
    atom = Cursor.atom(node, "an address in brackets or a name", "ADDRESS", "WORD", "STRING")
    return address_of(atom) if atom.kind == "ADDRESS" else name_of(atom)


def name_of(atom: Atom) -> str:
    """A host's name, checked for its form."""
    name = text_of(atom)
    if _ADDRESS_LIKE.fullmatch(name):
        raise ElementError(atom.span, f"an address is written in brackets: `[{name}]`")
    if not _NAME.fullmatch(name):
        raise ElementError(atom.span, f"{shown(atom)} is no name of a host{_name_hint(atom)}")
    return name


def write_host(host: Address | str) -> str:
    """`[a]` or the name."""
    return write_address(host) if isinstance(host, Address) else bare_or_quoted(host)


def port_of(node: Node, lowest: int = 1) -> int:
    """One port."""
    atom = Cursor.atom(node, "a port", "INTEGER")
    if not atom.text.isdigit() or len(atom.text) > 9 or not lowest <= int(atom.text) <= 65535:
        raise ElementError(atom.span, f"`{atom.text}` is no port: {lowest} to 65535")
    return int(atom.text)


def _name_hint(atom: Atom) -> str:
    return "; a regular expression is written `/.../`" if "*" in atom.text else ""


def _ports(node: Atom | Range) -> tuple[int, int] | None:
    if isinstance(node, Atom) and node.kind == "STAR":
        return None
    if isinstance(node, Atom):
        return port_of(node), port_of(node)
    low, high = port_of(node.low), port_of(node.high)
    if low > high:
        raise ElementError(node.span, f"the range is upside down: {low} is higher than {high}")
    return low, high


def _members(node: Node, cursor: Cursor) -> HostList:
    nodes = node.members if isinstance(node, ListNode) else (node,)
    refuse_exclusions_alone(nodes, node)
    found = []
    for member in nodes:
        try:
            found.append(_member(member, cursor))
        except ElementError as error:
            cursor.report.error(error.span, error.text)
    return tuple(found)


def _member(node: Node, cursor: Cursor) -> HostMember:
    negate = isinstance(node, Negated)
    inner = node.value if isinstance(node, Negated) else node
    if isinstance(inner, SockNode):
        return HostMember(_spec(inner.host, cursor), negate, _ports(inner.port))
    return HostMember(_spec(inner, cursor), negate)


def _spec(node: Node, cursor: Cursor) -> HostSpec:
    if isinstance(node, ListNode):
        return HostSublist(_members(node, cursor))
    if isinstance(node, Range):
        return _address_range(node)
    atom = Cursor.atom(node, "a host", "ADDRESS", "WORD", "STRING", "REGEX", "STAR")
    if atom.kind == "STAR":
        return AnyHost()
    if atom.kind == "REGEX":
        return HostRegex(pattern_of(atom))
    if atom.kind != "ADDRESS":
        return HostName(name_of(atom))
    return network_of(atom)


def _address_range(node: Range) -> HostRange:
    if node.low.kind != "ADDRESS":
        raise ElementError(node.span, f"a host expected, not {shown(node)}{bare_hint(node.low)}")
    low, high = address_of(node.low), address_of(node.high)
    if low.version != high.version:
        raise ElementError(node.span, "both ends of a range must be of one IP version")
    if low.value > high.value:
        raise ElementError(node.span, f"the range is upside down: {node.low.text} is higher than {node.high.text}")
    return HostRange(low.version, low.value, high.value)


def _write_list(members: HostList) -> str:
    return "{ " + ", ".join(_write_member(member) for member in members) + " }"


def _write_member(member: HostMember) -> str:
    port = ""
    if member.port is not None:
        low, high = member.port
        port = f" : {low}" if low == high else f" : {low}-{high}"
    return f"{'! ' if member.negate else ''}{_write_spec(member.host)}{port}"


def _write_spec(host: HostSpec) -> str:
    if isinstance(host, AnyHost):
        return "*"
    if isinstance(host, HostSublist):
        return _write_list(host.members)
    if isinstance(host, HostName):
        return bare_or_quoted(host.name)
    if isinstance(host, HostRegex):
        return write_pattern(host.pattern)
    return write_network(host)


HOST = Host()
ADDRESS = AddressType()
SOCK = SockType()
ANY_SOCK = SockType(any_host=True, zero=True)
HOSTS = HostListType()
