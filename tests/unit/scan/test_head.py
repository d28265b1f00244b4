"""Heads of HTTP, ICAP and spamd in any pieces, and what is no head."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.scan.head import MOST_FIELDS, MOST_OCTETS, Head, number
from tests.unit.scan.feeding import held, splits

REPLY = b'ICAP/1.0 200 OK\r\nISTag: "x"\r\nX-Two: a\r\nx-two: b\r\nX-Folded: 1\r\n\tname\r\n virus\r\nEmpty:\r\n\r\n'
FIELDS = {b"istag": b'"x"', b"x-two": b"a, b", b"x-folded": b"1 name virus", b"empty": b""}


def fed(pieces: list[bytes]) -> tuple[Head, bytes]:
    """The head, and what came behind it."""
    head = Head()
    rest = b""
    for octets in pieces:
        rest += octets if head.done else head.feed(octets)
    return head, rest


@pytest.mark.parametrize("behind", [b"", b"body\r\n\r\n"])
def test_at_every_split(behind: bytes) -> None:
    for pieces in splits(REPLY + behind):
        head, rest = fed(pieces)
        assert (head.done, head.fault, head.status, head.fields) == (True, False, b"ICAP/1.0 200 OK", FIELDS)
        assert rest == behind


@pytest.mark.parametrize(
    "reply",
    [
        b"S\r\nno colon\r\n\r\n",
        b"S\r\n: no name\r\n\r\n",
        b"S\r\nblank : before the colon\r\n\r\n",
        b"S\r\n" + b"a: b\r\n" * (MOST_FIELDS + 1) + b"\r\n",
        b"x" * (MOST_OCTETS + 1),
        b"S\r\na: " + b"x" * MOST_OCTETS + b"\r\n\r\n",
    ],
    ids=["colon", "name", "blank", "fields", "endless", "long"],
)
def test_no_head(reply: bytes) -> None:
    head, rest = fed([reply])
    assert (head.done, head.fault, rest) == (False, True, b"")


def test_not_yet() -> None:
    head, _ = fed([REPLY[:-1]])
    assert (head.done, head.fault) == (False, False)
    assert head.said == b"ICAP/1.0 200 OK"


def test_an_endless_head_is_not_kept() -> None:
    head = Head()
    for _ in range(1000):
        if not head.fault:
            head.feed(b"a: b\r\n" * 1000)
        assert held(head) < 4 * MOST_OCTETS
    assert head.fault


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\r\n", b"\r\n\r\n", b"a: b", b": "]), max_size=40))
def test_any_octets(pieces: list[bytes]) -> None:
    head, rest = fed(pieces)
    whole = b"".join(pieces)
    assert not (head.done and head.fault)
    if head.done:
        assert whole.endswith(rest)
        assert whole[: len(whole) - len(rest)].endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("value", "meant"),
    [(b"0", 0), (b"1024", 1024), (b"", None), (b"-1", None), (b"1x", None), (b"9" * 10, None), (b"\xb2", None)],
)
def test_numbers(value: bytes, meant: int | None) -> None:
    assert number(value) == meant
