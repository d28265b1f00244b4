"""What a whole process tree costs, read from /proc: CPU, memory, descriptors. Knows nothing of proxies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
LOST_THREADS_NS = 2 * TICK_NS
"""By so much may the coarse figure exceed the fine one without a thread having ended."""


class Stat(NamedTuple):
    """The fields of /proc/PID/stat that are used here; times in clock ticks."""

    pid: int
    parent: int
    own_ticks: int
    ended_children_ticks: int


def parse_stat(line: str) -> Stat:
    """The command's name stands in parentheses and may hold anything, parentheses and spaces too (proc(5))."""
    pid, rest = line.split(" (", 1)
    fields = rest.rsplit(") ", 1)[1].split()
    return Stat(int(pid), int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14]))


def all_stats() -> Iterator[Stat]:
    """Every process that is there now."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                yield parse_stat((entry / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue


def subtree(root: int, stats: list[Stat]) -> list[Stat]:
    """The root and all below it; empty when the root is gone."""
    children: dict[int, list[Stat]] = {}
    for stat in stats:
        children.setdefault(stat.parent, []).append(stat)
    found = [stat for stat in stats if stat.pid == root]
    for stat in found:
        found.extend(children.get(stat.pid, []))
    return found


def tree(root: int) -> list[Stat]:
    """The living processes of the tree."""
    return subtree(root, list(all_stats()))


def scheduled_ns(pid: int) -> int:
    """CPU time of a process's living threads, in nanoseconds as the scheduler counts it."""
    return sum(int(file.read_text().split()[0]) for file in (PROC / str(pid) / "task").glob("*/schedstat"))


def own_ns(stat: Stat, fine_ns: int) -> int:
    """The scheduler's figure, which is exact but forgets ended threads; then utime and stime, which come in ticks."""
    coarse_ns = stat.own_ticks * TICK_NS
    return coarse_ns if coarse_ns > fine_ns + LOST_THREADS_NS else fine_ns


def cpu_ns(root: int) -> int:
    """CPU time of the tree so far: of the living, and of the children that they have waited for."""
    total = 0
    for stat in tree(root):
        try:
            fine_ns = scheduled_ns(stat.pid)
        except (FileNotFoundError, ProcessLookupError):
            fine_ns = 0
        total += own_ns(stat, fine_ns) + stat.ended_children_ticks * TICK_NS
    return total


def parse_memory(text: str, field: str) -> int:
    """Bytes of one `Field:  N kB` line of smaps_rollup or status."""
    for line in text.splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def _sum_living(root: int, figure: Callable[[int], int]) -> int:
    """Sum over the tree; a process that ends meanwhile counts nothing."""
    total = 0
    for stat in tree(root):
        try:
            total += figure(stat.pid)
        except (FileNotFoundError, ProcessLookupError, KeyError):
            continue
    return total


def pss_bytes(root: int) -> int:
    """Proportional set size of the tree: private pages, and the tree's share of shared ones."""
    return _sum_living(root, lambda pid: parse_memory((PROC / str(pid) / "smaps_rollup").read_text(), "Pss"))


def rss_bytes(pid: int) -> int:
    """Resident size of one process."""
    return parse_memory((PROC / str(pid) / "status").read_text(), "VmRSS")


def descriptors(root: int) -> int:
    """Open descriptors of the tree."""
    return _sum_living(root, lambda pid: len(os.listdir(PROC / str(pid) / "fd")))


def busiest(root: int) -> int:
    """The process of the tree that used most CPU so far: of a proxy under load its worker."""
    return max(tree(root), key=lambda stat: own_ns(stat, scheduled_ns(stat.pid))).pid
