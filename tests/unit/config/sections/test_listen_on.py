"""The section of listen-on(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.listen_on import LISTEN_ON, ListenType
from imap4fast.config.settings import Listen
from imap4fast.config.values import Address, Sock
from tests.unit.config.harness import bind, good, read


@pytest.mark.parametrize(
    "body",
    [
        "non-transparent [::] port 143;",
        "non-transparent iface eth0 version 4 port 1 to 2; non-transparent iface eth1 port 1;",
        "transparent [0.0.0.0] port 143 method redirect;",
        "proxy-protocol from *; non-transparent [127.0.0.1] port 1;",
    ],
)
def test_good(body: str) -> None:
    good(LISTEN_ON, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "nothing would be listened on"),
        ("non-transparent [::] port 0;", "1 to 65535"),
        ("non-transparent [::] port 1; non-transparent [::] port 1;", "the ports meet"),
        ("non-transparent [::] port 1 method redirect;", "unexpected `method`"),
        ("transparent [::] port 1;", "`transparent` is not supported yet"),
        ("non-transparent [10.0.0.0/8] port 1;", "one address expected"),
        ("non-transparent * port 1;", "an address in brackets expected"),
        ("proxy-protocol [::1];", "`from` expected"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(LISTEN_ON, body)[1])


def test_settings() -> None:
    (one,) = good(LISTEN_ON, "non-transparent address [::1] port 5 to 7;").values["listen_on"]
    assert one == Listen(False, Sock(Address(6, 1), 5), None, None, 5, 7)


@pytest.mark.parametrize("elements", ["[::1] port 5", "[10.0.0.1] port 5 to 6", "iface eth0 version 6 port 1"])
def test_write(elements: str) -> None:
    kind = ListenType(False)
    assert kind.write(read(kind, elements)) == elements
