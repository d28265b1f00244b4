"""`python -m bench.scan_soak --minutes 10`: churn where mail is processed: nothing may grow, nothing stay.

Sessions read mails whole, by part and by range, some with EICAR, and upload; the spool is too small for all of them, so
that mails go from it as fast as they come. Sessions end by FIN, by RST, with a mail asked for and not read, or in the
middle of an upload. At the end the proxy is started again: its sweep says what was left that should not be.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.proctree import busiest, descriptors, rss_bytes
from bench.scan_mails import Maker, deliver
from bench.scan_stand import LARGE, Client, Stand, started_stand
from bench.soak import settled_descriptors
from tests.e2e.carriers import POSITIONS, carrier
from tests.e2e.mailproxy import BLOCKING
from tests.e2e.proxy import Proxy

SPOOL_BYTES = 48 * 2**20
USERS, MAILS, THREADS = 6, 80, 6
LOOK_S = 5.0
MOST_GROWTH_BYTES = 4 * 2**20
SETTLE_S = 10.0
_ITEMS = (
    b"BODY.PEEK[]",
    b"BODY.PEEK[1]",
    b"BODY.PEEK[2]<1000.65536>",
    b"(RFC822.SIZE BODYSTRUCTURE)",
    b"BINARY.PEEK[1]",
    b"(ENVELOPE PREVIEW)",
    b"BODY.PEEK[HEADER.FIELDS (Subject From)]",
)
SOAKED = replace(LARGE, decide=BLOCKING.decide, proxy=f"spool-max {SPOOL_BYTES >> 20}M; spool-keep 2h;")


@dataclass
class Look:
    """At the worker, and at what the spool holds."""

    rss_bytes: int
    descriptors: int
    spool_bytes: int


@dataclass
class Found:
    """What the churn did, and what was seen meanwhile."""

    done: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    @property
    def growth(self) -> int:
        """From the second quarter's median to the last one's."""
        quarter = max(1, len(self.looks) // 4)
        sizes = [look.rss_bytes for look in self.looks]
        return int(statistics.median(sizes[-quarter:]) - statistics.median(sizes[quarter : 2 * quarter] or sizes))


def mails(maker: Maker, pick: random.Random, first: int) -> Iterator[bytes]:
    """Of many sizes; each tenth carries EICAR, one of them all is large."""
    positions = list(POSITIONS)
    for number in range(first, first + MAILS):
        if number % 10 == 3:
            yield carrier(positions[number // 10 % len(positions)])
        elif number % MAILS == 5:
            yield maker.mixed(number, 6_000_000)
        else:
            yield maker.mail(number, int(2_000 * 150 ** pick.random()))


class Churn(threading.Thread):
    """Session after session, until it is over."""

    def __init__(self, proxy: Proxy, users: Sequence[str], found: Found, until: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._proxy = proxy
        self._users = users
        self._found = found
        self._until = until
        self._pick = random.Random(seed)
        self._maker = Maker(seed)

    def run(self) -> None:
        while time.monotonic() < self._until:
            try:
                self._session()
            except (OSError, RuntimeError, AssertionError) as error:
                self._found.errors.append(f"{type(error).__name__}: {error}"[:300])

    def _session(self) -> None:
        pick = self._pick
        client = Client(self._proxy.address, pick.choice(self._users))
        try:
            for _ in range(pick.randrange(1, 12)):
                number = pick.randrange(1, MAILS + 1)
                if pick.random() < 0.08:
                    self._upload(client, pick.random() < 0.3)
                else:
                    client.ask(b"UID FETCH %d " % number + pick.choice(_ITEMS))
                    self._found.done["fetched"] += 1
            self._leave(client)
        finally:
            client.close()
        self._found.done["sessions"] += 1

    def _upload(self, client: Client, virus: bool) -> None:
        mail = carrier("second-of-two") if virus else self._maker.plain(self._pick.randrange(10**6), 9000)
        try:
            client.ask(b"APPEND Drafts {%d+}\r\n" % len(mail) + mail)
        except RuntimeError as error:
            if not virus or "CANNOT" not in str(error):
                raise
        else:
            assert not virus, "a virus was let in"
        self._found.done["refused" if virus else "uploaded"] += 1

    def _leave(self, client: Client) -> None:
        way = self._pick.choice(("logout", "fin", "reset", "unread", "mid-upload"))
        if way == "logout":
            client.ask(b"LOGOUT")
        elif way == "unread":
            client.send(b"x UID FETCH %d BODY.PEEK[]\r\n" % self._pick.randrange(1, MAILS + 1))
        elif way == "mid-upload":
            client.send(b"x APPEND Drafts {90000+}\r\nSubject: half\r\n\r\n")
        if way in ("reset", "unread"):
            client.reset()
        self._found.done[way] += 1


def spool_of(proxy: Proxy) -> Path:
    found = re.search(r'spool-dir "([^"]+)"', proxy.config_path.read_text())
    assert found
    return Path(found[1])


def spool_bytes(folder: Path) -> int:
    """Of objects; those that go meanwhile do not count."""
    total = 0
    for entry in os.scandir(folder / "objects"):
        with suppress(FileNotFoundError):
            total += entry.stat().st_size
    return total


def soak(stand: Stand, minutes: float) -> bool:
    """Prints what was found; whether all was well."""
    maker, pick = Maker(), random.Random(1)
    users = []
    for number in range(USERS):
        users.append(f"soak{number}")
        deliver(stand.dovecot.folder, users[-1], mails(maker, pick, number * MAILS))
        with stand.dovecot.login(users[-1]) as direct:
            direct.command(b"CREATE Drafts")
    proxy = stand.proxy(SOAKED, pinned=False)
    found, seconds = Found(), minutes * 60
    _churn(proxy, users, found, min(20.0, seconds / 6), seed=100)  # what is opened once
    time.sleep(SETTLE_S)
    worker, before = busiest(proxy.pid), descriptors(proxy.pid)
    _churn(proxy, users, found, seconds, seed=1, worker=worker)
    after = settled_descriptors(lambda: descriptors(proxy.pid), before)
    alive = busiest(proxy.pid) == worker
    swept = _swept(proxy)
    most = max(look.spool_bytes for look in found.looks)
    well = {
        f"errors       {len(found.errors)} {found.errors[:1] or ''}": not found.errors,
        f"growth       {found.growth / 2**20:.2f} MiB of {found.looks[-1].rss_bytes / 2**20:.1f} (at most 4)": (
            found.growth <= MOST_GROWTH_BYTES
        ),
        f"descriptors  {before} before, {after} after": after <= before,
        f"spool        {most / 2**20:.1f} MiB at most (spool-max {SPOOL_BYTES >> 20})": most <= SPOOL_BYTES,
        f"worker       {'the same' if alive else 'another'}": alive,
        f"sweep        {swept}": re.search(r"ORPHANS=0 MISSING=0 DAMAGED=0", swept) is not None,
    }
    print(", ".join(f"{name} {count}" for name, count in sorted(found.done.items())))
    for line, good in well.items():
        print(line + ("" if good else "  FAIL"))
    print("PASS" if all(well.values()) else "FAIL")
    return all(well.values())


def _churn(
    proxy: Proxy, users: Sequence[str], found: Found, seconds: float, *, seed: int, worker: int | None = None
) -> None:
    until = time.monotonic() + seconds
    threads = [Churn(proxy, users, found, until, seed + number) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        time.sleep(min(LOOK_S, seconds / 20))
        if worker is not None:
            found.looks.append(Look(rss_bytes(worker), descriptors(proxy.pid), spool_bytes(spool_of(proxy))))
    for thread in threads:
        thread.join(60)


def _swept(proxy: Proxy) -> str:
    """What the sweep of a master that is started after SIGTERM says."""
    proxy.process.send_signal(signal.SIGTERM)
    proxy.process.wait(30)
    again = Proxy(replace(proxy.config, proxy=re.sub(r'"@FOLDER@/spool"', f'"{spool_of(proxy)}"', proxy.config.proxy)))
    try:
        return again.wait_log(r"SPOL-601[^\n]*")[0][0]
    finally:
        again.close()


def main() -> int:
    """Exit status 1: something was not well."""
    parser = argparse.ArgumentParser(prog="python -m bench.scan_soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    with started_stand() as stand, stand.anywhere():
        return 0 if soak(stand, options.minutes) else 1


if __name__ == "__main__":
    sys.exit(main())
