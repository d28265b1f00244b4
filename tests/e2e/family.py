"""The processes of a running proxy, by what they do; a helper that is stopped in the midst of a mail."""

from __future__ import annotations

import re
import time

import psutil

from tests.e2e.proxy import Proxy, children

WAIT_S = 20.0
WORKED_S = 0.03
"""So much processor time says that a helper is at a mail: the kernel counts hundredths."""


def worker(proxy: Proxy) -> psutil.Process:
    """The only worker, the newest where one died."""
    found = re.findall(r"Worker \d+ (?:started|restarted), PID (\d+)", proxy.log())
    return psutil.Process(int(found[-1]))


def nursery(proxy: Proxy) -> psutil.Process:
    """Who makes zygotes: the child of the master that gives way to others."""
    master = psutil.Process(proxy.pid)
    (found,) = [child for child in master.children() if _nice(child) != master.nice()]
    return found


def _nice(process: psutil.Process) -> int:
    try:
        return int(process.nice())
    except psutil.NoSuchProcess:
        return int(psutil.Process().nice())


def zygote(proxy: Proxy) -> psutil.Process:
    """Who makes helpers; where it has just died, the next one."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        found = [one for one in nursery(proxy).children() if _lives(one)]
        if len(found) == 1:
            return found[0]
        time.sleep(0.01)
    raise AssertionError("there is no zygote")


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def helpers(proxy: Proxy) -> list[psutil.Process]:
    """Who makes mails."""
    first = zygote(proxy).pid
    return [psutil.Process(pid) for pid in children(first) if pid != first]


def below(proxy: Proxy) -> list[psutil.Process]:
    """All processes but the master."""
    return psutil.Process(proxy.pid).children(recursive=True)


def at_work(proxy: Proxy) -> psutil.Process:
    """The helper that is at a mail now, stopped: for when a mail that takes long has just been asked for."""
    used: dict[int, float] = {}
    first = zygote(proxy).pid
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        for pid in children(first):
            spent = _spent(pid)
            if pid != first and spent - used.setdefault(pid, spent) >= WORKED_S:
                helper = psutil.Process(pid)
                helper.suspend()
                return helper
        time.sleep(0.005)
    raise AssertionError("no helper is at work")


def _spent(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def gone(*processes: psutil.Process) -> bool:
    """They end in time."""
    return psutil.wait_procs(processes, timeout=WAIT_S)[1] == []
