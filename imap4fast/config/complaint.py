"""What to say about a token that the grammar does not allow, and what to put in to go on."""

from __future__ import annotations

import msgspec
from lark import Token

_UNCLOSED = {
    "UNCLOSED_STRING": 'the string is not closed by `"` on its line',
    "UNCLOSED_ADDRESS": "the address is not closed by `]`",
    "UNCLOSED_REGEX": "the regular expression is not closed by `/` on its line; a path is written in quotes",
}
_VALUES = frozenset({"WORD", "STRING", "ADDRESS", "REGEX", "STAR", "INTEGER", "DECIMAL", "BAD_ADDRESS", "BAD_NUMBER"})
_AT_START = frozenset({"WORD", "RBRACE", "SEMICOLON", "$END"})


class Complaint(msgspec.Struct, frozen=True):
    """`behind`: the place is behind the token before. `insert`: the terminal whose absence is the error."""

    text: str
    behind: bool = False
    insert: str | None = None


def complaint(token: Token, before: Token | None, expected: frozenset[str], closes: str) -> Complaint:
    """About `token` after `before`, where `expected` could stand; a `}` closes a `list`, a `body`, or nothing."""
    if token.type in _UNCLOSED:
        return Complaint(_UNCLOSED[token.type])
    if token.type == "BAD_CHARACTER":
        return Complaint(_about_character(token, before))
    if before is not None and before.type == "DASH" and expected == {"WORD"} and token.type in ("INTEGER", "DECIMAL"):
        return Complaint(f"unexpected `-` before `{token}`; a number has no sign")
    if expected <= _AT_START:
        return Complaint(_about_start(token))
    if before is not None and "SEMICOLON" in expected and closes == "body":
        return Complaint(f"`;` is missing after `{shown(before)}`", behind=True, insert="SEMICOLON")
    if token.type == "RBRACE" and not closes:
        return Complaint("`}` without `{`")
    if before is not None and "COMMA" in expected:
        return _about_list(token, before)
    return Complaint(_about_other(token, before, expected))


def shown(token: Token) -> str:
    """The token's text, shortened where it is long."""
    return token if len(token) <= 40 else f"{token[:37]}..."


def _about_character(token: Token, before: Token | None) -> str:
    if token.value == "." and before is not None and before.type == "STAR":
        return "unexpected character `.`; a name with `*` is written as a regular expression, `/.../`"
    joined = before is not None and before.end_pos == token.start_pos and before.type in _VALUES
    hint = "; a text with such characters is written in quotes" if joined else ""
    return f"unexpected character `{token}`{hint}" if token.isprintable() else f"unexpected character {str(token)!a}"


def _about_start(token: Token) -> str:
    if token.type == "RBRACE":
        return "`}` without `{`"
    if token.type == "SEMICOLON":
        return "`;` without an item"
    return f"an item or a section begins with a word, not with `{shown(token)}`"


def _about_list(token: Token, before: Token) -> Complaint:
    if token.type == "SEMICOLON":
        return Complaint(f"`}}` is missing after `{shown(before)}`", behind=True, insert="RBRACE")
    if token.type in _VALUES or token.type in ("NOT", "LBRACE"):
        return Complaint(f"`,` is missing after `{shown(before)}`", behind=True, insert="COMMA")
    return Complaint(f"`,` or `}}` expected, not `{shown(token)}`")


def _about_other(token: Token, before: Token | None, expected: frozenset[str]) -> str:
    if token.type == "COMMA" and "SEMICOLON" in expected:
        return "unexpected `,`; several values are written `{ A, B }`"
    if token.type == "RBRACE" and "SEMICOLON" in expected:
        return "`,` or `}` expected between the members of a list"
    if before is not None and before.type == "COLON":
        return f"a port must follow `:`, not `{shown(token)}`"
    if before is not None and before.type in ("COMMA", "NOT", "LBRACE", "DASH"):
        return f"a value must follow `{before}`, not `{shown(token)}`"
    return f"unexpected `{shown(token)}`"
