"""The reader of FETCH responses that the oracles stand on: what it takes as equal, and what it refuses."""

from __future__ import annotations

import pytest

from tests.e2e.imapanswers import AnswerError, Atom, Fetched, fetched

SAME = [
    (b'* 1 FETCH (BODY[] "a\\"b\\\\")', b'* 1 FETCH (BODY[] {4}\r\na"b\\)'),
    (b'* 1 FETCH (BODY[] "")', b"* 1 FETCH (BODY[] {0}\r\n)"),
    (b"* 1 FETCH (BINARY[1] ~{2}\r\nab)", b'* 1 FETCH (BINARY[1] "ab")'),
    (b'* 1 FETCH (BODY[HEADER.FIELDS ("FROM" TO)] "x")', b'* 1 FETCH (BODY[HEADER.FIELDS ({4}\r\nFrom TO)] "x")'),
    (b"* 1 FETCH (UID 3 FLAGS (\\Seen $A))", b"* 1 FETCH (FLAGS (\\Seen $A) UID 3)"),
    (b'* 1 FETCH (BODY (("A" "B")("C" "D") "MIXED"))', b'* 1 FETCH (BODY (({1}\r\nA "B")("C" "D") "MIXED"))'),
]

REFUSED = [
    b"* 0 FETCH (UID 1)",
    b"* 1 FETCH (UID  1)",
    b"* 1 FETCH (UID 1 )",
    b"* 1 FETCH (UID 1) ",
    b"* 1 FETCH ()",
    b"* 1 FETCH (UID 1 UID 1)",
    b'* 1 FETCH (BODY[] "a\\b")',
    b'* 1 FETCH (BODY[] "\xe9")',
    b'* 1 FETCH (BODY[] "a\r\n")',
    b"* 1 FETCH (BODY[] {5}\r\nabc)",
    b"* 1 FETCH (BODY[] {3}\r\na\0b)",
    b"* 1 FETCH (BODY[] {03}\r\nabc)",
    b"* 1 FETCH (BODY[0] NIL)",
    b"* 1 FETCH (BODY[1.] NIL)",
    b"* 1 FETCH (BODY[]<01> NIL)",
    b'* 1 FETCH (ENVELOPE ("a""b"))',
    b'* 1 FETCH (ENVELOPE ("a" (NIL NIL) )',
    b"* 1 FETCH (body[] NIL)",
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_quoting_makes_no_difference(one: bytes, other: bytes) -> None:
    assert fetched(one) == fetched(other)


@pytest.mark.parametrize("unit", REFUSED)
def test_what_the_grammar_forbids(unit: bytes) -> None:
    with pytest.raises(AnswerError):
        fetched(unit)


def test_atoms_are_not_strings() -> None:
    assert fetched(b"* 1 FETCH (RFC822.SIZE 3)") != fetched(b'* 1 FETCH (RFC822.SIZE "3")')
    assert fetched(b"* 1 FETCH (BODY[1] NIL)") != fetched(b'* 1 FETCH (BODY[1] "NIL")')


def test_values() -> None:
    one = fetched(b'* 7 FETCH (UID 9 FLAGS (\\Seen \\*) BODY[1.2.MIME]<5> "x" BODYSTRUCTURE ((NIL "a") ()))')
    assert one == Fetched(
        7,
        {
            "UID": Atom(b"9"),
            "FLAGS": [Atom(b"\\Seen"), Atom(b"\\*")],
            "BODY[1.2.MIME]<5>": b"x",
            "BODYSTRUCTURE": [[None, b"a"], []],
        },
    )
