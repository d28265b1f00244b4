"""How the legs of a session come to TLS: at once or by STARTTLS, before the relay has them.

While a leg is on its way there, what its end says comes here and not to the relay. Each step goes back to the driver,
which knows what is next.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from imap4fast._wire import Handshake, Tls
from imap4fast.config.settings import SslUse
from imap4fast.config.values import Address, Sock
from imap4fast.log import ssle
from imap4fast.net import addresses
from imap4fast.net.endpoint import ClientEnd, ServerEnd
from imap4fast.session import tls
from imap4fast.session.starttls import StartTls

if TYPE_CHECKING:
    from imap4fast._wire import TlsContext
    from imap4fast.net.driver import Driver
    from imap4fast.net.service import Service


FAREWELL_S = 5.0
"""What a client gets for its handshake that is only to hear that it is not let in."""


def listen(transport: asyncio.Transport, hears: Callable[[bytes], None]) -> None:
    """From the next chunk on `hears` is called with what comes."""
    end = cast(ClientEnd | ServerEnd, transport.get_protocol())
    end.data_received = hears
    transport.set_protocol(end)  # the loop keeps `data_received` as it was


class ClientLeg:
    """The client's leg, from where TLS begins to where the relay hears what is inside. `until`: it has so long."""

    __slots__ = ("_driver", "_handshake", "until")

    def __init__(self, driver: Driver, transport: asyncio.Transport) -> None:
        service, acl = driver.service, driver.session.acl
        assert acl.client_ssl is not None
        self._driver = driver
        self.until = service.now + service.shake_s(acl)
        leg = Tls(service.tls.accepting(acl.client_ssl.params.name, driver.listener))
        self._handshake = Handshake(
            service.handshakes, leg, transport, self._shaken, driver.broken, driver.client_fd
        )  # fmt: skip

    def begin(self) -> None:
        """TLS begins with the next octets."""
        self._driver.relay.shake_client(self._handshake)

    def drop(self) -> None:
        """The session has ended."""
        self._handshake.drop()

    def cut_off(self) -> None:
        """The connection has ended before the handshake did."""
        tls.cut_short(self._driver.session, heard=self._handshake.heard)

    def _shaken(self, why: str | None) -> None:
        driver, leg = self._driver, self._handshake.tls
        if why is not None:
            tls.failed(driver.session, "CLIENT", leg.verify_error or why, leg)
        else:
            driver.client_secured(leg)


class Farewell:
    """One line inside of TLS to a client that is not let in, before there is a session."""

    __slots__ = ("_gone", "_handshake", "_line", "_transport")

    def __init__(self, service: Service, transport: asyncio.Transport, context: TlsContext, line: bytes) -> None:
        self._transport = transport
        self._line = line
        self._gone = service.loop.call_later(FAREWELL_S, self._end)
        self._handshake = Handshake(service.handshakes, Tls(context), transport, self._shaken, self._broken)
        listen(transport, self._handshake.data)

    def _shaken(self, why: str | None) -> None:
        leg, transport = self._handshake.tls, self._transport
        if why is None:
            # Not closed yet: octets that come unread would reset the connection and take the line with it.
            transport.write(leg.seal(self._line) + leg.close())
            transport.write_eof()
        else:
            self._gone.cancel()
            transport.close()

    def _end(self) -> None:
        self._handshake.drop()
        self._transport.abort()

    def _broken(self, error: Exception) -> None:
        self._end()


class ServerLeg:
    """The server's leg, from the connection to where the relay takes over."""

    __slots__ = ("_driver", "_handshake", "_sock", "_use", "talk", "tls", "transport")

    def __init__(self, driver: Driver, transport: asyncio.Transport, use: SslUse, sock: Sock) -> None:
        self._driver = driver
        self._use = use
        self._sock = sock
        self._handshake: Handshake | None = None
        self.transport = transport
        self.tls: Tls | None = None
        tag = os.urandom(4).hex().encode()
        self.talk = StartTls(tag, required=use.params.require_tls) if use.starttls else None

    def begin(self) -> None:
        """Connected."""
        if self.talk is None:
            self._shake()
        else:
            listen(self.transport, self._heard)

    def drop(self) -> None:
        """The session has ended, or the relay has taken over."""
        if self._handshake is not None:
            self._handshake.drop()

    def cut_off(self) -> None:
        """The connection has ended. Where TLS had not begun, it is as that of any server."""
        if self.tls is not None:
            asked = ", which had asked for a certificate" if self.tls.asked else ""
            tls.no_starttls(self._driver.session, "the connection was closed by the server" + asked)
        elif self._handshake is not None:
            self._unsafe("the connection was closed by the server", self._handshake.tls)

    def _shake(self) -> None:
        driver, queue = self._driver, self._driver.service.handshakes
        leg = Tls(driver.service.tls.connecting(self._use.params.name))
        leg.set_server_name(self._name())
        self._handshake = handshake = Handshake(queue, leg, self.transport, self._shaken, driver.broken)
        listen(self.transport, handshake.data)
        queue.take(handshake)

    def _name(self) -> bytes:
        """What the server is asked for, and must show: as configured, else plug-to's host as written."""
        name = self._use.params.server_name
        if name is None:
            host = self._sock.host
            name = addresses.literal_of(host) if isinstance(host, Address) else str(host)
        return name.rstrip(".").encode("ascii", "replace")

    def _shaken(self, why: str | None) -> None:
        driver, handshake = self._driver, self._handshake
        assert handshake is not None
        if why is not None:
            self._unsafe(handshake.tls.verify_error or why, handshake.tls)
            return
        self.tls = handshake.tls
        if not tls.server_secured(driver.session, handshake.tls):
            return
        if self.talk is None:
            driver.server_opened(self)
            return
        listen(self.transport, self._heard)
        self.transport.write(handshake.tls.seal(self.talk.secured()))
        self._heard(b"")

    def _heard(self, data: bytes) -> None:
        """Octets of the server in the talk around STARTTLS."""
        driver, talk, leg = self._driver, self.talk, self.tls
        if driver.session.over or talk is None:
            return
        if leg is not None:
            data, said = leg.pump(data)
            if said:
                self.transport.write(said)
        said = talk.feed(data)
        if talk.fault:
            if talk.unread:
                driver.session.log(ssle.INJECTED, "SERVER", talk.unread)
            tls.no_starttls(driver.session, talk.fault)
            return
        if leg is not None and (leg.faulted or leg.closed):
            self._unsafe(leg.fault_reason or "the server ended TLS")
            return
        if said:
            self.transport.write(said)
        if talk.wants_tls:
            self._shake()
        elif talk.over:
            driver.server_opened(self)

    def _unsafe(self, why: str, leg: Tls | None = None) -> None:
        """There is no TLS with the server though there must be."""
        tls.failed(self._driver.session, "SERVER", why, leg)
