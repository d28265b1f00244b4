"""Rows T-F01 to T-F16 of the attack table: where lines, literals and tags begin and end."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import pytest

from tests.e2e.fakeserver import CAPABILITIES, Session
from tests.e2e.lab import PASSWORD, Lab, bad, faulted, refused
from tests.e2e.wire import Wire

NO_LITERALS = CAPABILITIES.replace(b" LITERAL+", b"")


def nothing_new(lab: Lab, before: bytes) -> None:
    """Since `before` not one byte went to Dovecot."""
    assert lab.out() == before


def unterminated(wire: Wire) -> None:
    """Where the command ends is unknown: BAD, with the tag (R1 allows both) or without, then BYE and the end."""
    data = wire.rest()
    assert data.startswith((b"* BAD ", b"a BAD ")), data
    assert b"\r\n* BYE" in data
    assert data.count(b"\r\n") == 2, data


@pytest.mark.parametrize("text", [b"a NOOP\nb DELETE INBOX\r\n", b"a DELETE work\n", b"a NOOP\n\r\n"])
def test_T_F01_bare_lf(lab: Lab, text: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(text)
    faulted(wire)
    nothing_new(lab, before)


def test_T_F01_bare_lf_before_login(lab: Lab) -> None:
    wire = lab.client()
    wire.send(b"a NOOP\nb LOGIN u " + PASSWORD + b"\r\n")
    faulted(wire)
    assert lab.out() == b""


@pytest.mark.parametrize("text", [b"a NOOP\rb DELETE x\r\n", b"a NOOP\r\r\n", b"\ra NOOP\r\n"])
def test_T_F02_bare_cr(lab: Lab, text: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(text)
    faulted(wire)
    nothing_new(lab, before)


@pytest.mark.parametrize("text", [b'a SELECT "IN\0BOX"\r\n', b"a SELECT IN\0BOX\r\n", b"a\0 NOOP\r\n", b"\0\r\n"])
def test_T_F03_nul_in_command(lab: Lab, text: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(text)
    faulted(wire)
    nothing_new(lab, before)


def test_T_F04_nul_in_literal(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"a CREATE {3+}\r\na\0b\r\n")
    bad(wire.answer(b"a"))
    nothing_new(lab, before)
    wire.ok(b"NOOP")


@pytest.mark.parametrize("word", [b"XFOO", b"UID XFOO", b"DELETEX"])
def test_T_F05_unknown_command_with_literal(lab: Lab, word: bytes) -> None:
    user = lab.user()
    lab.direct(user).ok(b"CREATE Sent")
    wire = lab.login(user)
    before = lab.out()
    wire.send(b"a " + word + b" {13+}\r\nb DELETE Sent\r\nc NOOP\r\n")
    bad(wire.answer(b"a"))
    assert wire.answer(b"c").status == "OK"
    assert lab.out()[len(before) :] == b"c NOOP\r\n"
    assert lab.direct(user).ok(b'LIST "" Sent').untagged


def test_T_F06_refused_command_with_literal(lab: Lab) -> None:
    config = "commands { ! CREATE, * };"
    wire = lab.login(command=config)
    before = lab.out()
    wire.send(b"a CREATE {13+}\r\nb DELETE Sent\r\nc NOOP\r\n")
    refused(wire.answer(b"a"))
    assert wire.answer(b"c").status == "OK"
    assert lab.out()[len(before) :] == b"c NOOP\r\n"


def test_T_F07_client_does_not_wait(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"a XFOO {13}\r\nb DELETE Sent\r\n")
    bad(wire.answer(b"a"))
    assert wire.answer(b"b").status == "NO"  # Dovecot's own: there is no Sent
    assert lab.out()[len(before) :].partition(b" ")[2] == b"DELETE Sent\r\n"


def test_T_F07_what_follows_is_filtered(lab: Lab) -> None:
    wire = lab.login(command="commands { ! DELETE, * };")
    before = lab.out()
    wire.send(b"a XFOO {13}\r\nb DELETE Sent\r\n")
    bad(wire.answer(b"a"))
    refused(wire.answer(b"b"))
    nothing_new(lab, before)


@pytest.mark.parametrize("command", [b"CREATE", b"APPEND work"])
def test_T_F08_server_refuses_before_plus(lab: Lab, command: bytes) -> None:
    """The payload `c DELETE y` was sent without waiting; the server refuses the announcement."""

    def script(server: Session) -> None:
        server.let_in(NO_LITERALS)
        tag, _ = server.wait_for(command.split()[0])
        server.send(tag + b" NO never\r\n")
        while tag != b"d":
            tag = server.line().split(b" ")[0]
            server.send(tag + b" OK done\r\n")

    wire = lab.fake_login(script)
    wire.send(b"a " + command + b" {10}\r\nc DELETE y\r\n")
    assert wire.answer(b"a").status == "NO"
    wire.send(b"d LOGOUT\r\n")
    wire.rest()
    lab.fake.finish()
    # Either the ten bytes were taken for the literal and never left, or they were judged as a command.
    after = lab.fake.seen.split(command, 1)[1]
    assert after.count(b"DELETE y") == after.count(b"c DELETE y\r\n") <= 1, after


def test_T_F09_no_nonsync_literal_to_a_server_without_it(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_in(NO_LITERALS)
        tag, text = server.wait_for(b"CREATE")
        if text.endswith(b"}"):
            assert text == b"{5}"
            server.send(b"+ go\r\n")
            assert server.take(7) == b"INBOX\r\n"
        server.send(tag + b" OK created\r\n")

    wire = lab.fake_login(script)
    wire.send(b"a CREATE {5+}\r\nINBOX\r\n")
    assert wire.answer(b"a").status == "OK"
    lab.fake.finish()
    assert b"+}" not in lab.fake.seen


def test_T_F09_append_waits_for_plus(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_in(NO_LITERALS)
        tag, text = server.wait_for(b"APPEND")
        assert text.endswith(b"{5}"), text
        server.quiet(0.3)
        server.send(b"+ go\r\n")
        assert server.take(7) == b"hello\r\n"
        server.send(tag + b" OK stored\r\n")

    wire = lab.fake_login(script)
    wire.send(b"a APPEND INBOX {5+}\r\nhello\r\n")
    reply = wire.answer(b"a")
    assert (reply.status, reply.untagged) == ("OK", [])
    lab.fake.finish()


MALFORMED = [b"{}", b"{+}", b"{-1}", b"{+5}", b"{5 }", b"{ 5}", b"{5+ }", b"{0x5}", b"{5++}", b"{5-}", b"~ {5}"]
MALFORMED += [b"~{5+}", b"~{5}", b"{000000000000000000005}", b"{5}x", b"{5+}x", b"{5"]


@pytest.mark.parametrize("mark", MALFORMED)
def test_T_F10_malformed_marker(lab: Lab, mark: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"a SELECT " + mark + b"\r\nb CREATE made-by-the-payload\r\n")
    data = wire.rest()
    assert data.startswith((b"* BAD ", b"a BAD ")), data
    assert b"\r\n* BYE" in data
    assert b"b OK" not in data
    nothing_new(lab, before)


def test_T_F10_leading_zeros(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user)
    wire.send(b"a CREATE {00000000000000000005+}\r\nabcde\r\n")
    assert wire.answer(b"a").status == "OK"
    assert b"0000" not in lab.out()
    assert lab.direct(user).ok(b'LIST "" abcde').untagged


def test_T_F11_marker_then_lf(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"a CREATE {3+}\nabc\r\n")
    faulted(wire)
    nothing_new(lab, before)


def test_T_F12_marker_inside_quoted(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user)
    wire.send(b'a CREATE "x {3+}"\r\n')
    assert wire.answer(b"a").status == "OK"
    assert b'"x {3+}"' in lab.direct(user).ok(b'LIST "" "x*"').untagged[0]


def test_T_F12_line_end_inside_quoted(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b'a CREATE "x {3+}\r\nabc"\r\n')
    unterminated(wire)
    nothing_new(lab, before)


def test_T_F13_legal_escapes(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user)
    wire.send(b'a CREATE "a\\"b\\\\c"\r\n')
    assert wire.answer(b"a").status == "OK"
    assert b'"a\\"b\\\\c"' in lab.direct(user).ok(b'LIST "" "a*"').untagged[0]


def test_T_F13_other_escapes(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b'a CREATE "a\\b"\r\n')
    bad(wire.answer(b"a"))
    nothing_new(lab, before)
    wire.ok(b"NOOP")


@pytest.mark.parametrize("text", [b'a CREATE "abc\r\n', b'a CREATE "abc\\"\r\n', b'a CREATE "abc\\\r\n'])
def test_T_F13_unterminated(lab: Lab, text: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(text)
    unterminated(wire)
    nothing_new(lab, before)


@pytest.mark.parametrize("line", [b" NOOP", b"+ NOOP", b"* NOOP", b"a+ NOOP", b'"x" NOOP', b"\xff NOOP", b"%n%s NOOP"])
def test_T_F14_tag_abuse(lab: Lab, line: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(line + b"\r\n")
    assert wire.unit().startswith(b"* BAD ")
    nothing_new(lab, before)
    wire.ok(b"NOOP")


@pytest.mark.parametrize("line", [b"(a NOOP", b"{5} NOOP", b"a\\ NOOP", b"\x7f NOOP", b"a", b""])
def test_T_F14_other_tags(lab: Lab, line: bytes) -> None:
    """Not in the row: further bytes that the grammar of tags leaves out, and no command at all."""
    wire = lab.login()
    before = lab.out()
    wire.send(line + b"\r\n")
    assert wire.unit().startswith((b"* BAD ", b"a BAD "))
    nothing_new(lab, before)


def test_T_F14_no_tag(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"a b\r\n")
    bad(wire.answer(b"a"))
    nothing_new(lab, before)


@pytest.mark.parametrize("tag", [b"]", b"T" * 64, b"!#$&',-./:;<=>?@[^_`|}~"])
def test_T_F14_legal_tags(lab: Lab, tag: bytes) -> None:
    """At the scripted server, since Dovecot refuses `]`."""

    def script(server: Session) -> None:
        server.let_in()
        assert server.line() == tag + b" NAMESPACE\r\n"
        server.send(tag + b" OK done\r\n")
        server.until_closed()

    wire = lab.fake_login(script)
    wire.send(tag + b" NAMESPACE\r\n")
    assert wire.answer(tag).status == "OK"


@pytest.mark.parametrize("size", [65, 10_000])
def test_T_F14_long_tag(lab: Lab, size: int) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"A" * size + b" NOOP\r\n")
    data = wire.rest()
    assert data.startswith(b"* BAD ")
    assert b"\r\n* BYE" in data
    nothing_new(lab, before)


def test_T_F14_tag_that_is_pending(lab: Lab) -> None:
    """architecture.md section 6: no tag that is already pending."""
    wire = lab.selected()
    wire.send(b"a IDLE\r\n")
    assert wire.unit().startswith(b"+")
    wire.send(b"DONE\r\na NOOP\r\n")
    replies = [wire.unit() for _ in range(2)]
    assert sum(reply.startswith(b"a OK") for reply in replies) >= 1, replies


def test_T_F15_long_line(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"a SEARCH " + b"UID 1 " * 11_000)
    faulted(wire)
    nothing_new(lab, before)


def test_T_F15_megabyte_without_end(lab: Lab) -> None:
    proxy = lab.proxy()
    wire = lab.login()
    before, memory = lab.out(), proxy.memory_kb()
    wire.flood(b"a SEARCH " + b"UID 1 " * 175_000)
    wire.rest()
    nothing_new(lab, before)
    assert proxy.memory_kb() - memory < 4096


def test_T_F15_long_line_before_login(lab: Lab) -> None:
    wire = lab.client()
    wire.flood(b"a NOOP " + b"x " * 40_000)
    wire.rest()
    assert lab.out() == b""


@pytest.mark.parametrize("size", [8 << 10, 60 << 10])
def test_T_F16_long_set(lab: Lab, size: int) -> None:
    wire = lab.selected(mails=3)
    numbers = ",".join(str(number) for number in range(1, 40_000, 2)).encode()[:size].rstrip(b",")
    reply = wire.ok(b"UID FETCH " + numbers + b" UID")
    assert [unit.split()[1] for unit in reply.untagged] == [b"1", b"3"]
    assert numbers in lab.out()
