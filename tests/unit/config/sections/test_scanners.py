"""The section of the items that scanners share."""

from __future__ import annotations

import pytest

from imap4fast.config.composite import Seq
from imap4fast.config.host import SOCK
from imap4fast.config.mailsettings import Antispam, Connection
from imap4fast.config.schema import Section
from imap4fast.config.sections.scanners import ConnectionType, service_members
from imap4fast.config.types import FILE, STR
from imap4fast.config.values import Sock
from tests.unit.config.harness import bind, good, read

SECTION = Section(keyword="scanner", help="for the test", struct=Antispam, members=service_members())


@pytest.mark.parametrize(
    "body",
    [
        "sock-opt { } timeout 1; pool 2; breaker 3 4; shape SLOW;",
    ],
)
def test_good(body: str) -> None:
    good(SECTION, body, ("shaper", "SLOW"))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("breaker 3;", "is missing"),
        ("sock-opt { conn-timeout 0; }", "must not be 0"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(SECTION, body, ("shaper", "SLOW"))[1])


TYPE = ConnectionType({"spamd": SOCK, "icap": Seq(SOCK, STR), "unix": FILE})


@pytest.mark.parametrize(
    ("elements", "value"),
    [
        ("spamd a : 783", Connection("spamd", sock=Sock("a", 783))),
        ('icap a : 1344 "/av"', Connection("icap", sock=Sock("a", 1344), service="/av")),
        ('unix "/run/c"', Connection("unix", path="/run/c")),
        ("builtin", Connection("builtin")),
    ],
)
def test_connections(elements: str, value: Connection) -> None:
    assert read(TYPE, elements) == value
    assert TYPE.write(value) == elements
