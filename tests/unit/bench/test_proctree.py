"""Reading of /proc: the parsers on given text, the sums on real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench import proctree
from bench.proctree import TICK_NS, Stat, own_ns, parse_memory, parse_stat, subtree

BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"
"""A program that uses a known amount of CPU."""


def test_a_name_may_hold_parentheses_and_spaces() -> None:
    line = "42 (a) S 7 (b) R 17 1 1 0 -1 4194304 1 2 3 4 50 60 70 80 20 0 1 0 9 1 1"
    assert parse_stat(line) == Stat(pid=42, parent=17, own_ticks=110, ended_children_ticks=150)


def test_subtree_takes_children_of_children_and_nobody_else() -> None:
    stats = [Stat(pid, parent, 0, 0) for pid, parent in ((1, 0), (5, 1), (9, 5), (7, 9), (6, 1), (8, 6))]
    assert sorted(stat.pid for stat in subtree(5, stats)) == [5, 7, 9]
    assert subtree(99, stats) == []


def test_ended_threads_are_in_the_coarse_figure_only() -> None:
    stat = Stat(1, 0, 100, 0)
    assert own_ns(stat, 99 * TICK_NS) == 99 * TICK_NS
    assert own_ns(stat, 10 * TICK_NS) == 100 * TICK_NS


def test_memory_lines() -> None:
    text = "Rss:                1708 kB\nPss:                 332 kB\nPss_Dirty:           112 kB\n"
    assert parse_memory(text, "Pss") == 332 * 1024
    with pytest.raises(KeyError):
        parse_memory(text, "Ps")


@pytest.fixture
def parent_of_burned_child() -> Iterator[subprocess.Popen[str]]:
    """Has waited for one child that used 0.3 s, has a living one that used 0.2 s, and says so when both are true."""
    burned, living = BURN.format(seconds=0.3), BURN.format(seconds=0.2) + "print('used', flush=True); input()"
    code = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {burned!r}], check=True)\n"
        f"subprocess.run([sys.executable, '-c', {living!r}], check=True)\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.communicate("\n")


def test_living_and_ended_children_count(parent_of_burned_child: subprocess.Popen[str]) -> None:
    process = parent_of_burned_child
    assert process.stdout is not None
    assert process.stdout.readline() == "used\n"
    assert len(proctree.tree(process.pid)) == 2
    assert proctree.cpu_ns(process.pid) >= 0.49e9
    assert proctree.busiest(process.pid) != process.pid
    assert proctree.pss_bytes(process.pid) > 2**20
    assert proctree.descriptors(process.pid) >= 6


def test_descriptors_and_resident_size_of_this_process() -> None:
    before = proctree.descriptors(os.getpid())
    with open(os.devnull):
        assert proctree.descriptors(os.getpid()) == before + 1
    assert proctree.rss_bytes(os.getpid()) > 2**20


def test_a_gone_tree_costs_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert proctree.cpu_ns(process.pid) == 0
    assert proctree.pss_bytes(process.pid) == 0
