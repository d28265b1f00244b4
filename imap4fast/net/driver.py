"""One session's sockets: carries out what the session wants done. The only place that knows both."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from imap4fast._wire import Tls, set_options
from imap4fast.config.values import Address, Sock
from imap4fast.errors import InternalError
from imap4fast.imap.replies import Reply
from imap4fast.log import netc as entries
from imap4fast.log.cause import cause
from imap4fast.log.imap import INTERNAL_ERROR
from imap4fast.net import addresses
from imap4fast.net.endpoint import ClientEnd, ServerEnd
from imap4fast.net.mailroom import SessionMails
from imap4fast.net.securing import ClientLeg, ServerLeg, listen
from imap4fast.net.steps import Steps
from imap4fast.session import tls
from imap4fast.session.session import Session

if TYPE_CHECKING:
    from imap4fast.net.service import Service


def _why_unresolved(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "no name of a host"
    # TimeoutError is an OSError, too.
    return "no answer" if isinstance(error, TimeoutError) else getattr(error, "strerror", None) or "no answer"


class Driver:
    """Life: begin -> connect -> server_made -> ... -> close -> client_lost, once each but for several attempts to
    connect. `close` may come at any point.
    """

    __slots__ = (
        "answer_until", "attempt", "client", "client_address", "client_done", "client_fd", "client_text", "close_at",
        "connect_until", "listener", "opening", "recorded", "relay", "securing", "server", "server_address",
        "server_sock", "service", "session", "to_text", "track_key", "watched",
    )  # fmt: skip

    def __init__(
        self,
        service: Service,
        end: ClientEnd,
        transport: asyncio.Transport,
        client: tuple[str, int],
        to_text: str,
        track_key: bytes,
    ) -> None:
        self.service = service
        self.relay = end.relay
        self.listener = end.listener
        self.client: asyncio.Transport | None = transport
        self.server: asyncio.Transport | None = None
        self.client_fd = -1
        self.client_address = client
        self.client_text = addresses.text(*client)
        self.to_text = to_text
        self.track_key = track_key
        self.server_address: tuple[str, int] | None = None
        self.attempt: asyncio.Task[None] | Steps | None = None
        self.connect_until = 0.0
        self.close_at = 0.0
        self.answer_until = 0.0
        self.client_done = False
        self.recorded = False
        self.watched = False
        self.securing: ClientLeg | None = None
        self.opening: ServerLeg | None = None
        self.server_sock: Sock
        self.session: Session

    @property
    def server_text(self) -> str | None:
        """`ADDRESS:PORT` of the server, None before it is known."""
        return addresses.shown(*self.server_address) if self.server_address is not None else None

    def today(self) -> datetime.datetime:
        """Now, of the host's clock, with its zone."""
        return datetime.datetime.now(datetime.UTC)

    def mails(self) -> SessionMails:
        """Where this session's mails are processed."""
        room = self.service.mailroom
        if room is None:
            raise InternalError("mails are to be processed, and nothing is there for it")
        return SessionMails(room, self.session)

    def service_name(self, port: int) -> str:
        """The system's name of a port."""
        return addresses.service_name(port)

    # ---- begin --------------------------------------------------------------------------------------------------

    def begin(self, session: Session, fd: int, now: float) -> None:
        """Decide; then connect, or refuse."""
        self.session = session
        self.client_fd = fd
        if not session.open():
            self.refuse(b"")
            return
        use = session.acl.client_ssl
        if use is None:
            if not session.admit():
                self.refuse(session.refusal(Reply.DENIED))
                return
            self.relay.attach_client(self.client, fd, now)
            session.start(self.relay)
            self.connect(session.acl.plug_to)
        elif use.starttls:
            self.relay.attach_client(self.client, fd, now)
            session.stand_alone(self.relay)
        else:
            session.await_tls(self.relay)
            self.start_tls()

    def proceed(self) -> None:
        """Search the command-acls and connect, or turn the client away, who hears already."""
        session = self.session
        if session.admit():
            session.start(self.relay)
            self.connect(session.acl.plug_to)
        else:
            session.turn_away()

    # ---- TLS ----------------------------------------------------------------------------------------------------

    def start_tls(self) -> None:
        """TLS begins on the client's leg with the next octets. Until it is there nothing can be said, no BYE either."""
        assert self.client is not None
        self.relay.detach_client()
        self.securing = ClientLeg(self, self.client)
        self.securing.begin()

    def client_secured(self, leg: Tls) -> None:
        """The handshake with the client is done: its certificate decides, then the ACLs."""
        self.securing = None
        session, relay = self.session, self.relay
        relay.attach_client(self.client, self.client_fd, self.service.clock())
        relay.secure_client(leg)
        if not tls.client_secured(session, leg):
            session.end(None, "client-cert-match")
            return
        self.proceed()
        relay.client_data(b"")

    def server_opened(self, leg: ServerLeg) -> None:
        """The relay takes the server's leg over."""
        self.opening = None
        relay, talk = self.relay, leg.talk
        relay.attach_server(leg.transport, leg.transport.get_extra_info("socket").fileno(), self.service.clock())
        if leg.tls is not None:
            relay.secure_server(leg.tls)
        listen(leg.transport, relay.server_data)
        if talk is not None and talk.greeting is not None:
            relay.count_talk(talk.received, talk.sent)
            relay.server_said(talk.greeting)
            if talk.rest:
                relay.server_said(talk.rest)
        if leg.tls is not None:
            relay.server_data(b"")

    def refuse(self, data: bytes) -> None:
        """Close a connection that is not let in, after at most one line."""
        assert self.client is not None
        self.relay.stop()
        self.session.over = True
        if data:
            self.client.write(data)
            self._record(len(data))
            self._linger()
        else:
            self._record(0)
            self.client.close()

    def connect(self, servers: Sequence[Sock]) -> None:
        """Try the servers in order. Names need a task, for the time that their resolution may take."""
        trying = self._connect(servers)
        for sock in servers:
            if not isinstance(sock.host, Address):
                self.attempt = self.service.loop.create_task(trying)
                return
        self.attempt = steps = Steps(trying)
        steps.run()

    async def _connect(self, servers: Sequence[Sock]) -> None:
        service = self.service
        why = "name not resolved"
        timed_out = False
        try:
            for sock in servers:
                host = sock.host
                found: Sequence[tuple[str, int]]
                if isinstance(host, Address):
                    found = ((addresses.literal_of(host), sock.port),)
                else:
                    found = await self._resolved(host, sock.port)
                for attempt in found:
                    if self.session.over:
                        return
                    self.server_address = attempt
                    self.server_sock = sock
                    if self.session.logs.detailed:
                        self.session.log(entries.CONNECTING, self.server_text)
                    self.connect_until = service.clock() + service.proxy.server_conn.conn_timeout
                    try:
                        await service.loop.create_connection(partial(ServerEnd, self, self.relay), *attempt)
                    except (OSError, asyncio.CancelledError) as exc:
                        if self.session.over:
                            return
                        why, timed_out = self._failed(exc)
                    else:
                        self.connect_until = 0.0
                        return
            self.session.log(entries.NO_SERVER, self.server_text, why)
            self.session.connect_failed(timed_out)
        except Exception as exc:
            self.broken(exc)
        finally:
            self.attempt = None
            self._part()

    async def _resolved(self, host: str | None, port: int) -> Sequence[tuple[str, int]]:
        """The addresses of a name, in the resolver's order."""
        if host is None:
            return ()
        try:
            found = await asyncio.wait_for(
                self.service.loop.getaddrinfo(host, port, type=1), self.service.proxy.server_conn.conn_timeout
            )
        except (OSError, TimeoutError, UnicodeError) as exc:
            self.session.log(entries.RESOLVE_FAILED, host, _why_unresolved(exc))
            return ()
        return [(str(row[4][0]), int(row[4][1])) for row in found]

    def _failed(self, error: OSError | asyncio.CancelledError) -> tuple[str, bool]:
        """Why an attempt failed, and whether it took too long."""
        self.connect_until = 0.0
        if isinstance(error, OSError):
            why, slow = error.strerror or type(error).__name__, False
        else:
            if isinstance(self.attempt, asyncio.Task):
                self.attempt.uncancel()
            why, slow = "no answer in time", True
        self.session.log(entries.CONNECT_FAILED, self.server_text, why)
        return why, slow

    def server_made(self, transport: asyncio.Transport, end: ServerEnd) -> None:
        """Connected: the greeting is awaited."""
        if self.session.over:
            transport.abort()
            return
        assert self.server_address is not None
        self.server = transport
        service = self.service
        transport.set_write_buffer_limits(0)
        fd = transport.get_extra_info("socket").fileno()
        options = service.server_options
        rows = options.six if ":" in self.server_address[0] else options.four
        if rows:
            set_options(fd, rows)
        now = service.clock()
        self.relay.greeting_until = now + service.proxy.server_conn.recv_timeout
        logs = self.session.logs
        if logs.detailed:
            self.session.log(entries.CONNECTED, self.server_text, now - self.session.began)
            if logs.full:
                service.dump.tap_server(self.relay, self.session.number)
        use = self.session.powers.acl.server_ssl
        if use is None:
            self.relay.attach_server(transport, fd, now)
        else:
            self.opening = ServerLeg(self, transport, use, self.server_sock)
            self.opening.begin()

    # ---- ends ---------------------------------------------------------------------------------------------------

    def client_ended(self) -> None:
        """EOF from the client: what it asked for before is still answered, for close-timeout."""
        self._client_silent()
        if self.session.over:
            self._client_close()
        elif self.relay.quiet or self.securing is not None:
            self.session.client_gone()
        else:
            self.answer_until = self.service.now + self.service.proxy.client_conn.close_timeout

    def client_lost(self, error: Exception | None) -> None:
        """The client's transport is gone."""
        self.client = None
        if not self.client_done:
            self._client_silent()
        session = self.session
        if not session.over:
            if isinstance(error, TimeoutError):
                session.send_timed_out("CLIENT")
            session.client_gone()
        self.service.forget(self)
        self._part()

    def _client_silent(self) -> None:
        """Nothing more comes from the client: it said so, or the connection was reset."""
        self.client_done = True
        self.relay.client_eof()
        if not self.session.over:
            tls.cut_off(self.session, "CLIENT", self.relay.ctls)
            if self.securing is not None:
                self.securing.cut_off()

    def server_ended(self) -> None:
        """EOF from the server."""
        if self.session.over and self.server is not None:
            self.server.close()
        self._server_silent()
        self.session.server_gone()

    def server_lost(self, error: Exception | None) -> None:
        """The server's transport is gone."""
        self.server = None
        session = self.session
        if session.over:
            self.service.server_parted(self)
            self._part()
            return
        self.relay.detach_server()
        if isinstance(error, TimeoutError):
            session.send_timed_out("SERVER")
        if not self.relay.s_ended:
            self._server_silent()
        session.server_gone()
        self._part()

    def _server_silent(self) -> None:
        """Nothing more comes from the server."""
        self.relay.server_eof()
        if not self.session.over:
            tls.cut_off(self.session, "SERVER", self.relay.stls)
            if self.opening is not None:
                self.opening.cut_off()

    def _part(self) -> None:
        """Once all is over nothing may hold the session in a circle: workers run without the collector."""
        if self.client is None and self.server is None and self.attempt is None:
            self.session.part()

    def close(self) -> None:
        """Send what is queued, then close both legs. Each is closed once the other end has closed its half, or after
        its close-timeout (closing with unread bytes would reset the connection and take the BYE with it).
        """
        self._record(0)
        relay = self.relay
        relay.detach_server()
        self._drop_handshakes()
        if self.attempt is not None:
            self.attempt.cancel()
        if self.server is not None:
            self._server_close(self.server)
        if self.client is None:
            return
        if self.client_done or relay.left:
            self._client_close()
        else:
            self._linger()

    def _drop_handshakes(self) -> None:
        """What they have in hand is of no use any more; they hold this driver."""
        if self.securing is not None:
            self.securing.drop()
            self.securing = None
        if self.opening is not None:
            self.opening.drop()
            self.opening = None

    def _server_close(self, server: asyncio.Transport) -> None:
        """A server in the midst of an answer is not listened to until it has said all."""
        wait = self.service.proxy.server_conn.close_timeout
        relay = self.relay
        if not wait and not relay.s_ended:
            server.abort()
            return
        if relay.s_ended or relay.pending_count or not relay.between_units:
            server.close()
        else:
            server.write_eof()
        self.service.server_parting(self, wait)

    def cut_server(self) -> None:
        """close-timeout of the server's leg is over."""
        if self.server is not None:
            self.server.abort()

    def _client_close(self) -> None:
        self.relay.detach_client()
        if self.client is not None:
            self.client.close()
            if not self.close_at:
                service = self.service
                self.close_at = service.clock() + service.proxy.client_conn.close_timeout

    def _linger(self) -> None:
        wait = self.service.proxy.client_conn.close_timeout
        assert self.client is not None
        if self.relay.cin and not wait:
            self.client.abort()
            return
        self.relay.detach_client()
        self.client.write_eof()
        self.client.resume_reading()
        self.close_at = self.service.now + wait

    def broken(self, error: Exception) -> None:
        """A rule of this program was broken outside the relay's questions: this session ends, no other one does."""
        session = self.session
        try:
            if hasattr(session, "relay") and not session.over:
                session.broken(error)
            else:
                session.log(INTERNAL_ERROR, "session", cause(error))
                self._cut()
        except Exception as again:
            session.log(INTERNAL_ERROR, "session", cause(again))
            self._cut()
        if self.client is None:
            self.service.forget(self)
        if self.server is None:
            self.service.server_parted(self)
        self._part()

    def _cut(self) -> None:
        """End without a word: not even the end can be trusted to work."""
        self.session.over = True
        if self.attempt is not None:
            self.attempt.cancel()
        self.abort()
        self._record(0)

    def abort(self) -> None:
        """Close both legs at once; what is queued is lost."""
        self.relay.stop()
        self.relay.detach_client()
        self.relay.detach_server()
        self._drop_handshakes()
        for transport in (self.client, self.server):
            if transport is not None:
                transport.abort()

    def _record(self, said: int) -> None:
        """The records of the session, once. `said`: bytes sent to a client that was refused."""
        if not self.recorded:
            self.recorded = True
            relay = self.relay
            self.session.closed(self.service.clock(), relay.cin + said, relay.cout, relay.sin, relay.sout)

    def tick(self, now: float) -> None:
        """Time goes by: about twice a second."""
        if self.close_at and now >= self.close_at:
            self.abort()
            return
        if self.securing is not None and now >= self.securing.until:
            tls.failed(self.session, "CLIENT", "no handshake in time")
        if self.connect_until and now >= self.connect_until and self.attempt is not None:
            self.attempt.cancel()
        if self.client_done and not self.session.over and (self.relay.quiet or now >= self.answer_until):
            self.session.client_gone()
        if not self.watched and self.server is not None:
            self.watched = True
            set_options(self.server.get_extra_info("socket").fileno(), self.service.server_options.watch)
        self.session.tick(now)
