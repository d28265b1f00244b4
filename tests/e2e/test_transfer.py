"""APPEND, FETCH, IDLE and ID: mail and what goes with it, byte by byte."""

from __future__ import annotations

import hashlib
import random
import re
from datetime import UTC, datetime

import pytest

from tests.e2e.lab import Lab, mail
from tests.e2e.wire import Wire, WireError, play

BIG = 10 << 20


def fetched(wire: Wire, number: int = 1) -> bytes:
    """The mail as the answer to FETCH BODY.PEEK[] has it."""
    unit = wire.ok(b"FETCH %d BODY.PEEK[]" % number, 60).one(b"* %d FETCH" % number)
    found = re.search(rb"BODY\[\] \{(\d+)\}\r\n", unit)
    assert found, unit[:200]
    return unit[found.end() : found.end() + int(found[1])]


def stored(lab: Lab, user: str, number: int = 1) -> bytes:
    """The mail as Dovecot itself has it."""
    wire = lab.direct(user)
    wire.ok(b"EXAMINE INBOX")
    return fetched(wire, number)


@pytest.mark.parametrize("plus", [True, False])
@pytest.mark.parametrize("size", [200, 70_000])
def test_append(lab: Lab, plus: bool, size: int) -> None:
    user = lab.user()
    reply = lab.login(user).append(b"INBOX", mail(7, size), plus)
    assert re.match(rb"OK \[APPENDUID \d+ 1\] ", reply.tagged)
    assert stored(lab, user) == mail(7, size)


def test_append_with_flags_and_date(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user)
    text = mail(1)
    wire.send(b'a APPEND INBOX (\\Seen $Own) " 1-Feb-2024 03:04:05 +0600" {%d+}\r\n%s\r\n' % (len(text), text))
    assert wire.answer(b"a").status == "OK"
    direct = lab.direct(user)
    direct.ok(b"EXAMINE INBOX")
    unit = direct.ok(b"FETCH 1 (FLAGS INTERNALDATE)").one(b"* 1 FETCH")
    assert b"\\Seen" in unit
    assert b"$Own" in unit
    found = re.search(rb'INTERNALDATE "([^"]+)"', unit)
    assert found
    assert datetime.strptime(found[1].decode(), "%d-%b-%Y %H:%M:%S %z") == datetime(2024, 1, 31, 21, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "date", [b"01-Jan-2024 00:00:00 +0000", b" 1-Jan-2024 23:59:60 -0800", b"1-JAN-2024 00:00:00 +1400"]
)
def test_date_times_that_dovecot_takes(lab: Lab, date: bytes) -> None:
    """One digit without the space is none of the grammar's; Horde says it."""
    wire = lab.login()
    wire.send(b'a APPEND INBOX "%b" {3+}\r\nabc\r\n' % date)
    assert wire.answer(b"a").status == "OK"


@pytest.mark.parametrize(
    "date", [b"", b"bad", b"01-Jan-2024", b"01-Foo-2024 00:00:00 +0000", b"01-Jan-2024 0:00:00 +0000"]
)
def test_date_times_that_nobody_takes(lab: Lab, date: bytes) -> None:
    user = lab.user()
    line = b'a APPEND INBOX "%b" {3}\r\n' % date
    for wire in (lab.direct(user), lab.login(user)):
        wire.send(line)
        assert wire.answer(b"a").status == "BAD"
    assert b"APPEND" not in lab.out()


@pytest.mark.parametrize("mark", [b"~{%d+}", b"~{%d}"])
def test_append_literal8(lab: Lab, mark: bytes) -> None:
    user = lab.user()
    wire = lab.login(user)
    text = mail(1) + b"\xff\x80 8bit\r\n"
    wire.send(b"a APPEND INBOX " + mark % len(text) + b"\r\n")
    if b"+" not in mark:
        assert wire.unit().startswith(b"+")
    wire.send(text + b"\r\n")
    assert wire.answer(b"a").status == "OK"
    assert stored(lab, user) == text


@pytest.mark.parametrize("plus", [b"+", b""])
def test_multiappend(lab: Lab, plus: bytes) -> None:
    user = lab.user()
    wire = lab.login(user)
    wire.send(b"a APPEND INBOX")
    for number in (1, 2, 3):
        text = mail(number, 400 * number)
        wire.send(b" (\\Flagged) {%d%s}\r\n" % (len(text), plus))
        if not plus:
            assert wire.unit().startswith(b"+")
        wire.send(text)
    wire.send(b"\r\n")
    assert wire.answer(b"a").status == "OK"
    for number in (1, 2, 3):
        assert stored(lab, user, number) == mail(number, 400 * number)


@pytest.mark.parametrize("plus", [True, False])
def test_append_ten_megabytes(lab: Lab, plus: bool) -> None:
    user = lab.user()
    text = b"Subject: big\r\n\r\n" + random.Random(1).randbytes(BIG // 2).hex(":", 38).replace(":", "\r\n").encode()
    reply = lab.login(user).append(b"INBOX", text, plus)
    assert reply.status == "OK"
    assert hashlib.sha256(stored(lab, user)).digest() == hashlib.sha256(text).digest()


def test_append_refused_by_the_server(lab: Lab) -> None:
    """No such mailbox: NO without +, with [TRYCREATE]; the framing holds in both forms."""
    wire = lab.login()
    wire.send(b"a APPEND nowhere {10}\r\n")
    unit = wire.unit()
    if unit.startswith(b"+"):
        wire.send(b"0123456789\r\n")
        unit = wire.unit()
    assert unit.startswith(b"a NO [TRYCREATE]")
    wire.send(b"b APPEND nowhere {10+}\r\n0123456789\r\nc NOOP\r\n")
    assert wire.answer(b"b").tagged.startswith(b"NO [TRYCREATE]")
    assert wire.answer(b"c").status == "OK"


def test_fetch_ten_megabytes(lab: Lab) -> None:
    user = lab.user()
    text = mail(1, BIG)
    lab.direct(user).append(b"INBOX", text)
    wire = lab.login(user)
    wire.ok(b"SELECT INBOX")
    for _ in range(2):
        assert fetched(wire) == text
    part = wire.ok(b"FETCH 1 BODY.PEEK[]<5000000.300000>").one(b"* 1 FETCH")
    assert text[5_000_000:5_300_000] in part


def test_fetch_list(lab: Lab) -> None:
    wire = lab.selected(mails=30)
    items = b"(UID FLAGS RFC822.SIZE INTERNALDATE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (From Subject)])"
    reply = wire.ok(b"FETCH 1:* " + items)
    assert len(reply.untagged) == 30
    assert all(b"Subject: mail %d\r\n" % at in unit for at, unit in enumerate(reply.untagged, 1))


def test_fetch_binary(lab: Lab) -> None:
    user = lab.user()
    lab.direct(user).append(b"INBOX", b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC/w==\r\n")
    wire = lab.login(user)
    wire.ok(b"SELECT INBOX")
    wire.send(b"a FETCH 1 BINARY.PEEK[1]\r\n")
    assert wire.line() == b"* 1 FETCH (BINARY[1] ~{4}\r\n"
    assert wire.take(4) == b"\0\1\2\xff"
    assert wire.line() == b")\r\n"
    assert wire.answer(b"a").status == "OK"


def test_idle_updates(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user)
    other = lab.direct(user)
    play(
        wire,
        """
        C: a SELECT INBOX
        S* a OK *
        C: b IDLE
        S: + *
        """,
    )
    other.append(b"INBOX", mail(1))
    play(wire, "S: [*] 1 EXISTS".replace("[*]", "*") + "\nS: * 1 RECENT")
    other.ok(b"SELECT INBOX")
    other.ok(b"STORE 1 +FLAGS (\\Deleted)")
    play(wire, "S* * 1 FETCH *Deleted*")
    other.ok(b"EXPUNGE")
    play(wire, "S* * 1 EXPUNGE\nC: DONE\nS* b OK *\nC: c NOOP\nS* c OK *")


def test_idle_with_done_in_one_segment(lab: Lab) -> None:
    wire = lab.selected()
    wire.send(b"a IDLE\r\nDONE\r\nb NOOP\r\n")
    assert wire.unit().startswith(b"+")
    assert wire.answer(b"a").status == "OK"
    assert wire.answer(b"b").status == "OK"


def test_idle_lower_case_done(lab: Lab) -> None:
    wire = lab.selected()
    play(wire, "C: a idle\nS: +*\nC: done\nS* a OK *")


def test_id(lab: Lab) -> None:
    wire = lab.client()
    reply = wire.ok(b'ID ("name" "client" "version" NIL "x-proxy" "1")')
    assert reply.one(b"* ID (")
    assert b'ID ("name" "client" "version" NIL)' in lab.out()


@pytest.mark.parametrize("text", [b"ID", b'ID "a" "b"', b'ID ("a")', b'ID ("a" ("b"))', b"ID () x"])
def test_malformed_id(lab: Lab, text: bytes) -> None:
    wire = lab.client()
    assert wire.command(text).status == "BAD"
    assert lab.out() == b""


def test_logout(lab: Lab) -> None:
    wire = lab.login()
    wire.send(b"a LOGOUT\r\n")
    assert wire.unit().startswith(b"* BYE")
    assert wire.unit().startswith(b"a OK")
    assert wire.rest() == b""


def test_logout_before_login(lab: Lab) -> None:
    wire = lab.client()
    play(wire, "C: a LOGOUT\nS: * BYE*\nS: a OK*\nS. ")


def test_canonical_form_is_all_that_the_server_sees(lab: Lab) -> None:
    wire = lab.selected()
    lines = [b"NOOP", b"UID FETCH 1:* (FLAGS UID)", b'STATUS "INBOX" (MESSAGES UIDNEXT)', b'LIST "" "%"', b"CHECK"]
    before = lab.out()
    for line in lines:
        wire.ok(line)
    assert re.sub(rb"^t\d+ ", b"", lab.out()[len(before) :], flags=re.MULTILINE) == b"\r\n".join(lines) + b"\r\n"


def test_rawlog_agrees_with_the_tap(lab: Lab) -> None:
    """What Dovecot itself says that it read is what the tap saw."""
    user = lab.user()
    lab.dovecot.listen_for(user)
    wire = lab.login(user)
    wire.send(b"a XFOO {8+}\r\nb NOOP\r\n\r\nc STATUS INBOX (MESSAGES)\r\n")
    assert wire.answer(b"a").status == "BAD"
    assert wire.answer(b"c").status == "OK"
    read = re.sub(rb"^\d+\.\d+ ", b"", lab.dovecot.rawlog(user), flags=re.MULTILINE)
    assert read == b"c STATUS INBOX (MESSAGES)\r\n"
    assert lab.out().endswith(read)


@pytest.mark.parametrize("text", [b"FETCH 1 FLAGS", b"CLOSE", b"EXPUNGE", b"UID SEARCH ALL", b"STORE 1 FLAGS ()"])
def test_state_authenticated(lab: Lab, text: bytes) -> None:
    """Commands of the selected state without a mailbox: BAD, of the proxy or of the server."""
    assert lab.login().command(text).status == "BAD"


@pytest.mark.parametrize("text", [b"SELECT INBOX", b'LIST "" *', b"FETCH 1 FLAGS", b"APPEND x {3+}\r\nabc", b"IDLE"])
def test_state_not_authenticated(lab: Lab, text: bytes) -> None:
    wire = lab.client()
    assert wire.command(text).status == "BAD"
    assert lab.out() == b""
    try:
        wire.ok(b"NOOP")
    except WireError as error:
        raise AssertionError("the session did not go on") from error
