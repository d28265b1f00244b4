"""Arguments and their spelling; tests/play has the commands in conversation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import tokens
from imap4fast.session import commands


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"", b'""'),
        (b"a b", b'"a b"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"a\r\nb", None),
        (b"a\0b", None),
        (b"\x7f", None),
        (b"\xc3\xa9", None),
    ],
)
def test_quoted(value: bytes, shown: bytes | None) -> None:
    assert commands.quoted(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(b"\xc3\xa9", b'"\xc3\xa9"'), (b"\xff", None), (b"\x7f", None), (b"\n", None)]
)
def test_quoted_in_utf8(value: bytes, shown: bytes | None) -> None:
    assert commands.quoted(value, utf8=True) == shown


@given(st.binary(max_size=40), st.booleans())
def test_quoted_reads_as_what_it_was(value: bytes, utf8: bool) -> None:
    """No octet of it ends the string or the line."""
    shown = commands.quoted(value, utf8=utf8)
    if shown is not None:
        assert tokens(b"a X " + shown + b"\r\n") == [(value,)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"INBOX", b"(INBOX)"),
        (b'INBOX (QRESYNC (1 2 41,43:211 (1:20 5:30)) "x y")', b'(INBOX (QRESYNC (1 2 41,43:211 (1:20 5:30)) "x y"))'),
        (b'{5}\r\na b"c (x)', b'("a b\\"c" (x))'),
        (b"{2}\r\n\r\n", None),
        (b"(x {1}\r\n\xff)", None),
    ],
)
def test_serialised(text: bytes, shown: bytes | None) -> None:
    assert commands.serialised(tokens(b"a X " + text + b"\r\n")) == shown


def test_atoms() -> None:
    assert commands.atoms(tokens(b"a ENABLE X Y=Z\r\n")) == [b"X", b"Y=Z"]
    assert commands.atoms(tokens(b'a ENABLE X "Y"\r\n')) is None
    assert commands.atoms([]) == []


@pytest.mark.parametrize(
    ("names", "utf8"),
    [({b"UTF8=ACCEPT"}, True), ({b"IMAP4REV2", b"X"}, True), ({b"CONDSTORE"}, False), (set(), False)],
)
def test_which_names_bring_utf8(names: set[bytes], utf8: bool) -> None:
    assert commands.enabled_utf8(frozenset(names)) is utf8
