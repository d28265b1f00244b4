"""A small service for the tests of processes: greets with its worker's PID, echoes lines, says BYE at the end.

Run as a program with one argument, the `imap4-proxy` settings in JSON. A line `hang SECONDS` blocks the loop; the
environment PROC_ECHO_FAIL makes services fail at their start ("always", or a path: while that file exists), and
PROC_ECHO_SLOTS says how many addresses the table of counts has places for. With PROC_ECHO_MAIL mail is processed, by
the tricks of tests/unit/proc/nurseries.py: a line `mail JOB` has a helper do one, and is answered by what came of it;
"broken" makes the nursery fail at its start.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import cast

import msgspec

from imap4fast._wire import OK, CountTable
from imap4fast.config.settings import Listen, Proxy, Settings
from imap4fast.errors import ServiceError, SetupError
from imap4fast.log.setup import Logs
from imap4fast.net.jobs import Limits, Work
from imap4fast.net.mailroom import Provisions
from imap4fast.net.pool import Pool
from imap4fast.proc import launch, master
from imap4fast.proc.brood import Craft
from tests.unit.proc.nurseries import order, trick

LIMITS = Limits(cpu_s=1, wall_s=5)


class Echo(asyncio.Protocol):
    """One client."""

    def __init__(self, service: EchoService) -> None:
        self._service = service
        self._packed = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast(asyncio.Transport, transport)  # uvloop has classes of its own
        self._packed = socket.inet_pton(socket.AF_INET, made.get_extra_info("peername")[0])
        if not self._service.enter(self, self._packed):
            made.write(b"* BYE over a limit\r\n")
            made.close()
            return
        self.transport = made
        made.write(f"* OK {os.getpid()} uid={os.getuid()} gc={gc.isenabled()}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"hang "):
            time.sleep(float(data.split()[1]))
        if data.startswith(b"mail "):
            self._service.make(self, data.split()[1].decode())
            return
        if self.transport is not None:
            self.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._service.leave(self, self._packed)

    def bye(self) -> None:
        assert self.transport is not None
        self.transport.write(b"* BYE ending\r\n")
        self.transport.close()


class EchoService:
    """The interface of imap4fast.proc.worker.Service, with little behind it."""

    def __init__(self, settings: Settings, logs: Logs, counts: CountTable, column: int) -> None:
        self._counts = counts
        self._column = column
        self._clients: set[Echo] = set()
        self._servers: list[asyncio.Server] = []
        self._adopting: set[asyncio.Task[object]] = set()
        self._pool: Pool

    def enter(self, client: Echo, packed: bytes) -> bool:
        if self._counts.admit(self._column, packed, time.monotonic_ns() // 1_000_000) != OK:
            return False
        self._clients.add(client)
        return True

    def leave(self, client: Echo, packed: bytes) -> None:
        self._counts.leave(self._column, packed)
        self._clients.discard(client)

    async def start(self, sockets: Sequence[tuple[socket.socket, Listen]]) -> None:
        fail = os.environ.get("PROC_ECHO_FAIL", "")
        if fail == "always" or (fail and os.path.exists(fail)):
            raise SetupError("echo", "told to fail")
        loop = asyncio.get_running_loop()
        for sock, _ in sockets:
            self._servers.append(await loop.create_server(lambda: Echo(self), sock=sock))

    def adopt(self, sock: socket.socket, listen: Listen) -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(lambda: Echo(self), sock))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    def take_mail(self, pool: Pool, provisions: Provisions) -> None:
        self._pool = pool

    def make(self, client: Echo, job: str) -> None:
        """A job for a helper; its answer is a line."""
        task = asyncio.get_running_loop().create_task(self._make(client, job))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    async def _make(self, client: Echo, job: str) -> None:
        source, target = os.memfd_create("source"), os.memfd_create("target")
        try:
            outcome = await self._pool.run(order(job), source, target, "me")
            text = os.pread(target, outcome.mail_size, 0).decode()
        except ServiceError as error:
            text = f"failed: {error.why}"
        os.close(source)
        os.close(target)
        if client.transport is not None:
            client.transport.write(text.encode() + b"\r\n")

    def take_tls(self, materials: object, ticket_keys: object) -> None:
        """Clients here speak plainly."""

    def level_changed(self) -> None:
        """Nothing here goes by the level."""

    def stop_accepting(self) -> None:
        for server in self._servers:
            server.close()

    async def drain(self, wait_s: float) -> None:
        until = time.monotonic() + wait_s
        while self._clients and time.monotonic() < until:
            await asyncio.sleep(0.02)
        for client in list(self._clients):
            client.bye()
        while self._clients:
            await asyncio.sleep(0.01)

    @property
    def sessions(self) -> int:
        return len(self._clients)


def wants_mail(settings: Settings) -> bool:
    return "PROC_ECHO_MAIL" in os.environ


def make_work(settings: Settings) -> Work:
    if os.environ["PROC_ECHO_MAIL"] == "broken":
        raise ValueError("told to fail")
    return trick


def main() -> int:
    proxy = msgspec.json.decode(sys.argv[1], type=Proxy)
    if slots := os.environ.get("PROC_ECHO_SLOTS"):
        master.CountTable = partial(CountTable, slots=int(slots))  # type: ignore[assignment, misc]
    try:
        launch.run(
            Settings(path="echo", digest="0", proxy=proxy), EchoService, craft=Craft(wants_mail, make_work, LIMITS)
        )
    except SetupError as error:
        print(f"imap4-proxy: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
