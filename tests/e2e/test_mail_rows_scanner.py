"""Rows T-A01 to T-A08: what lies between the proxy and its engines, and what an engine may say or not say."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import gzip
import io
import re
import stat
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.carriers import EICAR, HEAD, carrier, clean, leaf, multipart, spam, text, zipped
from tests.e2e.fakeclamd import FakeClamd, honest
from tests.e2e.lab import Lab
from tests.e2e.mailproxy import BLOCKING, REPLACE_VIRUS, Processing
from tests.e2e.mailrows import SECRET, body, is_replacement, mails_of, opened, plain, seen, unavailable
from tests.e2e.mailrows import clean as no_trace
from tests.e2e.proxy import children, socket_text

A01 = ("only-plain", "only-base64", "only-quoted-printable", "zip", "zip-in-zip", "in-mail", "second-of-two")


@pytest.fixture
def clamd() -> Iterator[FakeClamd]:
    daemon = FakeClamd()
    yield daemon
    daemon.close()


def by(daemon: FakeClamd, items: str = "", download: str = "", **more: str) -> Processing:
    """The built-in policy with this engine alone."""
    engine = (
        f"antivirus AV {{ connection clamav-net {socket_text(daemon.address)}; timeout 2; breaker 3 1; {items} }}\n"
    )
    decide = more.pop("decide", "mail-acl CLEAN { virus free; accept; } doc-acl ALL { accept; }")
    return Processing(
        sections=engine,
        download=f"use-antivirus enable AV; {download}",
        upload="use-antivirus enable AV;",
        decide=decide,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("position", A01)
@pytest.mark.parametrize("item", [b"BODY.PEEK[]", b"BODY.PEEK[2]<0.10>", b"BODY.PEEK[1]<0.34>", b"BINARY.PEEK[1]"])
def test_T_A01_blocked_wherever_it_is(lab: Lab, position: str, item: bytes) -> None:
    no_trace(opened(lab, [carrier(position)]).command(b"FETCH 1 " + item))


def test_T_A02_in_two_ranges(lab: Lab) -> None:
    mail = HEAD + leaf(EICAR, how=b"7bit")
    start = mail.index(EICAR)
    wire = opened(lab, [mail])
    got = b"".join(body(wire.ok(b"FETCH 1 BODY.PEEK[]<%d.34>" % at), f"BODY[]<{at}>") for at in (start, start + 34))
    assert EICAR[:10] not in got
    assert EICAR[-10:] not in got
    text_part = body(wire.ok(b"FETCH 1 BODY.PEEK[1]<0.34>"), "BODY[1]<0>")
    assert EICAR[:10] not in text_part


def _bomb_zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for at in range(16):
            archive.writestr(zipfile.ZipInfo(f"{at}.bin"), bytes(20_000_000), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _many_entries() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for at in range(30_000):
            archive.writestr(zipfile.ZipInfo(str(at)), b"")
    return target.getvalue()


def _nested() -> bytes:
    data = EICAR
    for _ in range(40):
        data = zipped(data, "in.zip")
    return data


def _overlapping() -> bytes:
    """Two entries of the directory that name the same local file."""
    data = bytearray(zipped(bytes(5_000_000)))
    start = data.rindex(b"PK\1\2")
    end = data.rindex(b"PK\5\6")
    entry = bytes(data[start:end])
    tail = bytearray(data[end:])
    tail[8:12] = b"\xf4\1\xf4\1"
    tail[12:16] = (len(entry) * 500).to_bytes(4, "little")
    return bytes(data[:start]) + entry * 500 + bytes(tail)


BOMBS = {
    "large-zip": _bomb_zip,
    "many-entries": _many_entries,
    "nested-zip": _nested,
    "gzip-1000": lambda: gzip.compress(gzip.compress(bytes(300_000_000), 9, mtime=0), 9, mtime=0),
    "overlapping": _overlapping,
}


@pytest.mark.parametrize("case", BOMBS)
def test_T_A03_bombs(lab: Lab, case: str) -> None:
    """Bounded time and memory. What was not looked at whole is not clean."""
    wire = opened(lab, [HEAD + multipart(text(), leaf(BOMBS[case](), b"x.zip"))])
    proxy = lab.proxy(**BLOCKING.config())
    memory = proxy.memory_kb()
    started = time.monotonic()
    reply = wire.command(b"FETCH 1 BODY.PEEK[]", 40)
    assert time.monotonic() - started < 30
    assert proxy.memory_kb() - memory < 150_000
    for one in mails_of(reply):
        assert len(one.octets("BODY[]")) < 10_000, "shown though nobody could look into it"
    assert body(opened(lab, [clean(4)]).ok(b"FETCH 1 BODY.PEEK[]")) == clean(4)


ANSWERS = {
    "refused": None,
    "closed": lambda _: None,
    "nonsense": lambda _: b"\x00\xff\x00what?",
    "empty": lambda _: b"",
    "http": lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "other-number": lambda _: b"9: stream: OK",
    "error": lambda _: b"INSTREAM size limit exceeded. ERROR",
    "found-without-name": lambda _: b"stream:  FOUND",
    "long": lambda _: b"stream: " + b"x" * 1_000_000 + b" OK",
}


@pytest.mark.parametrize("case", ANSWERS)
def test_T_A04_bad_answers(lab: Lab, clamd: FakeClamd, case: str) -> None:
    """Never the mail as it came."""
    if (answer := ANSWERS[case]) is None:
        clamd.close()
    else:
        clamd.answer = answer  # type: ignore[assignment]
    mail = plain(SECRET)
    reply = opened(lab, [mail], by(clamd)).command(b"FETCH 1 BODY.PEEK[]", 20)
    assert SECRET not in seen(reply)
    if case not in ("error", "found-without-name"):
        unavailable(reply)


def test_T_A04_timeout(lab: Lab, clamd: FakeClamd) -> None:
    clamd.hold.clear()
    wire = opened(lab, [plain(SECRET)], by(clamd))
    started = time.monotonic()
    unavailable(no_trace(wire.command(b"FETCH 1 BODY.PEEK[]", 20)))
    assert time.monotonic() - started < 10
    clamd.hold.set()
    wire.ok(b"NOOP")


def test_T_A04_ok_for_a_part(lab: Lab, clamd: FakeClamd) -> None:
    """OK before the stream's end is not for the mail."""
    clamd.taken = 100_000
    clamd.answer = lambda _: b"stream: OK"
    mail = clean(6, 8_000_000)
    reply = opened(lab, [mail], by(clamd)).command(b"FETCH 1 (BODY.PEEK[] RFC822.SIZE)", 30)
    assert not [one for one in mails_of(reply) if one.octets("BODY[]") == mail]


def test_T_A04_limit_of_the_engine(lab: Lab, clamd: FakeClamd) -> None:
    """Larger than the engine takes: SKIPPED, which is denied where nothing else is said."""
    small = by(clamd, "max-checked-size 1000;")
    mail = clean(7, 5_000)
    denied = body(opened(lab, [mail], small).ok(b"FETCH 1 BODY.PEEK[]"))
    assert is_replacement(denied, mail)
    decide = "mail-acl ALL { virus skipped; accept; } doc-acl ALL { accept; }"
    passing = replace(small, download=f"{small.download} on-skipped pass;", decide=decide)
    assert body(opened(lab, [mail], passing).ok(b"FETCH 1 BODY.PEEK[]")) == mail
    assert clamd.streams == []


@pytest.mark.parametrize("way", ["error", "replace", "pass"])
def test_T_A04_on_unavailable(lab: Lab, clamd: FakeClamd, way: str) -> None:
    clamd.close()
    processing = by(clamd, download=f"on-unavailable {way};", decide="mail-acl ALL { accept; } doc-acl ALL { accept; }")
    mail = plain(SECRET)
    reply = opened(lab, [mail], processing).command(b"FETCH 1 BODY.PEEK[]", 20)
    if way == "error":
        unavailable(reply)
    elif way == "replace":
        assert is_replacement(body(reply), mail)
        assert SECRET not in body(reply)
    else:
        assert body(reply) == mail


def test_T_A04_others_go_on(lab: Lab, clamd: FakeClamd) -> None:
    """One mail for which the engine fails does not fail the rest."""
    clamd.answer = lambda octets: None if SECRET in octets else honest(octets)
    mails = [plain(b"one"), plain(SECRET), plain(b"three"), carrier("only-plain")]
    reply = no_trace(opened(lab, mails, by(clamd)).command(b"FETCH 1:4 (UID BODY.PEEK[])", 20))
    assert reply.tagged.startswith(b"NO [UNAVAILABLE]"), reply.tagged
    told = {one.uid: one.octets("BODY[]") for one in mails_of(reply)}
    assert {uid: told.get(uid) for uid in (1, 3)} == {1: mails[0], 3: mails[2]}
    assert is_replacement(told[4], mails[3])
    assert 2 not in told


def test_T_A05_spam(lab: Lab) -> None:
    decide = """
  mail-acl SPAM { spam-score ge 5.0; accept; subject-prefix "[SPAM] "; }
  mail-acl REST { accept; }
  doc-acl REST { accept; }"""
    wire = opened(lab, [spam(), plain(b"x", b"no spam")], Processing(decide=decide))
    tagged, other = mails_of(wire.ok(b"FETCH 1:2 (BODY.PEEK[] ENVELOPE)"))
    assert b"\r\nSubject: [SPAM] buy this\r\n" in tagged.octets("BODY[]")
    envelope = tagged.items["ENVELOPE"]
    assert isinstance(envelope, list)
    assert envelope[1] == b"[SPAM] buy this"
    assert other.octets("BODY[]") == plain(b"x", b"no spam")
    assert lab.log(r"IMAP-760.*SPAM=1000000\b", 1, **Processing(decide=decide).config())


def test_T_A06_nothing_of_the_mail_in_commands(lab: Lab, clamd: FakeClamd) -> None:
    name = b"$(reboot);`x`\\' .com"
    mail = HEAD + multipart(text(), leaf(SECRET, name))
    wire = opened(lab, [mail], by(clamd, decide=REPLACE_VIRUS))
    assert body(wire.ok(b"FETCH 1 BODY.PEEK[]")) == mail
    assert mail in clamd.streams
    assert set(clamd.commands) <= {b"IDSESSION", b"INSTREAM", b"VERSION", b"PING", b"STATS", b"END"}


HOSTILE = b'Evil<b>"x"</b>\r\nX-Injected: yes\r\n\r\n--outer\r\n%{rule}\x1b[2J'


@pytest.mark.parametrize("decide", ["mail-acl CLEAN { virus free; accept; }", REPLACE_VIRUS], ids=["mail", "document"])
def test_T_A07_name_of_a_virus(lab: Lab, clamd: FakeClamd, decide: str) -> None:
    clamd.answer = lambda octets: (
        b"stream: " + HOSTILE + b" FOUND" if SECRET in octets or b"U0VDUkVU" in octets else b"stream: OK"
    )
    mail = HEAD + multipart(text(), leaf(SECRET))
    processing = by(clamd, decide=decide)
    reply = opened(lab, [mail], processing).command(b"FETCH 1 BODY.PEEK[]", 20)
    data = seen(reply)
    assert SECRET not in data
    assert b"\r\nX-Injected" not in data
    assert b"\x1b" not in data
    assert "\x1b[2J" not in lab.logged(**processing.config())
    for one in mails_of(reply):
        assert b"<b>" not in one.octets("BODY[]") or b"text/html" not in one.octets("BODY[]")


def test_T_A08_no_name_for_what_is_scanned(lab: Lab, clamd: FakeClamd) -> None:
    """While an engine looks at a mail, no file of it has a name; folders are private."""
    clamd.hold.clear()
    processing = by(clamd)
    wire = opened(lab, [plain(SECRET)], processing)
    proxy = lab.proxy(**processing.config())
    wire.send(b"a FETCH 1 BODY.PEEK[]\r\n")
    deadline = time.monotonic() + 5
    while not clamd.streams and time.monotonic() < deadline:
        time.sleep(0.02)
    assert clamd.streams
    spool = proxy.folder / "spool"
    holding = [path for path in spool.rglob("*") if path.is_file() and SECRET in path.read_bytes()]
    assert holding == []
    assert not [path for path in (spool, *spool.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    clamd.hold.set()
    assert body(wire.answer(b"a", 20)) == plain(SECRET)


def test_T_A08_helpers_are_bounded(lab: Lab) -> None:
    """What works on a mail has no socket of IMAP, and cannot grow without end."""
    opened(lab, [clean(1)]).ok(b"FETCH 1 BODY.PEEK[]")
    proxy = lab.proxy(**BLOCKING.config())
    limits = [Path(f"/proc/{pid}/limits").read_text() for pid in children(proxy.pid)]
    bounded = [not re.search(r"Max address space +unlimited", text_of) for text_of in limits]
    assert any(bounded), "no process has a limit of its address space"
