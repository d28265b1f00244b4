"""What is taken from helpers, step by step, each in a process of its own."""

from __future__ import annotations

import codecs
import faulthandler
import gc
import mmap
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from imap4fast._wire import CountTable
from imap4fast.net.jobs import MIB, Limits
from imap4fast.proc import kernel, sandbox
from imap4fast.proc.privileges import Identity
from imap4fast.proc.sandbox import Confinement, Memory
from tests.unit.proc.nurseries import errno_of, fresh

LIMITS = Limits(cpu_s=3, cpu_s_per_mib=1, memory_bytes=64 * MIB, target_bytes=MIB, descriptors=300)


def in_child(work: Callable[[], object]) -> object:
    """What `work` returns in a process of its own; the signal's name where that ended it."""
    read, write = os.pipe()
    os.set_blocking(write, True)
    answer = os.dup2(write, 200)

    def child() -> None:
        try:
            told = work()
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
        os.write(answer, msgspec.msgpack.encode(told))

    pid = sandbox.forked(child)
    os.close(write)
    os.close(answer)
    with os.fdopen(read, "rb") as told:
        data = told.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return signal.Signals(-code).name if code < 0 else msgspec.msgpack.decode(data)


def open_descriptors() -> dict[int, str]:
    folder = Path("/proc/self/fd")
    return {int(name): os.readlink(folder / name) for name in os.listdir(folder) if (folder / name).is_symlink()}


def test_only_what_is_named_stays_open() -> None:
    def work() -> object:
        files = [os.memfd_create(name) for name in "abc"]
        names = sandbox.keep_only(files[2], -1, files[0])
        found = {number: name for number in range(300) if (name := _target(number))}
        return names, {number: name for number, name in found.items() if number > 2}

    def _target(number: int) -> str:
        try:
            return os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            return ""

    # The answer's own descriptor is closed with the others: it is told by another way.
    read, write = os.pipe()

    def child() -> None:
        os.dup2(write, 2)
        os.write(2, msgspec.msgpack.encode(work()))

    pid = sandbox.forked(child)
    os.waitpid(pid, 0)
    names, found = msgspec.msgpack.decode(os.read(read, 4096), strict=False)
    os.close(read)
    os.close(write)
    assert names == [3, -1, 4]
    assert found == {3: "/memfd:c (deleted)", 4: "/memfd:a (deleted)"}


def test_streams_lead_nowhere() -> None:
    def work() -> object:
        sandbox.close_streams()
        return [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]

    assert in_child(work) == ["/dev/null"] * 3


def test_shared_memory_is_out_of_reach() -> None:
    counts = CountTable(1)
    shared, own = mmap.mmap(-1, 8192), mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE)
    own[0] = 7

    def left() -> object:
        sandbox.leave_shared_memory()
        lines = Path("/proc/self/maps").read_text().splitlines()
        return [own[0], [line for line in lines if line.split()[1].endswith("s")]]

    def touch(touched: Callable[[], object]) -> Callable[[], object]:
        def work() -> object:
            sandbox.lose_fault_handler()
            sandbox.leave_shared_memory()
            return touched()

        return work

    assert in_child(left) == [7, []]
    assert in_child(touch(lambda: shared[0])) == "SIGSEGV"
    assert in_child(touch(lambda: counts.sessions())) == "SIGSEGV"
    assert (shared[0], counts.sessions()) == (0, 0)


def test_there_is_no_network() -> None:
    abstract = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    abstract.bind("\0imap4fast-sandbox-test")
    abstract.listen()
    with socket.create_server(("127.0.0.1", 0)) as server, abstract:
        place = server.getsockname()

        def work() -> object:
            before = errno_of(lambda: socket.create_connection(place, 2))
            lacks = sandbox.leave_network()
            unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            return [
                before.startswith("done"),
                lacks,
                errno_of(lambda: socket.create_connection(place, 2)),
                errno_of(lambda: unix.connect("\0imap4fast-sandbox-test")),
                [name for _, name in socket.if_nameindex()],
            ]

        assert in_child(work) == [True, "", "Network is unreachable", "Connection refused", ["lo"]]


def test_who_may_not_leave_the_network_says_so() -> None:
    def as_weak_root() -> object:
        kernel.drop_capabilities()
        return sandbox.leave_network()

    def as_user() -> object:
        os.setuid(65534)
        return sandbox.leave_network()

    assert in_child(as_weak_root) == "Operation not permitted"
    assert in_child(as_user) == ""


@pytest.mark.parametrize(("who", "uid"), [(None, 65534), (Identity(12345, 12346, None), 12345)])
def test_nobody_stays_root(who: Identity | None, uid: int) -> None:
    def work() -> object:
        sandbox.drop_privileges(who)
        return [os.getresuid(), kernel.capabilities(), errno_of(os.setuid, 0)]

    assert in_child(work) == [[uid] * 3, [0, 0, 0], "Operation not permitted"]


def test_a_user_stays_who_he_is() -> None:
    def work() -> object:
        os.setgid(12346)
        os.setuid(12345)
        sandbox.drop_privileges(None)
        return [os.getresuid(), Path("/proc/self/status").read_text().count("NoNewPrivs:\t1")]

    assert in_child(work) == [[12345] * 3, 1]


def test_codecs_are_there_without_files() -> None:
    def work() -> object:
        sandbox.load_codecs()
        os.chroot("/proc/self/fdinfo")
        names = ("shift_jis", "gb18030", "koi8_r", "utf-7", "iso2022_jp_3", "mac_roman", "cp1250", "big5hkscs")
        return [codecs.lookup(name).name for name in names]

    assert len(in_child(work)) == 8  # type: ignore[arg-type]


def test_a_process_ends_with_its_parent() -> None:
    read, write = os.pipe()

    def parent() -> None:
        own = os.getpid()

        def child() -> None:
            sandbox.end_with_parent(own)
            os.write(write, str(os.getpid()).encode())
            signal.pause()

        sandbox.forked(child)
        signal.pause()

    pid = sandbox.forked(parent)
    child = int(os.read(read, 20))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(write)
    assert os.read(read, 1) == b""  # its end of the pipe is closed: it is dead
    os.close(read)
    assert not Path(f"/proc/{child}/fd/{write}").exists()


def test_a_process_whose_parent_is_dead_already_ends() -> None:
    pid = sandbox.forked(lambda: sandbox.end_with_parent(1 if os.getppid() != 1 else 2) or os._exit(9))
    assert os.waitpid(pid, 0)[1] == 0


def test_memory_is_known_without_files() -> None:
    def work() -> object:
        figures = Memory(sandbox.open_figures(sandbox.open_proc()))
        before = figures.figures()
        # Not from malloc, which may have as much left over from the tests before this one.
        block = mmap.mmap(-1, 50 * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for at in range(0, len(block), mmap.PAGESIZE):
            block[at] = 1
        after = figures.figures()
        return [now - then for then, now in zip(before, after, strict=True)]

    grown = in_child(work)
    assert all(45 * MIB <= number < 55 * MIB for number in grown)  # type: ignore[attr-defined]


def test_memory_is_unknown_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError()))
    assert sandbox.open_proc() == -1
    assert sandbox.open_figures(5) == -1
    assert sandbox.open_figures(-1) == -1
    assert Memory(-1).figures() == (0, 0, 0)


def confined(work: Callable[[Confinement], object], figures: bool = True) -> object:
    def child() -> object:
        sandbox.lose_fault_handler()
        memory = Memory(sandbox.open_figures(sandbox.open_proc() if figures else -1))
        return work(Confinement(LIMITS, memory))

    return in_child(child)


@pytest.mark.parametrize("figures", [True, False])
def test_limits_are_set_and_renewed_by_job(figures: bool) -> None:
    def work(confinement: Confinement) -> object:
        kinds = (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)
        seen = []
        for size in (0, 10 * MIB, 0):
            confinement.before_job(size)
            seen.append([resource.getrlimit(kind)[0] for kind in kinds])
        spaces = []
        for size in (0, 10 * MIB):
            confinement.before_job(size)
            spaces.append(resource.getrlimit(resource.RLIMIT_AS)[0])
        return [seen, spaces[1] - spaces[0]]

    small, large = [300, 0, 4, MIB], [300, 0, 14, 41 * MIB]
    assert confined(work, figures) == [[small, large, small], 30 * MIB]


def test_processor_time_counts_from_the_jobs_start() -> None:
    def work(confinement: Confinement) -> object:
        while time.process_time() < 1.1:
            pass
        before = int(time.process_time())
        confinement.before_job(0)
        return resource.getrlimit(resource.RLIMIT_CPU)[0] - before

    assert confined(work) in (4, 5)


def test_processor_time_over_the_limit_ends_the_process() -> None:
    def work(confinement: Confinement) -> object:
        confinement.before_job(-2 * MIB)
        while True:
            pass

    assert confined(work) == "SIGXCPU"


def test_anonymous_memory_is_limited_and_a_mapped_mail_is_not_counted() -> None:
    mail = os.memfd_create("mail")
    os.ftruncate(mail, 100 * MIB)

    def work(confinement: Confinement) -> object:
        confinement.before_job(100 * MIB)
        mapped = mmap.mmap(mail, 0, access=mmap.ACCESS_READ)
        twice = mmap.mmap(mail, 0, access=mmap.ACCESS_READ)
        assert mapped.find(b"x") == twice.find(b"x") == -1
        kept = fresh(40 * MIB)
        return [len(kept), errno_of(lambda: len(fresh(26 * MIB)))]

    assert confined(work) == [40 * MIB, "Cannot allocate memory"]
    os.close(mail)


def test_growth_is_of_anonymous_memory_that_stays() -> None:
    def work(confinement: Confinement) -> object:
        seen = [confinement.grown()]
        block = fresh(62 * MIB)
        seen.append(confinement.grown())
        rest = fresh(4 * MIB)
        seen.append(confinement.grown())
        block.close()
        return [*seen, confinement.grown(), len(rest)]

    roomy = msgspec.structs.replace(LIMITS, memory_bytes=200 * MIB)

    def child() -> object:
        return work(Confinement(roomy, Memory(sandbox.open_figures(sandbox.open_proc()))))

    assert in_child(child) == [False, False, True, False, 4 * MIB]


def test_limits_that_are_lower_already_stay() -> None:
    def child() -> object:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 2000))
        resource.setrlimit(resource.RLIMIT_NOFILE, (10, 15))
        Confinement(LIMITS, Memory(-1)).before_job(0)
        return [resource.getrlimit(kind) for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)]

    assert in_child(child) == [[2000, 2000], [15, 15]]


def test_a_child_is_what_it_is_told_to_be() -> None:
    assert in_child(lambda: [faulthandler.is_enabled(), 1])[1] == 1  # type: ignore[index]
    pid = sandbox.forked(lambda: [][1])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    pid = sandbox.forked(lambda: None)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_child_has_none_of_the_masters_signals() -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        pid = sandbox.forked(signal.pause)
        os.kill(pid, signal.SIGUSR1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGUSR1
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_freezing_takes_all_from_the_collector() -> None:
    def work() -> object:
        sandbox.freeze()
        return [gc.get_freeze_count() > 1000, sum(gc.get_count()) < 1000]

    assert in_child(work) == [True, True]
