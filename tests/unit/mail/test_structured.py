"""Structured values: what is read, what is odd, what is printed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import structured
from imap4fast.mail.structured import COMMENT, JUNK, QUOTE, SEMICOLON, SPECIAL, Parameter, parse
from tests.clock import SLOWER


def pairs(value: bytes) -> list[tuple[bytes, bytes]]:
    return [(each.name, each.value) for each in parse(value).parameters]


@pytest.mark.parametrize(
    ("value", "main", "parameters"),
    [
        (b"text/plain", b"text/plain", []),
        (b"Text/PLAIN; Charset=UTF-8", b"text/plain", [(b"charset", b"UTF-8")]),
        (b'a/b;x="a;\\"b" ; y=z;', b"a/b", [(b"x", b'a;"b'), (b"y", b"z")]),
        (b'inline; filename=""', b"inline", [(b"filename", b"")]),
    ],
)
def test_what_is_in_order_has_no_faults(value: bytes, main: bytes, parameters: list[tuple[bytes, bytes]]) -> None:
    assert parse(value).main == main
    assert pairs(value) == parameters
    assert parse(value).faults == frozenset()
    assert structured.STRICT.fullmatch(value)


@pytest.mark.parametrize(
    ("value", "parameters", "faults"),
    [
        (b"a/b; (c=d) e=f", [(b"e", b"f")], {COMMENT}),
        (b"a/b; e=f (((", [(b"e", b"f")], {COMMENT}),
        (b"a/b; e=f)", [(b"e", b"f)")], {SPECIAL}),
        (b'a/b; e="f; g=h', [(b"e", b"f"), (b"g", b"h")], {QUOTE}),
        (b'a/b; e="f"g', [(b"e", b"f")], {QUOTE}),
        (b'a/b; e="f" g=h', [(b"e", b"f"), (b"g", b"h")], {SEMICOLON}),
        (b"a/b e=f; g=h", [(b"e", b"f"), (b"g", b"h")], {SEMICOLON}),
        (b"a/b; e=f g", [(b"e", b"f g")], {SPECIAL}),
        (b'a/b; e="\xff"', [(b"e", b"\xff")], {SPECIAL}),
        (b"a/b;; x; e=f", [(b"e", b"f")], {JUNK}),
    ],
)
def test_what_is_odd(value: bytes, parameters: list[tuple[bytes, bytes]], faults: set[str]) -> None:
    assert pairs(value) == parameters
    assert parse(value).faults == faults


def test_a_comment_in_the_main_value() -> None:
    assert parse(b"multi(x(y))part/mixed (z)").main == b"multipart/mixed"


@pytest.mark.parametrize(
    ("value", "joined"),
    [
        (b"x; n*0=a; n*1=b", b"ab"),
        (b"x; n*1=b; n*0=a", b"ab"),
        (b"x; n*=us-ascii''a%62", b"ab"),
        (b"x; n*0*=iso-8859-1'en'%E9; n*1=%41", "\u00e9%41".encode()),
        (b"x; n*0=%41; n*1=b", b"%41b"),
        (b"x; n*1=a", b""),
        (b"x; n=a", b""),
        (b"x; n*0=a; n*2=c", b"a"),
        (b"x; n*=%41", b"A"),
    ],
)
def test_rfc_2231(value: bytes, joined: bytes) -> None:
    assert parse(value).joined(b"n") == joined


def test_all_and_names() -> None:
    value = parse(b"x; a=1; b*0=2; a=3")
    assert value.all(b"a") == [b"1", b"3"]
    assert value.names() == [b"a", b"b", b"a"]


@given(st.text())
def test_extended_and_back(text: str) -> None:
    assert structured.recoded(structured.extended(text)) == text.encode("utf-8", "replace")


@given(st.binary())
def test_what_is_printed_is_in_order(octets: bytes) -> None:
    parameters = [Parameter(b"a", octets.translate(None, bytes(range(128, 256)))), Parameter(b"b", b"c")]
    printed = structured.printed(b"x/y", parameters)
    assert structured.STRICT.fullmatch(printed)
    assert pairs(printed) == [(b"a", parameters[0].value.translate(None, structured.CONTROLS)), (b"b", b"c")]


@given(st.lists(st.sampled_from([b'"', b"\\", b";", b"(", b")", b"=", b"a", b" ", b"*0", b"/"]), max_size=30))
def test_any_value_is_read(pieces: list[bytes]) -> None:
    value = parse(b"".join(pieces))
    assert parse(structured.printed(b"x/y", value.parameters)).faults == frozenset()


@pytest.mark.parametrize("piece", [b"(", b'"', b'\\"', b'a="x"', b";", b" ", b"a;", b"=", b'"\\'])
def test_T_M18_time_is_linear(piece: bytes) -> None:  # noqa: N802
    start = time.perf_counter()
    parse(b"a/b; " + piece * (250000 // len(piece)) + b"\x01")
    assert time.perf_counter() - start < 2 * SLOWER
