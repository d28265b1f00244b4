"""Styles: what loads is judged, what runs or imports is taken out, the rest is left as it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.css import LONGEST, judged
from tests.clock import SLOWER


def strict(url: str) -> bool:
    return url.startswith("cid:")


@pytest.mark.parametrize(
    "text",
    [
        "color:red",
        "p > a { margin: 0 auto !important }",
        "@media (max-width: 600px) { .x { color: #fff } }",
        "",
        "}{",
        "/* x */",
    ],
)
def test_what_loads_nothing_is_left_as_it_is(text: str) -> None:
    assert judged(text, strict) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("background:url(http://x/y) red", "background:none red"),
        ("background:url('http://x/y')", "background:none"),
        ("background:URL( http://x )", "background:none"),
        ("background:u\\72l(http://x/y)", "background:none"),
        ("background:url(cid:a)", "background:url(cid:a)"),
        ("background:image-set('http://x' 1x, 'cid:a' 2x)", "background:none"),
        ("background:-webkit-image-set(url(http://x) 1x)", "background:-webkit-image-set(none 1x)"),
        ("background:image-set(var(--x) 1x)", "background:none"),
        ("src(var(--x))", "none"),
        ("@import 'http://x'; p{color:red}", " p{color:red}"),
        ("@\\69mport url(http://x); p{color:red}", " p{color:red}"),
        ("@import url(http://x) layer(x) { a:b } p{}", " p{}"),
        ("@charset 'utf-7'; p{}", " p{}"),
        ("@import 'http://x'", ""),
        ("a{@import 'http://x';color:red}", "a{color:red}"),
        ("@media x{p{background:url(http://x)}}", "@media x{p{background:none}}"),
        ("width:expression(alert(1))", "width:none"),
        ("-moz-binding:url(x)", "none:none"),
        ("behavior:url(#x)", "none:none"),
        ("be\\68 avior:url(#x)", "none:none"),
        ("color:red;url(http://x", "color:red;"),
        ("a:'b", "a:'b"),
        ("a:url(cid:a);b:'c", "a:url(cid:a);b:"),
        ("background:url(http://x y)", "background:"),
        ("@font-face{src:url(http://x)}", "@font-face{src:none}"),
    ],
)
def test_m38_what_loads_or_runs(text: str, expected: str) -> None:
    assert judged(text, strict) == expected


def test_nothing_ends_the_element() -> None:
    assert judged("a:'</style><script>'", strict) == "a:'\\3c /style>\\3c script>'"
    assert "<" not in judged("a:'\\3c /style>' url(x)", lambda url: True)
    assert "<" not in judged("url(</style>)", lambda url: True)


def test_too_long_to_read() -> None:
    assert judged("url(cid:a)" + " " * LONGEST, strict) == ""
    assert judged("p{color:red}" * 50_000, strict) == "p{color:red}" * 50_000


@given(st.text(st.sampled_from("urlimpot@import()[]{}'\"\\/*;:,<> \n-x9#!&0")))
def test_any_text_is_judged_once_for_all(text: str) -> None:
    once = judged(text, strict)
    assert "<" not in once
    assert judged(judged(once, strict), strict) == judged(once, strict)


@pytest.mark.parametrize(
    "text", ["(" * 200_000 + "url", "url(" * 50_000, "@import" * 30_000, "\\" * 200_000, "{" * 9_000 + "url"]
)
def test_time_and_depth_are_bounded(text: str) -> None:
    before = time.process_time()
    judged(text, strict)
    assert time.process_time() - before < 10 * SLOWER
