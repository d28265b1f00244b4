"""The section of mod-html-filter(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.mailsettings import HtmlFilter
from imap4fast.config.sections.html_filter import HTML_FILTER
from imap4fast.config.values import WordMember
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


@pytest.mark.parametrize(
    ("body", "warned"),
    [
        ("tag deny object;", True),
        ("tag deny { object, embed }; tag deny applet;", True),
        ("tag deny object; tag accept *;", False),
        ("tag deny *;", False),
        ("tag deny { ! b, * };", False),
        ("iframe-tag-src deny { /^http:/ };", False),
        ("url-scheme accept https;", False),
    ],
)
def test_rules_that_keep_nothing_are_warned_of(body: str, warned: bool) -> None:
    told = bind(HTML_FILTER, body)[1]
    assert [one for one in told if "no rule accepts anything" in one] == told
    assert bool(told) is warned
    assert not told or "for the rest to stay add `tag accept *;`" in told[0]


def test_settings() -> None:
    found: HtmlFilter = good(HTML_FILTER, "tag accept { a, p }; tag deny *; replace-iframe-tags gone;").struct
    assert found.tag == (("accept", (WordMember("a"), WordMember("p"))), ("deny", (WordMember(None),)))
    assert (found.replace_iframe_tags, found.replace_script_tags, found.attribute) == ("gone", None, ())
