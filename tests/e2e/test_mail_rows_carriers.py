"""Every way by which octets of a mail reach a client (protocol.md 2.1), EICAR in every position: never a raw octet.

And the rows of the FETCH grammar where mail is processed: T-F22, T-F23.
"""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import pytest

from tests.e2e.carriers import EICAR, POSITIONS, b64, carrier, clean, multipart, text
from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer
from tests.e2e.imapanswers import all_fetched
from tests.e2e.lab import Lab, Proxies
from tests.e2e.mailproxy import BLOCKING, CHANGED, REPLACE_VIRUS, Processing
from tests.e2e.mailrows import body, entered, is_replacement, mails_of, opened, plain, stored
from tests.e2e.mailrows import clean as no_trace
from tests.e2e.tap import Tap

MAILS = [carrier(position) for position in POSITIONS]

BY_DOCUMENT = Processing(decide=REPLACE_VIRUS)
ERRORS = Processing(download=BLOCKING.download + " on-deny error;", decide=BLOCKING.decide)

FORMS = (
    b"BODY[]",
    b"BODY.PEEK[]",
    b"RFC822",
    b"RFC822.PEEK",
    b"RFC822.TEXT",
    b"RFC822.HEADER",
    b"RFC822.TEXT.PEEK",
    b"BODY.PEEK[HEADER]",
    b"BODY.PEEK[TEXT]",
    b"BODY.PEEK[1]",
    b"BODY.PEEK[2]",
    b"BODY.PEEK[5]",
    b"BODY.PEEK[1.1]",
    b"BODY.PEEK[2.1]",
    b"BODY.PEEK[2.2]",
    b"BODY.PEEK[1.MIME]",
    b"BODY.PEEK[2.MIME]",
    b"BODY.PEEK[2.TEXT]",
    b"BODY.PEEK[2.HEADER]",
    b"BODY.PEEK[1.1.TEXT]",
    b"BODY.PEEK[HEADER.FIELDS (X-Data Subject)]",
    b"BODY.PEEK[HEADER.FIELDS.NOT (From)]",
    b"BODY.PEEK[]<0.400>",
    b"BODY.PEEK[]<200.2000>",
    b"BODY.PEEK[1]<0.34>",
    b"BODY.PEEK[1]<34.34>",
    b"BODY.PEEK[2]<0.10>",
    b"BODY.PEEK[TEXT]<100.5000>",
    b"BINARY.PEEK[1]",
    b"BINARY.PEEK[2]",
    b"BINARY.PEEK[2.1]",
    b"BINARY.PEEK[1.1]",
    b"BINARY.PEEK[2]<0.34>",
    b"BINARY[5]",
    b"BINARY.SIZE[2]",
    b"BINARY.PEEK[]",
    b"ENVELOPE",
    b"BODY",
    b"BODYSTRUCTURE",
    b"RFC822.SIZE",
    b"PREVIEW",
    b"PREVIEW (LAZY)",
    b"SNIPPET",
    b"SNIPPET (LAZY)",
    b"(FLAGS BODY.PEEK[1] BODY.PEEK[2])",
    b"ALL",
    b"FULL",
    b"FAST",
    b"INTERNALDATE",
)

REFUSED = (
    b"FETCH 1 ANNOTATION (/comment value)",
    b"FETCH 1 RFC822.SHA1",
    b"FETCH 1 DIGEST.SHA1",
    b"FETCH 1 RFC822.FILESIZE",
    b"FETCH 1 CID",
    b"FETCH 1 FOLDER",
    b"FETCH 1 X-NEW",
    b"FETCH 1 BODYPARTSTRUCTURE",
    b"FETCH 1 (FLAGS BODY[] X-NEW)",
    b"PARTIAL 1 RFC822 1 1024",
    b'CONVERT 1 ("text/plain" NIL) BINARY[1]',
    b'UID CONVERT 1 ("text/plain" NIL) BINARY[1]',
    b'URLFETCH "imap://joe@x/INBOX/;uid=1;urlauth=anonymous:internal:00"',
    b'GENURLAUTH "imap://joe@x/INBOX/;uid=1" INTERNAL',
    b"NOTIFY SET (SELECTED (MessageNew (UID BODY.PEEK[]) MessageExpunge))",
    b"GETJMAPACCESS",
    b"COMPRESS DEFLATE",
    b"SEARCH RETURN (UPDATE (UID BODY[])) ALL",
    b"SORT RETURN (UPDATE (UID BODY[])) (DATE) UTF-8 ALL",
    b"RESETKEY",
    b"XFOO",
    b"UNDUMP x",
    b"DUMP x",
    b"SYNCGET x",
    b"ESEARCH IN (mailboxes INBOX) ALL",
)


@pytest.fixture(scope="module")
def user(dovecot: Dovecot, tap: Tap, fake: FakeServer, proxies: Proxies) -> str:
    """Whose mailbox has EICAR in every position."""
    return stored(Lab(dovecot, tap, fake, proxies), MAILS)


@pytest.mark.parametrize(
    "processing", [BLOCKING, BY_DOCUMENT, CHANGED, ERRORS], ids=["mail", "document", "changed", "error"]
)
def test_no_form_shows_a_virus(lab: Lab, user: str, processing: Processing) -> None:
    """Each form of each carrier in 2.1, as the first of its session and by number and UID."""
    wire = entered(lab, user, processing)
    for at, form in enumerate(FORMS):
        verb = b"UID FETCH" if at % 2 else b"FETCH"
        reply = no_trace(wire.command(verb + b" 1:* " + form, 60))
        assert reply.status in ("OK", "NO", "BAD"), form
        if reply.status == "BAD":
            assert not all_fetched(reply)


@pytest.mark.parametrize("position", [name for name in POSITIONS if name != "preamble-base64"])
def test_replaced_whole(lab: Lab, user: str, position: str) -> None:
    """The replacement is one mail, whatever is asked of it."""
    wire = entered(lab, user, BLOCKING)
    number = list(POSITIONS).index(position) + 1
    reply = wire.ok(b"UID FETCH %d (BODY.PEEK[] RFC822.SIZE BODY.PEEK[HEADER] BODY.PEEK[TEXT])" % number)
    (one,) = mails_of(reply)
    mail = one.octets("BODY[]")
    assert is_replacement(mail, MAILS[number - 1])
    assert one.integer("RFC822.SIZE") == len(mail)
    assert one.octets("BODY[HEADER]") + one.octets("BODY[TEXT]") == mail
    assert b"clean line of text" not in mail


def test_normal_form_without_a_preamble(lab: Lab, user: str) -> None:
    """What a forgiving reader takes for an attachment in the preamble is not in the mail any more."""
    wire = entered(lab, user, BLOCKING)
    number = list(POSITIONS).index("preamble-base64") + 1
    mail = body(no_trace(wire.ok(b"UID FETCH %d BODY.PEEK[]" % number)))
    assert b"octet-stream" not in mail


def test_by_document_the_rest_stays(lab: Lab, user: str) -> None:
    """Where a leaf holds it, that leaf alone is replaced."""
    wire = entered(lab, user, BY_DOCUMENT)
    for position in ("first-of-two", "second-of-two", "last-of-five", "nested-multipart", "in-mail", "zip", "image"):
        mail = body(no_trace(wire.ok(b"UID FETCH %d BODY.PEEK[]" % (list(POSITIONS).index(position) + 1))))
        assert b"Nothing but a clean line of text." in mail, position
        assert b"Subject: carrier " + position.encode() in mail


def test_first_of_a_session_is_a_piece(lab: Lab, dovecot: Dovecot) -> None:
    """A range of a part, of a mail that no session read before."""
    for at, form in enumerate(
        (b"BODY[2]<0.10>", b"BINARY[2]<3.5>", b"BODY.PEEK[TEXT]<150.40>", b"BODYSTRUCTURE", b"PREVIEW")
    ):
        wire = opened(lab, [multipart_with(at)])
        no_trace(wire.command(b"UID FETCH 1 " + form))


def multipart_with(number: int) -> bytes:
    """The virus in part 2 of a mail that differs from all others."""
    return b"Subject: piece %d\r\nMIME-Version: 1.0\r\n" % number + multipart(
        text(), b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(EICAR)
    )


@pytest.mark.parametrize("form", REFUSED, ids=lambda form: form[:24].decode())
def test_forms_that_are_refused(lab: Lab, user: str, form: bytes) -> None:
    wire = entered(lab, user, BLOCKING)
    before = lab.out()
    reply = no_trace(wire.command(form))
    assert reply.status in ("NO", "BAD"), reply
    assert not all_fetched(reply)
    assert lab.out() == before


def test_nothing_of_such_is_offered(lab: Lab) -> None:
    wire = lab.login(**BLOCKING.config())
    offered = set(wire.ok(b"CAPABILITY").one(b"* CAPABILITY").upper().split()[2:])
    for name in (
        b"CATENATE URLAUTH URLAUTH=BINARY CONVERT NOTIFY CONTEXT=SEARCH CONTEXT=SORT COMPRESS=DEFLATE "
        b"UNAUTHENTICATE JMAPACCESS ANNOTATE-EXPERIMENT-1 LOGIN-REFERRALS MAILBOX-REFERRALS "
        b"METADATA SNIPPET=FUZZY PREVIEW=FUZZY FILTERS UIDONLY"
    ).split():
        assert name not in offered, name


@pytest.mark.parametrize(
    "form", [b"BODY[]", b"BODY.PEEK[]", b"RFC822", b"RFC822.PEEK", b"RFC822.HEADER", b"RFC822.TEXT"]
)
def test_names_and_values_of_old_forms(lab: Lab, form: bytes) -> None:
    """RFC 1730's item that Outlook sends is answered as RFC822."""
    mail = clean(3)
    wire = opened(lab, [mail])
    header, blank, rest = mail.partition(b"\r\n\r\n")
    name = form.decode().replace("BODY.PEEK", "BODY").replace("822.PEEK", "822")
    wanted = {"RFC822.HEADER": header + blank, "RFC822.TEXT": rest}.get(name, mail)
    reply = wire.ok(b"UID FETCH 1 (UID RFC822.SIZE %s)" % form)
    assert body(reply, name) == wanted
    (after,) = all_fetched(wire.ok(b"FETCH 1 FLAGS"))
    sets_seen = form in (b"BODY[]", b"RFC822", b"RFC822.TEXT")
    assert (b"\\Seen" in after.flags) is sets_seen


# T-F rows

TRICKS = (
    b"BODY [ ]",
    b"BODY[]<0>",
    b"BODY[]<0.0>",
    b"BODY[]<4294967296.5>",
    b"BODY[]<4294967295.4294967295>",
    b"BODY[1.]",
    b"BODY[0]",
    b"BODY[MIME]",
    b"BODY[TEXT.1]",
    b"BODY[HEADER.FIELDS ()]",
    b"BODY[HEADER.FIELDS]",
    b"BINARY[HEADER]",
    b"BINARY[1.MIME]",
    b"BODY[99999999999.1]",
    b"BODY[1",
    b"BODY]",
    b"BODY[]<-1.5>",
    b"BODY[]<5.>",
    b"BODY[]<.5>",
    b"BODY.PEEK",
    b"BODY[.1]",
    b"BODY[01]",
    b"BODY[1..1]",
    b"BODY[HEADER.1]",
    b"BINARY.SIZE[1]<0.5>",
    b"()",
    b"(FULL)",
    b"(FLAGS ALL)",
    b"FULL FLAGS",
    b"BODY[HEADER.FIELDS (A B]",
    b"RFC822.SIZE[]",
    b"BODYSTRUCTURE[1]",
    b"BODY[18446744073709551617]",
)


@pytest.mark.parametrize("item", TRICKS)
def test_T_F22_item_tricks(lab: Lab, user: str, item: bytes) -> None:
    """BAD, or an answer from the grammar, of processed octets."""
    wire = entered(lab, user, BLOCKING)
    reply = no_trace(wire.command(b"UID FETCH 1:3 " + item))
    assert reply.status in ("BAD", "OK", "NO"), reply
    if reply.status == "BAD":
        assert not all_fetched(reply)
    for one in all_fetched(reply):
        assert not [
            name for name in one.items if name.startswith("BODY[]<") and name not in ("BODY[]<0>", "BODY[]<4294967295>")
        ]
    wire.ok(b"NOOP")


def test_T_F22_offset_beyond_the_end(lab: Lab) -> None:
    wire = opened(lab, [plain(b"short")])
    assert body(wire.ok(b"FETCH 1 BODY.PEEK[]<4294967295.4294967295>"), "BODY[]<4294967295>") == b""


def test_T_F23_field_name_by_literal(lab: Lab) -> None:
    wire = opened(lab, [plain(b"x", b"wanted")])
    reply = wire.ok(b'FETCH 1 BODY.PEEK[HEADER.FIELDS ({7+}\r\nsubJECT "To")]')
    assert body(reply, 'BODY[HEADER.FIELDS ("SUBJECT" "TO")]') == b"To: ann@example.net\r\nSubject: wanted\r\n\r\n"


@pytest.mark.parametrize(
    "name", [b"{6+}\r\na\r\nb: ", b"{3+}\r\na:b", b'"a:b"', b'"a b"', b"{2+}\r\na\r", b'""', b"{0+}\r\n"]
)
def test_T_F23_bad_field_name(lab: Lab, name: bytes) -> None:
    wire = opened(lab, [plain(b"x")])
    wire.send(b"a FETCH 1 BODY.PEEK[HEADER.FIELDS (" + name + b")]\r\n")
    reply = wire.answer(b"a")
    assert reply.status in ("BAD", "OK")
    for one in all_fetched(reply):
        assert list(one.items.values())[-1] == b"\r\n"
