"""What TLS of a leg costs alone, against Python's ssl over memory: bytes sealed by one end and read by the other.

A row is one encryption and one decryption, without a socket: what a leg does for a command and its answer, or the two
legs of a session for one direction. `us` and `MB/s` are in the extra columns. TLS 1.3, AES-256-GCM, P-256. The other
rows are a whole handshake, both ends, full and resumed; nothing here fails by time.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from imap4fast._wire import Tls
from tests.unit.tls.ends import NAME, TLS12, TLS13, client_context, join, python_context, server_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

SIZES = [64, 4096, 65536]


def rate(benchmark: BenchmarkFixture, run: Callable[[bytes], None], data: bytes) -> None:
    benchmark(run, data)
    if benchmark.stats is not None:
        median = benchmark.stats.stats.median
        benchmark.extra_info["MB/s"] = round(len(data) / median / 1e6)
        benchmark.extra_info["us"] = round(median * 1e6, 3)


@pytest.mark.parametrize("size", SIZES)
def test_legs(benchmark: BenchmarkFixture, size: int) -> None:
    client, server = Tls(client_context(tickets=0)), Tls(server_context(tickets=0))
    client.set_server_name(NAME.encode())
    join(client, server)

    def run(data: bytes) -> None:
        assert len(server.pump(client.seal(data))[0]) == size

    rate(benchmark, run, b"x" * size)
    assert client.version == "TLSv1.3"


class Memory:
    """An end of Python's ssl, with as little around it as can be."""

    def __init__(self, server: bool) -> None:
        self.came, self.goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = python_context(server, TLS13)
        name = None if server else NAME
        self.tls = context.wrap_bio(self.came, self.goes, server_side=server, server_hostname=name)

    def shake(self) -> None:
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()


@pytest.mark.parametrize("size", SIZES)
def test_python(benchmark: BenchmarkFixture, size: int) -> None:
    client, server = Memory(False), Memory(True)
    for _ in range(3):
        client.shake()
        server.came.write(client.goes.read())
        server.shake()
        client.came.write(server.goes.read())

    def run(data: bytes) -> None:
        client.tls.write(data)
        server.came.write(client.goes.read())
        got = 0
        while got < size:
            got += len(server.tls.read(65536))

    rate(benchmark, run, b"x" * size)


@pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])
@pytest.mark.parametrize("resumed", [False, True], ids=["full", "resumed"])
def test_handshakes(benchmark: BenchmarkFixture, version: int, resumed: bool) -> None:
    """Both ends. The client verifies the server's certificate, the server asks for none."""
    items: dict[str, Any] = {"min_version": version, "max_version": version, "tickets": int(resumed)}
    contexts = client_context(**items), server_context(**items)

    def run() -> tuple[Tls, Tls]:
        client, server = Tls(contexts[0]), Tls(contexts[1])
        client.set_server_name(NAME.encode())
        join(client, server)
        return client, server

    run()
    client, server = benchmark(run)
    assert client.handshake_done
    assert server.resumed == resumed
    if benchmark.stats is not None:
        benchmark.extra_info["us"] = round(benchmark.stats.stats.median * 1e6, 1)
