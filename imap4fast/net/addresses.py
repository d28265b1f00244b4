"""Socket addresses between the forms of the kernel, of policy and of the log."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import NamedTuple

from imap4fast.config.values import Address


def address(octets: bytes) -> Address:
    """Octets of an address, 4 or 16, as policy has it."""
    return Address(4 if len(octets) == 4 else 6, int.from_bytes(octets))


@lru_cache(maxsize=4096)
def literal(octets: bytes) -> str:
    """Octets of an address as a literal for the kernel and the log."""
    return socket.inet_ntop(socket.AF_INET if len(octets) == 4 else socket.AF_INET6, octets)


@lru_cache(maxsize=4096)
def known(octets: bytes) -> tuple[Address, str]:
    """Octets of an address in both forms."""
    return address(octets), literal(octets)


def literal_of(value: Address) -> str:
    """An address of the configuration as a literal."""
    return literal(value.value.to_bytes(4 if value.version == 4 else 16))


def text(host: str, port: int) -> str:
    """`192.0.2.1:143` or `[2001:db8::1]:143`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@lru_cache(maxsize=4096)
def shown(host: str, port: int) -> str:
    """The same, kept: for ends that are seen again, which clients' ports are not."""
    return text(host, port)


class Place(NamedTuple):
    """An address and port that clients connect to, in each form."""

    sock: tuple[Address, int]
    text: str


@lru_cache(maxsize=1024)
def place(octets: bytes, port: int) -> Place:
    """The place with this address."""
    return Place((address(octets), port), text(literal(octets), port))


@lru_cache(maxsize=1024)
def service_name(port: int) -> str:
    """The system's name of a TCP port, else its number."""
    try:
        return socket.getservbyport(port, "tcp")
    except OSError:
        return str(port)
