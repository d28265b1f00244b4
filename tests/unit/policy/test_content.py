"""What is known of a mail: addresses and fields of its header, whatever is written there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.policy.content import MOST_ADDRESSES, Header, addresses
from tests.unit.policy.cases import document, mail

HEADER = (
    b"From: =?utf-8?q?J=C3=A1na?= <Jana@Example.org>\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n folded\r\n"
    b"To: a@x, b@y\r\nto: c@z\r\nX-Empty:\r\n\r\n"
)


def test_values_are_unfolded_and_decoded() -> None:
    header = Header(HEADER)
    assert header.values("subject") == ("caf\u00e9 folded",)
    assert header.values("SUBJECT") == header.values("Subject")
    assert header.values("X-Empty") == ("",)
    assert header.values("Cc") == ()


def test_addresses_of_all_fields_of_a_name() -> None:
    header = Header(HEADER)
    assert header.addresses("from", "sender") == ("jana@example.org",)
    assert header.addresses("to", "cc") == ("a@x", "b@y", "c@z")
    assert header.addresses("bcc") == ()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"a@x", ["a@x"]),
        (b"A@X.Example", ["a@x.example"]),
        (b'"ceo@bank" <x@evil>', ["x@evil"]),
        (b"ceo@bank <x@evil>", ["x@evil"]),
        (b"x@evil (ceo@bank)", ["x@evil"]),
        (b"good@a, <evil@b>", ["good@a", "evil@b"]),
        (b"Group: a@x, b@y;, c@z", ["a@x", "b@y", "c@z"]),
        (b'"odd one"@x', ['"odd one"@x']),
        (b"<>", []),
        (b"undisclosed-recipients:;", []),
        (b"", []),
        (b'"unclosed <a@x>', ["a@x"]),
        (b"<a@x><b@y>", ["a@x", "b@y"]),
        (b"caf\xc3\xa9@x", ["caf\u00e9@x"]),
        (b"\xff@x", ["\ufffd@x"]),
    ],
)
def test_addresses(value: bytes, found: list[str]) -> None:
    assert list(addresses(value)) == found


@pytest.mark.parametrize(("before", "behind"), [(b"", b""), (b"=?utf-8?q?", b"?=")])
def test_more_addresses_than_are_told_apart(before: bytes, behind: bytes) -> None:
    """As written, and as they come out of encoded words."""

    def header(times: int) -> Header:
        return Header(b"X: y@z\r\nCc: " + before + b"a@b," * times + behind + b"\r\n\r\n")

    assert not header(MOST_ADDRESSES).is_unclear
    assert header(MOST_ADDRESSES + 1).is_unclear
    assert not Header(b"Cc: a@b\r\n" * 9000 + b"Subject: " + b"a@b," * 20000 + b"\r\n\r\n").is_unclear


def test_an_address_in_an_encoded_word_is_one_more() -> None:
    """T-H01: some clients show what the words decode to as the address."""
    header = Header(b"From: =?utf-8?q?ceo=40bank?= =?utf-8?q?=0A?=@evil\r\n\r\n")
    assert "ceo@bank" in " ".join(header.addresses("from"))


@given(st.binary(max_size=300))
def test_whatever_is_written_there(value: bytes) -> None:
    for found in addresses(value):
        assert "@" in found
        assert not set(found) & set("<>,;\r\n")


@pytest.mark.parametrize("junk", [b"a", b'"', b'"\\', b"(", b"<", b"@", b"a@", b"<a", b"\\"])
def test_long_fields_take_linear_time(junk: bytes) -> None:
    assert len(list(addresses(junk * 200_000))) <= 10_000


def test_what_has_no_name_and_no_type_has_the_empty_ones() -> None:
    assert document().names == ("",)
    assert document().types(None) == ("",)


def test_a_document_is_judged_with_the_mail_around_it() -> None:
    case = document(mail("upload", 9, "found", 2.5, subject="x"), size=3, virus="free")
    assert (case.direction, case.size, case.virus, case.spam) == ("upload", 3, "free", 2.5)
    assert case.header.values("subject") == ("x",)
