"""Test expressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.config.expression import (
    Expr,
    Help,
    ShowAcl,
    ShowHash,
    ShowProxy,
    TestExpr,
    TestTime,
    parse_expression,
)
from imap4fast.config.values import Address, Sock
from imap4fast.errors import ConfigError

FROM = Address(4, 0x0A090101)
TO = Sock(Address(4, 0x0A000001), 143)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("test", (TestExpr(),)),
        ("test from [10.9.1.1] to [10.0.0.1]:143;", (TestExpr(from_=FROM, to=TO),)),
        ("test to [10.0.0.1] : 143 from [10.9.1.1] transparent", (TestExpr(from_=FROM, to=TO, transparent=True),)),
        ("test from mail.example.org", (TestExpr(from_="mail.example.org"),)),
        ("test server mail.example.org : 0", (TestExpr(server=Sock("mail.example.org", 0)),)),
        ("test user alice group { a, b }", (TestExpr(user="alice", group=("a", "b")),)),
        ('test user "a b" group c', (TestExpr(user="a b", group=("c",)),)),
        ("test time 0830", (TestExpr(time=TestTime(8, 30)),)),
        ("test time 240830", (TestExpr(time=TestTime(8, 30, 24)),)),
        ("test time 02292359", (TestExpr(time=TestTime(23, 59, 29, 2)),)),
        ('test cert "a.pem" mail "b.eml"', (TestExpr(cert="a.pem", mail="b.eml"),)),
        (
            'test mail "a" direction upload spam-score 5 virus free write "b"',
            (TestExpr(mail="a", direction="upload", spam_score=5, virus="free", write="b"),),
        ),
        ("show-acl; show-acl 2; # both", (ShowAcl(1), ShowAcl(2))),
        ("show-proxy; show-proxy all;\nshow-hash; help", (ShowProxy(), ShowProxy(True), ShowHash(), Help())),
    ],
)
def test_expressions(text: str, found: tuple[Expr, ...]) -> None:
    assert parse_expression(text) == found


@pytest.mark.parametrize(
    ("text", "report"),
    [
        (
            "test form [1.1.1.1]",
            "<expression>:1:6: error: `test` has no part `form`; did you mean `from`?\n"
            "  test form [1.1.1.1];\n       ^~~~",
        ),
        ("", "<expression>:1:1: error: the expression is empty\n  \n  ^"),
        (
            "show-acl 4; tst",
            "<expression>:1:10: error: 4 is out of range: 1 to 3\n  show-acl 4; tst;\n           ^\n"
            "<expression>:1:13: error: one of `test`, `show-acl`, `show-proxy`, `show-hash`, `help` expected,"
            " not `tst`; did you mean `test`?\n  show-acl 4; tst;\n              ^~~",
        ),
    ],
)
def test_reports(text: str, report: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_expression(text)
    assert str(caught.value) == report


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("test group a", "1:6: error: `group` stands only together with `user`"),
        ("test from 1.2.3.4", "an address is written in brackets: `[1.2.3.4]`"),
        ("test from [10.0.0.0/8]", "one address expected, not the network"),
        ("test to [1.1.1.1]", "write `HOST : PORT`"),
        ("test from [1.1.1.1] from [1.1.1.1]", "1:21: error: `from` stands a second time"),
        ("test time 123", "a time of 4, 6 or 8 digits"),
        ("test time 2460", "there is no time `2460`"),
        ("test time 02300000", "there is no time"),
        ("test time 13010000", "there is no time"),
        ("test virus fund", "did you mean `found`"),
        ("test from", "a host is missing"),
        ("test { a; }", "`test` is no section"),
        ("show-proxy al", "unexpected `al`"),
        ("show-hash 1", "unexpected `1`"),
        ("test 'x'", "unexpected character"),
    ],
)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_expression(text)
    assert error in str(caught.value)


@given(st.text(max_size=60) | st.text('test from[]10.:;{}"/ ,!*-', max_size=60))
def test_arbitrary_text(text: str) -> None:
    assert outcome(text)


def outcome(text: str) -> bool:
    """Whether there is something found, or a report of its form."""
    try:
        return parse_expression(text) != ()
    except ConfigError as error:
        return str(error).startswith("<expression>:")
