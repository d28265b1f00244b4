"""Addresses of interfaces."""

from __future__ import annotations

import socket

import pytest

from imap4fast.errors import SetupError
from imap4fast.proc import interface


def test_loopback_has_its_addresses() -> None:
    assert (socket.AF_INET, "127.0.0.1", 0) in interface.addresses("lo", 4)
    assert interface.addresses("lo", 6) == [(socket.AF_INET6, "::1", 0)]
    assert interface.addresses("lo", None) == interface.addresses("lo", 4) + interface.addresses("lo", 6)


def test_unknown_interface_is_named() -> None:
    with pytest.raises(SetupError, match="interface nope9: no interface with this name"):
        interface.addresses("nope9", None)


def test_addresses_are_of_the_interface_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "if_nametoindex", lambda name: 999999)
    with pytest.raises(SetupError, match="it has no IPv4 address"):
        interface.addresses("lo", 4)
    with pytest.raises(SetupError, match="it has no address"):
        interface.addresses("lo", None)
