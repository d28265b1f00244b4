"""Socket addresses between the forms of the kernel, of policy and of the log."""

from __future__ import annotations

import socket
from functools import lru_cache

from imap4fast.config.values import Address

MAPPED = "::ffff:"


def packed(host: str) -> bytes:
    """The octets of an address literal, 4 or 16; an IPv4-mapped IPv6 address gives 4."""
    if ":" not in host:
        return socket.inet_pton(socket.AF_INET, host)
    octets = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    return octets[12:] if octets.startswith(b"\0\0\0\0\0\0\0\0\0\0\xff\xff") else octets


def address(host: str) -> Address:
    """An address literal as policy has it."""
    octets = packed(host)
    return Address(4 if len(octets) == 4 else 6, int.from_bytes(octets))


def literal(value: Address) -> str:
    """An address as a literal for the kernel and the log."""
    if value.version == 4:
        return socket.inet_ntop(socket.AF_INET, value.value.to_bytes(4))
    return socket.inet_ntop(socket.AF_INET6, value.value.to_bytes(16))


def shown(host: str, port: int) -> str:
    """`192.0.2.1:143` or `[2001:db8::1]:143`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@lru_cache(maxsize=1024)
def service_name(port: int) -> str:
    """The system's name of a TCP port, else its number."""
    try:
        return socket.getservbyport(port, "tcp")
    except OSError:
        return str(port)
