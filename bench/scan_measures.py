"""The measurements of mail processing: each gives figures by round, and judges the one that has a target."""

from __future__ import annotations

import email
import random
import resource
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from bench.figures import Figure, figure_of, ratio_of
from bench.scan_mails import Maker, deliver
from bench.scan_stand import LARGE, Client, Stand, anonymous_bytes, cpu_of, started_clamd
from imap4fast._wire import MailIndex
from tests.e2e.lab import PASSWORD
from tests.e2e.mailproxy import Processing
from tests.e2e.parts import need
from tests.e2e.proxy import Proxy, socket_text

_users = count(1)
_numbers = count(1)


@dataclass(frozen=True)
class Size:
    """How much is done: full, or a look."""

    rounds: int = 5
    mails: int = 200
    first_sync: int = 10_000
    seconds: float = 8.0
    huge: int = 100_000_000


QUICK = Size(2, 40, 400, 3.0, 100_000_000)


@dataclass
class Row:
    """One line of the table. `limit` None: stated, not judged. `least`: the figure must not be below the limit."""

    name: str
    unit: str
    figure: Figure
    limit: float | None = None
    least: bool = False
    remark: str = ""

    @property
    def outcome(self) -> str:
        if self.limit is None:
            return ""
        if self.figure.void:
            return "VOID"
        good = self.figure.median >= self.limit if self.least else self.figure.median <= self.limit
        return "PASS" if good else "FAIL"


@dataclass
class Bench:
    stand: Stand
    size: Size
    maker: Maker = field(default_factory=Maker)

    def user(self, mails: int, size: int) -> tuple[str, int]:
        """A new user with so many mails that were never there before; how many octets they have."""
        user = f"bench{next(_users)}"
        return user, deliver(
            self.stand.dovecot.folder, user, (self.maker.mail(next(_numbers), size) for _ in range(mails))
        )

    def sample(self, size: int) -> list[bytes]:
        """Mails as `user` gets them, in memory."""
        return [self.maker.mail(next(_numbers), size) for _ in range(self.size.mails)]


def cpu_s(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def parsed_by_email(mails: list[bytes]) -> float:
    """CPU seconds of Python's email package for all of them, the yardstick of this bench."""
    return cpu_s(lambda: [email.message_from_bytes(mail) for mail in mails])


# index

PASSES = 8
"""Over the same mails, since one is soon over."""


def indexed(mails: list[bytes]) -> None:
    for _ in range(PASSES):
        for mail in mails:
            MailIndex.scan(mail)


def index(bench: Bench) -> Iterator[Row]:
    """Against Python's email package on the same octets, in one process."""
    kinds = {
        "large attachments (2 MB)": [bench.maker.mixed(next(_numbers), 2_000_000) for _ in range(8)],
        "text of 4 KB": [bench.maker.plain(next(_numbers), 4_000) for _ in range(600)],
        "mixture of 100 KB": bench.sample(100_000)[:60],
    }
    for name, mails in kinds.items():
        parser, own = [], []
        for _ in range(bench.size.rounds):
            parser.append(parsed_by_email(mails))
            own.append(cpu_s(partial(indexed, mails)) / PASSES)
        rate = statistics.median(sum(map(len, mails)) / seconds / 1e6 for seconds in own)
        yield Row(f"index: {name}", "x email package", ratio_of(parser, own), 15, True, f"{rate:.0f} MB/s")


# download


def each(client: Client, numbers: range, item: bytes = b"BODY.PEEK[]") -> None:
    for number in numbers:
        client.ask(b"UID FETCH %d %s" % (number, item))


def reading(bench: Bench, proxy: Proxy, user: str, mails: int) -> float:
    """CPU seconds of the proxy for one reading of each mail."""
    client = bench.stand.client(proxy, user)
    try:
        return cpu_of(proxy, lambda: each(client, range(1, mails + 1)))
    finally:
        client.close()


def download(bench: Bench) -> Iterator[Row]:
    """Mails of 100 KB that stay as they are: first time, from the store, with clamd, in pass mode."""
    mails = bench.size.mails
    scanning, passing = bench.stand.proxy(LARGE), bench.stand.proxy(None)
    first, again, plain, parse, clamd_first = [], [], [], [], []
    with started_clamd() as address:
        with_clamd = bench.stand.proxy(_by_clamd(socket_text(address)))
        for proxy in (scanning, passing, with_clamd):
            reading(bench, proxy, bench.user(10, 100_000)[0], 10)
        for _ in range(bench.size.rounds):
            parse.append(parsed_by_email(bench.sample(100_000)))
            user, _octets = bench.user(mails, 100_000)
            first.append(reading(bench, scanning, user, mails))
            again.append(reading(bench, scanning, user, mails))
            plain.append(reading(bench, passing, user, mails))
            clamd_first.append(reading(bench, with_clamd, bench.user(mails, 100_000)[0], mails))
    per_mail = 1e6 / mails
    told = "{:.0f} us a mail".format
    parse_told = statistics.median(parse) * per_mail
    yield Row(
        "100 KB, first time",
        "x one email parse",
        ratio_of(first, parse),
        0.8,
        False,
        told(statistics.median(first) * per_mail),
    )
    yield Row(
        "email parse of them", "us", figure_of([value * per_mail for value in parse]), None, False, told(parse_told)
    )
    yield Row(
        "100 KB, from the store",
        "x pass mode",
        ratio_of(again, plain),
        5,
        False,
        told(statistics.median(again) * per_mail),
    )
    yield Row("100 KB, pass mode", "us", figure_of([value * per_mail for value in plain]))
    yield Row(
        "100 KB, with clamd",
        "x built-in engine",
        ratio_of(clamd_first, first),
        1.3,
        False,
        told(statistics.median(clamd_first) * per_mail),
    )


def _by_clamd(address: str) -> Processing:
    engine = f"antivirus AV {{ connection clamav-net {address}; max-checked-size 1G; }}\n"
    spam = "antispam AS { connection builtin; }\n"
    return Processing(LARGE.download, LARGE.upload, sections=engine + spam, decide=LARGE.decide, proxy=LARGE.proxy)


# partials


READINGS = 3
"""Of one round, from the store and in pass mode, since one takes some hundredths of a second."""


def partials(bench: Bench) -> Iterator[Row]:
    """25 MB in pieces of 64 KiB: one download and one scan, whatever the number of pieces and readings."""
    size, step = 25_000_000, 65_536
    scanning, passing = bench.stand.proxy(LARGE), bench.stand.proxy(None)
    first, again, plain, downloads = [], [], [], []

    def read(proxy: Proxy, user: str) -> float:
        client = bench.stand.client(proxy, user)
        spans = range(0, size + step, step)
        try:
            return cpu_of(
                proxy, lambda: [client.ask(b"UID FETCH 1 (UID BODY.PEEK[]<%d.%d>)" % (at, step)) for at in spans]
            )
        finally:
            client.close()

    for _ in range(bench.size.rounds + 2):
        user = f"bench{next(_users)}"
        bench.stand.dovecot.listen_for(user)
        deliver(bench.stand.dovecot.folder, user, iter([bench.maker.mixed(next(_numbers), size)]))
        first.append(read(scanning, user))
        again.append(statistics.fmean(read(scanning, user) for _ in range(READINGS)))
        downloads.append(float(bench.stand.downloads(user)))
        plain.append(statistics.fmean(read(passing, user) for _ in range(READINGS)))
    yield Row(
        "25 MB in 64 KiB, first reading",
        "x pass mode",
        ratio_of(first, plain),
        15,
        False,
        f"{statistics.median(first):.2f} s CPU",
    )
    yield Row(
        "25 MB in 64 KiB, from the store",
        "x pass mode",
        ratio_of(again, plain),
        2,
        False,
        f"{statistics.median(again):.2f} s CPU",
    )
    yield Row("25 MB in 64 KiB, downloads of four readings", "times", figure_of(downloads), 1)


# first sync

THUNDERBIRD = (
    b"(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority "
    b"References Newsgroups In-Reply-To Content-Type Reply-To)])"
)
_MBSYNCRC = """FSync no

IMAPAccount bench
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account bench

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX

Channel all
Far :far:
Near :near:
Create Near
Sync Pull
SyncState *
"""


def first_sync(bench: Bench) -> Iterator[Row]:
    """Nothing in the store: a list in blocks of 200 as Thunderbird asks for it, and all mails by mbsync."""
    mails = bench.size.first_sync
    user, octets = bench.user(mails, 75_000)
    with bench.stand.anywhere():
        for name, processing in (("scanning", LARGE), ("pass mode", None)):
            proxy = bench.stand.fresh(processing, pinned=False)
            seconds, longest = _thunderbird(bench, proxy, user, mails)
            yield Row(
                f"list in blocks of 200, {name}",
                "mails/s",
                figure_of([mails / seconds]),
                None,
                False,
                f"longest silence {longest:.1f} s",
            )
            if processing:
                yield Row("list in blocks of 200, longest silence", "s", figure_of([longest]), 60)
            proxy = bench.stand.fresh(processing, pinned=False)
            seconds = _mbsync(proxy, user, mails)
            rate = f"{octets / seconds / 1e6:.0f} MB/s"
            yield Row(f"mbsync of {mails} mails, {name}", "mails/s", figure_of([mails / seconds]), None, False, rate)


def _thunderbird(bench: Bench, proxy: Proxy, user: str, mails: int) -> tuple[float, float]:
    client = bench.stand.client(proxy, user)
    began = time.monotonic()
    for start in range(1, mails + 1, 200):
        client.ask(b"UID FETCH %d:%d %s" % (start, start + 199, THUNDERBIRD))
    seconds = time.monotonic() - began
    client.close()
    return seconds, client.longest_wait_s


def _mbsync(proxy: Proxy, user: str, mails: int) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-mbsync.") as name:
        folder = Path(name)
        (folder / "mail").mkdir()
        text = _MBSYNCRC.format(port=proxy.address[1], user=user, password=PASSWORD.decode(), folder=folder)
        (folder / "rc").write_text(text)
        began = time.monotonic()
        done = subprocess.run([need("mbsync"), "-c", str(folder / "rc"), "-a"], capture_output=True)
        seconds = time.monotonic() - began
        got = sum(1 for _ in (folder / "mail" / "INBOX").rglob("*,U=*"))
    if done.returncode or got != mails:
        raise RuntimeError(f"mbsync: {done.returncode}, {got} of {mails} mails: {done.stderr[-500:]!r}")
    return seconds


# parallel


def parallel(bench: Bench) -> Iterator[Row]:
    """Sessions of different users, each with mails of its own, read whole once."""
    mails = max(20, bench.size.mails // 4)
    with bench.stand.anywhere():
        for sessions in (1, 2, 4, 8, 16):
            told = {}
            for name, processing in (("scanning", LARGE), ("pass mode", None), ("Dovecot", "direct")):
                users = [bench.user(mails, 100_000) for _ in range(sessions)]
                proxy = None if processing == "direct" else bench.stand.proxy(processing, pinned=False)  # type: ignore[arg-type]
                seconds = _all_at_once(bench, proxy, [user for user, _ in users], mails)
                octets = sum(size for _, size in users)
                told[name] = f"{name} {sessions * mails / seconds:.0f} mails/s {octets / seconds / 1e6:.0f} MB/s"
                if name == "scanning":
                    rate = figure_of([sessions * mails / seconds])
            yield Row(f"{sessions} parallel sessions, 100 KB", "mails/s", rate, None, False, "; ".join(told.values()))


def _all_at_once(bench: Bench, proxy: Proxy | None, users: list[str], mails: int) -> float:
    clients = [bench.stand.client(proxy, user) for user in users]
    threads = [threading.Thread(target=each, args=(client, range(1, mails + 1))) for client in clients]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    for client in clients:
        client.close()
    return seconds


# memory


def memory(bench: Bench) -> Iterator[Row]:
    """Growth of anonymous memory of the whole tree while a large mail is fetched, scanned and read."""
    proxy = bench.stand.fresh(LARGE)
    reading(bench, proxy, bench.user(20, 100_000)[0], 20)
    for size in (1_000_000, bench.size.huge):
        growth = []
        for kind in (bench.maker.mixed, bench.maker.plain):
            user = f"bench{next(_users)}"
            deliver(bench.stand.dovecot.folder, user, iter([kind(next(_numbers), size)]))
            growth.append(_growth(bench, proxy, user) / 1e6)
        limit = 30 if size == bench.size.huge else None
        remark = "with an attachment {:.1f}, of text {:.1f}".format(*growth)
        yield Row(
            f"memory for a mail of {size // 1_000_000} MB", "MB more", Figure(max(growth), 0.0), limit, False, remark
        )


def _growth(bench: Bench, proxy: Proxy, user: str) -> int:
    client = bench.stand.client(proxy, user)
    time.sleep(0.5)
    before = most = anonymous_bytes(proxy.pid)
    done = threading.Event()

    def read() -> None:
        try:
            client.ask(b"UID FETCH 1 (BODYSTRUCTURE ENVELOPE)")
            client.ask(b"UID FETCH 1 BODY.PEEK[]")
        finally:
            done.set()

    threading.Thread(target=read).start()
    while not done.wait(0.01):
        most = max(most, anonymous_bytes(proxy.pid))
    client.close()
    return most - before


# latency beside a full pool

_TWO_WAYS = """
  session-acl IN {{ accept; PLUG }}
  command-acl RELAY {{ user relay; accept; no-mail-scanning; }}
  command-acl ALL {{ accept; download {{ {download} }} upload {{ {upload} }} }}
  {decide}
"""
RATE_S = 200


def latency(bench: Bench) -> Iterator[Row]:
    """NOOPs of a session in pass mode, at a steady rate, alone and while eight sessions keep every helper at work."""
    acls = _TWO_WAYS.format(download=LARGE.download, upload=LARGE.upload, decide=LARGE.decide)
    proxy = bench.stand.two_ways(acls)
    mails = bench.size.mails * 2
    alone, beside = [], []
    for _ in range(bench.size.rounds):
        alone.append(_noops(bench, proxy))
        clients = [bench.stand.client(proxy, bench.user(mails, 100_000)[0]) for _ in range(8)]
        over = threading.Event()
        threads = [threading.Thread(target=_until_over, args=(client, mails, over)) for client in clients]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        beside.append(_noops(bench, proxy))
        over.set()
        for thread in threads:
            thread.join()
        for client in clients:
            client.close()
    remark = f"{statistics.median(alone):.0f} us alone, {statistics.median(beside):.0f} us beside"
    yield Row("relay's p99 while the pool works", "x without", ratio_of(beside, alone), 2, False, remark)


def _until_over(client: Client, mails: int, over: threading.Event) -> None:
    for number in range(1, mails + 1):
        if over.is_set():
            return
        client.ask(b"UID FETCH %d BODYSTRUCTURE" % number)


def _noops(bench: Bench, proxy: Proxy) -> float:
    """p99 in microseconds, counted from when each was due, by a process of its own."""
    words = ["python", "-m", "bench.scan_noops", str(proxy.address[1]), str(RATE_S), str(bench.size.seconds)]
    words[0] = proxy.process.args[len(proxy.config.prefix)]  # type: ignore[index,misc]
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    return float(done.stdout)


MEASURES: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "index": index,
    "download": download,
    "partials": partials,
    "sync": first_sync,
    "parallel": parallel,
    "memory": memory,
    "latency": latency,
}


def limits() -> None:
    """Many descriptors for many sessions; the order of numbers is the same on each run."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    random.seed(1)
