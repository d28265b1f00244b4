"""What is filled in cannot leave its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import template
from imap4fast.mail.template import Values

ALL = "%{filename}|%{type}|%{size}|%{virus}|%{rule}"


def test_filled() -> None:
    values = Values("a.exe", "application/x-dosexec", 12, "Eicar", "VIRUS")
    assert template.filled(ALL, values, "text") == "a.exe|application/x-dosexec|12|Eicar|VIRUS"
    assert template.filled("%{other} %{ filename} 100% %", values, "text") == "%{other} %{ filename} 100% %"


def test_T_H06_no_line_end_and_no_boundary() -> None:  # noqa: N802
    values = Values(filename="a\r\n--boundary\r\nContent-Type: text/html", virus="v\0\u202ex")
    assert template.filled("%{filename} %{virus}", values, "text") == "a --boundary Content-Type: text/html v x"


def test_T_H06_no_markup_in_html() -> None:  # noqa: N802
    values = Values(filename="<script>\"'&")
    assert template.filled("<p>%{filename}</p>", values, "html") == "<p>&lt;script&gt;&quot;&#x27;&amp;</p>"


def test_what_is_filled_in_is_not_filled_again() -> None:
    assert template.filled("%{filename}", Values(filename="%{rule}", rule="R"), "text") == "%{rule}"


def test_long_values_are_cut() -> None:
    assert len(template.filled("%{filename}", Values(filename="x" * 5000), "text")) == template.LONGEST


@given(st.text(), st.sampled_from(["text", "html", "header"]))
def test_T_H06_any_value_is_one_line(value: str, context: str) -> None:  # noqa: N802
    filled = template.filled("%{filename}%{virus}", Values(filename=value, virus=value), context)
    assert len(filled.splitlines()) <= 1
    assert "\0" not in filled


@pytest.mark.parametrize(
    ("media_type", "context"),
    [
        ("text/html", "html"), ("TEXT/plain", "text"), ("image/png", ""), ("", ""), ("text/calendar", "text"),
        ("text/xml", "html"), ("Application/XML", "html"), ("application/xhtml+xml", "html"), ("image/svg+xml", "html"),
        ("application/xml-external-parsed-entity", "html"), ("text/x-amp-html", "html"), ("text/enriched", "html"),
        ("text/vnd.wap.wml", "html"), ("text/xsl", "html"), ("application/rss+xml", "html"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ""),
    ],
)  # fmt: skip
def test_context(media_type: str, context: str) -> None:
    assert template.context_of(media_type) == context
