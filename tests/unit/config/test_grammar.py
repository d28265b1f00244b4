"""Text to tree, and recovery."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.config.diagnostic import Report
from imap4fast.config.grammar import MAX_DEPTH, parse
from imap4fast.config.source import Source
from imap4fast.config.syntax import Statement
from imap4fast.errors import ConfigError


def shape(statements: tuple[Statement, ...]) -> str:
    """The tree in one line: elements as they stand in the text, bodies in braces."""
    parts = []
    for one in statements:
        words = [one.keyword.text, *(node.span.source.text[node.span.start : node.span.end] for node in one.elements)]
        body = "" if one.body is None else f" {{{shape(one.body)}}}"
        parts.append(" ".join(words) + body)
    return "; ".join(parts)


def tree_of(text: str) -> tuple[str, list[str]]:
    report = Report()
    found = shape(parse(Source("t", text), report))
    try:
        report.raise_if_failed()
    except ConfigError as error:
        return found, [line[2:] for line in str(error).split("\n") if line.startswith("t:")]
    return found, []


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", ""),
        ("# only\n", ""),
        ("a; b 5 c;", "a; b 5 c"),
        ("a { } b N { c; };", "a {}; b N {c}"),
        ("a { b { c { d; } } }", "a {b {c {d}}}"),
        ("a { b, c }; d { e };", "a { b, c }; d { e }"),
        ("a { b : 5 } { c } d;", "a { b : 5 } { c } d"),
        ("a ! b : 5-6;", "a ! b : 5-6"),
        ("a [1]-[2] 3-4 { { b }, * };", "a [1]-[2] 3-4 { { b }, * }"),
        ('a "x # \\" y" /b;#c/ d # e;\n;', 'a "x # \\" y" /b;#c/ d'),
        ("a AUTH=* text/* b-c;", "a AUTH=* text/* b-c"),
    ],
)
def test_trees(text: str, tree: str) -> None:
    assert tree_of(text) == (tree, [])


@pytest.mark.parametrize(
    ("text", "tree", "errors"),
    [
        ("a { b 5 } c;", "a {b 5}; c", ["1:8: error: `;` is missing after `5`"]),
        ("a { b { c; }", "a {b {c}}", ["1:3: error: this `{` is never closed"]),
        ("a } b;", "b", ["1:3: error: `}` without `{`"]),
        (
            "a = 5; b; = c; d;",
            "b; d",
            ["1:3: error: unexpected character `=`", "1:11: error: unexpected character `=`"],
        ),
        ("a { = 5; b; } c;", "a {b}; c", ["1:5: error: unexpected character `=`"]),
        ("a { b [x] [y, c; } d;", "a {}; d", ["1:11: error: the address is not closed by `]`"]),
        ('a "x;\nb;', "b", ['1:3: error: the string is not closed by `"` on its line']),
        ("a = X { b; c; } d;", "d", ["1:3: error: unexpected character `=`"]),
        ("a { b, ; c;", "c", ["1:8: error: a value must follow `,`, not `;`"]),
        ("a { b, c; d;", "a { b, c; d", ["1:9: error: `}` is missing after `c`"]),
        ("a { [1] [2] }; b;", "a { [1] [2] }; b", ["1:8: error: `,` is missing after `[1]`"]),
        ("a", "", ["1:2: error: `;` is missing after `a`"]),
        ("a b: c;", "a b: c", []),
        ("a 5 : 6 : 7;", "", ["1:9: error: unexpected `:`"]),
        ("a 5-;", "", ["1:5: error: a value must follow `-`, not `;`"]),
    ],
)
def test_recovery(text: str, tree: str, errors: list[str]) -> None:
    found, reported = tree_of(text)
    assert reported == errors
    assert found == tree


SOUP = ["a", "b", "{", "}", "{", "}", ";", ";", ",", ":", "!", "*", "-", "5", "[1]", '"s"', "/r/", "=", '"', "[", "\n"]


@given(st.lists(st.sampled_from(SOUP), max_size=40))
def test_any_order_of_tokens(pieces: list[str]) -> None:
    tree, errors = tree_of(" ".join(pieces))
    assert len(errors) <= len(pieces) + 1
    assert errors or tree or not "".join(pieces).strip()


def test_depth() -> None:
    deep = "a " + "{ " * MAX_DEPTH + "*" + " }" * MAX_DEPTH + ";"
    assert tree_of(deep)[1] == []
    assert tree_of(deep.replace("*", "{ * }"))[1] == [
        f"1:{3 + 2 * MAX_DEPTH}: error: more than {MAX_DEPTH} braces within one another"
    ]
