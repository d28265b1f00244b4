"""Chunked coding in any pieces, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.scan.chunked import MOST_LINE, MOST_TRAILER, Chunked
from tests.unit.scan.feeding import held, splits

BODY = b'5\r\nhello\r\n1; name="value"\r\n \r\nA\r\nworld\r\n\r\n!\r\n0\r\nTrailer: x\r\n\r\n'


def decoded(pieces: list[bytes]) -> tuple[bytes, Chunked]:
    came = bytearray()
    body = Chunked(came.extend)
    for octets in pieces:
        body.feed(octets)
    return bytes(came), body


@pytest.mark.parametrize("behind", [b"", b"more"])
def test_at_every_split(behind: bytes) -> None:
    for pieces in splits(BODY + behind):
        came, body = decoded(pieces)
        assert came == b"hello world\r\n\r\n!"
        assert (body.done, body.fault) == (True, False)
        assert bool(body.rest) == bool(behind)


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"+5\r\n",
        b"0x5\r\n",
        b"1_0\r\n",
        b"5\nhello\r\n",
        b"5\r\nhello!\r\n",
        b"1234567890123\r\n",
        b"0" * (MOST_LINE + 1),
        b"0\r\n" + b"a: b\r\n" * MOST_TRAILER,
    ],
)
def test_not_chunked(body: bytes) -> None:
    for pieces in ([body], [body[at : at + 1] for at in range(len(body))]):
        _, chunked = decoded(pieces)
        assert (chunked.done, chunked.fault) == (False, True)


def test_nothing_is_kept() -> None:
    taken: list[int] = []
    body = Chunked(lambda octets: taken.append(len(octets)))
    body.feed(b"fffffffff\r\n")
    for _ in range(100):
        body.feed(bytes(65536))
        assert held(body) < 2 * MOST_LINE
    assert sum(taken) == 6553600


@given(st.lists(st.binary(max_size=30) | st.sampled_from([b"\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n"]), max_size=30))
def test_any_octets(pieces: list[bytes]) -> None:
    together, whole = decoded([b"".join(pieces)])
    apart, parts = decoded(pieces)
    assert (together, whole.done, whole.fault) == (apart, parts.done, parts.fault)
