"""Rows T-R01 to T-R23 where mail is processed: no server can have the client see anything but processed mail."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.e2e.carriers import EICAR, carrier
from tests.e2e.imapanswers import all_fetched
from tests.e2e.lab import Lab
from tests.e2e.mailproxy import BLOCKING, UNCHANGED, Processing
from tests.e2e.mailrows import SECRET, body, clean, faced, is_replacement, mails_of, opened, plain, seen, unavailable
from tests.e2e.mailserver import MailServer, Request, one_of
from tests.e2e.wire import Wire

MAILS = [plain(b"first"), plain(b"second"), plain(b"third")]

CONTENT = (
    b"BODY[] {68}\r\n%s" % EICAR,
    b"BODY[TEXT] {68}\r\n%s" % EICAR,
    b"BODY[1]<0> {68}\r\n%s" % EICAR,
    b"BODY[HEADER.FIELDS (SUBJECT)] {68}\r\n%s" % EICAR,
    b"RFC822 {68}\r\n%s" % EICAR,
    b"RFC822.TEXT {68}\r\n%s" % EICAR,
    b"BINARY[1] ~{68}\r\n%s" % EICAR,
    b'PREVIEW "%s"' % SECRET,
    b'SNIPPET (FUZZY "%s")' % SECRET,
    b'ENVELOPE (NIL "%s" NIL NIL NIL NIL NIL NIL NIL NIL)' % SECRET,
    b'BODYSTRUCTURE ("TEXT" "%s" NIL NIL NIL "7BIT" 3 1)' % SECRET,
    b'X-NEW-ITEM "%s"' % SECRET,
    b'DIGEST.SHA1 "%s"' % SECRET,
    b"RFC822.SIZE 77777777",
)


def _session_goes_on(wire: Wire) -> None:
    assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == MAILS[0]


@pytest.mark.parametrize("content", CONTENT, ids=lambda content: content.split()[0].decode())
@pytest.mark.parametrize("command", [b"NOOP", b"CHECK", b"UID STORE 3 +FLAGS (\\Answered)", b"UID SEARCH ALL"])
def test_T_R01_unrequested_content(lab: Lab, command: bytes, content: bytes) -> None:
    server = MailServer(MAILS)
    server.before[command.replace(b"UID ", b"").split()[0]] = b"* 2 FETCH (UID 2 %s FLAGS (\\Flagged))\r\n" % content
    wire = faced(lab, server)
    reply = clean(wire.ok(command))
    (told,) = [one for one in all_fetched(reply) if one.number == 2]
    assert set(told.items) <= {"UID", "FLAGS"}
    assert told.flags == {b"\\Flagged"}
    assert b"77777777" not in seen(reply)
    _session_goes_on(wire)


def test_T_R01_unrequested_content_in_idle(lab: Lab) -> None:
    server = MailServer(MAILS)
    wire = faced(
        lab,
        MailServer(
            MAILS,
            one_of(b"IDLE", b"+ idling\r\n* 1 FETCH (BODY[] {68}\r\n%s FLAGS (\\Seen))\r\n* 4 EXISTS\r\n" % EICAR),
        ),
    )
    wire.send(b"i IDLE\r\n")
    units = [wire.unit() for _ in range(3)]
    assert units[0].startswith(b"+")
    assert units[1:] == [b"* 1 FETCH (FLAGS (\\Seen))", b"* 4 EXISTS"]
    wire.send(b"DONE\r\n")
    clean(wire.answer(b"i"))
    assert not server.fetched


def test_T_R01_unrequested_content_at_select(lab: Lab) -> None:
    server = MailServer(MAILS)
    server.before[b"EXAMINE"] = b"* 1 FETCH (UID 1 BODY[] {68}\r\n%s)\r\n* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" % EICAR
    wire = faced(lab, server)
    clean(wire.ok(b"EXAMINE INBOX"))
    _session_goes_on(wire)


def test_T_R01_content_while_other_content_is_asked(lab: Lab) -> None:
    """Mail 2 comes with the answer for mail 1 (which RFC 3501 permits): it is not shown."""

    def trick(request: Request) -> bytes | None:
        if request.wants_mail and request.uids == [1]:
            extra = b"* 2 FETCH (UID 2 BODY[] {68}\r\n%s)\r\n" % EICAR
            return extra + b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\nTAG OK done\r\n" % (len(MAILS[0]), MAILS[0])
        return None

    wire = faced(lab, MailServer(MAILS, trick))
    reply = clean(wire.ok(b"UID FETCH 1 BODY.PEEK[]"))
    assert body(reply) == MAILS[0]
    assert body(clean(wire.ok(b"UID FETCH 2 BODY.PEEK[]"))) == MAILS[1]


def test_T_R02_other_mail_than_asked(lab: Lab) -> None:
    answer = b"* 2 FETCH (UID 2 BODY[] {%d}\r\n%s)\r\nTAG OK done\r\n" % (len(plain(SECRET)), plain(SECRET))
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", answer, mail=True)))
    unavailable(clean(wire.command(b"UID FETCH 1 BODY.PEEK[]")))


def test_T_R03_two_answers_for_one_mail(lab: Lab) -> None:
    """The first whole one counts, now and later."""
    both = b"".join(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n" % (len(one), one) for one in (MAILS[0], plain(SECRET)))
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", both + b"TAG OK done\r\n", mail=True)))
    for _ in range(2):
        reply = clean(wire.ok(b"UID FETCH 1 (BODY.PEEK[] RFC822.SIZE)"))
        (one,) = mails_of(reply)
        assert one.octets("BODY[]") == MAILS[0]
        assert one.integer("RFC822.SIZE") == len(MAILS[0])


def test_T_R04_literal_beyond_the_limit(lab: Lab) -> None:
    """The announced size is not believed; what is too large is answered by a replacement."""
    large = plain(SECRET * 60_000)
    answer = b"* 1 FETCH (UID 1 RFC822.SIZE 100 BODY[] {%d}\r\n%s)\r\nTAG OK done\r\n" % (len(large), large)
    processing = Processing(command="max-mail-in 1M;", decide=BLOCKING.decide)
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", answer, mail=True)), processing)
    mail = body(clean(wire.ok(b"UID FETCH 1 (BODY.PEEK[] RFC822.SIZE)")))
    assert is_replacement(mail, large)
    assert len(mail) < 10_000


@pytest.mark.parametrize("size", [1, 3, 4_000_000_000])
def test_T_R04_size_is_the_literals(lab: Lab, size: int) -> None:
    answer = b"* 1 FETCH (UID 1 RFC822.SIZE %d BODY[] {%d}\r\n%s)\r\nTAG OK done\r\n" % (size, len(MAILS[0]), MAILS[0])
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", answer, mail=True)))
    (one,) = mails_of(wire.ok(b"UID FETCH 1 (BODY.PEEK[] RFC822.SIZE)"))
    assert one.integer("RFC822.SIZE") == len(one.octets("BODY[]")) == len(MAILS[0])


@pytest.mark.parametrize("less", [1, 2, 10])
def test_T_R05_literal_too_short(lab: Lab, less: int) -> None:
    """The server's leg is closed, nothing of the mail is shown."""
    mail = plain(SECRET)
    answer = b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\nTAG OK done\r\n" % (len(mail) + less, mail)
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", answer, mail=True)))
    wire.send(b"a UID FETCH 1 BODY.PEEK[]\r\nb NOOP\r\n")
    lab.fake.finish(15)
    data = wire.rest(15)
    assert SECRET not in data
    assert b"a OK" not in data
    assert b"BODY[]" not in data


def test_T_R05_literal_that_never_ends(lab: Lab) -> None:
    """Silence in the midst of a mail is bounded as that in any unit."""
    answer = b"* 1 FETCH (UID 1 BODY[] {5000}\r\n%s" % plain(SECRET)
    processing = replace(BLOCKING, proxy="server-conn { recv-timeout 1; }")
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", answer, mail=True)), processing)
    wire.send(b"a UID FETCH 1 BODY.PEEK[]\r\n")
    data = wire.rest(15)
    assert SECRET not in data
    assert b"a OK" not in data


@pytest.mark.parametrize(
    "answer",
    [b"* 1 FETCH (UID 1)\r\nTAG OK done\r\n", b"* 1 FETCH (UID 1 FLAGS ())\r\nTAG OK done\r\n", b"TAG OK done\r\n"],
)
def test_T_R06_missing_item(lab: Lab, answer: bytes) -> None:
    server = MailServer(MAILS, one_of(b"FETCH", answer, mail=True))
    wire = faced(lab, server)
    unavailable(wire.command(b"UID FETCH 1 BODY.PEEK[]"))
    assert len(server.fetched) <= 3


def test_T_R06_others_are_answered(lab: Lab) -> None:
    def trick(request: Request) -> bytes | None:
        if request.wants_mail and request.uids == [2]:
            return b"* 2 FETCH (UID 2)\r\nTAG OK done\r\n"
        return None

    wire = faced(lab, MailServer(MAILS, trick))
    reply = wire.command(b"UID FETCH 1:3 BODY.PEEK[]")
    assert reply.tagged.startswith(b"NO [UNAVAILABLE]"), reply
    assert [(one.uid, one.octets("BODY[]")) for one in mails_of(reply)] == [(1, MAILS[0]), (3, MAILS[2])]


@pytest.mark.parametrize("value", [b"NIL", b'""', b"{0}\r\n"])
def test_T_R07_no_body(lab: Lab, value: bytes) -> None:
    wire = faced(
        lab, MailServer(MAILS, one_of(b"FETCH", b"* 1 FETCH (UID 1 BODY[] %s)\r\nTAG OK done\r\n" % value, mail=True))
    )
    reply = wire.command(b"UID FETCH 1 (BODY.PEEK[] RFC822.SIZE)")
    if value == b"NIL":
        unavailable(reply)
    else:
        assert not mails_of(reply) or body(reply) == b"" or is_replacement(body(reply), b"")


def test_T_R08_greatest_number(lab: Lab) -> None:
    server = MailServer(MAILS)
    server.before[b"CHECK"] = b"* 4294967295 EXISTS\r\n"
    wire = faced(lab, server)
    memory = lab.proxy(plug=(lab.fake.address,), **BLOCKING.config()).memory_kb()
    assert wire.ok(b"CHECK").untagged == [b"* 4294967295 EXISTS"]
    assert lab.proxy(plug=(lab.fake.address,), **BLOCKING.config()).memory_kb() - memory < 4096


@pytest.mark.parametrize(
    "line", [b"* 99999999999999999999 EXISTS", b"* 0 EXPUNGE", b"* 7 EXPUNGE", b"* 0 FETCH (UID 1)"]
)
def test_T_R08_impossible_number(lab: Lab, line: bytes) -> None:
    server = MailServer(MAILS)
    server.before[b"CHECK"] = line + b"\r\n"
    wire = faced(lab, server)
    wire.send(b"a CHECK\r\n")
    data = wire.rest(15)
    assert b"* BYE" in data
    assert line not in data


def test_T_R09_big_sets(lab: Lab) -> None:
    server = MailServer(MAILS, one_of(b"COPY", b"TAG OK [COPYUID 1 1:4294967295 1:4294967295] done\r\n"))
    server.before[b"CHECK"] = b"* VANISHED 5:4294967295\r\n"
    wire = faced(lab, server)
    proxy = lab.proxy(plug=(lab.fake.address,), **BLOCKING.config())
    memory = proxy.memory_kb()
    wire.command(b"UID COPY 1 x")
    wire.command(b"CHECK")
    _session_goes_on(wire)
    assert proxy.memory_kb() - memory < 8192


def test_T_R10_nesting(lab: Lab) -> None:
    """The server's structure is never asked for, and one that comes unasked is not looked into beyond a depth."""
    server = MailServer(MAILS)
    wire = faced(lab, server)
    wire.ok(b"UID FETCH 1:3 (BODYSTRUCTURE ENVELOPE BODY)")
    assert not [
        request.text for request in server.requests if b"STRUCTURE" in request.text or b"ENVELOPE" in request.text
    ]
    server.before[b"CHECK"] = b"* 1 FETCH (BODYSTRUCTURE " + b"(" * 100_000 + b")" * 100_000 + b")\r\n"
    wire.send(b"a CHECK\r\n")
    wire.send(b"b LOGOUT\r\n")
    assert b"(" * 101 not in wire.rest(15)


def test_T_R13_unexpected_plus(lab: Lab) -> None:
    server = MailServer(MAILS)
    server.before[b"CHECK"] = b"+ go\r\n"
    wire = faced(lab, server)
    wire.send(b"a CHECK\r\n")
    data = wire.rest(15)
    assert not data.startswith(b"+")
    assert b"\r\n+" not in data


def test_T_R13_plus_instead_of_a_mail(lab: Lab) -> None:
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", b"+ go\r\nTAG OK done\r\n", mail=True)))
    wire.send(b"a UID FETCH 1 BODY.PEEK[]\r\n")
    data = wire.rest(15)
    assert b"\r\n+" not in data
    assert b"a OK" not in data


def test_T_R14_forged_capability(lab: Lab) -> None:
    server = MailServer(MAILS)
    server.before[b"FETCH"] = b"* OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE URLAUTH CATENATE NOTIFY] x\r\n"
    wire = faced(lab, server)
    reply = wire.ok(b"UID FETCH 1 BODY.PEEK[]")
    for name in (b"COMPRESS", b"URLAUTH", b"CATENATE", b"NOTIFY"):
        assert name not in seen(reply)


def test_T_R15_enabled_unasked(lab: Lab) -> None:
    server = MailServer(MAILS)
    server.before[b"FETCH"] = b"* ENABLED UTF8=ACCEPT UIDONLY\r\n"
    wire = faced(lab, server)
    assert b"ENABLED" not in seen(wire.ok(b"UID FETCH 1 BODY.PEEK[]"))
    assert wire.command(b'CREATE "\xc3\xa9"').status == "BAD"


def test_T_R16_bye_in_the_midst_of_a_fetch(lab: Lab) -> None:
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", b"* BYE going\r\n" * 300, mail=True)))
    wire.send(b"a UID FETCH 1 BODY.PEEK[]\r\n")
    data = wire.rest(15)
    assert data.count(b"* BYE") == 1
    assert b"a OK" not in data


def test_T_R17_ok_without_data(lab: Lab) -> None:
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", b"TAG OK done\r\n", mail=True)))
    unavailable(wire.command(b"UID FETCH 2 (BODY.PEEK[1] ENVELOPE)"))


@pytest.mark.parametrize("end", [b"NO [SERVERBUG] broken", b"BAD what"])
def test_T_R17_no_for_content(lab: Lab, end: bytes) -> None:
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", b"TAG " + end + b"\r\n", mail=True)))
    reply = wire.command(b"UID FETCH 2 BODY.PEEK[]")
    assert reply.status == "NO", reply
    assert not mails_of(reply)


def test_T_R18_uidvalidity_changes(lab: Lab) -> None:
    """While selected: what was kept of UIDs counts no more."""
    server = MailServer(MAILS)
    wire = faced(lab, server)
    assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == MAILS[0]
    server.before[b"CHECK"] = b"* OK [UIDVALIDITY 99] changed\r\n"
    wire.ok(b"CHECK")
    server.mails[1] = plain(b"another mail under the old number")
    assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == server.mails[1]


def test_T_R19_expunge_during_fetch(lab: Lab) -> None:
    """The proxy goes by UID: a mail that left is left out, the others are right."""

    def trick(request: Request) -> bytes | None:
        if request.wants_mail and 1 in request.uids and 1 in server.mails:
            del server.mails[1]
            answers = b"".join(
                b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (uid - 1, uid, len(MAILS[uid - 1]), MAILS[uid - 1])
                for uid in request.uids
                if uid != 1
            )
            return b"* 1 EXPUNGE\r\n" + answers + b"TAG OK done\r\n"
        return None

    server = MailServer(MAILS, trick)
    wire = faced(lab, server)
    reply = wire.command(b"FETCH 1:3 (UID BODY.PEEK[])")
    assert not [unit for unit in reply.untagged if unit.endswith(b"EXPUNGE")], "FETCH by number may not tell of EXPUNGE"
    for one in mails_of(reply):
        assert one.octets("BODY[]") == MAILS[one.uid - 1]
        assert one.number == one.uid, "numbers are those from before the EXPUNGE"
    later = wire.command(b"NOOP")
    assert b"* 1 EXPUNGE" in later.untagged
    assert body(wire.ok(b"FETCH 1 (UID BODY.PEEK[])")) == MAILS[1]


def test_T_R20_other_octets_for_the_same_uid(lab: Lab) -> None:
    """A broken server: what a client saw once stays, or is scanned anew. Never a mix."""
    server = MailServer({1: plain(b"one")}, uidvalidity=20)
    wire = faced(lab, server)
    first = body(wire.ok(b"UID FETCH 1 BODY.PEEK[]"))
    server.mails[1] = carrier("only-plain")
    wire.ok(b"SELECT INBOX")
    header = body(clean(wire.ok(b"UID FETCH 1 BODY.PEEK[HEADER]")), "BODY[HEADER]")
    text = body(clean(wire.ok(b"UID FETCH 1 BODY.PEEK[TEXT]")), "BODY[TEXT]")
    again = body(clean(wire.ok(b"UID FETCH 1 BODY.PEEK[]")))
    assert header + text == again
    assert again == first or is_replacement(again, server.mails[1])


QUIRKS = (
    b'* NO [Error="x y"] server said\r\n',
    b"* 1 FETCH (UID 0 MODSEQ (-1))\r\n",
    b"* 1 FETCH (RFC822.SIZE 12.5)\r\n",
    b'* 1 FETCH (ENVELOPE ((NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL)))\r\n',
    b"* STATUS x (MESSAGES 0 UIDNEXT 0 UIDVALIDITY 0 )\r\n",
)


@pytest.mark.parametrize("line", QUIRKS)
def test_T_R22_quirks(lab: Lab, line: bytes) -> None:
    """Odd responses by the way: the mail comes all the same."""
    server = MailServer(MAILS)
    server.before[b"FETCH"] = line
    wire = faced(lab, server)
    _session_goes_on(wire)


ANSWER_FORMS = (
    b"* 1 FETCH (BODY[] {%d}\r\n%s UID 1)\r\nTAG OK done\r\n",
    b"* 1 FETCH (UID 1 RFC822 {%d}\r\n%s)\r\nTAG OK done\r\n",
    b"* 1 FETCH (FLAGS () UID 1 MODSEQ (9) BODY[] {%d}\r\n%s RFC822.SIZE 1)\r\nTAG OK done\r\n",
    b"* 1 FETCH (UID 1 FLAGS ())\r\n* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n* 5 EXISTS\r\nTAG OK done\r\n",
    b"* 1 fetch (uid 1 body[] {%d}\r\n%s)\r\nTAG ok done\r\n",
)


@pytest.mark.parametrize("form", ANSWER_FORMS)
def test_T_R22_forms_of_a_good_answer(lab: Lab, form: bytes) -> None:
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", form % (len(MAILS[0]), MAILS[0]), mail=True)))
    _session_goes_on(wire)


def test_T_R22_mail_as_a_quoted_string(lab: Lab) -> None:
    answer = b'* 1 FETCH (UID 1 BODY[] "short mail without any line end")\r\nTAG OK done\r\n'
    wire = faced(lab, MailServer(MAILS, one_of(b"FETCH", answer, mail=True)), UNCHANGED)
    reply = wire.command(b"UID FETCH 1 BODY.PEEK[]")
    assert reply.status == "NO" or body(reply).startswith(b"short mail without any line end")


@pytest.mark.parametrize("segment", [1, 3, 1000])
def test_T_R23_segmentation(lab: Lab, segment: int) -> None:
    server = MailServer([plain(b"{5}\r\n) * 1 FETCH (UID 1 BODY[] NIL)\r\na OK done"), *MAILS[1:]])
    wire = faced(lab, server)
    server.segment = segment
    reply = wire.ok(b"UID FETCH 1:3 (FLAGS BODY.PEEK[] RFC822.SIZE)")
    assert [one.octets("BODY[]") for one in mails_of(reply)] == list(server.mails.values())


def test_T_R23_client_in_single_octets(lab: Lab) -> None:
    wire = opened(lab, MAILS)
    wire.send_slowly(
        b"a UID FETCH 2 (FLAGS BODY.PEEK[HEADER.FIELDS ({7+}\r\nSubject FROM)] BODY.PEEK[])\r\n", 1, 0.0005
    )
    assert body(wire.answer(b"a")) == MAILS[1]
