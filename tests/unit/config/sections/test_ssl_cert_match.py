"""The section ssl-cert-match."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.ssl_cert_match import SSL_CERT_MATCH
from imap4fast.config.settings import CertMatch
from imap4fast.config.values import WordMember
from tests.unit.config.harness import bind, good


def test_good() -> None:
    match = good(SSL_CERT_MATCH, 'email { "a@b", /@c$/ }; valid-days 3; key-usage keycertsign; serial "0A:1 b";').struct
    assert match == CertMatch(
        "N",
        email=(WordMember("a@b"), WordMember("@c$", regex=True)),
        valid_days=3,
        key_usage=(WordMember("keycertsign"),),
        serial=(WordMember("0A:1 b"),),
        line=1,
    )
    assert good(SSL_CERT_MATCH, "any;").struct.any
    assert good(SSL_CERT_MATCH, "none;").struct.none
    good(SSL_CERT_MATCH, f'fingerprint "sha256:{"0a:" * 31}0a"; ext-key-usage {{ clientAuth, "1.2.3" }};')


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "says nothing"),
        ("any; none;", "exclude each other"),
        ("none; common-name x;", "`none` and `common-name` exclude each other"),
        ("any; common-name x;", "`any` adds nothing to `common-name`"),
        ("valid-days 5d;", "takes no suffix"),
        ("key-usage keyCertSing;", "did you mean `keyCertSign`"),
        ("ext-key-usage clintAuth;", "did you mean `clientAuth`"),
        ('ext-key-usage "1.02";', "unknown extended key usage"),
        ('serial "12:3g";', "no serial number in hex"),
        ("serial /12/;", "serial number expected"),
        ('fingerprint "sha256:00";', "64 digits"),
        (f'fingerprint "sha1:{"0a" * 32}";', '"sha256:"'),
        ("subject /(/;", "bad regular expression"),
        ('common-name { ! "x" };', "exclusions alone"),
        ("common-nam x;", "did you mean `common-name`"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(SSL_CERT_MATCH, body)[1])
