"""Workers, helpers and masters killed at whatever moment: a client never gets a half-written or a foreign mail.

Each mail is processed into another one, so that one as it came would show; what a client may see of each was seen once,
undisturbed. Moments are answers that the client has got, not times.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.e2e import family
from tests.e2e.carriers import EICAR, HEAD, clean, leaf, multipart, text
from tests.e2e.imapanswers import all_fetched, fetched
from tests.e2e.lab import PASSWORD, Lab
from tests.e2e.mailproxy import NORMAL_LOG, Processing
from tests.e2e.mailrows import faced
from tests.e2e.mailserver import MailServer
from tests.e2e.proxy import Proxy
from tests.e2e.saw import Saw
from tests.e2e.wire import Reply, Wire, WireError

SIZES = (300, 200_000, 20_000, 1_000_000, 5_000, 400_000)
"""In memory and in files, with read-ahead and without."""
ASKED = b"UID FETCH 1:* (RFC822.SIZE BODY.PEEK[])\r\n"
ROUNDS = 6
TELLING = re.compile(r"TCPS-7(33|51|54)-E|SPOL-601-K")


def mails() -> list[bytes]:
    """Each with a virus to be taken out and a number that no other has."""
    return [
        HEAD + b"Subject: number %d\r\n" % number + multipart(text(clean(number, size)), leaf(EICAR))
        for number, size in enumerate(SIZES, 1)
    ]


DECIDE = (
    'mail-acl ALL { accept; subject-prefix "[SEEN] "; } '
    "doc-acl VIRUS { virus found; accept; remove; } doc-acl REST { accept; }"
)


class Bench:
    """One spool, a proxy on it that is killed and comes back, and what its clients must see."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.lab = lab
        processing = Processing(decide=DECIDE, spool=str(folder), more=NORMAL_LOG)
        self.config = processing.config() | {"plug": (lab.fake.address,)}
        self.server = MailServer(mails())
        self.server.by_user = {b"u%d" % number: self.server.mails for number in range(100)}
        self.users = 0
        wire = faced(lab, self.server, processing, b"u0")
        self.right = {one.uid: one.octets("BODY[]") for one in all_fetched(_asked(wire))}
        assert sorted(self.right) == list(range(1, len(SIZES) + 1))
        assert not [number for number, mail in self.right.items() if b"[SEEN] number %d\r\n" % number not in mail]

    @property
    def proxy(self) -> Proxy:
        return self.lab.proxy(**self.config)

    def session(self, *, new: bool) -> Wire:
        """Of a user whose mails were never asked for, or of the one before."""
        self.users += new
        wire = self.lab.keep(self.proxy.wire()).greet()
        wire.wait_s = 30.0
        wire.ok(b"LOGIN u%d %s" % (self.users, PASSWORD))
        wire.ok(b"SELECT INBOX")
        return wire

    def look(self, units: list[bytes]) -> int:
        """Each mail that was shown is the right one, whole; how many there are."""
        shown = [fetched(unit) for unit in units if b"BODY[]" in unit[:200]]
        for one in shown:
            assert one.octets("BODY[]") == self.right[one.uid]
            assert one.integer("RFC822.SIZE") == len(self.right[one.uid])
        return len(shown)

    def look_at_cut(self, begun: bytes) -> None:
        """So is what came of one, if it was no line of a response that broke off, or what stands behind a literal."""
        assert begun.startswith((b"*", b")")) or any(mail.startswith(begun) for mail in self.right.values())


def _asked(wire: Wire) -> Reply:
    wire.send(b"a " + ASKED)
    reply = wire.answer(b"a", 60)
    assert reply.status == "OK", reply.tagged
    return reply


def _until_cut(wire: Wire) -> tuple[list[bytes], bytes]:
    """The whole responses before the answer or before the connection broke off, and what came of the next literal."""
    units: list[bytes] = []
    try:
        while not (unit := wire.unit(60)).startswith(b"a "):
            units.append(unit)
    except (WireError, OSError):
        return units, wire.rest(20)
    return units, b""


def _kill_a_worker(bench: Bench) -> None:
    family.worker(bench.proxy).kill()


def _kill_helpers(bench: Bench) -> None:
    """Until they are dead: what they are given while they die is lost, too."""
    helpers = family.helpers(bench.proxy)
    for helper in helpers:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has been renewed, or its zygote is not there yet
            helper.kill()
    assert family.gone(*helpers)


def _kill_the_zygote(bench: Bench) -> None:
    """And wait until it and its helpers are dead."""
    zygote = family.zygote(bench.proxy)
    helpers = zygote.children()
    zygote.kill()
    assert family.gone(zygote, *helpers)


def _kill_the_master(bench: Bench) -> None:
    """It comes back with the next session, on the same spool."""
    members = family.below(bench.proxy)
    os.kill(bench.proxy.pid, signal.SIGKILL)
    bench.proxy.process.wait(20)
    assert family.gone(*members)
    bench.lab.bury(**bench.config)


VICTIMS: dict[str, Callable[[Bench], None]] = {
    "worker": _kill_a_worker,
    "helpers": _kill_helpers,
    "zygote": _kill_the_zygote,
    "master": _kill_the_master,
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_at_any_moment(lab: Lab, saw: Saw, tmp_path: Path, victim: str) -> None:
    """kill -9 while six mails are fetched, after so many answers; then the same user again, and a look at each mail."""
    bench = Bench(lab, tmp_path / "spool")
    chance = random.Random(victim)
    whole = 0
    for _ in range(ROUNDS):
        wire = bench.session(new=True)
        wire.send(b"a " + ASKED)
        for _ in range(chance.randrange(len(SIZES))):
            whole += bench.look([wire.unit(60)])
        VICTIMS[victim](bench)
        units, begun = _until_cut(wire)
        bench.look_at_cut(begun)
        whole += bench.look(units)
        assert bench.look(_asked(bench.session(new=False)).untagged) == len(SIZES)
    saw.client(f"{whole} mails before and after, then all {ROUNDS} times {len(SIZES)}, each whole and its own")
    saw.log(*(line for line in lab.logged(**bench.config).splitlines() if TELLING.search(line)))
    bench.lab.forget(**bench.config)
