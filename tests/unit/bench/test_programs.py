"""The C programs themselves: server and load agree on every script, through a relay, and a wrong octet is noticed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bench.build import FLAGS, PROGRAMS, SOURCES, build, is_stale, program
from bench.load import LoadError, Result, load_command, started_load
from bench.peers import PEERS, Peer
from bench.processes import started, started_server

SCRIPTS = (
    *("noop", "flags", "list100", "fetch4k", "fetch64k", "fetch1m", "append64k", "append1m"),
    *("append64k-sync", "append1m-sync", "login-cycle", "idle", "moved", "wake", "churn"),
)
RELAYS = [peer for peer in PEERS if peer.name in ("c-relay", "uvloop")]


@pytest.fixture(scope="module")
def server_port() -> Iterator[int]:
    build()
    with started_server(None) as server:
        yield server.port


def run_load(port: int, script: str, sessions: int = 3, **more: float) -> Result:
    with started_load(load_command(port, script, sessions, **more), None) as load:
        load.ready()
        return load.run()


def test_all_is_built_and_only_when_stale(tmp_path: Path) -> None:
    build()
    assert all(program(name).exists() for name in PROGRAMS)
    target, source = tmp_path / "target", program("load")
    assert is_stale(target, [source])
    target.touch()
    assert not is_stale(target, [source])


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("relay", RELAYS, ids=lambda peer: peer.name)
def test_every_script_through_a_relay(server_port: int, relay: Peer, script: str) -> None:
    with started(relay, server_port, None) as running:
        result = run_load(
            running.port, script, seconds=0.1, warm=0.1 if script != "wake" else 0, passes=script == "wake"
        )
    assert result.errors == 0
    assert result.opened == 3
    assert (result.operations > 0) == (script not in ("idle", "moved"))


def test_an_offered_rate_is_kept_and_latency_counts_from_the_intended_time(server_port: int) -> None:
    result = run_load(server_port, "noop", 5, seconds=1, rate=2000)
    assert 1700 < result.operations < 2300
    assert 0 < result.p50_us <= result.p99_us <= result.most_us


def test_one_stall_is_in_one_second_of_many() -> None:
    def stall(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.2)
        os.kill(pid, signal.SIGCONT)

    build()
    with (
        started_server(None) as server,
        started_load(load_command(server.port, "noop", 5, seconds=5, rate=1000), None) as load,
    ):
        load.ready()
        timer = threading.Timer(1.5, stall, (server.pid,))
        timer.start()
        result = load.run()
        timer.join()
    assert result.p99_all_us > 50_000
    assert result.p99_us < result.p99_all_us / 2


def test_wake_runs_each_session_once(server_port: int) -> None:
    assert run_load(server_port, "wake", 20, passes=1).operations == 20


Change = Callable[[bytes], bytes]


def pump(source: socket.socket, target: socket.socket, change: Change) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(change(data))
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def spoil(server_port: int) -> Iterator[Callable[[Change], int]]:
    """Port of a relay for one connection that changes what the server says."""
    opened: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def relay(listener: socket.socket, change: Change) -> None:
        with suppress(OSError):
            client = listener.accept()[0]
            server = socket.create_connection(("127.0.0.1", server_port))
            opened.extend((client, server))
            out = threading.Thread(target=pump, args=(client, server, bytes))
            out.start()
            pump(server, client, change)
            out.join()

    def start(change: Change) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)
        threads.append(threading.Thread(target=relay, args=(listener, change)))
        threads[-1].start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for thread in threads:
        thread.join(10)
    for known in opened:
        known.close()


@pytest.mark.parametrize(
    ("script", "change", "complaint"),
    [
        ("flags", lambda data: data.replace(b"(FLAGS (\\Seen))", b"(FLAGS (\\Sean))"), "wrong answer"),
        ("noop", lambda data: data.replace(b"OK done", b"NO done"), "wrong end"),
        ("noop", lambda data: data.replace(b"OK done\r\n", b"OK done\r\n* 5 EXISTS\r\n"), "after the answer"),
        ("fetch64k", lambda data: data.replace(b")\r\na", b"]\r\na"), "wrong answer"),
        ("login-cycle", lambda data: data.replace(b" OK [CAPABILITY", b" NO [CAPABILITY"), "may not stand here"),
    ],
)
def test_a_wrong_octet_is_an_error(spoil: Callable[[Change], int], script: str, change: Change, complaint: str) -> None:
    port = spoil(lambda data: change(data) if b"* OK [CAPABILITY" not in data else data)
    with pytest.raises(LoadError, match=complaint):
        run_load(port, script, 1, seconds=0.2, warm=0.1)


def test_a_lost_session_is_an_error(spoil: Callable[[Change], int]) -> None:
    def cut(data: bytes) -> bytes:
        if b"OK done" in data:
            raise OSError
        return data

    command = load_command(spoil(cut), "noop", 1, seconds=0.2)
    with started_load(command, None) as load:
        load.ready()
        with pytest.raises(LoadError, match="closed before the answer's end"):
            load.run()
    assert load.process.returncode == 1


HISTOGRAM = """
#include <stdio.h>
#include "histogram.h"
static struct histogram histogram;
int main(void) {
    for (uint64_t value = 1; value <= 1000000; value++) record(&histogram, value * 37);
    printf("%lu %lu %lu %lu", (unsigned long)quantile(&histogram, .5), (unsigned long)quantile(&histogram, .99),
           (unsigned long)quantile(&histogram, 1), (unsigned long)quantile(&histogram, 0));
    for (uint64_t bit = 0; bit < 64; bit++)
        for (int less = 0; less < 2; less++) {
            uint64_t value = (1ull << bit) - (uint64_t)less, top = top_of(bucket_of(value));
            if (top < value || top - value > value / 128) printf(" bad %lu", (unsigned long)value);
        }
}
"""


def test_quantiles_are_off_by_less_than_a_percent(tmp_path: Path) -> None:
    source = tmp_path / "check.c"
    source.write_text(HISTOGRAM)
    binary = tmp_path / "check"
    subprocess.run(["gcc", *FLAGS, "-I", str(SOURCES), "-o", str(binary), str(source)], check=True)
    shown = subprocess.run([str(binary)], capture_output=True, text=True, check=True).stdout
    assert "bad" not in shown
    half, high, most, least = (int(word) for word in shown.split())
    assert half == pytest.approx(18_500_000, rel=0.01)
    assert high == pytest.approx(36_630_000, rel=0.01)
    assert most == 37_000_000
    assert least == 37


@pytest.mark.parametrize("arguments", [[], ["--help"], ["0", "0"], ["1", "2", "3"]])
@pytest.mark.parametrize("name", PROGRAMS)
def test_wrong_arguments_end_a_program_at_once(name: str, arguments: list[str]) -> None:
    build()
    ended = subprocess.run([str(program(name)), *arguments], capture_output=True, timeout=10, check=False)
    assert ended.returncode == 2
    assert b"usage" in ended.stderr
