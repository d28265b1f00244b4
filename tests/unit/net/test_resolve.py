"""Resolving the names of a configuration: what is known, known to be nothing, and unknown."""

from __future__ import annotations

import socket

import pytest

from imap4fast.config.values import Address
from imap4fast.net.resolve import resolve_names

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
