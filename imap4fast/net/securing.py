"""How the legs of a session come to TLS: at once or by STARTTLS, before the relay has them.

While a leg is on its way there, what its end says comes here and not to the relay. Each step goes back to the driver,
which knows what is next.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from imap4fast._wire import Tls
from imap4fast.config.settings import SslUse
from imap4fast.config.values import Address, Sock
from imap4fast.log import ssle
from imap4fast.net import addresses
from imap4fast.net.endpoint import ClientEnd, ServerEnd
from imap4fast.net.handshake import Handshake
from imap4fast.session.starttls import StartTls

if TYPE_CHECKING:
    from imap4fast.net.driver import Driver


def listen(transport: asyncio.Transport, hears: Callable[[bytes], None]) -> None:
    """From the next chunk on `hears` is called with what comes."""
    end = cast(ClientEnd | ServerEnd, transport.get_protocol())
    end.data_received = hears
    transport.set_protocol(end)  # the loop keeps `data_received` as it was


def begin_client(driver: Driver, transport: asyncio.Transport) -> Handshake:
    """The client's leg: TLS begins with the next octets. `driver.client_shaken` follows."""
    use = driver.session.acl.client_ssl
    assert use is not None
    service = driver.service
    listener = cast(ClientEnd, transport.get_protocol()).listener
    tls = Tls(service.tls.accepting(use.params.name, listener))
    handshake = Handshake(service.handshakes, tls, transport, driver.client_shaken, driver.broken)
    listen(transport, handshake.data)
    return handshake


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

    def _shake(self) -> None:
        driver, queue = self._driver, self._driver.service.handshakes
        tls = Tls(driver.service.tls.connecting(self._use.params.name))
        tls.set_server_name(self._name())
        self._handshake = handshake = Handshake(queue, tls, self.transport, self._shaken, driver.broken)
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
            driver.server_unsafe(handshake.tls.verify_error or why)
            return
        self.tls = tls = handshake.tls
        if not driver.server_secured(tls):
            return
        if self.talk is None:
            driver.server_opened(self)
            return
        listen(self.transport, self._heard)
        self.transport.write(tls.seal(self.talk.secured()))
        self._heard(b"")

    def _heard(self, data: bytes) -> None:
        """Octets of the server in the talk around STARTTLS."""
        driver, talk, tls = self._driver, self.talk, self.tls
        if driver.session.over or talk is None:
            return
        if tls is not None:
            data, said = tls.pump(data)
            if said:
                self.transport.write(said)
            if tls.faulted or (tls.closed and not data):
                driver.server_unsafe(tls.fault_reason or "the server ended TLS")
                return
        said = talk.feed(data)
        if talk.fault:
            if talk.unread:
                driver.session.log(ssle.INJECTED, "SERVER", talk.unread)
            driver.server_unsafe(talk.fault)
            return
        if said:
            self.transport.write(said)
        if talk.wants_tls:
            self._shake()
        elif talk.over:
            driver.server_opened(self)
