"""Addresses and networks."""

from __future__ import annotations

import pytest
from hypothesis import given

from imap4fast.config.address import address_of, masked, network_of, write_address, write_network
from imap4fast.config.host import HOSTS
from imap4fast.config.syntax import Atom
from imap4fast.config.values import Address, HostMask, HostMember, HostRange
from tests.unit.config import strategies
from tests.unit.config.harness import parsed, read


def atom(text: str) -> Atom:
    (node,) = parsed(f"item {text};").elements
    assert isinstance(node, Atom)
    return node


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("[10.0.0.5]", HostRange(4, 0x0A000005, 0x0A000005)),
        ("[ 10.0.0.5 / 8 ]", HostRange(4, 0x0A000000, 0x0AFFFFFF)),
        ("[10.0.0.5/255.0.0.0]", HostRange(4, 0x0A000000, 0x0AFFFFFF)),
        ("[10.0.0.5/0xFF000000]", HostRange(4, 0x0A000000, 0x0AFFFFFF)),
        ("[10.0.0.5/255.0.0.255]", HostMask(4, 0x0A000005, 0xFF0000FF)),
        ("[10.0.0.5/0xff]", HostMask(4, 5, 0xFF)),
        ("[10.0.0.5/0]", HostRange(4, 0, 0xFFFFFFFF)),
        ("[::/0]", HostRange(6, 0, 2**128 - 1)),
        ("[2001:db8::1/ffff:ffff::]", HostRange(6, 0x20010DB8 << 96, (0x20010DB8 << 96) | (2**96 - 1))),
        ("[::ffff:10.0.0.5]", HostRange(4, 0x0A000005, 0x0A000005)),
        ("[::ffff:10.0.0.5/104]", HostRange(4, 0x0A000000, 0x0AFFFFFF)),
        ("[::ffff:0:0/96]", HostRange(4, 0, 0xFFFFFFFF)),
    ],
)
def test_networks(text: str, network: HostRange | HostMask) -> None:
    assert network_of(atom(text)) == network


def test_addresses() -> None:
    assert address_of(atom("[::ffff:10.0.0.5]")) == Address(4, 0x0A000005)
    assert write_address(Address(6, 1)) == "[::1]"
    assert isinstance(masked(4, 0, 0xFF), HostMask)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[10.0.0]", "is no IP address"),
        ("[010.0.0.1]", "is no IP address"),
        ("[fe80::1%eth0]", "a zone cannot stand here"),
        ("[10.0.0.0/33]", "no mask of an IPv4 address"),
        ("[10.0.0.0/]", "no mask"),
        ("[10.0.0.0/0xZZ]", "no mask"),
        ("[10.0.0.0/ffff::]", "no mask"),
        ("[::1/129]", "no mask of an IPv6 address"),
        ("[::ffff:10.0.0.0/95]", "first 96 bits"),
    ],
)
def test_wrong(text: str, error: str) -> None:
    assert error in read(HOSTS, text)


@given(strategies.networks() | strategies.ranges())
def test_round_trip(network: HostRange | HostMask) -> None:
    assert read(HOSTS, write_network(network)) == (HostMember(network),)
