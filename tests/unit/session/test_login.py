"""User names out of SASL exchanges, by the examples of the RFCs, and nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.session import login
from imap4fast.session.login import Sasl


@pytest.mark.parametrize(
    ("octets", "user"),
    [
        (b"\0tim\0tanstaaftanstaaf", b"tim"),
        (b"Ursel\0Kurt\0xipj3plmq", b"Ursel"),
        (b"\0\0x", None),
        (b"tim\0x", None),
        (b"\0tim\0x\0y", None),
        (b"", None),
    ],
)
def test_plain(octets: bytes, user: bytes | None) -> None:
    """RFC 4616 section 4"""
    assert login.plain_user(octets) == user


@pytest.mark.parametrize(
    ("octets", "user"),
    [
        (b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", b"user"),
        (b"y,,n=user,r=fyko", b"user"),
        (b"n,a=other,n=user,r=fyko", b"other"),
        (b"p=tls-unique,,n=us=2Cer=3D,r=fyko", b"us,er="),
        (b"n,,m=x,n=user,r=fyko", b"user"),
        (b"n,,r=fyko", None),
        (b"n,,n=,r=fyko", None),
        (b"n", None),
        (b"", None),
    ],
)
def test_scram(octets: bytes, user: bytes | None) -> None:
    """RFC 5802 section 5"""
    assert login.scram_user(octets) == user


@pytest.mark.parametrize(
    ("octets", "user"),
    [
        (b"n,a=user@example.com,\x01host=x.example\x01auth=Bearer vF9dft4qm==\x01\x01", b"user@example.com"),
        (b"n,,\x01auth=Bearer x\x01\x01", None),
        (b"n,a=,\x01auth=Bearer x\x01\x01", None),
        (b"auth=Bearer x", None),
    ],
)  # fmt: skip
def test_oauthbearer(octets: bytes, user: bytes | None) -> None:
    """RFC 7628 section 4.1"""
    assert login.gs2_user(octets) == user


@pytest.mark.parametrize(
    ("octets", "user"),
    [
        (b"user=some@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRh\x01\x01", b"some@example.com"),
        (b"user=\x01auth=Bearer x\x01\x01", None),
        (b"auth=Bearer x\x01\x01", None),
        (b"user=whole", b"whole"),
    ],
)  # fmt: skip
def test_xoauth2(octets: bytes, user: bytes | None) -> None:
    assert login.xoauth2_user(octets) == user


@pytest.mark.parametrize(
    ("line", "octets"),
    [
        (b"", b""), (b"YQ==", b"a"), (b"YWI=", b"ab"), (b"YWJj", b"abc"), (b"+/+/", b"\xfb\xff\xbf"),
        (b"YQ", None), (b"YQ=", None), (b"Y Q=", None), (b"YQ==\n", None), (b"-_-_", None), (b"====", None),
        (b"YQ==YQ==", None), (b"*", None), (b"****", None),
    ],
)  # fmt: skip
def test_base64(line: bytes, octets: bytes | None) -> None:
    """RFC 4648 section 3.3: what is outside the alphabet is refused, not skipped."""
    assert login.decoded(line) == octets


@given(st.binary(max_size=200))
def test_base64_there_and_back(octets: bytes) -> None:
    assert login.decoded(base64.b64encode(octets)) == octets


@given(st.binary(max_size=60))
def test_base64_never_raises(line: bytes) -> None:
    login.decoded(line)


@pytest.mark.parametrize(
    ("name", "user"),
    [(b"jana", "jana"), (b"Rene\xcc\x81", "Ren\u00e9"), (b"a\xffb", "a\ufffdb"), (b"", "")],
)
def test_normalised(name: bytes, user: str) -> None:
    assert login.normalised(name) == user


def answers(mechanism: bytes, *lines: bytes, initial: bool = False) -> str | None:
    sasl = Sasl(mechanism)
    for at, line in enumerate(lines):
        assert sasl.answered(base64.b64encode(line), initial=initial and at == 0)
    return sasl.user


@pytest.mark.parametrize(
    ("mechanism", "first", "user"),
    [
        (b"PLAIN", b"\0tim\0x", "tim"),
        (b"LOGIN", b"tim", "tim"),
        (b"CRAM-MD5", b"tim novak b913a602c7eda7a495b4e6e7334d3890", "tim novak"),
        (b"CRAM-MD5", b"b913a602c7eda7a495b4e6e7334d3890", None),
        (b"SCRAM-SHA-512", b"n,,n=tim,r=x", "tim"),
        (b"EXTERNAL", b"tim", "tim"),
        (b"EXTERNAL", b"", None),
        (b"ANONYMOUS", b"trace", "anonymous"),
        (b"XVENDOR", b"tim secret", None),
        (b"NTLM", b"tim secret", None),
    ],
)
def test_the_first_answer(mechanism: bytes, first: bytes, user: str | None) -> None:
    assert answers(mechanism, first) == user
    assert answers(mechanism, first, b"\0eve\0x", b"n,,n=eve,r=x") == user


@pytest.mark.parametrize("mechanism", [b"LOGIN", b"PLAIN", b"EXTERNAL", b"XOAUTH2", b"OAUTHBEARER", b"CRAM-MD5"])
def test_a_second_answer_is_never_a_name(mechanism: bytes) -> None:
    assert answers(mechanism, b"", b"zq8-Correct-Horse") is None
    assert answers(mechanism, b"x", b"user=zq8-Correct-Horse") in ("x", None)


def test_an_empty_initial_response_is_no_answer() -> None:
    assert answers(b"LOGIN", b"", b"tim", b"zq8-Correct-Horse", initial=True) == "tim"


def test_what_is_no_base64_changes_nothing() -> None:
    sasl = Sasl(b"LOGIN")
    assert not sasl.answered(b"!")
    assert sasl.answered(b"dGlt")
    assert sasl.user == "tim"
