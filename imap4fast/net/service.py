"""One worker's sessions: accepts, admits by the host's limits, keeps time, drains."""

from __future__ import annotations

import asyncio
import datetime
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from imap4fast._wire import OVER_RATE, OVER_RATE_IP, OVER_SESSIONS, CountTable, Queue, end_of, set_options
from imap4fast.config.settings import Listen, SessionAcl, Settings
from imap4fast.config.values import Address
from imap4fast.imap.replies import Reply
from imap4fast.log import imap as imap_entries
from imap4fast.log import tcps as entries
from imap4fast.log.cause import cause
from imap4fast.log.entry import Entry
from imap4fast.log.setup import Logs
from imap4fast.net import addresses
from imap4fast.net.disk import Disk
from imap4fast.net.driver import Driver
from imap4fast.net.dump import Dump
from imap4fast.net.endpoint import ClientEnd
from imap4fast.net.mailroom import Mailroom, Provisions
from imap4fast.net.options import delay_options, server_options
from imap4fast.net.pool import Pool
from imap4fast.net.resolve import ClientNames, resolve_names
from imap4fast.net.scanners import Scanners
from imap4fast.net.scannersettings import engines_of
from imap4fast.net.securing import FAREWELL_S, Farewell
from imap4fast.net.tlsmaterial import Contexts, Material
from imap4fast.policy.facts import Facts
from imap4fast.policy.limits import NEVER_S, idle_timeout
from imap4fast.policy.material import Material as Files
from imap4fast.policy.residual import Residuals
from imap4fast.policy.search import Policy
from imap4fast.session.charter import Charter
from imap4fast.session.session import Session

NO_FILES = Files()
TICK_S = 0.5
MOST_FAREWELLS = 64
"""Clients over a limit that get a handshake to hear of it, of those of the last FAREWELL_S seconds."""
LAST_WORDS_S = 2.0
"""How long a worker that ends waits for its clients to take their BYE."""


class Service:
    """Made by the worker inside its loop's process; `start` begins to accept."""

    def __init__(
        self, settings: Settings, logs: Logs, counts: CountTable, column: int, files: Files = NO_FILES
    ) -> None:
        self.settings = settings
        self.proxy = settings.proxy
        self.logs = logs
        self.counts = counts
        self.column = column
        self._files = files
        self.loop: asyncio.AbstractEventLoop
        self.handshakes: Queue
        self.clock: Callable[[], float] = time.monotonic
        self.server_options = server_options(settings.proxy.server_conn)
        self._client_options = delay_options(settings.proxy.client_conn)
        self.dump = Dump(settings.proxy, logs)
        self.tls = Contexts(())
        self.mailroom: Mailroom | None = None
        self._mail: tuple[Pool, Provisions] | None = None
        self._drivers: dict[Driver, None] = {}
        self._parting: dict[Driver, float] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[object]] = set()
        self._number = 0
        self._rate_line = 0
        self._warned: dict[Entry, int] = {}
        self._rate_refused = 0
        self._farewells = 0
        self._client_names = ClientNames()
        self._names: dict[str, frozenset[Address]] = {}
        self._charter = self._charter_of(Policy(settings))
        self._draining = False

    def _charter_of(self, policy: Policy) -> Charter:
        return Charter(self.settings, policy, self.logs)

    @property
    def now(self) -> float:
        """Seconds of the loop's clock, as of this turn of the loop."""
        return self.loop.time()

    @property
    def sessions(self) -> int:
        """Connections that live."""
        return len(self._drivers)

    @property
    def parting(self) -> int:
        """Server legs that are about to close."""
        return len(self._parting)

    def shake_s(self, acl: SessionAcl) -> float:
        """How long the handshake with a client may take."""
        return min(idle_timeout(self.proxy, acl, None) or NEVER_S, self.proxy.login_timeout or NEVER_S)

    async def start(self, sockets: Sequence[tuple[socket.socket, Listen]]) -> None:
        """Resolve the names of the configuration, then accept on the sockets."""
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time
        self.loop.set_exception_handler(self._broken)
        self.handshakes = Queue(self.loop.call_soon)
        if self._mail is not None:
            self._open_mailroom(*self._mail)
        await self._refresh_names()
        for sock, listen in sockets:
            server = await self.loop.create_server(
                self._maker(listen), sock=sock, backlog=self.proxy.tcpserver.queue_size
            )
            self._servers.append(server)
        self.loop.call_later(TICK_S, self._tick)

    def _open_mailroom(self, pool: Pool, provisions: Provisions) -> None:
        disk = Disk(self.loop, provisions.spool, self.logs)
        disk.start()
        engines = engines_of(self.proxy)
        scanners = Scanners(*engines, disk, self.logs, self.clock, provisions.directories)
        scanners.start()
        residuals = Residuals(self.settings, self._files)
        self.mailroom = Mailroom(disk, pool, scanners, residuals, provisions.directories)

    def _maker(self, listen: Listen) -> Callable[[], ClientEnd]:
        # Tickets of TLS are good at the listening address alone that gave them.
        return partial(ClientEnd, self, listen.transparent, repr(listen))

    def adopt(self, sock: socket.socket, listen: Listen) -> None:
        """A connection that another process accepted."""
        sock.setblocking(False)
        self._keep(self.loop.create_task(self.loop.connect_accepted_socket(self._maker(listen), sock)))

    def _keep(self, task: asyncio.Task[object]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def accepted(self, transport: asyncio.Transport, end: ClientEnd) -> None:
        """A client connected: admit it by the host's limits, then let its session decide."""
        fd = transport.get_extra_info("socket").fileno()
        peer, local = end_of(fd, True), end_of(fd, False)
        if peer is None or local is None:
            transport.abort()
            return
        transport.set_write_buffer_limits(0)
        if self._client_options:
            set_options(fd, self._client_options)
        octets, port = peer
        address, host = addresses.known(octets)
        client = (host, port)
        now = self.loop.time()
        over = self.counts.admit(self.column, octets, int(now * 1000))
        if over:
            facts = Facts(address, port, addresses.place(*local).sock, end.transparent)
            self._over_limit(transport, end, over, client, facts)
            return
        try:
            place = addresses.place(*local)
            driver = Driver(self, end, transport, client, place.text, octets)
            if self.logs.detailed:
                self.logs.write(entries.CONNECTION_ACCEPTED, driver.client_text, place.text)
            self._number += 1
            if self.logs.full:
                self.dump.tap_client(end.relay, self._number)
            facts = Facts(address, port, place.sock, end.transparent)
            if self._charter.policy.needs_client_name:
                self._keep(self.loop.create_task(self._named(driver, transport, end, facts, self._number, fd)))
            else:
                self._begin(driver, end, facts, self._number, fd, now)
        except Exception as exc:
            if end.driver is None:
                self.counts.leave(self.column, octets)
                raise
            end.driver.broken(exc)

    async def _named(
        self, driver: Driver, transport: asyncio.Transport, end: ClientEnd, facts: Facts, number: int, fd: int
    ) -> None:
        """Go on when the client's name is known, or known to be unknown."""
        try:
            transport.pause_reading()
            facts.client_name = await self._client_names.of(driver.client_address[0])
            if not transport.is_closing():
                transport.resume_reading()
                self._begin(driver, end, facts, number, fd, self.loop.time())
        except Exception as exc:
            if end.driver is None:
                self.not_accepted(transport, end, exc)
            else:
                end.driver.broken(exc)
        finally:
            if end.driver is None:
                self.counts.leave(self.column, driver.track_key)

    def _begin(self, driver: Driver, end: ClientEnd, facts: Facts, number: int, fd: int, now: float) -> None:
        charter = self._charter
        if charter.policy.needs_time:
            facts.when = datetime.datetime.now()
        session = Session(charter, driver, facts, number, now)
        end.driver = driver
        self._drivers[driver] = None
        driver.begin(session, fd, now)
        if self._draining and not session.over:
            session.shut_down()

    def not_accepted(self, transport: asyncio.Transport, end: ClientEnd, error: Exception) -> None:
        """A rule of this program was broken before there was a session: only the connection is closed."""
        self.logs.write(imap_entries.INTERNAL_ERROR, "worker", cause(error))
        end.relay.stop()
        transport.abort()

    def _over_limit(
        self, transport: asyncio.Transport, end: ClientEnd, over: int, peer: tuple[str, int], facts: Facts
    ) -> None:
        """conn-rate: closed silently, logged once a second. max-sessions: one BYE (configuration.md section 5)."""
        end.relay.stop()
        limits = self.proxy.tcpserver
        if over in (OVER_RATE, OVER_RATE_IP):
            self._log_rate(over, peer[0])
            transport.abort()
            return
        if over == OVER_SESSIONS:
            entry, limit = entries.MAX_SESSIONS, limits.max_sessions
        else:
            entry, limit = entries.MAX_SESSIONS_PER_IP, limits.max_sessions_per_ip
        self.logs.write(entry, addresses.shown(*peer), limit, severity=self._again(entry))
        self._bid_farewell(transport, end, facts, self._charter.say("EN", b"* BYE", Reply.TOO_MANY_SESSIONS))

    def _bid_farewell(self, transport: asyncio.Transport, end: ClientEnd, facts: Facts, line: bytes) -> None:
        """Say the line as the client's session would begin: inside of TLS for as many as that is cheap for."""
        acl = self._charter.policy.session(facts).acl
        use = acl.client_ssl if isinstance(acl, SessionAcl) else None
        if use is None or use.starttls:
            transport.write(line)
            transport.close()
        elif self._farewells < MOST_FAREWELLS:
            self._farewells += 1
            self.loop.call_later(FAREWELL_S, self._farewell_over)
            Farewell(self, transport, self.tls.accepting(use.params.name, end.listener), line)
        else:
            transport.abort()

    def _farewell_over(self) -> None:
        self._farewells -= 1

    def _again(self, entry: Entry) -> str | None:
        """The severity of a warning that was written within this second already."""
        second = int(self.now)
        if self._warned.get(entry) == second:
            return "D"
        self._warned[entry] = second
        return None

    def _log_rate(self, over: int, host: str) -> None:
        second = int(self.now)
        self._rate_refused += 1
        if second == self._rate_line:
            return
        self._rate_line = second
        limits = self.proxy.tcpserver
        if over == OVER_RATE:
            self.logs.write(entries.CONN_RATE, limits.conn_rate + self._rate_refused, limits.conn_rate)
        else:
            limit = limits.conn_rate_per_ip
            self.logs.write(entries.CONN_RATE_PER_IP, host, limit + self._rate_refused, limit)
        self._rate_refused = 0

    def forget(self, driver: Driver) -> None:
        """A connection's client leg is closed."""
        if driver in self._drivers:
            del self._drivers[driver]
            self.counts.leave(self.column, driver.track_key)
            if self.logs.detailed:
                self.logs.write(entries.CONNECTION_HANDLED, driver.client_text)

    def server_parting(self, driver: Driver, wait_s: float) -> None:
        """A server's leg is to be closed: by the server, or after so many seconds, which are always the same."""
        self._parting[driver] = self.now + wait_s

    def server_parted(self, driver: Driver) -> None:
        """It is closed."""
        self._parting.pop(driver, None)

    # ---- time ---------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self.loop.call_later(TICK_S, self._tick)
        now = self.loop.time()
        for driver in list(self._drivers):
            try:
                driver.tick(now)
            except Exception as exc:
                driver.broken(exc)
        for driver, until in list(self._parting.items()):
            if now < until:
                break
            del self._parting[driver]
            driver.cut_server()

    async def _refresh_names(self) -> None:
        """Addresses of the names that conditions use, now and every `cfg-resolution refresh`."""
        names = self._charter.policy.host_names
        if not names:
            return
        # A name that nobody can tell now keeps the addresses that it had: a rule must not end with a name server.
        self._names |= await self.loop.run_in_executor(None, resolve_names, names)
        self._charter = self._charter_of(Policy(self.settings, self._names))
        if self.mailroom is not None:
            self.mailroom.residuals = Residuals(self.settings, self._files, self._names)
        refresh = self.proxy.cfg_resolution
        if refresh:
            self.loop.call_later(refresh, lambda: self._keep(self.loop.create_task(self._refresh_names())))

    def _broken(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """An exception that no callback caught: that of a transport ends its session, any other one is logged."""
        error = context.get("exception")
        driver = getattr(context.get("protocol"), "driver", None)
        if driver is not None and isinstance(error, Exception):
            # Not here: uvloop asks inside a write, which the relay may be in the midst of.
            self.loop.call_soon(driver.broken, error)
            return
        what = cause(error) if isinstance(error, BaseException) else str(context.get("message"))
        self.logs.write(imap_entries.INTERNAL_ERROR, "worker", what)

    def take_tls(self, materials: tuple[Material, ...] | None, ticket_keys: tuple[bytes, ...]) -> None:
        """Certificates and keys for new handshakes; None: those that there are. Sessions that live keep theirs."""
        if ticket_keys:
            self.tls.set_ticket_keys(ticket_keys)
        if materials is not None:
            self.tls.replace(materials)

    def take_mail(self, pool: Pool, provisions: Provisions) -> None:
        """Where mails are made and kept."""
        self._mail = (pool, provisions)

    def level_changed(self) -> None:
        """The log has another level: sessions that live go by it from now on."""
        for driver in self._drivers:
            if not driver.session.over:
                driver.session.heed_level()

    # ---- end ----------------------------------------------------------------------------------------------------

    def stop_accepting(self) -> None:
        """Close the worker's own copies of the listening sockets."""
        self._draining = True
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def drain(self, wait_s: float) -> None:
        """Wait until all sessions ended, at most `wait_s` seconds; then BYE and close."""
        until = self.loop.time() + wait_s
        while self._drivers and self.loop.time() < until:
            await asyncio.sleep(0.05)
        if self._drivers and wait_s:
            self.logs.write(entries.SESSIONS_CUT, self.column, len(self._drivers), round(wait_s))
        for driver in list(self._drivers):
            try:
                if not driver.session.over:
                    driver.session.shut_down()
            except Exception as exc:
                driver.broken(exc)
        until = self.loop.time() + LAST_WORDS_S
        while self._drivers and self.loop.time() < until:
            await asyncio.sleep(0.02)
        for driver in list(self._drivers):
            with suppress(RuntimeError):
                driver.abort()
        for driver in self._parting:
            driver.cut_server()
        if self.mailroom is not None:
            await self.mailroom.stop()
        self.logs.flush()
