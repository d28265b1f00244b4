"""Arguments of ID within the limits of RFC 2971."""

from __future__ import annotations

import pytest

from imap4fast._wire import tokens
from imap4fast.session.identity import MAX_ID_PAIRS, id_pairs


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (b"NIL", []),
        (b"nil", []),
        (b"()", []),
        (b'("a" "b" "c" NIL "d" nil)', [(b"a", b"b"), (b"c", None), (b"d", None)]),
        (b'({1}\r\na {3}\r\n"\x01b)', [(b"a", b'"\x01b')]),
        (b'("a")', None),
        (b'(a "b")', None),
        (b'("a" b)', None),
        (b'("a" ("b"))', None),
        (b'("a" "b") NIL', None),
        (b'"NIL"', None),
        (b'("' + b"k" * 30 + b'" "' + b"v" * 1024 + b'")', [(b"k" * 30, b"v" * 1024)]),
        (b'("' + b"k" * 31 + b'" "v")', None),
        (b'("k" "' + b"v" * 1025 + b'")', None),
    ],
)
def test_id_pairs(text: bytes, pairs: list[tuple[bytes, bytes | None]] | None) -> None:
    """RFC 2971 section 3.3"""
    assert id_pairs(tokens(b"a ID " + text + b"\r\n")) == pairs


def test_as_many_pairs_as_may_be() -> None:
    def said(count: int) -> bytes:
        return b"a ID (" + b" ".join([b'"k" NIL'] * count) + b")\r\n"

    assert id_pairs(tokens(said(MAX_ID_PAIRS))) == [(b"k", None)] * MAX_ID_PAIRS
    assert id_pairs(tokens(said(MAX_ID_PAIRS + 1))) is None
