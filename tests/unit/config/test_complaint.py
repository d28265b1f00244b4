"""What is said about a token."""

from __future__ import annotations

from lark import Token

from imap4fast.config.complaint import complaint, shown

SEMICOLON = Token("SEMICOLON", ";", start_pos=5, end_pos=6)
RBRACE = Token("RBRACE", "}", start_pos=5, end_pos=6)
WORD = Token("WORD", "a", start_pos=4, end_pos=5)


def test_what_is_put_in() -> None:
    assert complaint(RBRACE, WORD, frozenset({"SEMICOLON", "WORD", "INTEGER"}), "body").insert == "SEMICOLON"
    assert complaint(RBRACE, WORD, frozenset({"SEMICOLON", "WORD", "INTEGER"}), "list").insert is None
    assert complaint(SEMICOLON, WORD, frozenset({"COMMA", "RBRACE"}), "").insert == "RBRACE"
    assert complaint(WORD, WORD, frozenset({"COMMA", "RBRACE"}), "").insert == "COMMA"


def test_where() -> None:
    assert complaint(SEMICOLON, WORD, frozenset({"COMMA", "RBRACE"}), "").behind
    assert not complaint(SEMICOLON, None, frozenset({"WORD", "$END"}), "").behind


def test_characters() -> None:
    at = Token("BAD_CHARACTER", "@", start_pos=5, end_pos=6)
    assert "is written in quotes" in complaint(at, WORD, frozenset(), "").text
    apart = Token("BAD_CHARACTER", "@", start_pos=9, end_pos=10)
    assert complaint(apart, WORD, frozenset(), "").text == "unexpected character `@`"
    bell = Token("BAD_CHARACTER", "\a", start_pos=9, end_pos=10)
    assert complaint(bell, None, frozenset(), "").text == r"unexpected character '\x07'"


def test_long_tokens_are_cut() -> None:
    assert shown(Token("WORD", "a" * 50)) == "a" * 37 + "..."


def test_numbers_have_no_sign() -> None:
    dash = Token("DASH", "-", start_pos=3, end_pos=4)
    for number in (Token("DECIMAL", "1.5", start_pos=4, end_pos=7), Token("INTEGER", "5M", start_pos=4, end_pos=6)):
        said = complaint(number, dash, frozenset({"WORD"}), "body").text
        assert said == f"unexpected `-` before `{number}`; a number has no sign"
        assert "no sign" not in complaint(number, dash, frozenset({"ADDRESS"}), "body").text
