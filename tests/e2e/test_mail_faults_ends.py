"""Servers and clients that go away or fall silent in the midst of a mail: no half of one is shown, sent or kept."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import psutil
import pytest

from tests.e2e import family
from tests.e2e.carriers import clean
from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeclamd import FakeClamd
from tests.e2e.lab import PASSWORD, Lab
from tests.e2e.mailproxy import BLOCKING, NORMAL_LOG, Processing
from tests.e2e.mailrows import SECRET, body, faced, opened, plain
from tests.e2e.mailserver import Last, MailServer, Request
from tests.e2e.proxy import Proxy, children
from tests.e2e.saw import Saw
from tests.e2e.test_mail_faults_scanner import by_clamd
from tests.e2e.wire import Wire

SMALL = plain(SECRET)
LARGE = clean(1, 3_000_000)
QUIET = replace(BLOCKING, more=NORMAL_LOG)
WAIT_S = 20.0


class Scene:
    """A session on a scripted server that does as a test says, once."""

    def __init__(self, lab: Lab, saw: Saw, mails: list[bytes], processing: Processing = QUIET) -> None:
        self.lab = lab
        self.saw = saw
        self.config = processing.config() | {"plug": (lab.fake.address,)}
        self.lie: Callable[[Request], bytes | None] = lambda _: None
        self.server = MailServer(mails, lambda request: self.lie(request))
        self.wire: Wire = faced(lab, self.server, processing)
        self.wire.wait_s = 30.0

    @property
    def proxy(self) -> Proxy:
        return self.lab.proxy(**self.config)

    def session(self, user: bytes = b"joe") -> Wire:
        wire = self.lab.keep(self.proxy.wire()).greet()
        wire.wait_s = 30.0
        wire.ok(b"LOGIN %s %s" % (user, PASSWORD))
        wire.ok(b"SELECT INBOX")
        return wire

    def ended(self, *patterns: str) -> None:
        """The session is over without an answer, and nothing of the mail was shown."""
        data = self.wire.rest(30)
        assert b"a OK" not in data
        assert b"BODY[]" not in data
        assert SECRET not in data
        self.saw.client(self.wire.last)
        for pattern in (*patterns, r"IMAP-702-I SESSION-END .* FAILED .*"):
            self.saw.log(*self.lab.log(pattern, **self.config))

    def whole(self) -> None:
        """A new session has the mails, and sends them."""
        self.lie = lambda _: None
        wire = self.session()
        for uid, mail in self.server.mails.items():
            assert body(wire.ok(b"UID FETCH %d BODY.PEEK[]" % uid)) == mail
        before = list(self.server.appended)
        assert wire.append(b"INBOX", LARGE).status == "OK"
        assert self.server.appended == [*before, LARGE]

    def held(self) -> list[str]:
        """Connections of sessions and files of mails that are open."""
        ends = {self.proxy.address[1], self.lab.fake.address[1]}
        return [text for pid in children(self.proxy.pid) for text in (*_files(pid), *_connections(pid, ends))]


def _files(pid: int) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError):  # it has ended
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                link = os.readlink(f"/proc/{pid}/fd/{name}")
                if "/objects/" in link or "memfd:mail" in link:
                    yield link


def _connections(pid: int, ports: set[int]) -> Iterator[str]:
    with contextlib.suppress(psutil.NoSuchProcess):
        for end in psutil.Process(pid).net_connections("tcp"):
            if end.raddr and {end.laddr.port, end.raddr.port} & ports:
                yield f"{end.laddr} {end.raddr}"


def until(ready: Callable[[], object], what: Callable[[], object] = lambda: "") -> None:
    limit = time.monotonic() + WAIT_S
    while not ready():
        assert time.monotonic() < limit, what()
        time.sleep(0.01)


def cut(share: float, end: type[bytes] = Last) -> Callable[[Request], bytes | None]:
    """The answer with a mail, broken off: after this share of the literal."""

    def lie(request: Request) -> bytes | None:
        if not request.wants_mail:
            return None
        mail = SMALL if request.uids == [1] else LARGE
        head = b"* %d FETCH (UID %d BODY[] {%d}\r\n" % (request.uids[0], request.uids[0], len(mail))
        return end(head + mail[: int(len(mail) * share)])

    return lie


# The server


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("uid", [1, 2], ids=["small", "large"])
def test_server_closes_in_mid_literal(lab: Lab, saw: Saw, uid: int, share: float) -> None:
    """At its begin, in its middle, behind its last octet."""
    at = Scene(lab, saw, [SMALL, LARGE])
    at.lie = cut(share)
    at.wire.send(b"a UID FETCH %d (BODY.PEEK[] RFC822.SIZE)\r\n" % uid)
    at.ended()
    at.whole()


def test_server_silent_in_mid_literal(lab: Lab, saw: Saw) -> None:
    """Above `recv-timeout` of `server-conn`."""
    at = Scene(lab, saw, [SMALL, LARGE], replace(QUIET, proxy="server-conn { recv-timeout 1; }"))
    at.lie = cut(0.5, bytes)
    at.wire.send(b"a UID FETCH 2 BODY.PEEK[]\r\n")
    at.ended()
    at.lie = lambda _: None


def test_server_closes_before_the_end_of_its_answer(lab: Lab, saw: Saw) -> None:
    """The mail is there, the OK is not."""
    at = Scene(lab, saw, [SMALL])
    at.lie = lambda request: (
        Last(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n" % (len(SMALL), SMALL)) if request.wants_mail else None
    )
    at.wire.send(b"a UID FETCH 1 BODY.PEEK[]\r\n")
    at.ended()
    at.whole()


@pytest.mark.parametrize("says", [b"", b"* BYE going down\r\n", b"TAG NO [LIMIT] too much\r\n"], ids=["", "bye", "no"])
def test_server_goes_at_an_upload(lab: Lab, saw: Saw, says: bytes) -> None:
    """When it has all of the mail; what it did with it nobody knows, and nobody says OK."""
    at = Scene(lab, saw, [SMALL])
    at.lie = lambda request: Last(says) if request.word == b"APPEND" else None
    at.wire.send(b"a APPEND INBOX {%d+}\r\n%s\r\n" % (len(LARGE), LARGE))
    data = at.wire.rest(30)
    assert b"a OK" not in data
    assert (b"a NO [LIMIT] too much" in data) == says.startswith(b"TAG")
    saw.client(data)
    saw.log(*lab.log(r"IMAP-706-I MAIL DIRECTION=OUT .*", **at.config))
    saw.log(*lab.log(r"IMAP-702-I SESSION-END .* REASON=.*", **at.config))
    at.whole()


def test_dovecot_killed(lab: Lab, saw: Saw, dovecot: Dovecot) -> None:
    """The process of a real Dovecot that serves the session, stopped at a FETCH and then kill -9."""
    config = QUIET.config()
    wire = opened(lab, [SMALL], QUIET)
    server = _imap_process(dovecot, lab)
    server.suspend()
    wire.send(b"a UID FETCH 1 BODY.PEEK[]\r\n")
    lab.wait_out(b"FETCH 1")
    server.kill()
    data = wire.rest(30)
    assert b"a OK" not in data
    assert SECRET not in data
    saw.client(wire.last)
    saw.log(*lab.log(r"IMAP-702-I SESSION-END .* FAILED .*", **config))
    assert body(opened(lab, [SMALL], QUIET).ok(b"UID FETCH 1 BODY.PEEK[]")) == SMALL


def _imap_process(dovecot: Dovecot, lab: Lab) -> psutil.Process:
    """Who serves the last connection of the tap."""
    port = lab.tap.recordings[-1].port
    for process in psutil.Process(dovecot.pid).children(recursive=True):
        ends = process.net_connections("tcp") if process.name() == "imap" else []
        if any(end.raddr and end.raddr.port == port for end in ends):
            return process
    raise AssertionError("nobody serves it")


# The client


@pytest.fixture
def clamd() -> Iterator[FakeClamd]:
    daemon = FakeClamd()
    yield daemon
    daemon.close()


def vanishes(at: Scene) -> None:
    """The client is gone, and with it its connections and the files of its mails; others have theirs."""
    assert at.held()
    at.wire.vanish()
    until(lambda: not at.held(), at.held)
    at.saw.client("(gone; no file and no connection stays)")
    at.saw.log(at.lab.log(r"IMAP-702-I SESSION-END .* USER=\"?joe.*", **at.config)[-1])


def test_client_that_logs_out(lab: Lab, saw: Saw) -> None:
    """No fault: what the others are held against."""
    at = Scene(lab, saw, [SMALL, LARGE])
    for uid in (1, 2, 1):
        assert body(at.wire.ok(b"UID FETCH %d BODY.PEEK[]" % uid)) == at.server.mails[uid]
    assert at.wire.append(b"INBOX", LARGE).status == "OK"
    at.wire.ok(b"LOGOUT")
    at.wire.rest()
    until(lambda: not at.held(), at.held)
    saw.client("(logged out; no file and no connection stays)")


def test_client_goes_in_mid_literal_of_the_server(lab: Lab, saw: Saw) -> None:
    at = Scene(lab, saw, [SMALL, LARGE])
    at.lie = cut(0.5, bytes)
    at.wire.send(b"a UID FETCH 2 BODY.PEEK[]\r\n")
    until(lambda: at.server.fetched)
    vanishes(at)
    at.whole()


def test_client_goes_while_a_mail_is_scanned(lab: Lab, saw: Saw, clamd: FakeClamd) -> None:
    """The engine is not waited for."""
    clamd.hold.clear()
    at = Scene(lab, saw, [SMALL, LARGE], by_clamd(clamd.address, "timeout 60;"))
    at.wire.send(b"a UID FETCH 2 BODY.PEEK[]\r\n")
    until(clamd.begun.is_set)
    vanishes(at)
    clamd.hold.set()
    at.whole()


def test_client_goes_while_a_helper_works(lab: Lab, saw: Saw) -> None:
    """The helper is stopped, so that it does not come to an end."""
    at = Scene(lab, saw, [SMALL, LARGE])
    assert body(at.wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == SMALL
    helpers = family.helpers(at.proxy)
    for helper in helpers:
        helper.suspend()
    at.wire.send(b"a UID FETCH 2 BODY.PEEK[]\r\n")
    until(lambda: 2 in at.server.fetched)
    vanishes(at)
    for helper in helpers:
        with contextlib.suppress(psutil.NoSuchProcess):
            helper.resume()
    at.whole()


def test_client_goes_in_the_midst_of_an_answer(lab: Lab, saw: Saw) -> None:
    """It has read a part of the mail."""
    at = Scene(lab, saw, [SMALL, clean(1, 20_000_000)])
    at.wire.ok(b"LOGOUT")
    at.wire = lab.keep(Wire(at.proxy.address, rcvbuf=65536)).greet()
    at.wire.ok(b"LOGIN joe %s" % PASSWORD)
    at.wire.ok(b"SELECT INBOX")
    at.wire.send(b"a UID FETCH 2 BODY.PEEK[]\r\n")
    at.wire.take(300_000, WAIT_S)
    vanishes(at)
    at.whole()


@pytest.mark.parametrize("plus", [b"", b"+"], ids=["waits", "at-once"])
def test_client_goes_in_mid_upload(lab: Lab, saw: Saw, plus: bytes) -> None:
    """Half of the literal came: the server hears nothing of it."""
    at = Scene(lab, saw, [SMALL])
    at.wire.send(b"a APPEND INBOX {%d%s}\r\n" % (len(LARGE), plus))
    if not plus:
        assert at.wire.unit().startswith(b"+")
    at.wire.send(LARGE[: len(LARGE) // 2])
    vanishes(at)
    assert not [request for request in at.server.requests if request.word == b"APPEND"]
    at.whole()
