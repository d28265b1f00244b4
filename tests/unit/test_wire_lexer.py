"""lex (lexer.pxi) and tokens (tokens.pxi): what a first line is, and the tree of its arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import COMMANDS, FAULTS, lex, tokens
from tests.wire.grammar import Fault, Grammar, Limits

ATOMS = st.text("abcXYZ019.-/&$_\\*%", min_size=1, max_size=9).map(str.encode)
STRINGS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=9).map(lambda t: (t.encode(),))
TREES = st.recursive(st.one_of(ATOMS, STRINGS), lambda inner: st.lists(inner, max_size=4), max_leaves=12)


def printed(token: object, *, literal: bool = False) -> bytes:
    if isinstance(token, list):
        return b"(" + b" ".join(printed(inner, literal=literal) for inner in token) + b")"
    if isinstance(token, tuple):
        text: bytes = token[0]
        if literal:
            return b"{%d}\r\n" % len(text) + text
        return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    assert isinstance(token, bytes)
    return token


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a NOOP", ("NONE", b"NOOP", b"a", False, None)),
        (b"a noop", ("NONE", b"NOOP", b"a", False, None)),
        (b"A1 uid Fetch 1 FLAGS", ("NONE", b"UID-FETCH", b"A1", False, None)),
        (b"a CREATE {5}", ("NONE", b"CREATE", b"a", False, 5)),
        (b"a CREATE {5+}", ("NONE", b"CREATE", b"a", False, 5)),
        (b"a CREATE {05}", ("NONE", b"CREATE", b"a", True, 5)),
        (b"a CREATE  x", ("NONE", b"CREATE", b"a", True, None)),
        (b"a CREATE x ", ("NONE", b"CREATE", b"a", True, None)),
        (b"a APPEND x ~{5}", ("NONE", b"APPEND", b"a", False, 5)),
        (b"a XFOO x", ("NONE", b"UNKNOWN", b"a", False, None)),
        (b"a UID XFOO", ("NONE", b"UNKNOWN", b"a", False, None)),
        (b"a UID", ("BAD_NAME", b"UNKNOWN", b"a", False, None)),
        (b"a UID-FETCH 1 FLAGS", ("NONE", b"UNKNOWN", b"a", False, None)),
        (b"", ("BAD_TAG", b"UNKNOWN", b"", False, None)),
    ],
)
def test_first_lines(line: bytes, expected: tuple[object, ...]) -> None:
    fault, code, tag, loose, size, _ = lex(line)
    assert (fault, code, tag, loose, size) == expected


def test_sync() -> None:
    assert lex(b"a CREATE {5}")[5]
    assert not lex(b"a CREATE {5+}")[5]


@pytest.mark.parametrize("name", COMMANDS[1:])
def test_every_command_is_recognised(name: bytes) -> None:
    line = b"a " + name.replace(b"UID-", b"UID ").swapcase()
    assert max(lex(line)[1], lex(line + b" 1 x")[1], key=lambda code: code != b"UNKNOWN") == name


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_any_line_has_an_answer(line: bytes, utf8: bool, searchres: bool) -> None:
    fault, code, tag, _, size, _ = lex(line, utf8=utf8, searchres=searchres)
    assert fault in FAULTS
    assert code in COMMANDS
    assert line.startswith(tag)
    assert len(tag) <= 64
    assert size is None or size >= 0


@given(st.lists(TREES, min_size=1, max_size=5))
def test_tokens_of_a_printed_tree(tree: list[object]) -> None:
    line = b"a SEARCH " + b" ".join(printed(token) for token in tree)
    assert tokens(line + b"\r\n") == tree


@given(st.lists(TREES, min_size=1, max_size=5))
def test_tokens_with_literals(tree: list[object]) -> None:
    line = b"a SEARCH " + b" ".join(printed(token, literal=True) for token in tree)
    assert tokens(line + b"\r\n") == tree


@given(st.binary(max_size=100))
def test_tokens_of_anything_end(unit: bytes) -> None:
    assert isinstance(tokens(unit), list)


@given(
    st.lists(
        st.sampled_from(
            [b" ", b"(", b")", b'"', b"\\", b"a", b"1", b"{3}", b"]", b"[", b"BODY[", b"<", b"\x7f", b"\xc3\xa9"]
        ),
        max_size=14,
    )
)
def test_a_search_as_the_reference_has_it(parts: list[bytes]) -> None:
    text = b" " + b"".join(parts)
    grammar = Grammar(b"SEARCH", Limits())
    try:
        if b"\x7f" in text:
            raise Fault
        canonical = grammar.line(text)
        if grammar.marker is None:
            grammar.finished()
    except Fault:
        assert lex(b"a SEARCH" + text)[0] != "NONE"
        return
    fault, _, _, loose, size, _ = lex(b"a SEARCH" + text)
    assert fault == "NONE"
    assert size == (grammar.marker[1] if grammar.marker else None)
    assert loose == (canonical + (b"{3}" if grammar.marker else b"") != text)
