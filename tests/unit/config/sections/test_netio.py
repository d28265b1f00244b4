"""The section of netio(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.sections.netio import sock_opt
from tests.unit.config.harness import bind, good

SOCK_OPT = sock_opt("sock-opt", "for the test")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "conn-timeout 1; ip-tos 0; nodelay no;",
        "sock-rcvbuf 0; keepalive 0; send-timeout 24d;",
    ],
)
def test_good(body: str) -> None:
    good(SOCK_OPT, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("conn-timeout 0;", "must not be 0"),
        ("recv-bufsize 0;", "must not be 0"),
        ("ip-tos 300;", "0 to 255"),
        ("sock-rcvbuf 2G;", "out of range"),
        ("keepalive 1d;", "out of range"),
        ("send-timeout 25d;", "out of range"),
        ("recv-bufsize 1;", "`recv-bufsize` is not supported yet"),
        ("send-bufsize 1;", "`send-bufsize` is not supported yet"),
        ("ip-tos client;", "`ip-tos client` is not supported yet"),
        ("nodelay maybe;", "`yes` or `no`"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(SOCK_OPT, body)[1])


def test_settings() -> None:
    assert good(SOCK_OPT, "").struct == SockOpt()
    assert good(SOCK_OPT, "ip-tos 8; keepalive 2m; log-limit 1K;").struct == SockOpt(
        ip_tos=8, keepalive=120, log_limit=1024
    )
