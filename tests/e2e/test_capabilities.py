"""The capability filter in its four places, ENABLE, response codes and names of untagged responses."""

from __future__ import annotations

import base64
import contextlib
import re

import pytest

from tests.e2e.fakeserver import CAPABILITIES, Session
from tests.e2e.lab import PASSWORD, Lab
from tests.e2e.wire import WireError

FORBIDDEN = b"COMPRESS=DEFLATE COMPRESS=ZSTD STARTTLS LOGINDISABLED LOGIN-REFERRALS MAILBOX-REFERRALS"
FORBIDDEN += b" AUTH=SCRAM-SHA-256-PLUS XUNKNOWN XUNKNOWN=1"
OFFERED = CAPABILITIES + b" " + FORBIDDEN

PLACES = ["greeting", "untagged", "login", "authenticate", "unsolicited"]


def names(unit: bytes) -> set[bytes]:
    """Capability names of a response or of a code in one."""
    found = re.search(rb"CAPABILITY ([^\]\r]*)", unit)
    assert found, unit
    listed = found[1].upper().split()
    assert len(listed) == len(set(listed)), listed
    return set(listed)


def _server(server: Session) -> None:
    with contextlib.suppress(WireError):  # the client leaves
        _serve(server)


def _serve(server: Session) -> None:
    server.say_hello(OFFERED)
    while True:
        tag, _, text = server.line()[:-2].partition(b" ")
        word = text.split()[0].upper()
        if word == b"CAPABILITY":
            server.send(b"* CAPABILITY " + OFFERED + b"\r\n" + tag + b" OK done\r\n")
        elif word in (b"LOGIN", b"AUTHENTICATE"):
            if len(text.split()) == 2:
                server.send(b"+ \r\n")
                server.line()
            server.send(tag + b" OK [CAPABILITY " + OFFERED + b"] in\r\n")
        elif word == b"NOOP":
            server.send(b"* OK [CAPABILITY " + OFFERED + b"] changed\r\n" + tag + b" OK done\r\n")
        else:
            server.until_closed()
            return


def _seen(lab: Lab, place: str, **config: str) -> set[bytes]:
    """What the client sees in one of the places."""
    wire = lab.play(_server, **config).greet()
    if place == "greeting":
        return names(wire.greeting)
    if place == "untagged":
        return names(wire.ok(b"CAPABILITY").one(b"* CAPABILITY"))
    if place == "authenticate":
        plain = base64.b64encode(b"\0joe\0" + PASSWORD)
        return names(wire.ok(b"AUTHENTICATE PLAIN " + plain).tagged)
    reply = wire.ok(b"LOGIN joe " + PASSWORD)
    if place == "login":
        return names(reply.tagged)
    return names(wire.ok(b"NOOP").one(b"* OK [CAPABILITY"))


@pytest.mark.parametrize("place", PLACES)
def test_filter_in_all_places(lab: Lab, place: str) -> None:
    seen = _seen(lab, place)
    assert not seen & set(FORBIDDEN.split())
    assert {b"IMAP4REV1", b"IDLE", b"UIDPLUS", b"MOVE", b"CONDSTORE", b"NAMESPACE", b"ID", b"ENABLE"} <= seen
    assert len(seen & {b"LITERAL+", b"LITERAL-"}) == 1  # the proxy's own; never both (RFC 7888 section 5)


@pytest.mark.parametrize("place", PLACES)
def test_configured_list(lab: Lab, place: str) -> None:
    seen = _seen(lab, place, command="capabilities { IMAP4rev1, AUTH=PLAIN, IDLE };")
    assert {b"IMAP4REV1", b"IDLE"} <= seen
    assert not seen & {b"UIDPLUS", b"MOVE", b"CONDSTORE", b"AUTH=LOGIN", b"XUNKNOWN"}


def test_configured_exclusion(lab: Lab) -> None:
    seen = _seen(lab, "greeting", command="capabilities { ! MOVE, ! AUTH=*, * };")
    assert b"MOVE" not in seen
    assert not [name for name in seen if name.startswith(b"AUTH=")]
    assert b"UIDPLUS" in seen


@pytest.mark.parametrize("place", PLACES)
def test_unknown_ones_by_request(lab: Lab, place: str) -> None:
    seen = _seen(lab, place, command="capabilities { IMAP4rev1, AUTH=PLAIN, UNKNOWN };")
    assert b"XUNKNOWN" in seen
    assert not seen & {b"COMPRESS=DEFLATE", b"STARTTLS", b"UIDPLUS"}


def test_dovecots_own(lab: Lab) -> None:
    wire = lab.client()
    before = names(wire.greeting)
    assert b"LOGIN-REFERRALS" not in before
    assert {b"IMAP4REV1", b"AUTH=PLAIN", b"AUTH=SCRAM-SHA-256"} <= before
    after = names(wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD)).tagged)
    assert {b"IMAP4REV1", b"UIDPLUS", b"MOVE", b"CONDSTORE", b"QRESYNC", b"SORT", b"BINARY"} <= after
    assert after == names(wire.ok(b"CAPABILITY").one(b"* CAPABILITY"))


def test_space_in_a_name(lab: Lab) -> None:
    """Some servers write `LITERAL +`; unknown tokens and duplicates are dropped, not errors."""

    def script(server: Session) -> None:
        server.say_hello(b"IMAP4rev1 LITERAL + IDLE IDLE UIDPLUS")
        server.until_closed()

    seen = names(lab.play(script).greet().greeting)
    assert {b"IMAP4REV1", b"IDLE", b"UIDPLUS"} <= seen
    assert b"+" not in seen


# ENABLE


def test_enable_arguments(lab: Lab) -> None:
    wire = lab.login(command="capabilities { ! QRESYNC, ! UNKNOWN, * };")
    reply = wire.command(b"ENABLE CONDSTORE QRESYNC XFOO")
    assert reply.status == "OK"
    assert [unit for unit in reply.untagged if b"ENABLED" in unit] == [b"* ENABLED CONDSTORE"]
    seen = lab.out()
    assert b"ENABLE CONDSTORE\r\n" in seen
    assert b"QRESYNC" not in seen
    assert b"XFOO" not in seen


def test_enable_nothing_left(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    reply = wire.command(b"ENABLE XFOO COMPRESS=DEFLATE")
    assert reply.status in ("OK", "NO")
    assert lab.out() == before


def test_enabled_names_only_what_was_asked(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_in(CAPABILITIES + b" QRESYNC")
        tag, text = server.wait_for(b"ENABLE")
        assert text == b"CONDSTORE"
        server.send(b"* ENABLED CONDSTORE QRESYNC XFOO\r\n" + tag + b" OK done\r\n")
        server.until_closed()

    wire = lab.fake_login(script)
    reply = wire.command(b"ENABLE CONDSTORE")
    assert reply.untagged in ([b"* ENABLED CONDSTORE"], [])
    assert reply.status == "OK"


def test_enable_before_login(lab: Lab) -> None:
    wire = lab.client()
    assert wire.command(b"ENABLE CONDSTORE").status == "BAD"
    assert lab.out() == b""


# response codes and untagged names

CODES = [
    b"ALERT",
    b"PARSE",
    b"PERMANENTFLAGS (\\Seen \\*)",
    b"READ-ONLY",
    b"READ-WRITE",
    b"TRYCREATE",
    b"UIDNEXT 5",
    b"UIDVALIDITY 6",
    b"UNSEEN 1",
    b"APPENDUID 1 2",
    b"COPYUID 1 2:3 4:5",
    b"UIDNOTSTICKY",
    b"CLOSED",
    b"HIGHESTMODSEQ 9",
    b"NOMODSEQ",
    b"MODIFIED 7,9",
    b"UNAVAILABLE",
    b"NOPERM",
    b"INUSE",
    b"CANNOT",
    b"LIMIT",
    b"OVERQUOTA",
    b"ALREADYEXISTS",
    b"NONEXISTENT",
    b"TOOBIG",
    b"MAILBOXID (F22)",
    b"UNKNOWN-CTE",
    b"THROTTLED",
]
DROPPED = [
    b"REFERRAL imap://x/",
    b"URLMECH INTERNAL",
    b"BADURL x",
    b"COMPRESSIONACTIVE",
    b"NOTIFICATIONOVERFLOW",
    b"XCODE 1 2",
    b"NEWNAME a b",
]


def _with_codes(start: bytes, codes: list[bytes]) -> bytes:
    return b"".join(start + b" [" + code + b"] text %d\r\n" % at for at, code in enumerate(codes))


def _check(lab: Lab, data: bytes, **config: str) -> list[bytes]:
    """Untagged units that the client gets when the server sends `data`."""

    def script(server: Session) -> None:
        server.let_select()
        tag, _ = server.wait_for(b"CHECK")
        server.send(data + tag + b" OK done\r\n")
        server.until_closed()

    return lab.fake_selected(script, **config).ok(b"CHECK").untagged


@pytest.mark.parametrize("start", [b"* OK", b"* NO"])
def test_codes_that_pass(lab: Lab, start: bytes) -> None:
    data = _with_codes(start, CODES)
    assert _check(lab, data) == data.split(b"\r\n")[:-1]


@pytest.mark.parametrize("start", [b"* OK", b"* NO", b"* BAD"])
def test_codes_that_are_dropped(lab: Lab, start: bytes) -> None:
    got = _check(lab, _with_codes(start, DROPPED))
    assert got == [start + b" text %d" % at for at in range(len(DROPPED))]


@pytest.mark.parametrize("code", DROPPED)
def test_code_of_a_tagged_answer(lab: Lab, code: bytes) -> None:
    def script(server: Session) -> None:
        server.let_select()
        tag, _ = server.wait_for(b"CHECK")
        server.send(tag + b" NO [" + code + b"] some text\r\n")
        server.until_closed()

    assert lab.fake_selected(script).command(b"CHECK").tagged == b"NO some text"


def test_unknown_codes_by_request(lab: Lab) -> None:
    data = _with_codes(b"* OK", [b"XCODE 1 2", b"UIDNEXT 4"])
    assert _check(lab, data, command="capabilities { UNKNOWN, * };") == data.split(b"\r\n")[:-1]


PASSING = [
    b"* OK fine",
    b"* NO not so",
    b"* BAD bad",
    b'* LIST () "/" a',
    b'* LSUB () "/" a',
    b'* XLIST () "/" a',
    b'* NAMESPACE (("" "/")) NIL NIL',
    b"* STATUS a (MESSAGES 1)",
    b"* SEARCH 1 2",
    b'* ESEARCH (TAG "a") UID ALL 1:3',
    b"* SORT 2 1",
    b"* THREAD (1)(2 3)",
    b"* FLAGS (\\Seen)",
    b"* 5 EXISTS",
    b"* 1 RECENT",
    b"* 1 EXPUNGE",
    b"* VANISHED (EARLIER) 1:3",
    b"* 1 FETCH (FLAGS (\\Seen) UID 4)",
    b'* QUOTA "" (STORAGE 1 2)',
    b'* QUOTAROOT INBOX ""',
    b"* MYRIGHTS INBOX lrs",
]
NOT_PASSING = [
    b'* URLFETCH "imap://x" {5}\r\nhello',
    b'* GENURLAUTH "imap://x"',
    b'* CONVERTED (TAG "a") (BINARY[1] {3}\r\nabc)',
    b"* 3 UIDFETCH (BODY[] {3}\r\nabc)",
    b'* JMAPACCESS "https://x"',
    b'* XAPPLEPUSHSERVICE "a" "b"',
    b"* XODD {4}\r\n* 9 ",
    b"* 4 XODD",
    b"* MAILBOX x",
    b"* 1 COPY",
    b"* 1 STORE (FLAGS ())",
]


def test_untagged_names_that_pass(lab: Lab) -> None:
    assert _check(lab, b"".join(unit + b"\r\n" for unit in PASSING)) == PASSING


def test_untagged_names_that_are_dropped(lab: Lab) -> None:
    data = b"".join(unit + b"\r\n* 5 EXISTS\r\n" for unit in NOT_PASSING)
    assert _check(lab, data) == [b"* 5 EXISTS"] * len(NOT_PASSING)
    lab.log("IMAP-731-D", plug=(lab.fake.address,))


def test_untagged_names_by_request(lab: Lab) -> None:
    assert _check(lab, b"* XODD {5}\r\n* 9 x\r\n", command="capabilities { UNKNOWN, * };") == [b"* XODD {5}\r\n* 9 x"]
