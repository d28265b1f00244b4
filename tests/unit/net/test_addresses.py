"""Addresses between octets, policy and text."""

from __future__ import annotations

import socket

import pytest

from imap4fast.config.values import Address
from imap4fast.net import addresses

SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::1")


def test_octets_and_literals() -> None:
    assert addresses.address(b"\x0a\x00\x00\x01") == Address(4, 0x0A000001)
    assert addresses.address(SIX) == Address(6, 0x20010DB8 << 96 | 1)
    assert addresses.literal(b"\x0a\x00\x00\x01") == "10.0.0.1"
    assert addresses.literal(SIX) == "2001:db8::1"


@pytest.mark.parametrize("text", ["0.0.0.0", "192.0.2.255", "::", "::1", "2001:db8::ffff"])
def test_there_and_back(text: str) -> None:
    octets = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    assert addresses.literal_of(addresses.address(octets)) == text


def test_shown_with_its_port() -> None:
    assert addresses.shown("192.0.2.1", 143) == "192.0.2.1:143"
    assert addresses.shown("2001:db8::1", 143) == "[2001:db8::1]:143"


def test_names_of_ports() -> None:
    assert addresses.service_name(25) in ("smtp", "25")
    assert addresses.service_name(59999) == "59999"


def test_a_place_in_all_its_forms() -> None:
    assert addresses.place(b"\x0a\x00\x00\x01", 143) == ((Address(4, 0x0A000001), 143), "10.0.0.1:143")
    assert addresses.place(SIX, 143).text == "[2001:db8::1]:143"
    assert addresses.known(SIX) == (Address(6, 0x20010DB8 << 96 | 1), "2001:db8::1")
    assert addresses.text("2001:db8::1", 143) == addresses.shown("2001:db8::1", 143)
