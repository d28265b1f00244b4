"""Rows of the groups T-S, T-C and T-P that concern a session without TLS in pass mode."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import base64
import contextlib
import os
import re
import time
from pathlib import Path

import pytest

from tests.e2e.fakeserver import CAPABILITIES, Session
from tests.e2e.lab import PASSWORD, Lab, bad, mail, refused
from tests.e2e.proxy import children
from tests.e2e.wire import WireError
from tests.secrets import PASSWORDS

TYPO = PASSWORDS[3].encode()
TOKEN = PASSWORDS[4].encode()


def test_T_S04_data_before_login(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.say_hello()
        server.send(b'* LIST () "/" evil\r\n* 3 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n')
        with contextlib.suppress(WireError):  # the session may have ended
            tag, _ = server.wait_for(b"LOGOUT")
            server.send(b"* BYE\r\n" + tag + b" OK\r\n")

    wire = lab.play(script)
    assert wire.unit().startswith(b"* OK")
    wire.flood(b"a CAPABILITY\r\nb LOGOUT\r\n")
    data = wire.rest()
    for word in (b"evil", b"EXISTS", b"FETCH"):
        assert word not in data


def test_T_S04_data_during_login(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.say_hello()
        tag, _ = server.wait_for(b"LOGIN")
        server.send(b"* 3 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n" + tag + b" NO no\r\n")
        tag, _ = server.wait_for(b"LOGOUT")
        server.send(b"* BYE\r\n" + tag + b" OK\r\n")

    wire = lab.play(script).greet()
    wire.send(b"a LOGIN joe " + PASSWORD + b"\r\nb LOGOUT\r\n")
    data = wire.rest()
    assert b"EXISTS" not in data
    assert b"FETCH" not in data


@pytest.mark.parametrize("early", [b"a OK done\r\n", b"a1 OK done\r\n", b"t1 OK [CAPABILITY IMAP4rev1] in\r\n"])
def test_T_S07_predicted_tag(lab: Lab, early: bytes) -> None:
    def script(server: Session) -> None:
        server.say_hello()
        server.send(early)
        server.until_closed()

    data = lab.play(script).rest()
    assert b" OK done" not in data
    assert b"t1 OK" not in data


def test_T_S07_answered_twice(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_in()
        tag, _ = server.wait_for(b"NAMESPACE")
        server.send(tag + b" OK one\r\n" + tag + b" OK two\r\n")
        server.until_closed()

    wire = lab.fake_login(script)
    wire.send(b"a NAMESPACE\r\n")
    data = wire.rest()
    assert b"two" not in data


def test_T_S08_referral_in_greeting(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.send(b"* OK [REFERRAL imap://;AUTH=*@attacker.example/] hi there\r\n")
        server.until_closed()

    unit = lab.play(script).unit()
    assert unit.startswith(b"* OK")
    assert b"REFERRAL" not in unit
    assert b"attacker" not in unit


def test_T_S08_referral_at_login(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.say_hello()
        tag, _ = server.wait_for(b"LOGIN")
        server.send(tag + b" NO [REFERRAL imap://u;AUTH=*@attacker.example:243/] moved\r\n")
        server.until_closed()

    wire = lab.play(script).greet()
    reply = wire.command(b"LOGIN joe " + PASSWORD)
    assert reply.status == "NO"
    assert reply.tagged.endswith(b"moved")
    assert b"attacker" not in reply.tagged


def test_T_S11_starttls_after_login(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    bad(wire.command(b"STARTTLS"))
    assert lab.out() == before


def test_T_S11_starttls_before_login(lab: Lab) -> None:
    """Without TLS configured the command is refused; it never reaches the server."""
    wire = lab.client()
    assert b"STARTTLS" not in wire.greeting
    assert wire.command(b"STARTTLS").status in ("NO", "BAD")
    assert lab.out() == b""


def test_T_S12_line_that_is_no_base64(lab: Lab) -> None:
    wire = lab.client()
    wire.send(b"a AUTHENTICATE PLAIN\r\nb NOOP\r\n")
    units = [wire.unit()]
    if units[0].startswith(b"+"):
        units.append(wire.unit())
    assert units[-1].startswith(b"a BAD ")
    assert b"b NOOP" not in lab.out()
    lab.wait_out(b"\r\n*\r\n")
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))


def test_T_S12_line_after_a_refusal(lab: Lab) -> None:
    """The server refuses the mechanism: the second line was a command."""

    def script(server: Session) -> None:
        server.say_hello()
        tag, _ = server.wait_for(b"AUTHENTICATE")
        server.send(tag + b" NO not now\r\n")
        server.until_closed()

    wire = lab.play(script).greet()
    wire.send(b"a AUTHENTICATE PLAIN\r\nb DELETE INBOX\r\n")
    assert wire.answer(b"a").status == "NO"
    bad(wire.answer(b"b"))
    wire.close()
    lab.fake.finish()
    assert b"DELETE" not in lab.fake.seen


def test_T_S13_endless_challenge(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.say_hello()
        server.wait_for(b"AUTHENTICATE")
        server.send(b"+ " + b"QUJD" * 262_144 + b"\r\n")
        server.until_closed()

    wire = lab.play(script).greet()
    wire.send(b"a AUTHENTICATE PLAIN\r\n")
    data = wire.rest()
    assert b"QUJD" * 20_000 not in data


def test_T_S13_endless_rounds(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.say_hello()
        server.wait_for(b"AUTHENTICATE")
        # The proxy is expected to close in the middle of this.
        with contextlib.suppress(WireError):
            for _ in range(1000):
                server.send(b"+ QUJD\r\n")
                server.line()

    wire = lab.play(script).greet()
    wire.send(b"a AUTHENTICATE PLAIN\r\n")
    rounds = 0
    while (unit := wire.unit()).startswith(b"+"):
        rounds += 1
        wire.flood(b"QUJD\r\n")
    assert rounds < 1000
    assert unit.startswith((b"a ", b"* B")), unit
    wire.rest()


def test_T_S14_http(lab: Lab) -> None:
    wire = lab.client()
    wire.flood(b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\nAccept: */*\r\n\r\n" + b"a=b&c=d\r\n" * 20)
    data = wire.rest()
    assert data.count(b"BAD") <= 4
    assert lab.out() == b""


@pytest.mark.parametrize("name", [b"GSSAPI", b"NTLM", b"SCRAM-SHA-256-PLUS", b"EXTERNAL"])
def test_T_S15_security_layer(lab: Lab, name: bytes) -> None:
    wire = lab.client()
    reply = wire.command(b"AUTHENTICATE " + name)
    assert reply.tagged.startswith((b"NO [CANNOT] ", b"NO [NOPERM] ")), reply
    assert lab.out() == b""


@pytest.mark.parametrize("state", ["before", "after"])
def test_T_S16_id_spoof(lab: Lab, state: str) -> None:
    wire = lab.client() if state == "before" else lab.login()
    reply = wire.command(
        b'ID ("x-originating-ip" "127.0.0.1" "X-Forward-NoPassword" "y" "name" "x" {11+}\r\nx-session-- "z")'
    )
    assert reply.status == "OK"
    assert reply.one(b"* ID")
    seen = lab.out().lower()
    assert b"id (" in seen
    assert b"x-" not in seen.split(b"id (", 1)[1]
    assert b"127.0.0.1" not in seen
    assert b'"name" "x"' in seen


def test_T_S16_nothing_else_in_id(lab: Lab) -> None:
    wire = lab.login()
    wire.ok(b'ID ("x-originating-ip" "127.0.0.1")')
    wire.ok(b"ID NIL")
    assert b"x-orig" not in lab.out()


def test_T_C01_select_fails(lab: Lab) -> None:
    wire = lab.login()
    wire.send(b"a SELECT nope\r\nb FETCH 1 BODY[]\r\n")
    assert wire.answer(b"a").status == "NO"
    bad(wire.answer(b"b"))


def test_T_C01_failed_select_leaves_none_selected(lab: Lab) -> None:
    wire = lab.selected()
    wire.send(b"a SELECT nope\r\nb FETCH 1 BODY[]\r\n")
    assert wire.answer(b"a").status == "NO"
    bad(wire.answer(b"b"))


@pytest.mark.parametrize("text", [b"UNAUTHENTICATE", b"PROXYAUTH joe"])
def test_T_C07_change_of_user(lab: Lab, text: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    refused(wire.command(text))
    assert lab.out() == before


def test_T_C10_examine_stores_nothing(lab: Lab) -> None:
    user = lab.user()
    lab.fill(user, 1)
    wire = lab.login(user)
    wire.ok(b"EXAMINE INBOX")
    assert mail(1) in wire.ok(b"FETCH 1 BODY[]").one(b"* 1 FETCH")
    assert b"STORE" not in lab.out()


MASKED = [
    b"a LOGIN user " + TYPO,
    b"LOGIN user " + TYPO,
    b"a LOGN user " + TYPO,
    b"a LOGIN {4+}\r\nuser {%d+}\r\n%s" % (len(TYPO), TYPO),
    b'a LOGIN "user" "' + TYPO + b'" extra',
    TYPO,
    b"a " + TYPO,
    TYPO + b" NOOP",
    b"a ID (" + TYPO + b")",
]


@pytest.mark.parametrize("text", MASKED)
def test_T_P01_arguments_before_login(lab: Lab, text: bytes) -> None:
    """The log is at level full; nothing of it shows what may have been a password."""
    wire = lab.client()
    wire.send(text + b"\r\n")
    wire.unit()
    wire.close()
    lab.log(rf"SESSION-END CLIENT=\S*{wire.port}\b")
    assert TYPO.decode() not in lab.logged()


SECRETS = {
    b"PLAIN": b"\0joe\0" + TOKEN,
    b"XOAUTH2": b"user=joe\x01auth=Bearer " + TOKEN + b"\x01\x01",
    b"OAUTHBEARER": b"n,a=joe,\x01auth=Bearer " + TOKEN + b"\x01\x01",
    b"LOGIN": b"joe",
}


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("mechanism", SECRETS)
def test_T_P02_sasl(lab: Lab, mechanism: bytes, initial: bool) -> None:
    def script(server: Session) -> None:
        server.say_hello(CAPABILITIES + b" AUTH=XOAUTH2 AUTH=OAUTHBEARER")
        tag, text = server.wait_for(b"AUTHENTICATE")
        if b" " not in text:
            server.send(b"+ \r\n")
            server.line()
        server.send(b"+ " + base64.b64encode(b'{"status":"400","' + TOKEN + b'":1}') + b"\r\n")
        server.line()
        server.send(tag + b" NO failed\r\n")
        server.until_closed()

    wire = lab.play(script).greet()
    secret = base64.b64encode(SECRETS[mechanism])
    second = base64.b64encode(TOKEN) if mechanism == b"LOGIN" else b"AQ=="
    wire.send(b"a AUTHENTICATE " + mechanism + (b" " + secret if initial else b"") + b"\r\n")
    if not initial:
        assert wire.unit().startswith(b"+")
        wire.send(secret + b"\r\n")
    assert wire.unit().startswith(b"+ ")
    wire.send(second + b"\r\n")
    assert wire.answer(b"a").status == "NO"
    wire.close()
    lab.log(rf"SESSION-END CLIENT=\S*{wire.port}\b", plug=(lab.fake.address,))
    log = lab.logged(plug=(lab.fake.address,))
    for text in (TOKEN, base64.b64encode(TOKEN)[:20], secret):
        assert text.decode() not in log


@pytest.mark.parametrize("user", [b"x\r\nFAKE-001-I entry", b"\x1b[2Jx", b"a\x07b", b"\x9b31mx", b"x\x7f"])
def test_T_P03_user_name(lab: Lab, user: bytes) -> None:
    wire = lab.client()
    wire.send(b"a LOGIN {%d+}\r\n%s %s\r\n" % (len(user), user, PASSWORD))
    wire.unit()
    wire.close()
    lab.log(rf"SESSION-END CLIENT=\S*{wire.port}\b")
    log = lab.logged()
    assert not re.search(r"^FAKE", log, re.MULTILINE)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", log)


def test_T_P03_mailbox_and_text(lab: Lab) -> None:
    wire = lab.login()
    wire.command(b"CREATE {13+}\r\nx\r\nFAKE-1-I \x1b")
    wire.command(b"XF\x1b[2J")
    wire.close()
    lab.log(rf"SESSION-END CLIENT=\S*{wire.port}\b")
    log = lab.logged()
    assert not re.search(r"^FAKE", log, re.MULTILINE)
    assert "\x1b" not in log


def test_T_P04_no_core_dumps(lab: Lab) -> None:
    """A worker that gave its privileges up is not dumpable: the kernel then gives its entry in /proc to root."""
    user = 'app-user "mail";' if os.geteuid() == 0 else ""
    master, worker = children(lab.proxy(proxy=user).pid)
    assert "\nUid:\t0\t" not in Path(f"/proc/{worker}/status").read_text()
    assert Path(f"/proc/{worker}/status").stat().st_uid == 0
    assert master != worker


def test_T_P05_id_values(lab: Lab) -> None:
    wire = lab.login()
    wire.ok(b'ID ("name" "' + TOKEN + b'")')
    wire.close()
    lab.log(rf"SESSION-END CLIENT=\S*{wire.port}\b")
    assert TOKEN.decode() not in lab.logged()


def test_T_P06_nothing_of_our_own_to_the_server(lab: Lab) -> None:
    wire = lab.client()
    time.sleep(0.2)
    assert lab.out() == b""
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    wire.ok(b"NOOP")
    assert b" ID " not in lab.out()
