"""One worker: an event loop around a service, told what to do by signals and by the master's frames.

Also what `singleproc` runs, then without a master (single.py).
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from imap4fast._wire import CountTable, keep_memory
from imap4fast.config.settings import Listen, Settings
from imap4fast.errors import Imap4FastError, InternalError, SetupError
from imap4fast.log.setup import Logs
from imap4fast.log.tcps import INTERNAL_ERROR, LEVEL_CHANGED, LOGS_REOPENED, PRIVILEGES, SESSIONS_CUT
from imap4fast.net.mailroom import Provisions
from imap4fast.net.pool import Pool
from imap4fast.net.tlsmaterial import Material
from imap4fast.proc import kernel, privileges
from imap4fast.proc.brood import Brood
from imap4fast.proc.control import (
    WHY_CHARS,
    Adopt,
    Channel,
    Drain,
    Failed,
    Frame,
    Heartbeat,
    Level,
    NoZygote,
    Ready,
    Reopen,
    Tls,
    Unbind,
    Unbound,
    Zygote,
)
from imap4fast.proc.eventloop import uvloop
from imap4fast.proc.keyring import Keyring
from imap4fast.proc.mailstores import MailStores
from imap4fast.proc.room import Room

HEARTBEAT_S = 0.25
LATE_S = 60
"""A worker whose loop does not turn for so long ends itself, by SIGALRM: with its master dead nobody else would."""
DRAIN_NOW_S = 5
"""How long ending at once may take, for the sake of BYEs."""
SPARE_DESCRIPTORS = 64


class Service(Protocol):
    """What a worker runs (imap4fast.net.service is it)."""

    async def start(self, sockets: Sequence[tuple[socket.socket, Listen]]) -> None:
        """Begins to accept."""

    def adopt(self, sock: socket.socket, listen: Listen) -> None:
        """Takes a connection that was accepted elsewhere."""

    def take_tls(self, materials: tuple[Material, ...] | None, ticket_keys: tuple[bytes, ...]) -> None:
        """What new handshakes use from now on; None: the same as before. Called once before `start`, with everything;
        no ticket keys come only where there are no materials. Sessions that live go on as they are."""

    def take_mail(self, pool: Pool, provisions: Provisions) -> None:
        """Where mails are made and kept; called once before `start`, where mail is processed."""

    def level_changed(self) -> None:
        """The log's level is another now."""

    def stop_accepting(self) -> None:
        """Ends accepting; sessions go on, and `adopt` still works."""

    async def drain(self, wait_s: float) -> None:
        """Returns when all sessions have ended; after `wait_s` they get a BYE and are closed."""

    @property
    def sessions(self) -> int:
        """Sessions that live now."""


MakeService = Callable[[Settings, Logs, CountTable, int], Service]
Sockets = Sequence[tuple[socket.socket, Listen]]


class Worker:
    """Runs a service until it is told to end. `channel` None: there is no master."""

    def __init__(
        self,
        service: Service,
        logs: Logs,
        counts: CountTable,
        sockets: Sockets,
        channel: Channel | None = None,
        column: int = 0,
        pool: Pool | None = None,
    ) -> None:
        self._service = service
        self._logs = logs
        self._counts = counts
        self._room = Room(counts, logs)
        self._sockets = list(sockets)
        self._channel = channel
        self._column = column
        self._pool = pool
        self._accepting = True
        self._draining: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._most_sessions = (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_DESCRIPTORS) // 2

    async def run(self, on_ready: Callable[[], None] | None = None) -> None:
        """Starts the service, says so, and returns when it has ended."""
        loop = asyncio.get_running_loop()
        await self._service.start(self._sockets)
        if self._channel is not None:
            loop.add_reader(self._channel.fileno(), self._read)
            self._channel.send(Ready())
        if on_ready is not None:
            on_ready()
        self._beat(loop)
        await self._ended.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)

    def unbind(self) -> None:
        """Accepts no more and closes the listening sockets."""
        if not self._accepting:
            return
        self._accepting = False
        self._service.stop_accepting()
        for sock, _ in self._sockets:
            if sock.fileno() != -1:
                sock.close()

    def drain(self, wait_s: float) -> None:
        """Ends the worker when its sessions have ended, with BYE after `wait_s`. A later call replaces an earlier."""
        self.unbind()
        if self._draining is not None:
            self._draining.cancel()
        self._draining = asyncio.get_running_loop().create_task(self._drain(wait_s))

    async def _drain(self, wait_s: float) -> None:
        limit_s = wait_s + DRAIN_NOW_S
        cut = asyncio.get_running_loop().call_later(wait_s, self._note_cut, wait_s)
        try:
            await asyncio.wait_for(self._service.drain(wait_s), limit_s)
        except TimeoutError:
            self._logs.write(INTERNAL_ERROR, "worker.drain", f"sessions did not end within {limit_s:g} s")
        except Exception as error:
            self._logs.write(INTERNAL_ERROR, "worker.drain", f"{type(error).__name__}: {error}")
        finally:
            cut.cancel()
        self._ended.set()

    def _note_cut(self, wait_s: float) -> None:
        if wait_s and self._service.sessions:
            self._logs.write(SESSIONS_CUT, self._column + 1, self._service.sessions, round(wait_s))

    def change_level(self, up: bool) -> None:
        """One word more or less in the log."""
        level = self._logs.raise_level() if up else self._logs.lower_level()
        self._service.level_changed()
        self._logs.write(LEVEL_CHANGED, level)

    def take_tls(self, materials: tuple[Material, ...] | None, ticket_keys: tuple[bytes, ...]) -> None:
        """As the service's; what it cannot use is logged, and it goes on with what it has."""
        try:
            self._service.take_tls(materials, ticket_keys)
        except Exception as error:
            self._logs.write(INTERNAL_ERROR, "worker.take_tls", f"{type(error).__name__}: {error}")

    def reopen(self) -> None:
        """Opens log files anew."""
        self._logs.reopen()
        self._logs.write(LOGS_REOPENED)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """Every HEARTBEAT_S: says that the loop turns, and does what is due now and then; nothing else flushes logs."""
        loop.call_later(HEARTBEAT_S, self._beat, loop)
        self._counts.settle()
        self._logs.flush()
        if self._channel is None:
            self._room.look(loop.time())
        else:
            signal.setitimer(signal.ITIMER_REAL, LATE_S)
            sessions = self._service.sessions
            self._channel.push()
            self._channel.offer(Heartbeat(sessions, sessions >= self._most_sessions))

    def _read(self) -> None:
        channel = self._channel
        assert channel is not None
        for frame, descriptor in channel.receive():
            self._obey(frame, descriptor)
        if channel.closed:  # the master is dead
            asyncio.get_running_loop().remove_reader(channel.fileno())
            self.drain(0)

    def _obey(self, frame: Frame, descriptor: int) -> None:
        match frame:
            case Adopt(group):
                self._service.adopt(socket.socket(fileno=descriptor), self._sockets[group][1])
            case Unbind():
                self.unbind()
                if self._channel is not None:
                    self._channel.send(Unbound())
            case Drain(wait_s):
                self.drain(wait_s)
            case Level(up):
                self.change_level(up)
            case Reopen():
                self.reopen()
            case Tls(materials, ticket_keys):
                self.take_tls(materials, ticket_keys)
            case Zygote():
                self._take_zygote(socket.socket(fileno=descriptor))
            case _:
                raise InternalError(f"worker: no frame for it: {type(frame).__name__}")

    def _take_zygote(self, zygote: socket.socket) -> None:
        if self._pool is not None:
            self._pool.renew(zygote)
        else:
            zygote.close()


def make_pool(brood: Brood, zygote: socket.socket | None, logs: Logs, lost: Callable[[], None]) -> Pool | None:
    """The worker's pool, in its loop; None where no mail is processed."""
    if brood.craft is None:
        return None
    return Pool(zygote, brood.share, logs.write, lost, brood.craft.limits)


def raise_descriptor_limit() -> None:
    """As many descriptors as this process may have: a session takes two."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Start(Protocol):
    """What a worker needs to begin, as master.py has it."""

    settings: Settings
    logs: Logs
    counts: CountTable
    make_service: MakeService
    keyring: Keyring
    brood: Brood
    stores: MailStores | None
    who: privileges.Identity | None
    pid: int


def main(start: Start, column: int, sockets: Sockets, channel: Channel, zygote: socket.socket | None = None) -> int:
    """The whole life of a worker process after the fork, in the child; the exit status. `zygote` is a socket to one."""
    start.logs.after_fork(os.getpid())
    keep_memory()
    gc.disable()  # what sessions leave is free of cycles, and what came before the fork is frozen
    try:
        _tie_to_master(start.pid)
        provisions = None if start.stores is None else start.stores.enter(column)
        drop_privileges(start.who, start.logs)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)  # a change of user has cleared it
        uvloop.run(_serve(start, column, sockets, channel, zygote, provisions))
    except Imap4FastError as error:
        _report(channel, error)
        return 1
    except Exception as error:
        start.logs.write(INTERNAL_ERROR, "worker", f"{type(error).__name__}: {error}")
        channel.send(Failed("worker", f"{type(error).__name__}: {error}"[:WHY_CHARS]))
        return 1
    finally:
        start.logs.flush()
    return 0


def drop_privileges(who: privileges.Identity | None, logs: Logs) -> None:
    """As privileges.drop; what could not be dropped is logged also where the master does not hear it."""
    try:
        privileges.drop(who)
    except SetupError as error:
        logs.write(PRIVILEGES, str(error.why))
        raise


def _tie_to_master(master: int) -> None:
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != master:
        raise SetupError("worker", "the master is dead already")


async def _serve(
    start: Start,
    column: int,
    sockets: Sockets,
    channel: Channel,
    zygote: socket.socket | None,
    provisions: Provisions | None,
) -> None:
    service = start.make_service(start.settings, start.logs, start.counts, column)
    service.take_tls(start.keyring.materials, start.keyring.ticket_keys)
    start.keyring.forget()
    pool = make_pool(start.brood, zygote, start.logs, lambda: channel.send(NoZygote()))
    if pool is not None and provisions is not None:
        service.take_mail(pool, provisions)
    worker = Worker(service, start.logs, start.counts, sockets, channel, column, pool)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, worker.drain, 0)
    loop.add_signal_handler(signal.SIGUSR1, worker.change_level, True)
    loop.add_signal_handler(signal.SIGUSR2, worker.change_level, False)
    await worker.run()


def _report(channel: Channel, error: Imap4FastError) -> None:
    if isinstance(error, SetupError):
        channel.send(Failed(error.what, str(error.why)[:WHY_CHARS]))
    else:
        channel.send(Failed("worker", str(error)[:WHY_CHARS]))
