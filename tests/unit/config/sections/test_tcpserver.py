"""The section of tcpserver(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.tcpserver import TCPSERVER
from imap4fast.config.settings import TcpServer
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "",
        "workers auto; listener;",
        "max-sessions 0; max-sessions-per-ip 5;",
        "max-children 5; max-children-per-ip 5;",
    ],
)
def test_good(body: str) -> None:
    good(TCPSERVER, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("workers 0;", "1 to 1024"),
        ("queue-size 0;", "1 to 65535"),
        ("conn-rate 4000000000;", "out of range"),
        ("max-sessions 1; max-children 1;", "second time"),
        ("max-children 1; max-sessions 1;", "second time"),
        ("max-sessions 1; max-sessions-per-ip 2;", "more than `max-sessions` 1"),
        ("listener yes;", "takes no value"),
        ("helpers 1025;", "1 to 1024"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(TCPSERVER, body)[1])


def test_settings() -> None:
    assert good(TCPSERVER, "").struct == TcpServer()
    assert good(TCPSERVER, "workers 2; max-children 7; helpers 3;").struct == TcpServer(
        workers=2, max_sessions=7, helpers=3
    )
