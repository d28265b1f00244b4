"""Rows T-F17 to T-F33 of the attack table: what a well-framed command may say."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import random
import re

import pytest

from tests.e2e.fakeserver import CAPABILITIES, Session
from tests.e2e.lab import PASSWORD, Lab, bad, refused
from tests.e2e.tap import tags_of
from tests.e2e.wire import WireError, play

ILLEGAL_SETS = [b"0", b"1:0", b"4294967296", b"1:4294967296", b"-1", b"1,,2", b",1", b"1,", b"1:", b"1:2:3", b"01a"]


@pytest.mark.parametrize("numbers", ILLEGAL_SETS)
@pytest.mark.parametrize("command", [b"FETCH", b"UID FETCH"])
def test_T_F17_illegal_set(lab: Lab, numbers: bytes, command: bytes) -> None:
    wire = lab.selected()
    before = lab.out()
    bad(wire.command(command + b" " + numbers + b" FLAGS"))
    assert lab.out() == before
    wire.ok(b"NOOP")


@pytest.mark.parametrize("numbers", [b"*:*", b"1:4294967295", b"*", b"2:1", b",".join([b"1:*"] * 1000)])
def test_T_F17_legal_set_is_not_expanded(lab: Lab, numbers: bytes) -> None:
    wire = lab.selected(mails=2)
    assert wire.ok(b"UID FETCH " + numbers + b" FLAGS").untagged
    assert b"UID FETCH " + numbers + b" FLAGS\r\n" in lab.out()


def test_T_F17_saved_result_without_searchres(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_select()
        server.wait_for(b"LOGOUT")

    wire = lab.fake_selected(script)
    bad(wire.command(b"FETCH $ FLAGS"))
    wire.send(b"z LOGOUT\r\n")
    lab.fake.finish()
    assert b"$" not in lab.fake.seen


@pytest.mark.parametrize("depth", [33, 100, 10_000, 100_000])
def test_T_F18_nested_parentheses(lab: Lab, depth: int) -> None:
    wire = lab.selected()
    before = lab.out()
    wire.flood(b"a SEARCH " + b"(" * depth + b"ALL" + b")" * depth + b"\r\n")
    assert wire.unit().startswith((b"a BAD ", b"* BAD "))
    assert lab.out() == before


def test_T_F18_depth_that_is_legal(lab: Lab) -> None:
    wire = lab.selected()
    assert wire.ok(b"SEARCH " + b"(" * 30 + b"ALL" + b")" * 30).untagged == [b"* SEARCH 1"]


@pytest.mark.parametrize("tail", [b"(" * 5000, b"()" * 2000, b"(a" * 1000])
def test_T_F19_parentheses_before_login(lab: Lab, tail: bytes) -> None:
    wire = lab.client()
    wire.send(b"a NOOP " + tail + b"\r\n")
    assert wire.unit().startswith((b"a BAD ", b"* BAD "))
    assert lab.out() == b""


SPACED = {
    b"NOOP ": b"NOOP",
    b"NOOP   ": b"NOOP",
    b"FETCH 1  FLAGS": b"FETCH 1 FLAGS",
    b"FETCH  1   FLAGS  ": b"FETCH 1 FLAGS",
    b"STATUS INBOX  (MESSAGES) ": b"STATUS INBOX (MESSAGES)",
}


@pytest.mark.parametrize("text", SPACED)
def test_T_F20_spaces_that_are_tolerated(lab: Lab, text: bytes) -> None:
    wire = lab.selected()
    before = lab.out()
    wire.send(b"a " + text + b"\r\n")
    assert wire.answer(b"a").status == "OK"
    assert lab.out()[len(before) :] == b"a " + SPACED[text] + b"\r\n"


@pytest.mark.parametrize(
    "line", [b"a  NOOP", b"a\tNOOP", b" a NOOP", b"a NOOP\t", b"a FETCH 1\tFLAGS", b"a UID  FETCH 1 UID"]
)
def test_T_F20_spaces_that_are_not(lab: Lab, line: bytes) -> None:
    wire = lab.selected()
    before = lab.out()
    wire.send(line + b"\r\n")
    assert wire.unit().startswith((b"a BAD ", b"* BAD "))
    assert lab.out() == before


def test_T_F21_case(lab: Lab) -> None:
    wire = lab.selected()
    wire.send(b"a uId fEtCh 1 (body.PEEK[])\r\n")
    assert b"Text of mail 1." in wire.answer(b"a").one(b"* 1 FETCH")


@pytest.mark.parametrize("text", [b"uId fEtCh 1 (body.PEEK[])", b"UID FETCH 1 FLAGS"])
def test_T_F21_case_does_not_pass_the_filter(lab: Lab, text: bytes) -> None:
    wire = lab.selected(command="commands { ! UID-FETCH, * };")
    before = lab.out()
    refused(wire.command(text))
    assert lab.out() == before


TRICKS = [b"BODY [ ]", b"BODY[]<0>", b"BODY[]<0.0>", b"BODY[]<4294967295.4294967295>", b"BODY[1.]", b"BODY[0]"]
TRICKS += [b"BODY[MIME]", b"BODY[TEXT.1]", b"BODY[HEADER.FIELDS ()]", b"BINARY[HEADER]", b"BODY[99999999999.1]"]
TRICKS += [b"BODY[]<99999999999.1>", b"BODY[]<1.99999999999>", b"BODY[1", b"BODY[]<0.1", b"BODY[HEADER.FIELDS (A]"]


@pytest.mark.parametrize("item", TRICKS)
def test_T_F22_item_tricks(lab: Lab, item: bytes) -> None:
    """BAD of our own, or the very bytes of the client go on and the answer is Dovecot's."""
    wire = lab.selected()
    before = lab.out()
    wire.send(b"a FETCH 1 " + item + b"\r\n")
    reply = wire.answer(b"a")
    gone = lab.out()[len(before) :]
    assert gone == b"a FETCH 1 " + item + b"\r\n" or (gone == b"" and reply.status == "BAD")
    wire.ok(b"NOOP")


def test_T_F22_line_end_in_field_name(lab: Lab) -> None:
    wire = lab.selected()
    before = lab.out()
    wire.send(b'a FETCH 1 BODY[HEADER.FIELDS ("a\r\nb DELETE x\r\n")]\r\n')
    data = wire.rest()
    assert data.startswith((b"* BAD ", b"a BAD ")), data
    assert b"\r\n* BYE" in data
    assert lab.out() == before


def test_T_F23_field_name_by_literal(lab: Lab) -> None:
    wire = lab.selected()
    wire.send(b"a FETCH 1 BODY.PEEK[HEADER.FIELDS ({4+}\r\nFROM)]\r\n")
    reply = wire.answer(b"a")
    assert reply.status == "OK", reply
    assert b"From: joe@example.net" in reply.one(b"* 1 FETCH")


@pytest.mark.parametrize("name", [b"F\r\nM", b"FROM:", b"\r\n", b"F M"])
def test_T_F23_bad_field_name(lab: Lab, name: bytes) -> None:
    wire = lab.selected()
    before = lab.out()
    wire.send(b"a FETCH 1 BODY.PEEK[HEADER.FIELDS ({%d+}\r\n%s)]\r\n" % (len(name), name))
    bad(wire.answer(b"a"))
    assert lab.out() == before


def test_T_F24_idle_escape(lab: Lab) -> None:
    wire = lab.selected()
    wire.send(b"a IDLE\r\n")
    assert wire.unit().startswith(b"+")
    before = lab.out()
    wire.send(b"b DELETE x\r\n")
    assert re.match(rb"\* BAD .*DONE", wire.unit())
    assert lab.out() == before
    wire.send(b"DONE\r\n")
    assert wire.answer(b"a").status == "OK"
    assert lab.out() == before + b"DONE\r\n"


def test_T_F24_is_counted(lab: Lab) -> None:
    wire = lab.login(proxy="max-bad-commands 3;")
    wire.send(b"a IDLE\r\n")
    assert wire.unit().startswith(b"+")
    before = lab.out()
    wire.send(b"b NOOP\r\n" * 5)
    data = wire.rest()
    assert b"* BYE" in data
    assert data.count(b"* BAD") in (3, 4)
    assert lab.out() == before


def test_T_F25_done_outside_idle(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"DONE\r\n")
    assert wire.unit().startswith((b"* BAD ", b"DONE BAD "))
    assert lab.out() == before


@pytest.mark.parametrize("tail", [b" b DELETE x", b"b DELETE x", b" (\\Seen) b DELETE x", b" {", b")"])
def test_T_F26_append_tail(lab: Lab, tail: bytes) -> None:
    user = lab.user()
    wire = lab.login(user)
    wire.send(b"a APPEND INBOX {5+}\r\nhello" + tail + b"\r\n")
    assert wire.unit().startswith((b"a BAD ", b"* BAD "))
    wire.close()
    assert b"DELETE" not in lab.out()
    assert b"MESSAGES 0" in lab.direct(user).ok(b"STATUS INBOX (MESSAGES)").untagged[0]


def test_T_F27_append_without_end(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user, proxy="client-conn { recv-timeout 1; }")
    wire.send(b"a APPEND INBOX {5}\r\n")
    assert wire.unit().startswith(b"+")
    wire.send(b"hello")
    wire.rest(6)
    assert b"MESSAGES 0" in lab.direct(user).ok(b"STATUS INBOX (MESSAGES)").untagged[0]


def _utf8_server(server: Session) -> None:
    server.let_in(CAPABILITIES + b" UTF8=ACCEPT")
    tag, _ = server.wait_for(b"ENABLE")
    server.send(b"* ENABLED UTF8=ACCEPT\r\n" + tag + b" OK enabled\r\n")
    server.wait_for(b"APPEND")
    server.send(b"+ go on\r\n")
    server.until_closed()


def test_T_F28_utf8_append_without_closing(lab: Lab) -> None:
    wire = lab.fake_login(_utf8_server)
    wire.ok(b"ENABLE UTF8=ACCEPT")
    wire.send(b"a APPEND x UTF8 (~{3+}\r\nabc\r\nb DELETE x\r\n")
    wire.rest()
    lab.fake.finish()
    assert b"DELETE" not in lab.fake.seen


NAMES_8BIT = [b"\xc3\x28", b"\xc0\xaf", b"\xff", b"\xed\xa0\x80", b"\xc3\xa9", b"\xf4\x90\x80\x80"]


@pytest.mark.parametrize("name", NAMES_8BIT)
def test_T_F29_8bit_name_before_enable(lab: Lab, name: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    bad(wire.command(b'CREATE "' + name + b'"'))
    assert lab.out() == before


@pytest.mark.parametrize("name", [b"&Jjo-", b"&", b"&AAA-"])
def test_T_F29_modified_utf7(lab: Lab, name: bytes) -> None:
    """ASCII on the wire: the server says which of them is a name, and nothing else changes."""
    wire = lab.login()
    reply = wire.command(b'CREATE "' + name + b'"')
    assert reply.status == ("OK" if name == b"&Jjo-" else "NO")


def test_T_F29_utf8_after_enable(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_in(CAPABILITIES + b" UTF8=ACCEPT")
        tag, _ = server.wait_for(b"ENABLE")
        server.send(b"* ENABLED UTF8=ACCEPT\r\n" + tag + b" OK enabled\r\n")
        tag, text = server.wait_for(b"CREATE")
        assert text == b'"\xc3\xa9"'
        server.send(tag + b" OK created\r\n")
        server.until_closed()

    wire = lab.fake_login(script)
    wire.ok(b"ENABLE UTF8=ACCEPT")
    for name in NAMES_8BIT:
        assert wire.command(b'CREATE "' + name + b'"').status == ("OK" if name == b"\xc3\xa9" else "BAD"), name


def test_T_F30_pipelining_across_states(lab: Lab) -> None:
    user = lab.user()
    lab.fill(user, 1)
    wire = lab.client()
    wire.send(b"a LOGIN %s %s\r\nb SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\n" % (user.encode(), PASSWORD))
    assert wire.answer(b"a").status == "OK"
    assert wire.answer(b"b").status == "OK"
    assert b"Text of mail 1." in wire.answer(b"c").one(b"* 1 FETCH")


def test_T_F30_each_is_judged_in_its_state(lab: Lab) -> None:
    wire = lab.client()
    wire.send(b"a LOGIN u zq8-wrong-guess\r\nb SELECT INBOX\r\nc FETCH 1 BODY[]\r\n")
    assert wire.answer(b"a").status == "NO"
    bad(wire.answer(b"b"))
    bad(wire.answer(b"c"))
    assert b"SELECT" not in lab.out()
    assert b"FETCH" not in lab.out()


@pytest.mark.parametrize("text", [b"COMPRESS DEFLATE", b"UNAUTHENTICATE"])
def test_T_F31_pipelining_after_a_switch(lab: Lab, text: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"a " + text + b"\r\nb NOOP\r\n")
    refused(wire.answer(b"a"))
    assert wire.answer(b"b").status == "OK"
    assert lab.out()[len(before) :] == b"b NOOP\r\n"


def _command(dice: random.Random) -> bytes:
    """One command of the grammar or nearly so."""
    word = dice.choice([b"NOOP", b"CREATE", b"status", b"LIST", b"FETCH", b"Uid Search", b"STORE", b"XFOO", b"SELECT"])
    arguments = []
    for _ in range(dice.randrange(4)):
        name = bytes(dice.choices(b'abc*%(){}\\" 12:,.INBOX', k=dice.randrange(1, 8)))
        forms = [
            name.translate(None, b'(){}\\" '),
            b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"',
            b"{%d+}\r\n%s" % (len(name), name),
            b"(" + dice.choice([b"MESSAGES", b"\\Seen", b"FLAGS UID"]) + b")",
        ]
        arguments.append(dice.choice(forms) or b"x")
    return b" ".join([word, *arguments])


@pytest.mark.parametrize("seed", range(24))
def test_T_F32_mixture(lab: Lab, seed: int) -> None:
    """As many answers as commands, at the client and at Dovecot: nobody saw a command that others did not.

    Fifteen a session, since Dovecot ends one with twenty bad commands.
    """
    dice = random.Random(seed)
    wire = lab.login(proxy="max-bad-commands 0;")
    tags = [b"f%d" % number for number in range(15)]
    forwarded = []
    for tag in tags:
        before = len(lab.out())
        command = _command(dice)
        wire.send(tag + b" " + command + b"\r\n")
        try:
            wire.answer(tag)
        except WireError as error:
            raise AssertionError(f"after {command!r}: {error}") from None
        sent = tags_of(lab.out()[before:])
        assert sent in ([], [tag]), command
        forwarded += sent
    answered = re.findall(rb"^(f\d+) (?:OK|NO|BAD)", lab.into(), re.MULTILINE)
    assert answered == forwarded


def test_T_F33_opaque_append(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user)
    data = b"A: b\n\n\0\rc"
    wire.send(b"a APPEND INBOX {9}\r\n")
    assert wire.unit().startswith(b"+")
    wire.send(data + b"\r\n")
    assert wire.answer(b"a").status == "OK"
    assert data + b"\r\n" in lab.out()


def test_T_F33_opaque_append_without_wait(lab: Lab) -> None:
    wire = lab.login()
    play(wire, r"C: a APPEND INBOX {9+}\r\nA: b\n\n\0\rc" + "\n" + "S* a OK *")
    assert b"A: b\n\n\0\rc\r\n" in lab.out()
