"""Types of hosts."""

from __future__ import annotations

import pytest
from hypothesis import given

from imap4fast.config.host import ADDRESS, ANY_SOCK, HOST, HOSTS, SOCK
from imap4fast.config.types import Type
from imap4fast.config.values import Address, HostList, Sock
from tests.unit.config import strategies
from tests.unit.config.harness import read

ONE = Address(4, 0x0A000001)


@pytest.mark.parametrize(
    ("kind", "elements", "value"),
    [
        (HOST, "[10.0.0.1]", ONE),
        (HOST, "mail.example.org", "mail.example.org"),
        (HOST, '"3com.example"', "3com.example"),
        (ADDRESS, "[10.0.0.1]", ONE),
        (SOCK, "[10.0.0.1]:143", Sock(ONE, 143)),
        (SOCK, "a : 65535", Sock("a", 65535)),
        (ANY_SOCK, "* : 0", Sock(None, 0)),
    ],
)
def test_read_and_write(kind: Type, elements: str, value: object) -> None:
    assert read(kind, elements) == value
    assert read(kind, kind.write(value)) == value


@pytest.mark.parametrize(
    ("kind", "elements", "error"),
    [
        (HOST, "*", "an address in brackets or a name expected, not `*`"),
        (HOST, "10.0.0.1", "an address is written in brackets: `[10.0.0.1]`"),
        (HOST, '"::1"', "an address is written in brackets: `[::1]`"),
        (HOST, '"a b"', "is no name of a host"),
        (HOST, "a*", "a regular expression is written `/.../`"),
        (HOST, '"' + "a" * 64 + '"', "is no name of a host"),
        (ADDRESS, "a", "an address in brackets expected"),
        (SOCK, "a : 0", "`0` is no port: 1 to 65535"),
        (SOCK, "a : 5-6", "a port expected"),
        (SOCK, "* : 5", "an address in brackets or a name"),
        (SOCK, "a", "write `HOST : PORT`"),
        (HOSTS, "{ a, 5 }", "a host expected, not `5`"),
        (HOSTS, "1-5", "a host expected, not `1-5`"),
        (HOSTS, "{ ! a, ! b }", "write `! b, *`"),
        (HOSTS, "a : 5K", "`5K` is no port"),
    ],
)
def test_wrong(kind: Type, elements: str, error: str) -> None:
    assert error in read(kind, elements)


@given(strategies.host_lists)
def test_lists(hosts: HostList) -> None:
    assert read(HOSTS, HOSTS.write(hosts)) == hosts
