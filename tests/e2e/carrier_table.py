"""`python -m tests.e2e.carrier_table`: every carrier of mail content (protocol.md 2.1 and 2.4), asked once through the
proxy of a mail, or with a mail, that holds EICAR: what the client got, and what of it reached the server.

Exit status 1: the virus was seen somewhere, or a carrier was not treated as the table says.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.e2e.carriers import carrier, traces
from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer
from tests.e2e.lab import Lab, Proxies
from tests.e2e.mailproxy import BLOCKING
from tests.e2e.mailrows import plain, stored
from tests.e2e.tap import Tap

VIRUS = carrier("second-of-two")
SYNTHESIS, SERVER, STRIPPED, REFUSED, DENIED = "synthesis", "server's", "stripped", "refused", "denied"
"""What the proxy does: answers from the processed mail, passes what has no content on, does not offer and refuses."""
_ROW = "{:<33} {:<9} {:<64} {:<64} {}"
_ANSWER_CHARS = 64


class Row(NamedTuple):
    """`sent` is the command less its tag, or the octets of an upload; `test` where it is shown in all positions."""

    carrier: str
    does: str
    sent: bytes
    test: str


def fetch(name: str, items: str, does: str = SYNTHESIS, test: str = "test_no_form_shows_a_virus") -> Row:
    return Row(name, does, b"FETCH 1 " + items.encode(), test)


_REFUSED = "test_forms_that_are_refused"
DOWN = (
    fetch("BODY[], RFC822", "(BODY[] RFC822)"),
    fetch("BODY.PEEK[], RFC822.PEEK", "(BODY.PEEK[] RFC822.PEEK)", test="test_names_and_values_of_old_forms"),
    fetch("BODY[HEADER], RFC822.HEADER", "(BODY.PEEK[HEADER] RFC822.HEADER)"),
    fetch("BODY[HEADER.FIELDS (..)]", "BODY.PEEK[HEADER.FIELDS (Subject)]"),
    fetch("BODY[HEADER.FIELDS.NOT (..)]", "BODY.PEEK[HEADER.FIELDS.NOT (X-Imap4fast-Replaced)]"),
    fetch("BODY[TEXT], RFC822.TEXT", "(BODY.PEEK[TEXT] RFC822.TEXT)"),
    fetch("BODY[n]", "BODY.PEEK[2]"),
    fetch("BODY[n.MIME]", "BODY.PEEK[1.MIME]"),
    fetch("BODY[n.HEADER/TEXT]", "(BODY.PEEK[2.HEADER] BODY.PEEK[2.TEXT])"),
    fetch("<o.n>", "BODY.PEEK[2]<10.40>", test="test_first_of_a_session_is_a_piece"),
    fetch("BINARY[n], BINARY[n]<o.n>", "(BINARY.PEEK[2] BINARY.PEEK[1]<0.30>)"),
    fetch("BINARY.SIZE[n]", "BINARY.SIZE[1]"),
    fetch("BODY, BODYSTRUCTURE", "(BODY BODYSTRUCTURE)"),
    fetch("ENVELOPE", "ENVELOPE"),
    fetch("RFC822.SIZE", "RFC822.SIZE", test="test_replaced_whole"),
    fetch("ALL, FAST, FULL", "FULL"),
    fetch("PREVIEW", "PREVIEW (LAZY)"),
    fetch("SNIPPET", "SNIPPET", STRIPPED),
    fetch("INTERNALDATE, FLAGS, UID, MODSEQ", "(INTERNALDATE FLAGS UID)", SERVER),
    fetch("ANNOTATION", "ANNOTATION (/comment value)", STRIPPED, _REFUSED),
    fetch("Cyrus's items", "(RFC822.FILESIZE DIGEST.SHA1)", STRIPPED, _REFUSED),
    fetch("X-*", "X-NEW", STRIPPED, _REFUSED),
    Row("PARTIAL (RFC 1730)", REFUSED, b"PARTIAL 1 RFC822 1 1024", _REFUSED),
    Row("NOTIFY MessageNew", REFUSED, b"NOTIFY SET (SELECTED (MessageNew (UID BODY.PEEK[])))", _REFUSED),
    Row("SEARCH RETURN (UPDATE ..)", REFUSED, b"SEARCH RETURN (UPDATE (UID BODY[])) ALL", _REFUSED),
    Row("SORT RETURN (UPDATE ..)", REFUSED, b"SORT RETURN (UPDATE (UID BODY[])) (DATE) UTF-8 ALL", _REFUSED),
    Row("CONVERT", REFUSED, b'CONVERT 1 ("text/plain" NIL) BINARY[1]', _REFUSED),
    Row("URLFETCH", REFUSED, b'URLFETCH "imap://joe@x/INBOX/;uid=1;urlauth=anonymous:internal:00"', _REFUSED),
    Row("GENURLAUTH", REFUSED, b'GENURLAUTH "imap://joe@x/INBOX/;uid=1" INTERNAL', _REFUSED),
    Row("COMPRESS", REFUSED, b"COMPRESS DEFLATE", _REFUSED),
    Row("JMAPACCESS", REFUSED, b"GETJMAPACCESS", _REFUSED),
)

_UP = "test_no_upload_carries_a_virus"
_SIZE = len(VIRUS)
_OTHER = plain(b"clean")
UP = (
    Row("APPEND", DENIED, b"APPEND INBOX (\\Draft) {%d}\r\n%s" % (_SIZE, VIRUS), _UP),
    Row("APPEND, LITERAL+", DENIED, b"APPEND INBOX {%d+}\r\n%s" % (_SIZE, VIRUS), _UP),
    Row("APPEND, literal8", DENIED, b"APPEND INBOX ~{%d+}\r\n%s" % (_SIZE, VIRUS), _UP),
    Row(
        "APPEND UTF8 (..)", DENIED, b"APPEND INBOX UTF8 (~{%d+}\r\n%s)" % (_SIZE, VIRUS), "test_utf8_form_needs_enable"
    ),
    Row(
        "MULTIAPPEND, the second of two",
        DENIED,
        b"APPEND INBOX {%d+}\r\n%s {%d+}\r\n%s" % (len(_OTHER), _OTHER, _SIZE, VIRUS),
        _UP,
    ),
    Row("CATENATE", REFUSED, b"APPEND INBOX CATENATE (TEXT {%d+}\r\n%s)" % (_SIZE, VIRUS), _UP),
    Row("REPLACE", DENIED, b"REPLACE 1 INBOX {%d+}\r\n%s" % (_SIZE, VIRUS), _UP),
    Row("UID REPLACE", DENIED, b"UID REPLACE 1 INBOX {%d+}\r\n%s" % (_SIZE, VIRUS), _UP),
    Row(
        "APPEND .. ANNOTATION",
        REFUSED,
        b'APPEND INBOX ANNOTATION (/comment (value.priv "x")) {%d+}\r\n%s' % (_SIZE, VIRUS),
        _UP,
    ),
)

BY_SCRIPTED_SERVER = (
    ("unsolicited FETCH", "content items taken out", "test_T_R01_unrequested_content"),
    ("FETCH in IDLE", "content items taken out", "test_T_R01_unrequested_content_in_idle"),
    ("FETCH at SELECT (QRESYNC)", "content items taken out", "test_T_R01_unrequested_content_at_select"),
    ("FETCH beside the one asked for", "content items taken out", "test_T_R01_content_while_other_content_is_asked"),
    ("FETCH of another mail", "not the answer; taken out", "test_T_R02_other_mail_than_asked"),
)
"""Carriers that no real server sends unasked: there is nothing to ask for; the tests show them."""


@contextlib.contextmanager
def started() -> Iterator[Lab]:
    with contextlib.ExitStack() as stack:
        os.environ.setdefault("IMAP4FAST_TEST_LOGS", stack.enter_context(tempfile.TemporaryDirectory()))
        dovecot, proxies, fake = Dovecot(), Proxies(), FakeServer()
        stack.callback(dovecot.close)
        tap = Tap(dovecot.address)
        for part in (tap, fake, proxies):
            stack.callback(part.close)
        lab = Lab(dovecot, tap, fake, proxies)
        stack.callback(lab.close)
        yield lab


class Told(NamedTuple):
    """What came of a row: the client's view, the server's, and whether that is as it must be."""

    status: str
    client: str
    server: str
    right: bool


def ask(lab: Lab, user: str, row: Row) -> Told:
    """In a session of its own."""
    wire = lab.login(user, **BLOCKING.config())
    wire.wait_s = 20.0
    wire.ok(b"SELECT INBOX")
    before = len(lab.out())
    wire.flood(b"a " + row.sent + b"\r\n")
    units: list[bytes] = []
    deadline = time.monotonic() + 20
    while not units or not units[-1].startswith((b"a ", b"* BYE")):
        if time.monotonic() > deadline:
            raise SystemExit(f"{row.carrier}: no answer: {units}")
        units.append(wire.unit(20))
    got, sent = b"\r\n".join(units), lab.out()[before:]
    wire.vanish()
    fetched = [unit for unit in units if b" FETCH (" in unit]
    status = units[-1].split()[1].decode()
    commands = [line.split(b" ", 1)[1] for line in sent.split(b"\r\n") if b" " in line]
    right = not traces(got) and not traces(sent) and _as_said(row.does, status, fetched, commands)
    return Told(status, short(fetched[0] if fetched else units[-1]), short(b" ; ".join(commands)) or "-", right)


def _as_said(does: str, status: str, fetched: list[bytes], commands: list[bytes]) -> bool:
    """Of a mail in the store nothing is asked of the server but the mail, its date, and what has no content."""
    if does in (SYNTHESIS, SERVER):
        return status == "OK" and bool(fetched)
    return status in ("NO", "BAD") and not fetched and not commands


def short(octets: bytes) -> str:
    """For one line of the table."""
    text = re.sub(r"\s+", " ", octets.decode("ascii", "replace").replace("\r\n", " "))
    return text if len(text) <= _ANSWER_CHARS else text[: _ANSWER_CHARS - 3] + "..."


def main() -> int:
    """Prints the table; the exit status."""
    wrong = 0
    print(_ROW.format("carrier", "is", "the client got", "the server was sent", "test"))
    with started() as lab:
        user = stored(lab, [VIRUS])
        for row in (*DOWN, *UP):
            told = ask(lab, user, row)
            wrong += not told.right
            mark = "" if told.right else "  <-- WRONG"
            print(_ROW.format(row.carrier, row.does, told.client, told.server, row.test + mark))
    for name, does, test in BY_SCRIPTED_SERVER:
        print(_ROW.format(name, STRIPPED, does, "-", test))
    asked, others = len(DOWN) + len(UP), len(BY_SCRIPTED_SERVER)
    print(f"{asked} carriers asked, {wrong} wrong; {others} more are shown by tests with a scripted server")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
