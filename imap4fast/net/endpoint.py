"""The `asyncio.Protocol` of each side. Chunks go straight to the relay; the driver hears of the rest.

`data_received` is the relay's own bound method, so that no Python frame runs per chunk (architecture.md section 1).
What a callback raises ends its session and no other: uvloop says of a chunk's and of flow control's callbacks whose
they are (`Service` listens), of the other ones it does not, so they catch it here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from imap4fast._wire import Relay

if TYPE_CHECKING:
    from imap4fast.net.driver import Driver
    from imap4fast.net.service import Service


class ClientEnd(asyncio.Protocol):
    """The client's side. Made for every accepted connection."""

    data_received: Callable[[bytes], None]  # type: ignore[assignment]

    __slots__ = ("data_received", "driver", "listener", "relay", "service", "transparent")

    def __init__(self, service: Service, transparent: bool, listener: str) -> None:
        self.service = service
        self.transparent = transparent
        self.listener = listener
        self.relay = relay = Relay()
        self.data_received = relay.client_data
        self.driver: Driver | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accepted: the service decides."""
        try:
            self.service.accepted(transport, self)  # type: ignore[arg-type]
        except Exception as exc:
            self.service.not_accepted(transport, self, exc)  # type: ignore[arg-type]

    def pause_writing(self) -> None:
        """The transport holds bytes that the client does not take."""
        self.relay.client_paused()

    def resume_writing(self) -> None:
        """It holds none any more."""
        self.relay.client_resumed()

    def eof_received(self) -> bool:
        """The client sends no more; the driver closes."""
        driver = self.driver
        if driver is None:
            return False
        try:
            driver.client_ended()
        except Exception as error:
            driver.client_done = True
            driver.broken(error)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self.relay.detach_client()
        driver = self.driver
        if driver is not None:
            try:
                driver.client_lost(exc)
            except Exception as error:
                driver.client = None
                driver.broken(error)


class ServerEnd(asyncio.Protocol):
    """The server's side."""

    data_received: Callable[[bytes], None]  # type: ignore[assignment]

    __slots__ = ("data_received", "driver", "relay")

    def __init__(self, driver: Driver, relay: Relay) -> None:
        self.driver = driver
        self.relay = relay
        self.data_received = relay.server_data

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        try:
            self.driver.server_made(transport, self)  # type: ignore[arg-type]
        except Exception as error:
            transport.abort()  # type: ignore[attr-defined]
            self.driver.broken(error)

    def pause_writing(self) -> None:
        """The transport holds bytes that the server does not take."""
        self.relay.server_paused()

    def resume_writing(self) -> None:
        """It holds none any more."""
        self.relay.server_resumed()

    def eof_received(self) -> bool:
        """The server sends no more; the driver closes."""
        try:
            self.driver.server_ended()
        except Exception as error:
            self.driver.broken(error)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        try:
            self.driver.server_lost(exc)
        except Exception as error:
            self.driver.server = None
            self.driver.broken(error)
