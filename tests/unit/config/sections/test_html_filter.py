"""The section of mod-html-filter(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.html_filter import HTML_FILTER
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "tag accept { a, p }; tag deny *;",
        'replace-script-tags "";',
    ],
)
def test_good(body: str) -> None:
    good(HTML_FILTER, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("tag { a };", "`accept` or `deny` expected"),
        ("tag accept { ! a };", "exclusions alone"),
        ("tag deny;", "a list of string is missing"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(HTML_FILTER, body)[1])
