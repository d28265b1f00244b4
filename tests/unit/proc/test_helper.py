"""A helper process spoken to by hand, and proofs of its sandbox from inside, as root's child and as a user's."""

from __future__ import annotations

import datetime
import email.policy
import hashlib
import io
import os
import resource
import socket
import zipfile
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from pathlib import Path

import msgspec
import pytest
import re2

from imap4fast.mail.work import PASSED, Order, Outcome
from imap4fast.net import jobs
from imap4fast.net.jobs import MESSAGE_BYTES, Answer, Broke, Done, Limits, Work
from imap4fast.proc import helper, kernel, sandbox
from imap4fast.proc.privileges import Identity
from imap4fast.proc.seccomp import Filter
from tests.unit.proc.nurseries import MAIL, QUICK, Desk, errno_of, nursery, order, play, replaced, tells, trick


class Hand:
    """A helper without zygote or pool."""

    def __init__(self, work: Work = trick, limits: Limits = QUICK) -> None:
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.source, self.target = os.memfd_create("source"), os.memfd_create("target")
        os.write(self.source, MAIL)
        proc, syscalls = sandbox.open_proc(), Filter()
        self.pid = sandbox.forked(lambda: helper.live(theirs.detach(), work, limits, proc, syscalls))
        theirs.close()
        os.close(proc)

    def give(self, data: bytes, *descriptors: int) -> Answer | None:
        """The answer, None when it ended."""
        try:
            self.sock.sendmsg([data], jobs.rights(*descriptors) if descriptors else [])
            data = self.sock.recv(MESSAGE_BYTES + 1)
        except ConnectionError:
            return None
        return jobs.decode_answer(memoryview(data)) if data else None

    def order(self, job: str) -> Answer | None:
        return self.give(jobs.encode(order(job)), self.source, self.target)

    def end(self) -> int:
        self.sock.close()
        os.close(self.source)
        os.close(self.target)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def hand() -> Iterator[Hand]:
    made = Hand()
    yield made
    made.end()


def test_it_does_job_after_job_and_ends_when_its_worker_has_gone() -> None:
    hand = Hand()
    for _ in range(3):
        assert hand.order("pass") == Done(Outcome(PASSED, len(MAIL)))
        assert os.pread(hand.target, 100, 0) == MAIL
    assert hand.end() == 0


def test_it_says_which_job_is_its_last() -> None:
    hand = Hand(limits=replaced(QUICK, jobs=2))
    assert hand.order("pass") == Done(Outcome(PASSED, len(MAIL)))
    assert hand.order("pass") == Done(Outcome(PASSED, len(MAIL)), last=True)
    assert hand.order("pass") is None
    assert hand.end() == 0


@pytest.mark.parametrize(
    ("job", "answer"),
    [
        ("raise", Broke("IndexError: list index out of range")),
        ("system-exit", Broke("SystemExit: 3")),
        ("hog", Broke("MemoryError: ", over=True)),
        ("fill", Broke("OSError: [Errno 27] File too large", over=True)),
        ("full", Broke("OSError: [Errno 28] No space left on device", full=True)),
        ("nothing", Broke("the work returned NoneType")),
    ],
)
def test_what_work_raises_is_told_and_ends_it(hand: Hand, job: str, answer: Answer) -> None:
    assert hand.order(job) == answer
    assert hand.order("pass") is None


def test_a_long_complaint_is_cut() -> None:
    def work(order: Order, source: int, target: int) -> Outcome:
        raise ValueError("x" * 100_000)

    hand = Hand(work)
    answer = hand.order("pass")
    assert isinstance(answer, Broke)
    assert len(answer.why) == 500
    hand.end()


def test_too_large_an_answer_is_told_of(hand: Hand) -> None:
    answer = hand.order("huge")
    assert isinstance(answer, Broke)
    assert answer.why.startswith("an answer of 2000")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_order_without_its_two_descriptors_ends_it(hand: Hand, count: int) -> None:
    assert hand.give(jobs.encode(order()), *[hand.source] * count) is None


def test_what_is_no_order_ends_it() -> None:
    hand = Hand()
    assert hand.give(b"\xc1", hand.source, hand.target) is None
    assert hand.end() == 1


def test_it_keeps_no_descriptor_of_a_job() -> None:
    def work(order: Order, source: int, target: int) -> Outcome:
        count = 0
        for number in range(64):
            try:
                os.fstat(number)
            except OSError:
                continue
            count += 1
        return Outcome(PASSED, index_size=count)

    hand = Hand(work)
    seen = {hand.order("pass") for _ in range(50)}
    assert len(seen) == 1
    only = seen.pop()
    assert isinstance(only, Done)
    assert only.outcome.index_size == 7  # streams, orders, figures of memory, and the job's two
    hand.end()


# Proofs of the sandbox, in helpers as they are made in service


def probe(order: Order, source: int, target: int) -> Outcome:
    return tells(target, msgspec.json.encode({name: errno_of(call) for name, call in PROBES.items()}).decode())


PROBES: dict[str, Callable[[], object]] = {
    "read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "write a file": lambda: os.open("/tmp/imap4fast-proof", os.O_WRONLY | os.O_CREAT),
    "open the target anew": lambda: os.open("/proc/self/fd/5", os.O_RDWR),
    "list": lambda: os.listdir("/"),
    "link": lambda: os.link("/etc/passwd", "/tmp/imap4fast-proof"),
    "unlink": lambda: os.unlink("/tmp/imap4fast-proof"),
    "rename": lambda: os.rename("/tmp/imap4fast-proof", "/tmp/imap4fast-proof2"),
    "become root": lambda: os.setuid(0),
    "more memory": lambda: resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY,) * 2),
    "more time": lambda: resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY,) * 2),
    "other's limits": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU),
    "be traced": lambda: kernel.prctl(kernel.PR_SET_DUMPABLE, 1),
}
REFUSED = "Operation not permitted"


def as_user(script: Callable[[], None]) -> None:
    """In a process of an ordinary user."""

    def child() -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        script()

    assert os.waitpid(sandbox.forked(child), 0)[1] == 0


def prove(who: Identity | None) -> None:
    told: list[str] = []
    status: list[str] = []

    async def script(desk: Desk) -> None:
        told.append(await desk.told())
        status.append(Path(f"/proc/{desk.helpers()[0].pid}/status").read_text())
        status.append(os.readlink(f"/proc/{desk.nursery.pid}/ns/net") if os.geteuid() == 0 else "")

    with nursery(probe, who=who) as made:
        play(made, script)
    answers = msgspec.json.decode(eval(told[0]))
    for name in ("more memory", "more time"):
        assert answers.pop(name) == "not allowed to raise maximum limit"
    assert set(answers.values()) == {REFUSED}, answers
    lines = dict(line.split(":\t", 1) for line in status[0].splitlines() if ":\t" in line)
    uid = str(who.uid if who else 65534)
    assert lines["Uid"].split() == [uid] * 4
    assert {lines[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}
    assert (lines["Seccomp"], lines["NoNewPrivs"], lines["Threads"]) == ("2", "1", "1")


def test_a_helper_of_roots_is_nobody_and_can_nothing() -> None:
    prove(None)


def test_a_helper_of_roots_is_who_it_is_told_to_be(tmp_path: Path) -> None:
    prove(Identity(12345, 12346, str(tmp_path)))


def test_a_users_helper_can_nothing_either() -> None:
    as_user(lambda: prove(None))


def test_a_helper_has_no_network() -> None:
    async def script(desk: Desk) -> None:
        await desk.run()
        helper = desk.helpers()[0].pid
        assert os.readlink(f"/proc/{helper}/ns/net") != os.readlink("/proc/self/ns/net")
        assert "lo:" in (routes := Path(f"/proc/{helper}/net/dev").read_text())
        assert routes.count(":") == 1

    with nursery() as made:
        play(made, script)


def test_a_helper_writes_to_no_descriptor_but_its_own() -> None:
    """The source is open for reading alone; and what the service has open is not there."""
    written: list[str] = []

    def work(order: Order, source: int, target: int) -> Outcome:
        attempts = [errno_of(os.pwrite, source, b"x", 0)]
        attempts += [errno_of(os.write, number, b"") for number in range(4, 64) if number != target]
        return tells(target, attempts)

    async def script(desk: Desk) -> None:
        read_only = os.open(f"/proc/self/fd/{desk.source}", os.O_RDONLY)
        desk.source, kept = read_only, desk.source
        written.extend(eval(await desk.told()))
        os.close(kept)

    kept = [os.open("/dev/null", os.O_WRONLY) for _ in range(5)]
    with nursery(work) as made:
        play(made, script)
    for number in kept:
        os.close(number)
    assert set(written) == {"Bad file descriptor"}


def libraries(order: Order, source: int, target: int) -> Outcome:
    """What work on mails uses of Python's libraries and of others, for the first time in this process."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", "x" * 1000)
    mail = b"Subject: =?koi8-r?B?8NLJ18XU?=\r\nContent-Type: text/plain; charset=shift_jis\r\n\r\n\x82\xa0"
    parsed = BytesParser(policy=email.policy.default).parsebytes(mail)
    return tells(
        target,
        [
            hashlib.sha256(b"x").hexdigest()[:8],
            hashlib.new("md5", b"x").hexdigest()[:8],
            zipfile.ZipFile(packed).read("a")[:1],
            parsed.get_content(),
            parsed["Subject"],
            "é".encode("cp1250"),
            re2.search(r"(?i)\p{L}+", "žluť").group(),
            datetime.datetime(2026, 11, 23).strftime("%a %d %b"),
        ],
    )


def test_what_work_on_mails_uses_works() -> None:
    async def script(desk: Desk) -> None:
        told.extend(eval(await desk.told()))

    told: list[object] = []
    with nursery(libraries, who=Identity(12345, 12346, "/proc/self/fdinfo")) as made:
        play(made, script)
    assert told == ["2d711642", "9dd4e461", b"x", "あ", "Привет", b"\xe9", "žluť", "Mon 23 Nov"]
