"""The sections of ssl(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.schema import Section
from imap4fast.config.sections.ssl import SSL_CERT_MATCH, SSL_PARAMS, SSL_SESSION_CACHE
from tests.unit.config.harness import bind, good


def test_good() -> None:
    good(SSL_PARAMS, 'certificate "/c"; sni "a" "/b" "/c"; sni "d" "/e" "/f"; verify none; max-version TLSv1-3;')
    good(SSL_CERT_MATCH, 'email { "a@b", /@c$/ }; valid-days 3; key-usage { keyCertSign }; any;')
    good(SSL_SESSION_CACHE, "capacity 5; timeout 1h;")


@pytest.mark.parametrize(
    ("section", "body", "error"),
    [
        (SSL_PARAMS, "certificate c.pem;", 'write "c.pem"'),
        (SSL_PARAMS, 'sni "a" "/b";', "a file in quotes is missing"),
        (SSL_PARAMS, "min-version TLSv1.2;", "did you mean `TLSv1-2`"),
        (SSL_CERT_MATCH, "any; none;", "exclude each other"),
        (SSL_CERT_MATCH, "valid-days 5d;", "takes no suffix"),
        (SSL_SESSION_CACHE, "timeout 5K;", "is no duration"),
    ],
)
def test_wrong(section: Section, body: str, error: str) -> None:
    assert error in "\n".join(bind(section, body)[1])
