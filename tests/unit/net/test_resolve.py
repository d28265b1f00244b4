"""Resolving the names of a configuration: what is known, known to be nothing, and unknown."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

import pytest

from imap4fast.config.values import Address
from imap4fast.net import resolve
from imap4fast.net.resolve import confirmed_name, resolve_names

ANSWERS = {
    "two.example": ["10.0.0.1", "2001:db8::1"],
    "mapped.example": ["::ffff:10.0.0.2"],
    "zone.example": ["fe80::1%lo"],
}
ERRORS = {
    "none.example": socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    "later.example": socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
    "broken.example": OSError("no descriptors"),
    "x..example": UnicodeError("label empty"),
}


def fake_getaddrinfo(name: str, port: object, **hints: object) -> list[tuple]:
    if name in ERRORS:
        raise ERRORS[name]
    return [(socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ANSWERS[name]]


def test_what_each_answer_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", fake_getaddrinfo)
    assert resolve_names([*ANSWERS, *ERRORS]) == {
        "two.example": frozenset({Address(4, 0x0A000001), Address(6, (0x20010DB8 << 96) + 1)}),
        "mapped.example": frozenset({Address(4, 0x0A000002)}),
        "zone.example": frozenset({Address(6, (0xFE80 << 112) + 1)}),
        "none.example": frozenset(),
    }


def test_no_names() -> None:
    assert resolve_names(()) == {}


def test_the_real_resolver_knows_localhost() -> None:
    assert Address(4, 0x7F000001) in resolve_names(["localhost"])["localhost"]


class Names:
    """A loop that knows the names of some addresses, and the addresses of some names."""

    async def getnameinfo(self, place: tuple[str, int], flags: int) -> tuple[str, str]:
        assert flags == socket.NI_NAMEREQD
        if place[0] == "10.9.9.9":
            await asyncio.sleep(60)
        if place[0] == "10.0.0.3":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return {"10.0.0.7": "x..example", "10.0.0.8": "later.example", "10.0.0.9": "10.0.0.9"}.get(
            place[0], "two.example"
        ), "0"

    async def getaddrinfo(self, name: str, port: object, **hints: object) -> list[tuple]:
        return fake_getaddrinfo(name, port, **hints)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("10.0.0.1", "two.example"),
        ("2001:db8::1", "two.example"),
        ("10.0.0.4", None),  # says that it is two.example, and is not
        ("10.0.0.3", None),
        ("10.0.0.7", None),
        ("10.0.0.8", None),
        ("10.0.0.9", None),  # an address for a name
        ("10.9.9.9", None),  # no answer in time
    ],
)
def test_the_confirmed_name_of_an_address(monkeypatch: pytest.MonkeyPatch, host: str, name: str | None) -> None:
    monkeypatch.setattr(resolve, "NAME_S", 0.05)
    assert asyncio.run(confirmed_name(cast(asyncio.AbstractEventLoop, Names()), host)) == name
