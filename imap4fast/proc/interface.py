"""The addresses of a network interface, asked from the kernel by netlink (RTM_GETADDR, rtnetlink(7))."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from imap4fast.errors import SetupError

_RTM_NEWADDR, _RTM_GETADDR = 20, 22
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST_DUMP = 0x301
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


def addresses(name: str, version: int | None) -> list[tuple[socket.AddressFamily, str, int]]:
    """Family, text and scope (of link-local IPv6, else 0) of each address; `version` 4, 6 or None for both.

    Raises SetupError when there is no such interface or it has no such address.
    """
    try:
        index = socket.if_nametoindex(name)
    except OSError as error:
        raise SetupError(f"interface {name}", error.strerror or error) from error
    families = [_FAMILIES[version]] if version else list(_FAMILIES.values())
    found = [entry for family in families for entry in _of_family(index, family)]
    if not found:
        raise SetupError(f"interface {name}", f"it has no IPv{version} address" if version else "it has no address")
    return found


def _of_family(index: int, family: socket.AddressFamily) -> Iterator[tuple[socket.AddressFamily, str, int]]:
    for body in _dump(family):
        got_family, _, _, _, got_index = _ADDRESS.unpack_from(body)
        if (got_family, got_index) != (family, index):
            continue
        attributes = dict(_attributes(body[_ADDRESS.size :]))
        text = socket.inet_ntop(family, attributes.get(_IFA_LOCAL) or attributes[_IFA_ADDRESS])
        yield family, text, index if text.startswith("fe80:") else 0


def _dump(family: socket.AddressFamily) -> Iterator[bytes]:
    """The bodies of the kernel's RTM_NEWADDR answers."""
    request = _ADDRESS.pack(family, 0, 0, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.send(_HEADER.pack(_HEADER.size + len(request), _RTM_GETADDR, _REQUEST_DUMP, 1, 0) + request)
        while True:
            data = sock.recv(65536)
            while data:
                length, kind, _, _, _ = _HEADER.unpack_from(data)
                if kind in (_NLMSG_DONE, _NLMSG_ERROR):
                    return
                if kind == _RTM_NEWADDR:
                    yield data[_HEADER.size : length]
                data = data[(length + 3) & ~3 :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        yield kind, data[_ATTRIBUTE.size : length]
        data = data[max((length + 3) & ~3, _ATTRIBUTE.size) :]
