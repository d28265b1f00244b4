"""The section of resolver(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.resolver import RESOLVER
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "server [192.0.2.53] : 53; server dns.example : 53; search a; search b;",
        "cache 0; negative-ttl 1d;",
    ],
)
def test_good(body: str) -> None:
    good(RESOLVER, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("server [192.0.2.53];", "write `HOST : PORT`"),
        ("cache 5K;", "takes no suffix"),
        ("conf-timeout 1; conf-timeout 2;", "second time"),
        ("port 5;", "unknown word `port`"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(RESOLVER, body)[1])
