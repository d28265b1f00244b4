"""Regular expressions of conditions."""

from __future__ import annotations

import pytest

from imap4fast.policy.regex import compile_regex


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("example", "MAIL.EXAMPLE.ORG", True),
        ("^mail", "mail.example.org", True),
        ("^example", "mail.example.org", False),
        ("(?-i)example", "MAIL.EXAMPLE.ORG", False),
        ("\u00c9t\u00e9", "\u00e9t\u00e9.example", True),
    ],
)
def test_search_ignores_case(pattern: str, text: str, fits: bool) -> None:
    assert (compile_regex(pattern).search(text) is not None) is fits


def test_an_expression_that_makes_backtracking_endless_ends() -> None:
    assert compile_regex("(a+)+$").search("a" * 5000 + "!") is None
