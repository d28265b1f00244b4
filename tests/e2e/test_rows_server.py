"""Rows T-R01 to T-R23 of the attack table, as far as they concern pass mode: a hostile or broken server."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.e2e.fakeserver import CAPABILITIES, Session
from tests.e2e.lab import PASSWORD, Lab
from tests.e2e.wire import Reply, Wire

Config = dict[str, str]


def answering(command: bytes, answer: bytes) -> Callable[[Session], None]:
    """A script: login, SELECT, then `answer` to the command, TAG in it standing for the tag; then whatever comes."""

    def script(server: Session) -> None:
        server.let_select()
        tag, _ = server.wait_for(command.split()[0])
        server.send(answer.replace(b"TAG", tag))
        server.until_closed()

    return script


def ask(lab: Lab, text: bytes, answer: bytes, **config: str) -> Wire:
    """Send the command that the fake server answers so."""
    wire = lab.fake_selected(answering(text, answer), **config)
    wire.send(b"a " + text + b"\r\n")
    return wire


def relayed(lab: Lab, text: bytes, answer: bytes, **config: str) -> Reply:
    """The answer came, and the session goes on in step."""
    wire = ask(lab, text, answer, **config)
    reply = wire.answer(b"a")
    wire.send(b"b IDLE\r\n")
    wire.quiet(0.05)
    return reply


def closed(lab: Lab, text: bytes, answer: bytes, **config: str) -> bytes:
    """The session was ended with BYE; what the client got."""
    data = ask(lab, text, answer, **config).rest()
    assert b"* BYE" in data, data
    lab.fake.finish()
    return data


def test_T_R04_literal_beyond_the_limit(lab: Lab) -> None:
    answer = b"* 1 FETCH (RFC822.SIZE 100 BODY[] {2000000}\r\n" + b"x" * 2_000_000 + b")\r\nTAG OK done\r\n"
    data = ask(lab, b"FETCH 1 BODY[]", answer, command="max-mail-in 1M;").rest()
    assert b"xxxx" not in data
    assert b"{2000000}" not in data


def test_T_R04_size_is_the_literals(lab: Lab) -> None:
    answer = b"* 1 FETCH (RFC822.SIZE 3 BODY[] {10}\r\n0123456789)\r\nTAG OK done\r\n"
    reply = relayed(lab, b"FETCH 1 BODY[]", answer)
    assert reply.untagged == [b"* 1 FETCH (RFC822.SIZE 3 BODY[] {10}\r\n0123456789)"]


def test_T_R05_literal_too_short(lab: Lab) -> None:
    data = ask(lab, b"FETCH 1 BODY[]", b"* 1 FETCH (BODY[] {10}\r\n12345678)\r\nTAG OK done\r\n").rest()
    assert b"a OK" not in data


def test_T_R07_nil_body(lab: Lab) -> None:
    """In pass mode the server's word; NO [UNAVAILABLE] is for mail that is processed."""
    reply = relayed(lab, b"FETCH 1 BODY[]", b"* 1 FETCH (BODY[] NIL)\r\nTAG OK done\r\n")
    assert reply.untagged == [b"* 1 FETCH (BODY[] NIL)"]


def test_T_R08_greatest_number(lab: Lab) -> None:
    proxy = lab.before_fake(answering(b"NOOP", b""))
    memory = proxy.memory_kb()
    reply = relayed(lab, b"CHECK", b"* 4294967295 EXISTS\r\nTAG OK done\r\n")
    assert reply.untagged == [b"* 4294967295 EXISTS"]
    assert proxy.memory_kb() - memory < 4096


NUMBERS = [b"* 99999999999999999999 EXISTS", b"* 4294967296 EXISTS", b"* 0 EXPUNGE", b"* 7 EXPUNGE"]


@pytest.mark.parametrize("line", NUMBERS)
def test_T_R08_impossible_number(lab: Lab, line: bytes) -> None:
    assert line not in closed(lab, b"CHECK", line + b"\r\nTAG OK done\r\n")


@pytest.mark.parametrize(
    "answer",
    [b"* VANISHED 1:4294967295\r\nTAG OK done", b"TAG OK [COPYUID 1 1:4294967295 1:4294967295] done"],
)
def test_T_R09_big_sets(lab: Lab, answer: bytes) -> None:
    proxy = lab.before_fake(answering(b"NOOP", b""))
    memory = proxy.memory_kb()
    wire = ask(lab, b"COPY 1 x", answer + b"\r\n")
    expected = answer.replace(b"TAG", b"a") + b"\r\n"
    assert wire.take(len(expected)) == expected
    assert proxy.memory_kb() - memory < 4096


@pytest.mark.parametrize("start", [b"* 1 FETCH (BODYSTRUCTURE ", b"* THREAD "])
def test_T_R10_nesting(lab: Lab, start: bytes) -> None:
    answer = start + b"(" * 1_000_000 + b")" * 1000 + b"\r\nTAG OK done\r\n"
    data = ask(lab, b"FETCH 1 BODYSTRUCTURE", answer).rest()
    assert b"(" * 101 not in data


def test_T_R11_long_line(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_select()
        server.wait_for(b"CHECK")
        for _ in range(640):
            server.send(b"* OK " + b"x" * 100_000)

    proxy = lab.before_fake(script)
    wire = lab.keep(proxy.wire()).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)
    wire.ok(b"SELECT INBOX")
    memory = proxy.memory_kb()
    wire.send(b"a CHECK\r\n")
    data = wire.rest()
    assert len(data) < (1 << 20) + 4096
    assert proxy.memory_kb() - memory < 12_288


@pytest.mark.parametrize("start", [b"* OK ", b"TAG OK ", b"* NO ", b"TAG OK [ALERT] "])
def test_T_R12_control_bytes(lab: Lab, start: bytes) -> None:
    line = start + b"a\x1b]0;x\x07b\x7f\xff\xc3\xa9 end\r\n"
    end = b"" if start.startswith(b"TAG") else b"TAG OK done\r\n"
    wire = ask(lab, b"CHECK", line + end)
    reply = wire.answer(b"a")
    text = b"\n".join([*reply.untagged, reply.tagged])
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", text), text
    assert b" end" in text
    assert "\x1b]0" not in lab.logged(plug=(lab.fake.address,))


def test_T_R12_control_bytes_in_greeting(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.send(b"* OK [CAPABILITY " + CAPABILITIES + b"] \x1b[2Jhello\x07\r\n")
        server.until_closed()

    wire = lab.play(script)
    assert not re.search(rb"[\x00-\x1f]", wire.unit())


@pytest.mark.parametrize("line", [b"* OK one\n* OK two", b"TAG OK done\n", b"* 1 FETCH (FLAGS ())\n* 2 EXISTS"])
def test_T_R12_bare_lf(lab: Lab, line: bytes) -> None:
    closed(lab, b"CHECK", line + b"\r\nTAG OK done\r\n")


@pytest.mark.parametrize("line", [b"* OK one\rtwo", b"* OK nul\0", b'* LIST () "/" "a\0b"'])
def test_T_R12_cr_and_nul(lab: Lab, line: bytes) -> None:
    data = ask(lab, b"CHECK", line + b"\r\nTAG OK done\r\n").rest()
    assert not re.search(rb"\r(?!\n)|\0", data)


@pytest.mark.parametrize("line", [b"+ go", b"+", b"+ "])
def test_T_R13_unexpected_plus(lab: Lab, line: bytes) -> None:
    data = closed(lab, b"CHECK", line + b"\r\nTAG OK done\r\n")
    assert not data.startswith(b"+")
    assert b"\r\n+" not in data


def test_T_R14_forged_capability(lab: Lab) -> None:
    answer = b"* OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE UIDPLUS STARTTLS] x\r\nTAG OK done\r\n"
    (unit,) = relayed(lab, b"CHECK", answer).untagged
    assert b"COMPRESS" not in unit
    assert b"STARTTLS" not in unit
    assert b"UIDPLUS" in unit


def test_T_R15_enabled_unasked(lab: Lab) -> None:
    wire = ask(lab, b"CHECK", b"* ENABLED UTF8=ACCEPT\r\nTAG OK done\r\n")
    reply = wire.answer(b"a")
    assert reply.untagged == []
    # The mode is unchanged: 8-bit names are still refused.
    assert wire.command(b'CREATE "\xc3\xa9"').status == "BAD"


def test_T_R16_endless_bye(lab: Lab) -> None:
    data = ask(lab, b"CHECK", b"* BYE going\r\n" * 500 + b"* 5 EXISTS\r\n").rest()
    assert data.count(b"* BYE") == 1
    assert b"EXISTS" not in data


def test_T_R17_ok_without_data(lab: Lab) -> None:
    reply = relayed(lab, b"FETCH 1 BODY[]", b"TAG OK done\r\n")
    assert (reply.status, reply.untagged) == ("OK", [])


def test_T_R18_uidvalidity_changes(lab: Lab) -> None:
    reply = relayed(lab, b"CHECK", b"* OK [UIDVALIDITY 99] changed\r\nTAG OK done\r\n")
    assert reply.untagged == [b"* OK [UIDVALIDITY 99] changed"]


def test_T_R19_expunge_during_fetch(lab: Lab) -> None:
    answer = b"* 3 EXPUNGE\r\n* 1 FETCH (FLAGS ())\r\nTAG OK done\r\n"
    reply = relayed(lab, b"UID FETCH 1 FLAGS".replace(b"UID FETCH", b"FETCH"), answer)
    assert reply.untagged == [b"* 3 EXPUNGE", b"* 1 FETCH (FLAGS ())"]


def test_T_R21_line_end_in_a_name(lab: Lab) -> None:
    data = closed(lab, b'LIST "" *', b'* LIST (\\Noselect) "/" "\r\nevil"\r\nTAG OK done\r\n')
    assert b"evil" not in data


QUIRKS = {
    b'* NO [Error="x y"] server said': None,
    b'* 1 FETCH (ENVELOPE ((NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL)))': b"ENVELOPE",
    b"* 1 FETCH (RFC822.SIZE 12.5 UID 3)": b"12.5",
    b"* 1 FETCH (UID 0 MODSEQ (-1))": b"-1",
    b'* LIST () "/" a&b': b"a&b",
    b"* STATUS x (MESSAGES 0 UIDNEXT 0 UIDVALIDITY 0 )": b"UIDVALIDITY 0",
}


@pytest.mark.parametrize("line", QUIRKS)
def test_T_R22_quirks_pass(lab: Lab, line: bytes) -> None:
    reply = relayed(lab, b"CHECK", line + b"\r\nTAG OK done\r\n")
    kept = QUIRKS[line]
    if kept is None:
        (unit,) = reply.untagged
        assert unit.startswith(b"* NO ")
        assert unit.endswith(b"server said")
        assert b"Error=" not in unit
    else:
        assert reply.untagged == [line]


def test_T_R22_copyuid_with_blanks(lab: Lab) -> None:
    reply = relayed(lab, b"COPY 1 x", b"TAG OK [COPYUID 5  ] done\r\n")
    assert reply.status == "OK"
    assert reply.tagged.endswith(b"done")


LONG_ANSWER = (
    b"* 3 EXISTS\r\n* OK [UIDNEXT 5] next\r\n* OK [XCODE 1] odd\r\n* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE IDLE\r\n"
    b"* 1 FETCH (UID 1 BODY[HEADER] {12}\r\nA: b\r\n\r\n{3}\r FLAGS (\\Seen) BODY[TEXT] {5}\r\n)\r\n* )\r\n"
    b'* LIST () "/" "a b {3}"\r\n* LIST () "/" {3}\r\nxyz\r\n* XODD 1\r\n* 2 FETCH (FLAGS ())\r\n'
    b"TAG OK [READ-WRITE] done {5}\r\n"
)


def _got(lab: Lab, step: int) -> bytes:
    def script(server: Session) -> None:
        server.let_select()
        tag, _ = server.wait_for(b"CHECK")
        server.send_slowly(LONG_ANSWER.replace(b"TAG", tag), step or len(LONG_ANSWER), 0.001 if step else 0)
        server.wait_for(b"LOGOUT")

    wire = lab.fake_selected(script)
    wire.send(b"a CHECK\r\n")
    units = [wire.unit()]
    while not units[-1].startswith(b"a "):
        units.append(wire.unit())
    wire.send(b"z LOGOUT\r\n")
    lab.fake.finish()
    return b"\r\n".join(units)


def test_T_R23_segmentation(lab: Lab) -> None:
    whole = _got(lab, 0)
    assert b"A: b\r\n\r\n{3}\r FLAGS (\\Seen) BODY[TEXT] {5}\r\n)\r\n* )" in whole
    assert b"XODD" not in whole
    assert b"COMPRESS" not in whole
    assert whole.endswith(b"a OK [READ-WRITE] done {5}.")  # else a literal for JavaMail and imaplib
    for step in (1, 2, 3, 7):
        assert _got(lab, step) == whole


def test_T_R23_client_segmentation(lab: Lab) -> None:
    """The same towards the server: each byte in a segment of its own."""
    text = b'a STATUS {5+}\r\nINBOX (MESSAGES)\r\nb APPEND INBOX (\\Seen) {7+}\r\n{3}\r\n\r\n\r\nc LIST "" "{5}"\r\n'
    outs = []
    for step in (len(text), 1, 3):
        wire = lab.login()
        before = len(lab.out())
        wire.send_slowly(text, step, 0.001)
        assert [wire.answer(tag).status for tag in (b"a", b"b", b"c")] == ["OK"] * 3
        outs.append(lab.out()[before:])
    assert outs[0] == outs[1] == outs[2]
