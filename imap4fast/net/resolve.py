"""Names of a configuration resolved all at once by the system's resolver.

Blocks; for start-up and for `test-imap4 -r`, never for an event loop.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from imap4fast.config.values import Address

_AT_ONCE = 16
_NO_SUCH = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def resolve_names(names: Iterable[str]) -> dict[str, frozenset[Address]]:
    """All addresses of each name; empty: there is no such name or it has none; missing: nobody could say."""
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
