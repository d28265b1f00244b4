"""The section of netio(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.netio import sock_opt
from imap4fast.config.settings import SockOpt
from tests.unit.config.harness import bind, good

SOCK_OPT = sock_opt("sock-opt", "for the test")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "conn-timeout 1; ip-tos client; nodelay no;",
        "recv-bufsize 1; sock-rcvbuf 0;",
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
        ("nodelay maybe;", "`yes` or `no`"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(SOCK_OPT, body)[1])


def test_settings() -> None:
    assert good(SOCK_OPT, "").struct == SockOpt()
    assert good(SOCK_OPT, "ip-tos client; keepalive 2m; log-limit 1K;").struct == SockOpt(
        ip_tos=-1, keepalive=120, log_limit=1024
    )
