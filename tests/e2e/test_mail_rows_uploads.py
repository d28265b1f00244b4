"""Every way by which a client can send a mail (protocol.md 2.4), with EICAR in every position: none reaches the server.

And the rows of the APPEND grammar where mail is processed: T-F26, T-F27, T-F28, T-F33.
"""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from tests.e2e.carriers import POSITIONS, carrier, clean, traces
from tests.e2e.lab import Lab
from tests.e2e.mailproxy import BLOCKING, Processing
from tests.e2e.mailrows import faced, mails_of, opened, plain
from tests.e2e.mailserver import MailServer
from tests.e2e.wire import Wire


def _uploads(mail: bytes) -> dict[str, list[bytes]]:
    """Every form of 2.4: octets, and after each part but the last the proxy must say `+`."""
    size = len(mail)
    other = plain(b"clean")
    return {
        "waits": [b'a APPEND INBOX (\\Draft) "01-Jan-2026 00:00:00 +0000" {%d}\r\n' % size, mail + b"\r\n"],
        "at-once": [b"a APPEND INBOX {%d+}\r\n%s\r\n" % (size, mail)],
        "literal8": [b"a APPEND INBOX ~{%d+}\r\n%s\r\n" % (size, mail)],
        "literal8-waits": [b"a APPEND INBOX ~{%d}\r\n" % size, mail + b"\r\n"],
        "utf8": [b"a APPEND INBOX UTF8 (~{%d+}\r\n%s)\r\n" % (size, mail)],
        "first-of-two": [b"a APPEND INBOX {%d+}\r\n%s {%d+}\r\n%s\r\n" % (size, mail, len(other), other)],
        "second-of-two": [b"a APPEND INBOX {%d+}\r\n%s (\\Seen) {%d+}\r\n%s\r\n" % (len(other), other, size, mail)],
        "catenate": [b"a APPEND INBOX CATENATE (TEXT {%d+}\r\n%s)\r\n" % (size, mail)],
        "catenate-halves": [
            b"a APPEND INBOX CATENATE (TEXT {5+}\r\n%s TEXT {%d+}\r\n%s)\r\n" % (mail[:5], size - 5, mail[5:])
        ],
        "replace": [b"a REPLACE 1 INBOX {%d+}\r\n%s\r\n" % (size, mail)],
        "uid-replace": [b"a UID REPLACE 1 INBOX {%d+}\r\n%s\r\n" % (size, mail)],
        "annotation": [b'a APPEND INBOX ANNOTATION (/comment (value.priv "x")) {%d+}\r\n%s\r\n' % (size, mail)],
    }


def _upload(wire: Wire, steps: list[bytes]) -> bytes:
    """The tagged answer, or what came before the end of the session."""
    for at, data in enumerate(steps):
        wire.flood(data)
        if at < len(steps) - 1:
            unit = wire.unit()
            if not unit.startswith(b"+"):
                return unit
    deadline = time.monotonic() + 20
    while not (unit := wire.unit(20)).startswith((b"a ", b"* BYE")):
        assert time.monotonic() < deadline, unit
    return unit


@pytest.mark.parametrize("form", list(_uploads(b"")))
def test_no_upload_carries_a_virus(lab: Lab, form: str) -> None:
    wire = opened(lab, [plain(b"one")])
    before = len(lab.out())
    unit = _upload(wire, _uploads(carrier("second-of-two"))[form])
    assert re.match(rb"a (NO|BAD) |\* BYE", unit), unit
    out = lab.out()[before:]
    assert not traces(out)
    assert b"APPEND" not in out
    if unit.startswith(b"a "):
        (status,) = wire.ok(b"STATUS INBOX (MESSAGES)").untagged
        assert b"MESSAGES 1" in status


@pytest.mark.parametrize("position", POSITIONS)
def test_no_upload_in_any_position(lab: Lab, position: str) -> None:
    wire = opened(lab, [])
    reply = wire.append(b"INBOX", carrier(position))
    # What the normal form of a mail leaves out is not uploaded either.
    assert reply.status == "NO" or position == "preamble-base64", reply
    assert not traces(lab.out())
    wire.ok(b"NOOP")


@pytest.mark.parametrize("form", ["waits", "at-once", "literal8", "literal8-waits", "first-of-two", "second-of-two"])
def test_clean_uploads_arrive(lab: Lab, form: str) -> None:
    wire = opened(lab, [])
    mail = clean(8, 20_000)
    unit = _upload(wire, _uploads(mail)[form])
    assert re.match(rb"a OK \[APPENDUID \d+ [\d:,]+\]", unit), unit
    wire.ok(b"NOOP")
    assert mail in [one.octets("BODY[]") for one in mails_of(wire.ok(b"UID FETCH 1:* BODY.PEEK[]"))]


def test_utf8_form_needs_enable(lab: Lab) -> None:
    """RFC 9755 section 4; this server does not know it at all."""
    wire = opened(lab, [])
    assert re.match(rb"a (NO|BAD) ", _upload(wire, _uploads(clean(8))["utf8"]))
    assert b"UTF8" not in lab.out()
    wire.ok(b"NOOP")


def test_large_upload_is_refused_at_its_announcement(lab: Lab) -> None:
    wire = opened(lab, [], replace(BLOCKING, command="max-mail-out 10000;"))
    wire.send(b"a APPEND INBOX {10001}\r\n")
    assert wire.unit().startswith(b"a NO [TOOBIG]")
    wire.send(b"b APPEND INBOX {10001+}\r\n" + b"x" * 10_001 + b"\r\n")
    assert wire.answer(b"b").tagged.startswith(b"NO [TOOBIG]")
    assert b"APPEND" not in lab.out()


def test_servers_refusal_is_told(lab: Lab) -> None:
    wire = opened(lab, [])
    assert wire.append(b"nowhere", plain(b"x")).tagged.startswith(b"NO [TRYCREATE]")


@pytest.mark.parametrize("tail", [b" b DELETE x", b"x", b" (", b' "x"', b"\tb NOOP"])
def test_T_F26_append_tail(lab: Lab, tail: bytes) -> None:
    wire = opened(lab, [])
    before = len(lab.out())
    wire.send(b"a APPEND INBOX {%d+}\r\n%s%s\r\n" % (len(plain(b"x")), plain(b"x"), tail))
    wire.send(b"z LOGOUT\r\n")
    data = wire.rest(15)
    assert re.match(rb"(a|\*) BAD ", data), data
    assert b"APPEND" not in lab.out()[before:]
    assert b"DELETE" not in lab.out()[before:]


def test_T_F27_append_without_end(lab: Lab) -> None:
    wire = opened(lab, [], replace(BLOCKING, proxy="client-conn { recv-timeout 1; }"))
    wire.send(b"a APPEND INBOX {5}\r\n")
    assert wire.unit().startswith(b"+")
    wire.send(b"hello")
    assert b"a OK" not in wire.rest(15)
    assert b"APPEND" not in lab.out()


def test_T_F28_utf8_append_without_closing(lab: Lab) -> None:
    wire = opened(lab, [])
    wire.send(b"a APPEND x UTF8 (~{3+}\r\nabc\r\n")
    wire.send(b"b NOOP\r\nz LOGOUT\r\n")
    assert re.match(rb"(a|\*) BAD ", wire.rest(15))
    assert b"APPEND" not in lab.out()


@pytest.mark.parametrize(
    "octets",
    [
        b"A: b\n\n\0\rc",
        b"A: b\r\n\r\nline\nline\rline\n",
        b"A: b\n\nbody\n.\n\rx",
        b"A: b\nContent-Type: text/plain\n\nall\nlines\n",
    ],
)
def test_T_F33_line_ends_of_an_upload(lab: Lab, octets: bytes) -> None:
    """Corrected before scan and upload where that is permitted, else refused; never sent on as it came."""
    mend = Processing(upload=f"{BLOCKING.upload} mail-filter {{ correct-bad-char; }}", decide=BLOCKING.decide)
    for processing in (mend, BLOCKING):
        server = MailServer()
        wire = faced(lab, server, processing)
        reply = wire.append(b"INBOX", octets)
        if reply.status == "OK":
            (arrived,) = server.appended
            assert not re.search(rb"\0|\r(?!\n)|(?<!\r)\n", arrived), arrived
            assert arrived.startswith(b"A: b\r\n")
            assert b"=0A" not in arrived, "a line end is one, in whatever form it came"
        else:
            assert reply.status == "NO", reply
            assert not server.appended
        wire.vanish()
