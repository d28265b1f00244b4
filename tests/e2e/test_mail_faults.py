"""Faults of the processes that make mails, at the worst moment: no raw octet is shown, others go on, the log says it.

What these processes do among themselves is in test_proc_mail.py; scanners are in test_mail_rows_scanner.py.
"""

from __future__ import annotations

import bz2
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.e2e import family
from tests.e2e.carriers import HEAD, carrier, leaf, multipart, text
from tests.e2e.lab import PASSWORD, Lab
from tests.e2e.mailproxy import BLOCKING, NORMAL_LOG, Processing
from tests.e2e.mailrows import SECRET, body, clean, faced, is_replacement, plain, unavailable
from tests.e2e.mailserver import MailServer
from tests.e2e.parts import need
from tests.e2e.proxy import Proxy
from tests.e2e.saw import Saw
from tests.e2e.wire import Wire

HEAVY = HEAD + b"Subject: heavy\r\n" + multipart(text(SECRET + b"\r\n"), leaf(b"attachment" * 3_000_000, b"x.bin"))
"""A helper is at it for much longer than it takes to stop it."""
LIGHT = plain(b"light")
PACKED = bz2.compress(random.Random(4).randbytes(5_000_000).hex().encode())
SLOW = HEAD + b"Subject: slow\r\n" + multipart(text(SECRET + b"\r\n"), *[leaf(PACKED, b"x.bz2")] * 4)
"""Seconds of processor time, twice as many as the test below permits."""
WHOLE = replace(
    BLOCKING,
    sections=BLOCKING.sections.replace("builtin;", "builtin; max-checked-size 100M;", 1),
    more=NORMAL_LOG,
)
PASSING = replace(WHOLE, download=WHOLE.download + " on-unavailable pass;")


class Scene:
    """A session on a proxy of its own, that asks for the heavy mail so that a helper stops at it; and another one."""

    def __init__(self, lab: Lab, processing: Processing = WHOLE) -> None:
        self.lab = lab
        self.server = MailServer([HEAVY, LIGHT, SLOW])
        self.server.patience_s = 240.0
        self.wire = faced(lab, self.server, processing)
        self.config = processing.config() | {"plug": (lab.fake.address,)}
        self.proxy: Proxy = lab.proxy(**self.config)
        self.other = self.session(b"ann")

    def session(self, user: bytes) -> Wire:
        wire = self.lab.keep(self.proxy.wire()).greet()
        wire.wait_s = 20.0
        wire.ok(b"LOGIN %s %s" % (user, PASSWORD))
        wire.ok(b"SELECT INBOX")
        return wire

    def asked(self, uid: int = 1) -> psutil.Process:
        """The helper that has the mail."""
        self.others_go_on()  # there is a zygote now
        self.wire.send(b"a UID FETCH %d (BODY.PEEK[] RFC822.SIZE)\r\n" % uid)
        return family.at_work(self.proxy)

    def others_go_on(self) -> None:
        assert body(self.other.ok(b"UID FETCH 2 BODY.PEEK[]")) == LIGHT

    def log(self, *patterns: str) -> list[str]:
        return [line for pattern in patterns for line in self.lab.log(pattern, **self.config)]

    def refused(self, saw: Saw, *patterns: str, uid: int = 1) -> None:
        """The mail is not shown, the log says why, and next time it is there."""
        reply = unavailable(clean(self.wire.answer(b"a", 20)))
        saw.client(reply)
        saw.log(*self.log(*patterns, r"IMAP-706-I MAIL .* RESULT=REFUSED .*"))
        self.others_go_on()
        assert body(self.wire.ok(b"UID FETCH %d BODY.PEEK[]" % uid, 60)) == self.server.mails[uid]

    def close(self) -> None:
        """Its processes were killed: they are no other test's."""
        self.lab.forget(**self.config)


Scenes = Callable[..., Scene]


@pytest.fixture
def scene(lab: Lab) -> Iterator[Scenes]:
    """Gives a scene."""
    made: list[Scene] = []

    def make(processing: Processing = WHOLE) -> Scene:
        made.append(Scene(lab, processing))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("processing", [WHOLE, PASSING], ids=["error", "pass"])
def test_helper_killed(scene: Scenes, saw: Saw, processing: Processing) -> None:
    """Its mail is not shown, whatever `on-unavailable` says of scanners; no other mail waits for it."""
    at = scene(processing)
    helper = at.asked()
    at.others_go_on()
    helper.kill()
    at.refused(saw, r"TCPS-751-E Helper with PID \d+ died: .*")


def test_helper_killed_at_an_upload(scene: Scenes, saw: Saw) -> None:
    at = scene()
    at.wire.send(b"a APPEND INBOX {%d+}\r\n%s\r\n" % (len(HEAVY), HEAVY))
    family.at_work(at.proxy).kill()
    reply = unavailable(at.wire.answer(b"a", 20))
    saw.client(reply)
    saw.log(*at.log(r"TCPS-751-E .*", r"IMAP-706-I MAIL DIRECTION=OUT .* RESULT=REFUSED .*"))
    assert at.server.appended == []
    assert at.wire.append(b"INBOX", HEAVY).status == "OK"
    assert at.server.appended == [HEAVY]


def _limited(helper: psutil.Process, option: str) -> None:
    """By prlimit(1), as the helper's own user: that needs no privilege."""
    uids = helper.uids()
    who = {} if os.geteuid() else {"user": uids.real, "group": helper.gids().real, "extra_groups": []}
    subprocess.run([need("prlimit"), "--pid", str(helper.pid), option], check=True, **who)  # type: ignore[call-overload]


LIMITS = {"time": (3, "--cpu=1:"), "memory": (1, "--as=1000000:"), "room": (1, "--fsize=1:")}


@pytest.mark.parametrize("limit", LIMITS)
def test_helper_over_a_limit(scene: Scenes, saw: Saw, limit: str) -> None:
    """The kernel's limits of a mail, drawn in while a helper is at one: as a mail that eats more than it may."""
    at = scene()
    uid, option = LIMITS[limit]
    helper = at.asked(uid)
    _limited(helper, option)
    helper.resume()
    at.refused(saw, r"TCPS-752-W Helper with PID \d+ ended over a limit: .*", uid=uid)


@pytest.mark.timeout(240)
def test_helper_that_hangs(scene: Scenes, saw: Saw) -> None:
    """A helper that is stopped is killed when its mail's time is over; the client is kept awake all the while."""
    at = scene()
    at.others_go_on()
    for helper in family.helpers(at.proxy):
        helper.suspend()
    at.wire.send(b"a UID FETCH 2 BODY.PEEK[TEXT]\r\n")
    reply = unavailable(clean(at.wire.answer(b"a", 200)))
    awake = [unit for unit in reply.untagged if unit.startswith(b"* OK ")]
    assert awake
    saw.client(awake[0])
    saw.client(reply)
    saw.log(*at.log(r"TCPS-752-W Helper with PID \d+ ended over a limit: .*", r"IMAP-706-I MAIL .* RESULT=REFUSED .*"))
    assert body(at.wire.ok(b"UID FETCH 2 BODY.PEEK[]", 60)) == LIGHT


def test_zygote_killed(scene: Scenes, saw: Saw) -> None:
    """All mails of the worker that are being made are lost with it; another one comes."""
    at = scene()
    helper, zygote = at.asked(), family.zygote(at.proxy)
    zygote.kill()
    assert family.gone(zygote, helper)
    at.refused(saw, r"TCPS-754-E .*")


def test_nursery_killed(scene: Scenes, saw: Saw) -> None:
    """Nobody's mail is lost."""
    at = scene()
    helper, nursery = at.asked(), family.nursery(at.proxy)
    nursery.kill()
    assert family.gone(nursery)
    helper.resume()
    reply = at.wire.answer(b"a", 60)
    assert body(reply) == HEAVY
    saw.client(reply)
    saw.log(*at.log(r"TCPS-755-E .*"))
    at.others_go_on()


def test_worker_killed(scene: Scenes, saw: Saw) -> None:
    """Its sessions end, nothing of the mail is shown; the next worker has all of the spool's room."""
    processing = replace(WHOLE, proxy=f"spool-max {len(HEAVY) * 5 // 2 >> 20}M;")
    at = scene(processing)
    helper, worker = at.asked(), family.worker(at.proxy)
    worker.kill()
    rest = clean_bytes(at.wire.rest(20))
    saw.client(rest or "the connection closed")
    assert b"a OK" not in rest
    saw.log(*at.log(r"TCPS-733-E .*", r"TCPS-734-W .*"))
    assert family.gone(worker, helper)
    at.wire = at.session(b"joe")
    assert body(at.wire.ok(b"UID FETCH 1 BODY.PEEK[]", 60)) == HEAVY


def clean_bytes(data: bytes) -> bytes:
    assert SECRET not in data
    return data


def test_master_killed(lab: Lab, saw: Saw, tmp_path: Path) -> None:
    """All that it started ends with it, and nothing of the mail is shown; started again, nothing was lost."""
    processing = replace(WHOLE, spool=str(private(tmp_path / "spool")))
    at = Scene(lab, processing)
    at.asked()
    family_members = family.below(at.proxy)
    os.kill(at.proxy.pid, signal.SIGKILL)
    rest = clean_bytes(at.wire.rest(20))
    saw.client(at.wire.last)
    assert b"a OK" not in rest
    at.proxy.process.wait(20)
    assert family.gone(*family_members)
    lab.bury(**at.config)
    asked = at.server.fetched.count(2)
    at.proxy = lab.proxy(**at.config)
    at.wire = at.session(b"joe")
    saw.log(lab.began(r"SPOL-601-K SPOOL MAILS=1 .*", **at.config))
    assert body(at.wire.ok(b"UID FETCH 1 BODY.PEEK[]", 60)) == HEAVY
    at.other = at.session(b"ann")
    at.others_go_on()
    assert at.server.fetched.count(2) == asked, "it was kept"
    at.close()


def private(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder


def test_other_workers_go_on(lab: Lab, saw: Saw) -> None:
    """A session of another worker reads on while one is killed."""
    processing = replace(BLOCKING, more={"tcpserver": "workers 2;"})
    config = processing.config() | {"plug": (lab.fake.address,)}
    server = MailServer([carrier("zip"), LIGHT])
    first = faced(lab, server, processing)
    proxy = lab.proxy(**config)
    wires = [first]
    while not (others := [wire for wire in wires if _worker_of(proxy, wire) != _worker_of(proxy, first)]):
        assert len(wires) < 60
        wire = lab.keep(proxy.wire()).greet()
        wire.ok(b"LOGIN ann %s" % PASSWORD)
        wire.ok(b"SELECT INBOX")
        wires.append(wire)
    psutil.Process(_worker_of(proxy, first)).kill()
    assert first.rest(20) == b""
    saw.client("the connection closed; a session of the other worker read on")
    assert body(others[0].ok(b"UID FETCH 2 BODY.PEEK[]")) == LIGHT
    assert is_replacement(body(clean(others[0].ok(b"UID FETCH 1 BODY.PEEK[]"))), carrier("zip"))
    saw.log(*lab.log(r"TCPS-733-E .*", **config))


def _worker_of(proxy: Proxy, wire: Wire) -> int:
    """Who has the other end of a connection."""
    for process in psutil.Process(proxy.pid).children():
        if any(found.raddr and found.raddr.port == wire.port for found in process.net_connections("tcp")):
            return process.pid
    raise AssertionError("nobody has this connection")
