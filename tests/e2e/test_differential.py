"""The same scripts against Dovecot and through the proxy, on equal fresh mailboxes: equal but for what policy changes.

Normalised are only: lists of capabilities, UIDVALIDITY and MODSEQ (a matter of the clock), the time of a mail that was
stored without one, Dovecot's timings in texts. Answers to pipelined commands may overtake one another in Dovecot
(protocol.md section 4.2), so where a script pipelines, units are compared in order of their tags.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest

from tests.e2e.lab import PASSWORD, Lab, mail
from tests.e2e.wire import Wire

_SAME = [
    (re.compile(rb"CAPABILITY [^\]\r]*"), b"CAPABILITY ..."),
    (re.compile(rb" \(\d+\.\d+ \+ [^)]*secs\)"), b""),
    (re.compile(rb"(UIDVALIDITY|APPENDUID|COPYUID|HIGHESTMODSEQ) \d+"), rb"\1 N"),
    (re.compile(rb"MODSEQ \(\d+\)"), b"MODSEQ (N)"),
    (re.compile(rb'INTERNALDATE ".\d-[A-Z][a-z]{2}-(?!2021|2024)[^"]*"'), b"INTERNALDATE ..."),
]

Script = Callable[[Wire, bytes], list[bytes]]


def normal(unit: bytes) -> bytes:
    for pattern, text in _SAME:
        unit = pattern.sub(text, unit)
    return unit


def lines(*texts: bytes) -> Script:
    """A script of commands, one after the other."""

    def run(wire: Wire, user: bytes) -> list[bytes]:
        seen = login(wire, user)
        for text in texts:
            seen += step(wire, text)
        return seen

    return run


def step(wire: Wire, text: bytes) -> list[bytes]:
    tag = wire.tag()
    wire.send(tag + b" " + text + b"\r\n")
    units = [wire.unit()]
    while not units[-1].startswith(tag + b" "):
        units.append(wire.unit())
    return units


def login(wire: Wire, user: bytes) -> list[bytes]:
    return step(wire, b"LOGIN " + user + b" " + PASSWORD)


def quoted(wire: Wire, user: bytes) -> list[bytes]:
    return step(wire, b'LOGIN "' + user + b'" "' + PASSWORD + b'"') + step(wire, b"SELECT INBOX")


def literals(wire: Wire, user: bytes) -> list[bytes]:
    return step(wire, b"LOGIN {%d+}\r\n%s {%d+}\r\n%s" % (len(user), user, len(PASSWORD), PASSWORD)) + step(
        wire, b"NOOP"
    )


def plain(wire: Wire, user: bytes) -> list[bytes]:
    return step(wire, b"AUTHENTICATE PLAIN " + base64.b64encode(b"\0" + user + b"\0" + PASSWORD)) + step(wire, b"NOOP")


def wrong(wire: Wire, user: bytes) -> list[bytes]:
    return step(wire, b"LOGIN " + user + b" zq8-wrong-guess") + step(wire, b"NOOP") + login(wire, user)


def by_wait(wire: Wire, user: bytes) -> list[bytes]:
    """Synchronising literals, each waited for."""
    seen = login(wire, user)
    text = mail(99)
    for head, literal, tail in [
        (b"w1 APPEND INBOX (\\Answered) {%d}", text, b""),
        (b"w2 CREATE {%d}", b"by literal", b""),
        (b"w3 STATUS {%d}", b"by literal", b" (MESSAGES)"),
        (b"w4 APPEND {%d}", b"nowhere", b" {3}"),
    ]:
        wire.send(head % len(literal) + b"\r\n")
        assert wire.unit().startswith(b"+")
        wire.send(literal + tail + b"\r\n")
        unit = wire.unit()
        while unit.startswith(b"*"):
            seen.append(unit)
            unit = wire.unit()
        if unit.startswith(b"+"):
            wire.send(b"abc\r\n")
            unit = wire.unit()
        seen.append(unit)
    return seen


def idle(wire: Wire, user: bytes) -> list[bytes]:
    seen = login(wire, user) + step(wire, b"SELECT INBOX")
    wire.send(b"i IDLE\r\n")
    assert wire.unit().startswith(b"+")
    wire.send(b"DONE\r\n")
    return [*seen, wire.unit(), *step(wire, b"NOOP")]


def pipelined(wire: Wire, user: bytes) -> list[bytes]:
    """Twelve commands in one segment."""
    seen = login(wire, user) + step(wire, b"SELECT INBOX")
    texts = [b"FETCH %d (UID FLAGS)" % number for number in range(1, 9)]
    texts += [b'LIST "" %', b"STATUS INBOX (MESSAGES)", b"UID FETCH 1:* UID", b"NOOP"]
    wire.send(b"".join(b"p%02d %s\r\n" % (at, text) for at, text in enumerate(texts)))
    units: list[bytes] = []
    while sum(unit.startswith(b"p") for unit in units) < len(texts):
        units.append(wire.unit())
    return seen + sorted(units)


def errors(wire: Wire, user: bytes) -> list[bytes]:
    """Status only: what is refused by the proxy itself says so in its own words."""
    seen = login(wire, user)
    for text in [
        b"XFOO",
        b"SELECT nowhere",
        b"FETCH 1 FLAGS",
        b"CREATE INBOX",
        b"DELETE nowhere",
        b"STATUS nowhere (MESSAGES)",
    ]:
        units = step(wire, text)
        seen += [*units[:-1], b" ".join(units[-1].split(b" ")[:2])]
    return seen


ENVELOPE = b"(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
HEADERS = b"(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Subject Date Message-ID Content-Type)])"

SCRIPTS: dict[str, Script] = {
    "login": lines(b"CAPABILITY", b"NOOP", b"NAMESPACE"),
    "login-quoted": quoted,
    "login-literals": literals,
    "authenticate": plain,
    "login-wrong": wrong,
    "select": lines(b"SELECT INBOX", b"CHECK", b"UNSELECT", b"EXAMINE INBOX", b"CLOSE", b"SELECT INBOX (CONDSTORE)"),
    "fetch-lists": lines(
        b"SELECT INBOX", b"FETCH 1:* " + ENVELOPE, b"FETCH 1:* " + HEADERS, b"FETCH 1:3 ALL", b"FETCH 2 FULL"
    ),
    "fetch-bodies": lines(
        b"SELECT INBOX",
        b"FETCH 1:* BODY.PEEK[]",
        b"FETCH 2 (RFC822 RFC822.HEADER RFC822.TEXT)",
        b"UID FETCH 9 (BODY[1] BODY[2] BODY[2.MIME] BODY[HEADER])",
        b"UID FETCH 9 (BODY.PEEK[]<10.200> BINARY.PEEK[2] BINARY.SIZE[2])",
        b"FETCH 99 FLAGS",
    ),
    "search": lines(
        b"SELECT INBOX",
        b"SEARCH ALL",
        b"UID SEARCH 1:3 NOT SEEN",
        b'SEARCH SUBJECT "mail 2"',
        b"SEARCH TEXT {4+}\r\nmail",
        b"SEARCH OR (FROM joe) (SINCE 1-Jan-2020 LARGER 10)",
        b"SEARCH RETURN (MIN MAX COUNT) ALL",
        b"SEARCH CHARSET UTF-8 BODY {2+}\r\n\xc3\xa9",
        b"SORT (REVERSE SUBJECT) UTF-8 ALL",
        b"THREAD REFERENCES UTF-8 ALL",
    ),
    "store": lines(
        b"SELECT INBOX",
        b"STORE 1:2 +FLAGS (\\Seen \\Flagged)",
        b"STORE 3 FLAGS ($Own)",
        b"UID STORE 4:5 +FLAGS.SILENT (\\Deleted)",
        b"FETCH 1:* FLAGS",
        b"UID EXPUNGE 4",
        b"EXPUNGE",
        b"FETCH 1:* (UID FLAGS)",
    ),
    "copy-move": lines(
        b"CREATE Archive",
        b"CREATE Sent/2024",
        b"SELECT INBOX",
        b"COPY 1:3 Archive",
        b"UID MOVE 4 Archive",
        b"COPY 1 nowhere",
        b"STATUS Archive (MESSAGES UIDNEXT)",
        b"RENAME Archive Old",
        b"SELECT Old",
        b"FETCH 1:* (FLAGS UID)",
    ),
    "append": lines(
        b'APPEND INBOX (\\Seen) "01-Feb-2024 03:04:05 +0000" {%d+}\r\n%s' % (len(mail(50)), mail(50)),
        b"APPEND INBOX {%d+}\r\n%s" % (len(mail(51, 90_000)), mail(51, 90_000)),
        b"APPEND INBOX {%d+}\r\n%s (\\Flagged) {%d+}\r\n%s" % (len(mail(52)), mail(52), len(mail(53)), mail(53)),
        b"APPEND nowhere {3+}\r\nabc",
        b"APPEND INBOX ~{%d+}\r\n%s" % (len(mail(54)), mail(54)),
        b"STATUS INBOX (MESSAGES)",
    ),
    "literals-by-wait": by_wait,
    "idle": idle,
    "list": lines(
        b"CREATE a/b/c",
        b'CREATE "with space"',
        b'CREATE "q\\"uote"',
        b"CREATE &Jjo-",
        b'LIST "" ""',
        b'LIST "" *',
        b'LIST "" %',
        b'LIST (SUBSCRIBED) "" * RETURN (CHILDREN)',
        b'LIST "" * RETURN (STATUS (MESSAGES UNSEEN))',
        b"SUBSCRIBE a/b",
        b'LSUB "" *',
        b"UNSUBSCRIBE a/b",
        b"DELETE a/b/c",
        b"NAMESPACE",
    ),
    "status": lines(
        b"STATUS INBOX (MESSAGES RECENT UIDNEXT UNSEEN)", b'STATUS "INBOX" (MESSAGES)', b"STATUS {5+}\r\nINBOX (UNSEEN)"
    ),
    "enable": lines(
        b"ENABLE CONDSTORE QRESYNC",
        b"SELECT INBOX",
        b"FETCH 1:* (FLAGS) (CHANGEDSINCE 1)",
        b"STORE 1 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)",
    ),
    "pipelining": pipelined,
    "errors": errors,
    "spaces-and-case": lines(b"select  inbox", b"Fetch 1:2  (flags   uid) ", b"uid search all"),
}

PART = b"""MIME-Version: 1.0\r\nSubject: =?utf-8?q?p=C5=99=C3=ADklad?=\r\nFrom: "Quo\\"ted" <a@example.net>\r
Content-Type: multipart/mixed; boundary="b{3}"\r\n\r\n--b{3}\r\nContent-Type: text/plain; charset=utf-8\r\n\r
\xc3\xa9 {5}\r\n--b{3}\r\nContent-Type: application/octet-stream; name="x)"\r\nContent-Transfer-Encoding: base64\r\n\r
AAECAwQ=\r\n--b{3}--\r\n"""


def _fill(lab: Lab, user: str) -> None:
    direct = lab.direct(user)
    for number, text in enumerate([*(mail(number, 300 * number) for number in range(1, 9)), PART], 1):
        date = b'"%02d-Mar-2021 10:11:12 +0000"' % number
        direct.send(b"x APPEND INBOX " + date + b" {%d+}\r\n" % len(text) + text + b"\r\n")
        assert direct.answer(b"x").status == "OK"
    direct.close()


def _contents(lab: Lab, user: str) -> list[bytes]:
    """Every mailbox, every mail, every flag."""
    direct = lab.direct(user)
    boxes = sorted(direct.ok(b'LIST "" *').untagged)
    seen = list(boxes)
    for box in boxes:
        name = re.sub(rb'^\* LIST \([^)]*\) "/" ', b"", box)
        if b"\\Noselect" in box or b"\\NonExistent" in box or b"* 0 EXISTS" in direct.ok(b"EXAMINE " + name).untagged:
            continue
        seen += [normal(unit) for unit in direct.ok(b"FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])").untagged]
    return seen


def outcome(lab: Lab, name: str, wire: Wire, user: str) -> tuple[list[bytes], list[bytes]]:
    """What a script saw on this connection, and what it left in the mailboxes of its user."""
    _fill(lab, user)
    units = SCRIPTS[name](wire, user.encode())
    units += step(wire, b"LOGOUT")
    assert wire.rest() == b""
    assert not wire.broken
    return [normal(unit) for unit in units], _contents(lab, user)


@pytest.mark.parametrize("name", SCRIPTS)
def test_same_as_without_the_proxy(lab: Lab, name: str) -> None:
    direct = outcome(lab, name, lab.keep(lab.dovecot.wire()), lab.user())
    proxied = outcome(lab, name, lab.client(), lab.user())
    assert proxied[0] == direct[0]
    assert proxied[1] == direct[1]
