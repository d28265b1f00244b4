"""Types made of types."""

from __future__ import annotations

import pytest

from imap4fast.config.composite import Branch, ListOf, Named, Opt, Seq, SetOf, WordOr
from imap4fast.config.types import INTEGER, SIZE, STR, Type, words
from tests.unit.config.harness import read

SHAPE = Seq(Named("client"), Named("size", SIZE), words("a", "b"), Opt(INTEGER))
BRANCH = Branch({"none": None, "some": INTEGER})
DIGITS = SetOf("digit", range(10), {"zero": 0, "one": 1})


@pytest.mark.parametrize(
    ("kind", "elements", "value"),
    [
        (SHAPE, "client size 1K b 5", (True, 1024, "b", 5)),
        (SHAPE, "a", (None, None, "a", None)),
        (BRANCH, "none", ("none", None)),
        (BRANCH, "some 5", ("some", 5)),
        (WordOr("auto", 0, INTEGER), "auto", 0),
        (WordOr("auto", 0, INTEGER), "7", 7),
        (ListOf(STR), "a", ("a",)),
        (ListOf(STR), '{ a, "b" }', ("a", "b")),
        (DIGITS, "zero", frozenset({0})),
        (DIGITS, "{ 8-1, ! 3, 5 }", frozenset({8, 9, 0, 1, 5})),
        (DIGITS, "{ ! { 0-7 }, * }", frozenset({8, 9})),
        (DIGITS, "*", None),
    ],
)
def test_read_and_write(kind: Type, elements: str, value: object) -> None:
    assert read(kind, elements) == value
    if elements != "*":
        assert read(kind, kind.write(value)) == value
    else:
        assert kind.write(value) == "*"


@pytest.mark.parametrize(
    ("kind", "elements", "error"),
    [
        (SHAPE, "client", "`a` or `b` is missing"),
        (SHAPE, "client size a", "a size expected, not `a`"),
        (Named("per", INTEGER, optional=False), "", "`per` is missing"),
        (Named("per", INTEGER, optional=False), "5", "`per` expected, not `5`"),
        (BRANCH, "sume 5", "did you mean `some`"),
        (BRANCH, "", "one of `none`, `some` is missing"),
        (ListOf(INTEGER), "{ 5, a }", "an integer expected, not `a`"),
        (DIGITS, "{ ! 5 }", "write `! 5, *`"),
        (DIGITS, "! 5", "write `{ ! 5, * }`"),
        (DIGITS, "10", "digit expected, not `10`"),
        (DIGITS, "{ ! *, 1 }", "the set is empty"),
        (DIGITS, "zreo", "did you mean `zero`"),
    ],
)
def test_wrong(kind: Type, elements: str, error: str) -> None:
    assert error in read(kind, elements)


def test_names_for_the_reference() -> None:
    assert SHAPE.name == "[client] [size size] a | b [integer]"
    assert BRANCH.name == "none | some integer"
