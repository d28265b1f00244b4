"""The HTML filter: rules by aspect, nothing runs that they deny, filtering twice is once (T-M32 to T-M38)."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
import re2  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from imap4fast.mail.html import HtmlRules, Rule, filtered, keeps
from tests.clock import SLOWER
from tests.unit.mail.script_vectors import ENCODED, VECTORS, WIDE

NONE = (Rule(False, ("*",)),)
STRICT = HtmlRules(
    script_tag_language=NONE,
    iframe_tag_src=NONE,
    intrinsic_language=NONE,
    url_scheme=(Rule(True, ("http", "https", "mailto", "cid")),),
    remote_image=NONE,
)
BEFORE = '<html><head><meta charset="utf-8"></head><body>'
BEHIND = "</body></html>\r\n"


def body(text: str | bytes, rules: HtmlRules, charset: str | None = "utf-8") -> str:
    octets = text.encode() if isinstance(text, str) else text
    made, changed = filtered(octets, charset, rules)
    assert changed == (made != octets)
    assert filtered(made, "utf-8", rules) == (made, False)
    page = made.decode("utf-8").removeprefix("<!DOCTYPE html>")
    assert page.startswith(BEFORE)
    assert page.endswith(BEHIND)
    return page[len(BEFORE) : -len(BEHIND)]


class Dangers(HTMLParser):
    """What could run or load, as a parser sees it that has nothing to do with the filter's."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in (
            "script",
            "iframe",
            "object",
            "embed",
            "svg",
            "math",
            "base",
            "link",
            "frame",
            "template",
            "noscript",
        ):
            self.found.append(tag)
        for name, value in attrs:
            url = re.sub(r"[\0-\x20]", "", value or "").lower()
            if name.startswith("on") or name == "srcdoc" or url.startswith(("javascript:", "vbscript:", "data:")):
                self.found.append(f"{tag} {name}={value}")

    def handle_comment(self, data: str) -> None:
        self.found.append(data)


def dangers(text: str) -> list[str]:
    parser = Dangers()
    parser.feed(text)
    parser.close()
    return parser.found


@pytest.mark.parametrize("vector", VECTORS)
def test_m38_nothing_is_left_to_run(vector: str) -> None:
    assert dangers(body(vector, STRICT)) == []


@pytest.mark.parametrize("octets", WIDE)
def test_m32_wide_charsets(octets: bytes) -> None:
    for declared in (None, "us-ascii", "utf-16", "utf-8"):
        assert dangers(body(octets, STRICT, declared)) == []


@pytest.mark.parametrize(("octets", "declared"), ENCODED)
def test_m32_other_charsets(octets: bytes, declared: str | None) -> None:
    made = body(octets, STRICT, declared)
    assert dangers(made) == []
    assert made.isprintable() or "\ufffd" in made


def test_m33_one_charset_is_said_and_true() -> None:
    made, _ = filtered(b'<meta charset="iso-8859-1"><p>\xbe</p>', "iso-8859-2", STRICT)
    assert made.decode("utf-8") == BEFORE + "<p>ž</p>" + BEHIND
    assert made.count(b"charset") == 1


def test_m37_data_urls() -> None:
    text = "<a href='data:application/octet-stream;base64,TVo='>x</a><img src='data:image/svg+xml,<svg>'>"
    assert body(text, HtmlRules()) == "<a>x</a><img>"
    assert body("<img src='data:image/png;base64,AA=='>", HtmlRules()) == '<img src="data:image/png;base64,AA==">'
    assert body("<iframe src='data:text/html,x'></iframe>", HtmlRules()) == "<iframe></iframe>"


def test_without_rules_all_is_kept_that_can_be_judged() -> None:
    text = '<p onclick="a()" style="color:red">x</p><script type="text/x">1 < 2</script><style>p > a{}</style>'
    assert body(text, HtmlRules()) == text
    assert body('<iframe src="http://x/"></iframe>', HtmlRules()) == '<iframe src="http://x/"></iframe>'
    assert body("<a href='javascript:x'>y</a>", HtmlRules()) == '<a href="javascript:x">y</a>'
    assert body("<object><p>x</p></object><base href=x><!-- x --><o:p>y", HtmlRules()) == "y"


def rules(accept: bool, *values: object) -> tuple[Rule, ...]:
    return (Rule(accept, values),)


@pytest.mark.parametrize(
    ("made", "text", "expected"),
    [
        (HtmlRules(script_tag_language=rules(True, "javascript")), "<script>a</script>", "<script>a</script>"),
        (HtmlRules(script_tag_language=rules(True, "text/javascript")), "<script>a</script>", "<script>a</script>"),
        (
            HtmlRules(script_tag_language=rules(True, "javascript")),
            "<script type='text/vbscript'>a</script><script type='application/x-javascript; x'>b</script>",
            '<script type="application/x-javascript; x">b</script>',
        ),
        (
            HtmlRules(script_tag_language=rules(True, "javascript")),
            "<script language=javascript type=text/vbscript>a</script>",
            "",
        ),
        (HtmlRules(script_tag_language=rules(False, "vbscript")), "<script>a</script>", ""),
        (
            HtmlRules(style_tag_type=rules(True, "text/css")),
            "<style>a</style><style type=x/y>b</style>",
            "<style>a</style>",
        ),
        (HtmlRules(style_tag_type=NONE), "<style>a</style>b", "b"),
        (
            HtmlRules(iframe_tag_src=rules(True, "https://maps.example/*")),
            "<iframe src='https://maps.example/x'></iframe><iframe src=http://y></iframe><iframe></iframe>",
            '<iframe src="https://maps.example/x"></iframe>',
        ),
        (
            HtmlRules(intrinsic_language=NONE),
            "<p onclick=a class=b>c</p><a href=' JaVaScRiPt:x'>y</a>",
            '<p class="b">c</p><a>y</a>',
        ),
        (HtmlRules(intrinsic_language=rules(False, "vbscript")), "<p onclick='vbscript:x' onload=y>", "<p></p>"),
        (
            HtmlRules(intrinsic_language=(Rule(False, ("vbscript",)), Rule(True, ("*",)))),
            "<p onclick='vbscript:x' onload='y'></p>",
            '<p onload="y"></p>',
        ),
        (
            HtmlRules(link_target=rules(False, re2.compile(r"\.exe$"))),
            "<a href=a.exe>b</a><a href=c>d</a>",
            "<a>b</a><a>d</a>",
        ),
        (
            HtmlRules(link_target=(Rule(False, (re.compile(r"\.exe$"),)), Rule(True, ("*",)))),
            "<a href=a.exe>b</a><a href=c>d</a><form action=e.exe>f</form>",
            '<a>b</a><a href="c">d</a><form>f</form>',
        ),
        (
            HtmlRules(tag=(Rule(False, ("form", "h*")), Rule(True, ("*",)))),
            "<form><h1>a</h1><b>c</b></form>",
            "a<b>c</b>",
        ),
        (HtmlRules(tag=(Rule(False, ("script",)), Rule(True, ("*",)))), "<script>a</script>b", "b"),
        (HtmlRules(tag=rules(True, "b")), "<p><b>a</b><i>c</i></p>", "<b>a</b>c"),
        (
            HtmlRules(attribute=rules(True, "href", "class")),
            "<a href=b class=c id=d>e</a>",
            '<a href="b" class="c">e</a>',
        ),
        (
            HtmlRules(attribute=(Rule(False, ("on*", "style")), Rule(True, ("*",)))),
            "<p style=a onx=b id=c>",
            '<p id="c"></p>',
        ),
        (
            HtmlRules(url_scheme=rules(True, "https", "cid")),
            "<a href=http://a>b</a><a href=HTTPS://c>d</a><a href=#e>f</a><img src=cid:g><img src=ftp://h>",
            '<a>b</a><a href="HTTPS://c">d</a><a href="#e">f</a><img src="cid:g"><img>',
        ),
        (
            HtmlRules(remote_image=NONE),
            "<img src=http://a alt=b><img src=//c><img src=\\\\c><img src=cid:d><table background=http://e></table>"
            "<p style='background:url(https://f)'>g</p><img srcset='http://h 1x, cid:i 2x'><a href=http://j>k</a>"
            "<video poster=http://l src=http://m></video><input type=image src=http://n>",
            '<img alt="b"><img><img><img src="cid:d"><table></table><p style="background:none">g</p><img>'
            '<a href="http://j">k</a><video></video><input type="image">',
        ),
        (
            HtmlRules(remote_image=rules(True, "https://ours.example/*")),
            "<img src=https://ours.example/a><img src=https://theirs.example/b>",
            '<img src="https://ours.example/a"><img>',
        ),
    ],
)
def test_aspects(made: HtmlRules, text: str, expected: str) -> None:
    assert body(text, made) == expected


def test_replacements() -> None:
    made = HtmlRules(
        script_tag_language=NONE,
        style_tag_type=NONE,
        iframe_tag_src=NONE,
        remote_image=NONE,
        replace_script_tags="[script]",
        replace_style_tags="<b onclick='x'>style</b>",
        replace_iframe_tags="<script>x</script><i>frame</i>",
        replace_remote_images="<img src=http://x alt=gone>",
    )
    text = "<p>1<script>x</script>2<style>y</style>3<iframe src=z></iframe>4<img src=http://w>5<img src=cid:v></p>"
    expected = '<p>1[script]2<b onclick="x">style</b>3<i>frame</i>4<img alt="gone">5<img src="cid:v"></p>'
    assert body(text, made) == expected
    assert (
        body("<script>x</script>", HtmlRules(script_tag_language=NONE, replace_script_tags="<script>y</script>")) == ""
    )


def test_rules_decide_by_the_first_that_fits() -> None:
    order = (Rule(False, ("a", re.compile("^x"))), Rule(True, ("a", "b*")), Rule(False, ("*",)))
    assert [keeps(order, (value,)) for value in ("a", "B", "bcd", "c", "xb")] == [False, True, True, False, False]
    assert keeps((), ("anything",))
    assert not keeps(order, ("b", "c"))
    assert not keeps((Rule(True, ("a",)),), ("b",))


def test_excluded_members_end_the_search_in_a_rule() -> None:
    order = (Rule(False, ("form", "f*"), frozenset({0})), Rule(True, ("*",)))
    assert keeps(order, ("form",))
    assert not keeps(order, ("font",))


def test_the_kind_of_page_is_kept() -> None:
    assert filtered(b"<!doctype html><p>x</p>", None, STRICT)[0].startswith(b"<!DOCTYPE html><html>")
    assert filtered(b"<p>x</p>", None, STRICT)[0].startswith(b"<html>")


def test_lines_end_as_in_mail() -> None:
    made, _ = filtered(b"<p>a\nb\r\nc\rd</p>", None, STRICT)
    assert made.count(b"\r\n") == made.count(b"\n") == made.count(b"\r") == 4


REMADE = "<p>" + "".join(f"<b id={number}>" for number in range(900)) + "</p><p>x" * 900


@pytest.mark.parametrize("text", ["<div>" * 50_000, "&<" * 200_000, REMADE], ids=["deep", "references", "remade"])
def test_what_is_too_much_to_parse_is_shown(text: str) -> None:
    before = time.process_time()
    assert body(text, STRICT) == f"<pre>{text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</pre>"
    assert "<" not in body(text, HtmlRules(tag=NONE))
    assert time.process_time() - before < 10 * SLOWER


PIECES = st.sampled_from(
    """
    < > </ /> <p> </p> <b> <i> <a </a> <table> <td> <tr> </table> <style> </style> <script> </script> <svg> </svg>
    <math> <mtext> <title> </title> <noscript> <textarea> <form> <select> <option> <iframe> </iframe> <img <!-- -->
    <![CDATA[ ]]> src= href= style= onerror= onclick= title= = ' " ` & &lt; &amp; &#60; &colon; javascript: data:
    url( ) { } ; : x alert(1) http://x <pre> <li> <ul> <template> <br> <hr> </ <body <html> <head> <object> <button>
    """.split()  # noqa: SIM905
)


@given(st.lists(PIECES, max_size=25), st.sampled_from(["", " "]))
@settings(max_examples=400, deadline=None)
def test_any_markup_is_safe_and_filtered_once_for_all(pieces: list[str], between: str) -> None:
    assert dangers(body(between.join(pieces), STRICT)) == []


@given(st.binary(max_size=200), st.sampled_from([None, "utf-8", "utf-16", "utf-7", "iso-2022-jp", "x", "cp037"]))
@settings(deadline=None)
def test_any_octets(octets: bytes, declared: str | None) -> None:
    body(octets, STRICT, declared)
    body(octets, HtmlRules(), declared)
