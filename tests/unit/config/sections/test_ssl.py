"""The sections ssl-params and ssl-session-cache, and how ACLs refer to the first."""

from __future__ import annotations

import pytest

from imap4fast.config.schema import Section
from imap4fast.config.sections.ssl import SSL_PARAMS, SSL_SESSION_CACHE, SSL_USE, TlsName
from imap4fast.config.settings import SslParams, SslSessionCache, SslUse
from tests.unit.config.harness import bind, good, read

PAIR = 'certificate "/c"; private-key "/k"; '


def test_defaults() -> None:
    params: SslParams = good(SSL_PARAMS, "").struct
    assert params == SslParams("N", line=1, path="t")
    assert (params.min_version, params.max_version, params.verify) == ("TLSv1-2", "TLSv1-3", None)
    assert (params.require_tls, params.session_tickets, params.weak_tls) == (True, True, False)
    assert good(SSL_SESSION_CACHE, "").struct == SslSessionCache(20000, 300)


def test_good() -> None:
    text = PAIR + 'sni "a" "/b" "/c"; sni "*.d.e" "/e" "/f"; verify none; max-version TLSv1-3; server-name "::1";'
    params: SslParams = good(SSL_PARAMS, text).struct
    assert (params.certificate, params.private_key, params.server_name) == ("/c", "/k", "::1")
    assert params.sni == (("a", "/b", "/c"), ("*.d.e", "/e", "/f"))
    weak = good(SSL_PARAMS, 'weak-tls yes; min-version TLSv1; ciphers "ALL:@SECLEVEL=0";').struct
    assert (weak.min_version, weak.ciphers) == ("TLSv1", "ALL:@SECLEVEL=0")
    assert good(SSL_SESSION_CACHE, "timeout 1h;").struct.timeout == 3600


@pytest.mark.parametrize(
    ("section", "body", "error"),
    [
        (SSL_PARAMS, "certificate c.pem;", 'write "c.pem"'),
        (SSL_PARAMS, 'sni "a" "/b";', "a file in quotes is missing"),
        (SSL_PARAMS, PAIR + 'sni "a b" "/b" "/c";', "no name of a host"),
        (SSL_PARAMS, PAIR + 'sni "192.0.2.1" "/b" "/c";', "no name of a host"),
        (SSL_PARAMS, PAIR + 'sni "a.b" "/b" "/c"; sni "A.b" "/b" "/c";', "a second time"),
        (SSL_PARAMS, 'server-name "*.a";', "no name of a host"),
        (SSL_PARAMS, 'server-name "b\\xfccher.example";', "xn--"),
        (SSL_PARAMS, 'private-key "/k";', "`private-key` without `certificate`"),
        (SSL_PARAMS, 'certificate "/c";', "`certificate` without `private-key`"),
        (SSL_PARAMS, 'key-passphrase "/p";', "`key-passphrase` without `private-key`"),
        (SSL_PARAMS, 'sni "a" "/b" "/c";', "`sni` without `certificate`"),
        (SSL_PARAMS, "min-version TLSv1.2;", "did you mean `TLSv1-2`"),
        (SSL_PARAMS, "min-version TLSv1;", "TLSv1 is weak: only with `weak-tls yes`"),
        (SSL_PARAMS, "max-version TLSv1-1; weak-tls yes;", "TLSv1-2 is above `max-version` TLSv1-1"),
        (SSL_PARAMS, "min-version TLSv1-3; max-version TLSv1-2;", "is above"),
        (SSL_PARAMS, 'ciphers "HIGH:RC4-MD5";', "`RC4-MD5` is weak"),
        (SSL_PARAMS, "weak-tls yes; min-version TLSv1;", "none of the default ciphers"),
        (SSL_SESSION_CACHE, "timeout 5K;", "is no duration"),
        (SSL_SESSION_CACHE, "timeout 0;", "must not be 0"),
        (SSL_SESSION_CACHE, "timeout 8d;", "out of range"),
        (SSL_SESSION_CACHE, "timeout 1d;", "not all sessions can be resumed that long"),
        (SSL_SESSION_CACHE, "capacity 5;", "has no effect"),
    ],
)
def test_wrong(section: Section, body: str, error: str) -> None:
    assert error in "\n".join(bind(section, body)[1])


def test_uses() -> None:
    params = SslParams("P")
    assert SSL_USE.write(SslUse(params, True)) == "P command"
    assert SSL_USE.write(SslUse(params)) == "P session"
    assert "no section ssl-params P" in read(SSL_USE, "P command")


def test_names() -> None:
    assert read(TlsName(wildcard=True), '"*.a.example"') == "*.a.example"
    assert read(TlsName(address=True), '"192.0.2.1"') == "192.0.2.1"
    assert "no name of a host" in read(TlsName(), f'"{"a" * 64}.example"')
    assert "no name of a host" in read(TlsName(wildcard=True), '"*.*.a"')
