"""Walking over elements."""

from __future__ import annotations

import pytest

from imap4fast.config.cursor import Cursor, Names, shown
from imap4fast.config.diagnostic import ElementError, Report
from imap4fast.config.source import Source, Span
from tests.unit.config.harness import parsed


def cursor(text: str) -> Cursor:
    return Cursor(parsed(text), Report(), Names())


def test_walk() -> None:
    walker = cursor("item a 5;")
    assert walker.next_word() == "a"
    assert not walker.accept("b")
    assert walker.accept("a")
    assert walker.next_word() is None
    assert walker.take_atom("a number", "INTEGER").text == "5"
    assert walker.peek() is None
    with pytest.raises(ElementError, match=r"^a number is missing$") as caught:
        walker.take("a number")
    assert caught.value.span.start == len("item a 5")


def test_shown() -> None:
    (short, long) = parsed("item { a } { " + "a, " * 30 + "a };").elements
    assert (shown(short), shown(long)) == ("`{ a }`", "a list")


@pytest.mark.parametrize(
    ("text", "kinds", "hint"),
    [
        ("item /a/;", ("STRING",), "; a path is written in quotes"),
        ("item a;", ("STRING",), '; write "a"'),
        ("item 10.0.0.1-10.0.0.2;", ("ADDRESS",), "; an address is written in brackets"),
        ("item 5x;", ("WORD", "STRING"), '; a word that begins with a digit is written in quotes: "5x"'),
        ("item ::1;", ("ADDRESS",), "; an address is written in brackets: `[::1]`"),
    ],
)
def test_hints(text: str, kinds: tuple[str, ...], hint: str) -> None:
    with pytest.raises(ElementError) as caught:
        cursor(text).take_atom("x", *kinds)
    assert hint in caught.value.text


def test_names_keep_the_first_place() -> None:
    names, source = Names(), Source("f", "ab")
    names.add("k", "n", Span(source, 0, 1))
    names.add("k", "n", Span(source, 1, 2))
    assert names.of("k")["n"].start == 0
    assert names.of("other") == {}
