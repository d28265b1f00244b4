"""Facts about capabilities."""

from __future__ import annotations

import pytest

from imap4fast._wire import COMMANDS
from imap4fast.config.words import is_known_capability
from imap4fast.imap import capabilities as caps


def test_names_are_in_upper_case_and_known() -> None:
    names = caps.HOP_BY_HOP | caps.REFERRALS | set(caps.OWN) | set(caps.COMMAND_OF)
    assert all(name == name.upper() for name in names)
    assert all(is_known_capability(name.decode()) for name in names)


def test_commands_exist() -> None:
    assert set(caps.COMMAND_OF.values()) <= set(COMMANDS)


def test_what_the_proxy_offers_is_its_own() -> None:
    assert set(caps.OWN) <= caps.HOP_BY_HOP


@pytest.mark.parametrize(
    "name", [b"GSSAPI", b"GS2-KRB5", b"KERBEROS_V4", b"DIGEST-MD5", b"NTLM", b"SCRAM-SHA-1-PLUS", b"X-PLUS"]
)
def test_mechanisms_that_cannot_work(name: bytes) -> None:
    """protocol.md 1.5"""
    assert caps.mechanism_barred(name)


@pytest.mark.parametrize("name", [b"PLAIN", b"LOGIN", b"XOAUTH2", b"OAUTHBEARER", b"CRAM-MD5", b"SCRAM-SHA-256"])
def test_mechanisms_that_work(name: bytes) -> None:
    assert caps.mechanism_known(name)
    assert not caps.mechanism_barred(name)


@pytest.mark.parametrize("name", [b"ATOKEN", b"XYMCOOKIE", b"PLAIN-CLIENTTOKEN", b"XOAUTH", b""])
def test_mechanisms_of_vendors(name: bytes) -> None:
    assert not caps.mechanism_known(name)
