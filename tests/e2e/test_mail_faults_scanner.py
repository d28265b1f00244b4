"""Faults of scanners: no mail is shown that nobody looked at, the log says why, and when they are over all is there."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import psutil
import pytest

from tests.e2e.carriers import EICAR, clean
from tests.e2e.dovecot import free_port
from tests.e2e.engines import Clamd, Spamd
from tests.e2e.fakeclamd import FakeClamd, honest
from tests.e2e.lab import PASSWORD, Lab
from tests.e2e.mailproxy import NORMAL_LOG, Processing
from tests.e2e.mailrows import SECRET, body, faced, is_replacement, plain, unavailable
from tests.e2e.mailrows import clean as no_trace
from tests.e2e.mailserver import MailServer
from tests.e2e.proxy import socket_text
from tests.e2e.saw import Saw
from tests.e2e.wire import Address, Wire

BY_CLAMD = "antivirus AV {{ connection clamav-net {address}; {items} }}\n"
BY_SPAMD = "antispam AS {{ connection spamd {address}; {items} }}\n"
DECIDE = "mail-acl CLEAN { virus free; accept; } doc-acl ALL { accept; }"
BREAKER = "timeout 2; breaker 2 1;"
LARGE = clean(3, 8_000_000)


def by_clamd(address: Address, items: str = BREAKER) -> Processing:
    """The policy that lets pass what this engine says is free."""
    uses = "use-antivirus enable AV;"
    sections = BY_CLAMD.format(address=socket_text(address), items=items)
    return Processing(sections=sections, download=uses, upload=uses, decide=DECIDE, more=NORMAL_LOG)


def by_spamd(address: Address) -> Processing:
    uses = "use-antispam enable AS;"
    sections = BY_SPAMD.format(address=socket_text(address), items=BREAKER)
    return Processing(sections=sections, download=uses, upload=uses, more=NORMAL_LOG)


class Scene:
    """A session on a scripted server with one mail, and what it sees while the engine fails."""

    def __init__(self, lab: Lab, saw: Saw, processing: Processing, mail: bytes = b"") -> None:
        self.lab = lab
        self.saw = saw
        self.mail = mail or plain(SECRET)
        self.server = MailServer([self.mail])
        self.config = processing.config() | {"plug": (lab.fake.address,)}
        self.wire: Wire = faced(lab, self.server, processing)

    def session(self, user: bytes) -> Wire:
        wire = self.lab.keep(self.lab.proxy(**self.config).wire()).greet()
        wire.ok(b"LOGIN %s %s" % (user, PASSWORD))
        wire.ok(b"SELECT INBOX")
        return wire

    def refused(self, *patterns: str) -> None:
        """Neither shown nor sent on; the log has such lines."""
        reply = unavailable(no_trace(self.wire.command(b"UID FETCH 1 (BODY.PEEK[] RFC822.SIZE)", 60)))
        self.saw.client(reply)
        upload = self.wire.append(b"INBOX", self.mail)
        assert upload.tagged.startswith(b"NO [UNAVAILABLE]"), upload
        assert self.server.appended == []
        for pattern in (*patterns, r"IMAP-762-W MAIL-DENIED .* REASON=UNAVAILABLE .*"):
            self.saw.log(*self.lab.log(pattern, **self.config))

    def well_again(self) -> None:
        """The mail is shown and sent on, as soon as the engine is asked again."""
        until = time.monotonic() + 20
        while (reply := self.wire.command(b"UID FETCH 1 BODY.PEEK[]", 60)).status != "OK":
            unavailable(reply)
            assert time.monotonic() < until, reply
        assert body(reply) == self.mail
        assert self.wire.append(b"INBOX", self.mail).status == "OK"
        assert self.server.appended == [self.mail]


def wait_for(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def clamd() -> Iterator[FakeClamd]:
    daemon = FakeClamd()
    yield daemon
    daemon.close()


def test_scanner_down(lab: Lab, saw: Saw) -> None:
    """Nobody listens there; later somebody does."""
    address = ("127.0.0.1", free_port())
    at = Scene(lab, saw, by_clamd(address))
    at.refused(r"MAVI-711-E .*", r"MAVI-712-E .*")
    daemon = FakeClamd(port=address[1])
    at.well_again()
    saw.log(*lab.log(r"MAVI-713-N .*", **at.config))
    daemon.close()


def test_scanner_slow(lab: Lab, saw: Saw, clamd: FakeClamd) -> None:
    """It takes the mail and says nothing."""
    clamd.hold.clear()
    at = Scene(lab, saw, by_clamd(clamd.address))
    at.refused(r"MAVI-711-E .*")
    clamd.hold.set()
    at.well_again()


def test_scanner_closes_in_mid_stream(lab: Lab, saw: Saw, clamd: FakeClamd) -> None:
    """It takes a part of the mail and closes the connection."""
    clamd.taken, clamd.answer = 100_000, lambda _: None
    at = Scene(lab, saw, by_clamd(clamd.address), LARGE)
    at.refused(r"MAVI-711-E .*")
    clamd.taken, clamd.answer = None, honest
    at.well_again()


LIES: dict[str, bytes] = {
    "nonsense": b"\x00\xff\x00what?",
    "another number": b"9: stream: OK",
    "http": b"HTTP/1.1 200 OK\r\n\r\n",
    "very long": b"stream: " + b"x" * 1_000_000 + b" OK",
}


@pytest.mark.parametrize("lie", LIES)
def test_scanner_answers_nonsense(lab: Lab, saw: Saw, clamd: FakeClamd, lie: str) -> None:
    clamd.answer = lambda _: LIES[lie]
    at = Scene(lab, saw, by_clamd(clamd.address))
    at.refused(r"MAVI-710-C .*")
    clamd.answer = honest
    at.well_again()


def test_scanner_says_free_before_the_end(lab: Lab, saw: Saw, clamd: FakeClamd) -> None:
    """It has had a part of the mail when it says OK: that is not for the whole."""
    clamd.taken, clamd.answer = 100_000, lambda _: b"stream: OK"
    at = Scene(lab, saw, by_clamd(clamd.address), LARGE)
    at.refused(r"MAVI-71[01]-[CE] .*")
    clamd.taken, clamd.answer = None, honest
    at.well_again()


def test_scanner_takes_less_than_the_mail(lab: Lab, saw: Saw, clamd: FakeClamd) -> None:
    """Above max-checked-size the engine is not asked: a mail says so in place of the one that came."""
    at = Scene(lab, saw, by_clamd(clamd.address, "max-checked-size 1000;"), clean(7, 50_000))
    reply = at.wire.ok(b"UID FETCH 1 BODY.PEEK[]")
    assert is_replacement(body(reply), at.mail)
    saw.client("a mail that says why, and " + reply.tagged.decode())
    assert at.wire.append(b"INBOX", at.mail).status == "NO"
    saw.log(*lab.log(r"IMAP-762-W MAIL-DENIED .* REASON=SKIPPED .*", **at.config))
    assert (clamd.streams, at.server.appended) == ([], [])


@pytest.mark.parametrize("way", ["replace", "pass"])
def test_scanner_down_and_the_operator_wants_otherwise(lab: Lab, saw: Saw, way: str) -> None:
    """`on-unavailable`: a mail that says why, or the mail as it came."""
    processing = by_clamd(("127.0.0.1", free_port()))
    processing = replace(processing, download=f"{processing.download} on-unavailable {way};")
    if way == "pass":
        processing = replace(processing, decide="mail-acl ALL { accept; } doc-acl ALL { accept; }")
    at = Scene(lab, saw, processing)
    reply = at.wire.ok(b"UID FETCH 1 BODY.PEEK[]")
    if way == "pass":
        assert body(reply) == at.mail
    else:
        assert is_replacement(body(no_trace(reply)), at.mail)
    saw.client(f"{'a mail that says why' if way == 'replace' else 'the mail'}, and {reply.tagged.decode()}")
    saw.log(*lab.log(r"MAVI-711-E .*", **at.config), *lab.log(r"IMAP-706-I MAIL DIRECTION=IN .*", **at.config))


def test_clamd_killed(lab: Lab, saw: Saw) -> None:
    """A real clamd, kill -9 between two mails, then started again; what it finds is found again."""
    daemon = Clamd()
    try:
        at = Scene(lab, saw, by_clamd(daemon.address))
        at.server.mails[2] = plain(EICAR, b"infected")
        at.wire.ok(b"SELECT INBOX")
        assert is_replacement(body(no_trace(at.wire.ok(b"UID FETCH 2 BODY.PEEK[]", 60))), at.server.mails[2])
        daemon.stop(signal.SIGKILL)
        at.refused(r"MAVI-711-E .*", r"MAVI-712-E .*")
        daemon.begin()
        at.well_again()
        at.server.mails[3] = plain(EICAR, b"infected too")
        at.wire.ok(b"SELECT INBOX")
        assert is_replacement(body(no_trace(at.wire.ok(b"UID FETCH 3 BODY.PEEK[]", 60))), at.server.mails[3])
    finally:
        daemon.close()


def test_clamd_killed_in_mid_stream(lab: Lab, saw: Saw) -> None:
    """A real clamd is stopped, so that a mail lies half with it, and then killed."""
    daemon = Clamd()
    try:
        at = Scene(lab, saw, by_clamd(daemon.address, "timeout 60; breaker 2 1;"), clean(5, 700_000))
        psutil.Process(daemon.pid).suspend()
        at.wire.send(b"a UID FETCH 1 BODY.PEEK[]\r\n")
        wait_for(lambda: daemon.unread() > 10_000)
        daemon.stop(signal.SIGKILL)
        saw.client(unavailable(at.wire.answer(b"a", 60)))
        saw.log(*lab.log(r"MAVI-711-E .*", **at.config))
        daemon.begin()
        at.well_again()
    finally:
        daemon.close()


def test_antispam_down(lab: Lab, saw: Saw) -> None:
    """Nobody listens where a score is to be had: as with a virus scanner."""
    at = Scene(lab, saw, by_spamd(("127.0.0.1", free_port())))
    at.refused(r"MSPA-711-E .*", r"MSPA-712-E .*")


def test_spamd_killed(lab: Lab, saw: Saw) -> None:
    """A real spamd, kill -9 and started again."""
    daemon = Spamd()
    try:
        at = Scene(lab, saw, by_spamd(daemon.address))
        daemon.stop(signal.SIGKILL)
        at.refused(r"MSPA-711-E .*")
        daemon.begin()
        at.well_again()
    finally:
        daemon.close()


def test_others_go_on_while_one_scan_hangs(lab: Lab, saw: Saw, clamd: FakeClamd) -> None:
    """One mail of which the engine says nothing; other mails come meanwhile."""
    over = threading.Event()
    clamd.answer = lambda octets: honest(octets) if SECRET not in octets or over.wait(60) else None
    at = Scene(lab, saw, by_clamd(clamd.address, "timeout 60;"))
    at.server.mails[2] = plain(b"of another")
    second = at.session(b"ann")
    at.wire.send(b"a UID FETCH 1 BODY.PEEK[]\r\n")
    wait_for(clamd.begun.is_set)
    assert body(second.ok(b"UID FETCH 2 BODY.PEEK[]")) == at.server.mails[2]
    over.set()
    assert body(at.wire.answer(b"a", 60)) == at.mail
    saw.client("both mails")
