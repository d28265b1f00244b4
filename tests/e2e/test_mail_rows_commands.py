"""Rows T-F05, T-F06, T-F32, T-L06 and T-L18 where mail is processed: commands that are no good, and costly clients."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.carriers import HEAD, carrier, clean, text, traces
from tests.e2e.imapanswers import all_fetched
from tests.e2e.lab import PASSWORD, Lab, bad, refused
from tests.e2e.mailproxy import BLOCKING, ENGINES, NORMAL_LOG, SCAN, Processing
from tests.e2e.mailrows import body, entered, is_replacement, opened, plain, reason, seen, stored, whole
from tests.e2e.mailserver import MailServer
from tests.e2e.proxy import Proxy, children
from tests.e2e.tap import tags_of
from tests.e2e.test_mail_rows_state import descriptors, fetches, until
from tests.e2e.wire import Reply, Wire, WireError

VIRUS = carrier("second-of-two")
PAYLOADS = {
    "fetch": b"b FETCH 1 BODY.PEEK[]\r\n",
    "append": b"b APPEND INBOX {%d+}\r\n%s\r\n" % (len(VIRUS), VIRUS),
    "delete": b"b DELETE work\r\n",
    "mail": VIRUS,
}
WORDS = {
    "unknown": b"XFOO",
    "unknown-uid": b"UID XFOO 1",
    "unknown-append": b"XAPPEND INBOX",
    "longer": b"APPENDX INBOX",
    "fetch": b"FETCH 1 BODY.PEEK[]",
    "uid-fetch": b"UID FETCH 1 (UID BODY.PEEK[1])",
    "noop": b"NOOP",
}


def _swallowed(lab: Lab, wire: Wire, announced: bytes, payload: bytes) -> Reply:
    """The answer to a command with this literal, after a look that nobody took the literal for anything else."""
    before = len(lab.out())
    wire.send(b"a " + announced + b" {%d+}\r\n" % len(payload) + payload + b"\r\nc NOOP\r\n")
    reply = wire.answer(b"a")
    assert not reply.untagged
    after = wire.answer(b"c")
    assert after.status == "OK"
    assert not all_fetched(after)
    out = lab.out()[before:]
    assert re.fullmatch(rb"\S+ NOOP\r\n", out), out
    return reply


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("word", WORDS)
def test_T_F05_literal_of_a_bad_command(lab: Lab, word: str, payload: str) -> None:
    """Eaten whole, and no command in it is carried out: by the server, or by the proxy, which does FETCH and APPEND."""
    wire = opened(lab, [VIRUS, plain(b"two")])
    wire.ok(b"CREATE work")
    bad(_swallowed(lab, wire, WORDS[word], PAYLOADS[payload]))
    lab.log(r"IMAP-(745-W FAULT SIDE=CLIENT CODE=\w+|730-W COMMAND NAME=\S*FETCH REASON=\S+)", 1, **BLOCKING.config())
    (status,) = wire.ok(b"STATUS INBOX (MESSAGES)").untagged
    assert b"MESSAGES 2" in status
    wire.ok(b"STATUS work (MESSAGES)")
    assert body(wire.ok(b"FETCH 2 BODY.PEEK[]")) == plain(b"two")


NOT_PERMITTED = replace(BLOCKING, command="commands { ! CREATE, ! APPEND, ! FETCH, ! REPLACE, * };")
READ_ONLY = replace(BLOCKING, command="read-only;")
REFUSALS = {
    "create": (NOT_PERMITTED, b"CREATE"),
    "append": (NOT_PERMITTED, b"APPEND INBOX"),
    "append-flags": (NOT_PERMITTED, b'APPEND INBOX (\\Seen) "01-Jan-2026 00:00:00 +0000"'),
    "replace": (NOT_PERMITTED, b"REPLACE 1 INBOX"),
    "append-read-only": (READ_ONLY, b"APPEND INBOX"),
    "create-read-only": (READ_ONLY, b"CREATE"),
}


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("case", REFUSALS)
def test_T_F06_literal_of_a_refused_command(lab: Lab, case: str, payload: str) -> None:
    """NO [NOPERM], the literal eaten."""
    processing, words = REFUSALS[case]
    wire = opened(lab, [VIRUS], processing)
    refused(_swallowed(lab, wire, words, PAYLOADS[payload]))
    lab.log(rf"IMAP-730-W COMMAND NAME={words.split()[0].decode()} REASON=", 1, **processing.config())


@pytest.mark.parametrize("case", REFUSALS)
def test_T_F06_no_literal_is_asked_for(lab: Lab, case: str) -> None:
    """Refused at the announcement: what follows without a `+` is a command, and judged as one."""
    processing, words = REFUSALS[case]
    wire = opened(lab, [VIRUS], processing)
    wire.send(b"a " + words + b" {%d}\r\n" % len(PAYLOADS["fetch"]) + PAYLOADS["fetch"])
    refused(wire.answer(b"a"))
    reply = wire.answer(b"b")
    assert not traces(seen(reply))
    if processing is NOT_PERMITTED:
        refused(reply)
    else:
        assert is_replacement(body(reply), VIRUS)
    wire.ok(b"NOOP")


# T-F32

MAILS = [VIRUS, clean(1), carrier("zip"), plain(b"four"), carrier("in-mail"), clean(2, 3000)]
ITEMS = (
    b"FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE RFC822 RFC822.HEADER RFC822.TEXT PREVIEW ALL FULL "
    b"BODY[] BODY.PEEK[] BODY.PEEK[1] BODY[2] BODY.PEEK[TEXT] BODY.PEEK[HEADER] BODY.PEEK[2.1] BODY.PEEK[1.MIME] "
    b"BODY.PEEK[]<0.100> BODY.PEEK[2]<3.40> BINARY.PEEK[2] BINARY.SIZE[1] BODY.PEEK[9] BODY[X] MODSEQ XFOO BODY.PEEK["
).split()
SETS = b"1 2 3 1:* * 2,4 6:3 99 0 1: 1:3,5:* a $ 4294967295".split()
LETTERS = b"abA1*%() 12:,.[]<>~+-"


def _string(dice: random.Random, value: bytes) -> bytes:
    """In one of the forms of an argument."""
    quoted = b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return dice.choice([quoted, b"{%d+}\r\n%s" % (len(value), value), value.translate(None, b'(){}\\" %*[]') or b"x"])


def _mutated(dice: random.Random, line: bytes) -> bytes:
    """With an octet more, less, or another."""
    at = dice.randrange(len(line))
    return line[:at] + bytes(dice.choices(LETTERS, k=dice.randrange(2))) + line[at + dice.randrange(2) :]


def _fetch(dice: random.Random) -> bytes:
    drawn = [dice.choice(ITEMS) for _ in range(dice.randrange(1, 4))]
    # Each once: the reader of answers wants it so.
    items = list({item.replace(b".PEEK", b""): item for item in drawn}.values())
    said = items[0] if len(items) == 1 and dice.random() < 0.5 else b"(" + b" ".join(items) + b")"
    return dice.choice([b"FETCH ", b"UID FETCH ", b"uid fetch "]) + dice.choice(SETS) + b" " + said


def _append(dice: random.Random) -> bytes:
    mail = dice.choice([VIRUS, clean(3), plain(b"x"), b"", b"X", carrier("only-8bit")])
    tail = dice.choice([b"", b"", b"", b" ", b"x", b" (\\Seen)"])
    start = b"APPEND " + _string(dice, b"work") + dice.choice([b" ", b" (\\Seen) ", b' "bad" ', b"  "])
    return start + dice.choice([b"", b"", b"~"]) + b"{%d+}\r\n" % len(mail) + mail + tail


def _other(dice: random.Random) -> bytes:
    name = bytes(dice.choices(b'abc*%(){}\\" 12:,.', k=dice.randrange(1, 8)))
    forms = (
        b"STATUS " + _string(dice, name) + b" (MESSAGES)",
        b"CREATE " + _string(dice, b"new" + name.translate(None, b"*%")),
        b"LIST " + _string(dice, name) + b" " + _string(dice, b"*"),
        b"UID SEARCH SUBJECT " + _string(dice, name) + b" NOT DELETED",
        b"SEARCH HEADER " + _string(dice, b"Subject") + b" " + _string(dice, name),
        b"STORE " + dice.choice(SETS) + b" +FLAGS.SILENT (\\Seen)",
        b"UID COPY " + dice.choice(SETS) + b" work",
        b"XFOO " + _string(dice, name),
        b"NOOP",
        b"THREAD REFERENCES UTF-8 SUBJECT " + _string(dice, name),
        b"SORT (SUBJECT) UTF-8 ALL",
    )
    return dice.choice(forms)


def _command(dice: random.Random) -> bytes:
    command = dice.choice([_fetch, _fetch, _append, _other])(dice)
    return _mutated(dice, command) if not re.search(rb'[\n"\\]', command) and dice.random() < 0.3 else command


def _belongs(reply: Reply, processed: list[bytes]) -> None:
    """All octets of mails in an answer are those of the processed mail of that number."""
    assert not traces(seen(reply))
    for one in all_fetched(reply):
        for name, value in one.items.items():
            if name.startswith("BODY[") or name in ("RFC822", "RFC822.HEADER", "RFC822.TEXT"):
                assert value is None or isinstance(value, bytes)
                value = value or b""
                assert value in processed[one.number - 1], name


def _ended(wire: Wire) -> bool:
    """After BAD: whether the session ended with it, as where the end of a command is not known; then by BYE alone."""
    try:
        return wire.command(b"NOOP").status != "OK"
    except WireError:
        assert re.fullmatch(rb"(\* BYE [^\r\n]+\r\n)?", wire.rest())
        return True


@pytest.mark.parametrize("seed", range(16))
def test_T_F32_mixture_where_mail_is_processed(lab: Lab, seed: int) -> None:
    """One answer a command, at the client and at Dovecot; no octet but of processed mails in, no virus out."""
    dice = random.Random(seed)
    processing = replace(BLOCKING, proxy="max-bad-commands 0;")
    user = stored(lab, MAILS)
    wire = entered(lab, user, processing, b"SELECT")
    processed = [whole(wire, number) for number in range(1, len(MAILS) + 1)]
    assert [mail == raw for mail, raw in zip(processed, MAILS, strict=True)] == [False, True, False, True, False, True]
    wire.ok(b"CREATE work")
    for number in range(25):
        command = _command(dice)
        wire.send(b"f%d %s\r\n" % (number, command))
        try:
            reply = wire.answer(b"f%d" % number)
        except WireError as error:
            raise AssertionError(f"after {command!r}: {error}") from None
        _belongs(reply, processed)
        if reply.status == "BAD" and _ended(wire):
            wire = entered(lab, user, processing, b"SELECT")
    assert [whole(wire, number) for number in range(1, len(MAILS) + 1)] == processed
    out = lab.out()
    assert not traces(out)
    sent = tags_of(out)
    assert len(set(sent)) == len(sent)
    answered = {tag for tag in sent if re.search(rb"(?m)^" + tag + rb" (OK|NO|BAD) ", lab.into())}
    assert answered == set(sent)


# T-L06


def _anonymous_kb(proxy: Proxy) -> int:
    """Memory of all processes of the proxy that is no file."""
    told = [Path(f"/proc/{pid}/status").read_text() for pid in children(proxy.pid)]
    return sum(int(found[1]) for status in told if (found := re.search(r"RssAnon:\s+(\d+)", status)))


def test_T_L06_slow_reader_of_a_processed_mail(lab: Lab) -> None:
    """50 MB that nobody reads: they wait in the spool, not in memory. The session ends, others do not notice."""
    size = 50_000_000
    mail = HEAD + b"Subject: large\r\n" + text(b"0123456789abcdef" * 4 + b"\r\n") + (b"y" * 70 + b"\r\n") * (size // 72)
    server = MailServer([mail, plain(b"two")])
    engines = ENGINES.replace("builtin;", "builtin; max-checked-size 100M;", 1)
    processing = replace(BLOCKING, proxy="client-conn { send-timeout 3; }", sections=engines, more=NORMAL_LOG)
    config = processing.config()
    proxy = lab.before_fake(server, **config)
    slow, other = lab.keep(proxy.wire(rcvbuf=4096)).greet(), lab.keep(proxy.wire()).greet()
    for wire in (slow, other):
        wire.wait_s = 30.0
        wire.ok(b"LOGIN joe " + PASSWORD)
        wire.ok(b"SELECT INBOX")
        assert body(wire.ok(b"UID FETCH 2 BODY.PEEK[]")) == plain(b"two")
    memory, both = _anonymous_kb(proxy), descriptors(proxy)
    slow.send(b"a UID FETCH 1 BODY.PEEK[]\r\n")
    start = b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % len(mail)
    got = slow.take(len(start) + 500)
    assert _anonymous_kb(proxy) - memory < 30_000
    assert body(other.ok(b"UID FETCH 2 BODY.PEEK[]")) == plain(b"two")
    (line,) = lab.log(r"IMAP-740-W LIMIT NAME=send-timeout.*", 1, plug=(lab.fake.address,), **config)
    assert "VALUE=3" in line
    assert _anonymous_kb(proxy) - memory < 30_000
    got += slow.rest(20)
    assert len(got) < size // 2
    assert (start + mail).startswith(got)
    assert server.fetched == [2, 1]
    last = body(other.ok(b"UID FETCH 1 BODY.PEEK[]<%d.100>" % (len(mail) - 100)), f"BODY[]<{len(mail) - 100}>")
    assert last == mail[-100:]
    assert server.fetched == [2, 1], "what the slow one did not read is in the store"
    other.vanish()
    assert until(lambda: descriptors(proxy) < both), (both, descriptors(proxy))


# T-L18

IDENTIFIERS = b"References:" + b"".join(b"\r\n <%d@x>" % at for at in range(100_000)) + b"\r\n"
THREADED = HEAD + b"Message-ID: <last@x>\r\n" + IDENTIFIERS + b"Subject: Re: x\r\n" + text()
LARGE_HEADER = Processing(download=f"{SCAN} mail-filter {{ max-header-size 4M; }}", decide=BLOCKING.decide)
NO_THREAD = replace(BLOCKING, command="commands { ! THREAD, ! UID-THREAD, ! SORT, ! UID-SORT, * };")
COSTLY = (b"THREAD REFERENCES UTF-8 ALL", b"UID THREAD REFERENCES UTF-8 ALL", b"SORT (SUBJECT) UTF-8 ALL")


def test_T_L18_header_beyond_the_limit(lab: Lab) -> None:
    """Above max-header-size it is neither shown nor taken; what is told of it stays small in every form of answer."""
    assert len(THREADED) > 1_000_000
    wire = opened(lab, [THREADED, plain(b"two")])
    got = whole(wire)
    assert is_replacement(got, THREADED)
    assert reason(got) == "form"
    for items in (b"BODY.PEEK[HEADER.FIELDS (References)]", b"ENVELOPE", b"ALL", b"RFC822.HEADER", b"PREVIEW"):
        answer = seen(wire.ok(b"FETCH 1 " + items))
        assert len(answer) < 4096
    lab.log(r"SMTD-742-E FORM ITEM=MAX-HEADER-SIZE PART=0", 1, **BLOCKING.config())
    before = len(lab.out())
    reply = wire.append(b"INBOX", THREADED)
    assert reply.status == "NO", reply
    assert b"APPEND" not in lab.out()[before:]
    assert body(wire.ok(b"FETCH 2 BODY.PEEK[]")) == plain(b"two")


def test_T_L18_header_within_the_limit(lab: Lab) -> None:
    """Where the operator takes such headers: read once, shown as it is, threads told in numbers."""
    wire = opened(lab, [THREADED, plain(b"two")], LARGE_HEADER)
    wire.wait_s = 40.0
    assert whole(wire) == THREADED
    assert IDENTIFIERS + b"\r\n)" in wire.ok(b"FETCH 1 BODY.PEEK[HEADER.FIELDS (References)]").one(b"* 1 FETCH")
    for command in COSTLY:
        for unit in wire.ok(command).untagged:
            assert re.fullmatch(rb"\* (THREAD|SORT) [\d ()]+", unit), unit
    assert fetches(lab) == 1


@pytest.mark.parametrize("command", COSTLY)
def test_T_L18_threads_are_for_the_policy(lab: Lab, command: bytes) -> None:
    """Not offered, refused, and the server hears nothing of it."""
    user = stored(lab, [plain(b"one")])
    wire = lab.login(user, **NO_THREAD.config())
    (capability,) = wire.ok(b"CAPABILITY").untagged
    assert b"THREAD" not in capability
    assert b"SORT" not in capability
    wire.ok(b"SELECT INBOX")
    before = lab.out()
    refused(wire.command(command))
    assert lab.out() == before
    name = re.sub(rb"^UID ", b"UID-", command).split()[0].decode()
    lab.log(rf"IMAP-730-W COMMAND NAME={name} ", 1, **NO_THREAD.config())
