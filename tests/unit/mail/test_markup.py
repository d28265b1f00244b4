"""HTML rebuilt: one form whatever came, the form that `edited` relies on, and estimates of what parsing costs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import markup
from imap4fast.mail.markup import TAGS, Attributes, NotCanonical, canonical, edited, is_shown, is_tangled, shown
from tests.clock import SLOWER


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<P CLASS=x>a<p>b", '<p class="x">a</p><p>b</p>'),
        ("a &lt; b & c\xa0d", "a &lt; b &amp; c&nbsp;d"),
        ("<!-- x -->a<!DOCTYPE y><?z?>", "a"),
        ("<o:p>a</o:p><blink>b</blink><base href=x><meta x><link rel=y>", "ab"),
        ("<html><head><title>t</title></head><body><p>a</body></html>", "<p>a</p>"),
        ('<body bgcolor="red" style="x:y"><p>a</body>', '<div bgcolor="red" style="x:y"><p>a</p></div>'),
        ("<noscript><p>a</noscript>", "<p>a</p>"),
        ("<svg><text>a</text></svg><math><mi>b</mi></math>c", "c"),
        ("a\r\nb\rc\0d\x01e", "a\nb\ncde"),
        ("<a href=x><a href=y>z", '<a href="x"></a><a href="y">z</a>'),
        ("<td>x", "x"),
        ("<select><option>a</select>", "a"),
        ("<style>a > b</style>", "<style>a > b</style>"),
        ("<p data-x=1 aria-label=y 0=z @click=q>", '<p data-x="1" aria-label="y"></p>'),
        ("", ""),
    ],
)
def test_canonical(text: str, expected: str) -> None:
    assert canonical(text, TAGS) == expected


def test_tags_that_are_not_kept() -> None:
    assert canonical("<b>a</b><i>b</i><script>c</script><style>d</style>", frozenset({"b"})) == "<b>a</b>b"


def keep(name: str, attributes: Attributes, content: str) -> str | Attributes:
    return [*attributes, ("", content)]


MARKUP = st.lists(
    st.sampled_from(
        ["<", ">", "/", "p", "b", "style", "script", "iframe", "=", "'", '"', " ", "&", ";", "!--", "\n", "é"]
    )
).map("".join)


@given(MARKUP)
def test_what_is_canonical_can_be_edited_and_keeps_its_meaning(text: str) -> None:
    once = canonical(text, TAGS)
    again = edited(once, keep)
    assert edited(canonical(again, TAGS), keep) == edited(canonical(once, TAGS), keep)


def test_decisions() -> None:
    def decide(name: str, attributes: Attributes, content: str) -> str | Attributes:
        if name == "script":
            return f"[{content}]"
        return [] if name == "p" else [*attributes, ("title", "<\"&\xa0'>")]

    text = canonical("<p class=x>a<script>b < c</script><b>d</b><img src=e>", TAGS)
    title = 'title="&lt;&quot;&amp;&nbsp;\'&gt;"'
    assert edited(text, decide) == f'<p>a[b < c]<b {title}>d</b><img src="e" {title}></p>'


def test_values_come_decoded() -> None:
    seen: Attributes = []

    def decide(name: str, attributes: Attributes, content: str) -> Attributes:
        seen.extend(attributes)
        return attributes

    edited(canonical("<p title='&amp;lt; &quot; &nbsp;<b>'>", TAGS), decide)
    assert seen == [("title", '&lt; " \xa0<b>')]


@pytest.mark.parametrize("text", ["<", "<p", "<P>", "<p class=x>", "a < b", "<script>", "<!-- -->", "<p \n>", "<a:b>"])
def test_what_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(NotCanonical):
        edited(text, keep)


@given(st.text())
def test_shown(text: str) -> None:
    assert is_shown(shown(text))
    assert canonical(shown(text), TAGS) == shown(text)


@pytest.mark.parametrize("text", ["<p>", "a & b", "&copy;", "\0", "a\rb", "&amp", ">"])
def test_what_is_not_shown(text: str) -> None:
    assert not is_shown(text)


@pytest.mark.parametrize(
    "text",
    [
        "<div>" * 50_000,
        "<div>" * 10_000 + "</p>" * 10_000,
        "<p>" + "".join(f"<b id={number}>" for number in range(1000)) + "</p><p>x" * 600,
        "&" * 1_000_000,
        "&lt;" * 1_000_000,
        "<b></b>" * 600_000,
        "<font color=red>" * 5000 + "<div>x</div>" * 5000,
    ],
    ids=lambda text: text[:20],
)
def test_what_would_cost_too_much(text: str) -> None:
    before = time.process_time()
    assert is_tangled(text)
    assert time.process_time() - before < 3 * SLOWER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<table><tr><td><p>hello <a href=x>y</a> &amp; z</td></tr></table>" * 5000,
        "<p>a<br>b<li>c" * 20_000,
        "<font size=2>x " * 60 + "<p>y<div>z</div>" * 2000,
        "<div>" * 300 + "x" + "</div>" * 300,
    ],
    ids=len,
)
def test_what_people_send_is_not_tangled(text: str) -> None:
    assert not is_tangled(text)


def test_no_tag_is_both_kept_and_left_out() -> None:
    assert not TAGS & markup._LEFT_OUT
    assert markup.RAW <= TAGS
