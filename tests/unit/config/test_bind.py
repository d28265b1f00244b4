"""Statements against a small schema."""

from __future__ import annotations

import pytest

from imap4fast.config.schema import Item, Section
from imap4fast.config.types import INTEGER, KEY, SIZE
from tests.unit.config.harness import bind, good

INNER = Section(
    keyword="inner", help="x", named=True, repeatable=True, members=(Item(keyword="key", type=KEY, help="x"),)
)
LATER = Section(keyword="later", help="x", supported=False, members=(Item(keyword="number", type=INTEGER, help="x"),))
OUTER = Section(
    keyword="outer",
    help="x",
    members=(
        Item(keyword="number", type=INTEGER, help="x"),
        Item(keyword="many", type=INTEGER, help="x", repeatable=True),
        Item(keyword="flag", type=KEY, help="x"),
        Item(keyword="size", type=SIZE, help="x", supported=False),
        Item(keyword="odd", type=INTEGER, help="x", refuses=lambda value: "an odd number" if value % 2 else None),
        INNER,
        LATER,
    ),
    exclusive=(("flag", "number"),),
)


def test_values() -> None:
    bound = good(OUTER, "number 5; many 1; many 2; inner A { key; } inner B { }")
    assert bound.values == {"number": 5, "many": (1, 2)}
    assert [child.name for child in bound.named("inner")] == ["A", "B"]
    assert bound.place("many").start < bound.place("inner").start


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ("number 5; number 6;", ["`number` stands a second time; the first is at t:1:10"]),
        ("number x; many y;", ["an integer expected, not `x`", "an integer expected, not `y`"]),
        ("nubmer 5;", ["unknown word `nubmer` in section `outer`; did you mean `number`?"]),
        ("flag 5;", ["`flag` takes no value"]),
        ("number 5 6;", ["unexpected `6` after the value"]),
        ("flag; number 5;", ["`number` and `flag` exclude each other; `flag` is at t:1:10"]),
        (
            "size 5; size 5x;",
            [
                "`size` is not supported yet",
                "`size` is not supported yet",
                "`size` stands a second time; the first is at t:1:10",
                "`5x` is no size; the suffixes are K M G",
            ],
        ),
        ("odd 4; odd 5;", ["`odd` stands a second time; the first is at t:1:10", "an odd number is not supported yet"]),
        ("later { number x; }", ["section `later` is not supported yet", "an integer expected, not `x`"]),
        ("inner { }", ["section `inner` needs a name"]),
        ("inner A { } inner A { }", ["second `inner A`; the first is at t:1:10"]),
        ("inner A B { }", ["unexpected `B` after the section's name"]),
        ("inner A;", ["`inner` is a section: `inner { ... }`"]),
        ("number { };", ["the list of `number` is empty"]),
        ("number { flag; }", ["`number` is an item, not a section; the members of a list are separated by commas"]),
        (
            "flag\n number 5;",
            ["`;` is missing after `flag`", "`number` and `flag` exclude each other; `flag` is at t:1:10"],
        ),
        ("many 5\n inner A { key; }", ["`;` is missing after `5`"]),
    ],
)
def test_errors(body: str, errors: list[str]) -> None:
    assert sorted(bind(OUTER, body)[1]) == sorted(errors)


def test_nothing_is_said_about_what_is_missing_where_a_word_is_unknown() -> None:
    needy = Section(keyword="needy", help="x", members=(Item(keyword="must", type=KEY, help="x", obligatory=True),))
    assert bind(needy, "")[1] == ["`must` is missing in section `needy`"]
    assert bind(needy, "mist;")[1] == ["unknown word `mist` in section `needy`; did you mean `must`?"]
