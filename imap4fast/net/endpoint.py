"""The `asyncio.Protocol` of each side. Chunks go straight to the relay; the driver hears of the rest.

`data_received` is the relay's own bound method, so that no Python frame runs per chunk (architecture.md section 1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from imap4fast._wire import Relay

if TYPE_CHECKING:
    from imap4fast.net.driver import Driver


class ClientEnd(asyncio.Protocol):
    """The client's side. Made for every accepted connection."""

    data_received: Callable[[bytes], None]  # type: ignore[assignment]

    __slots__ = ("accepted", "data_received", "driver", "relay")

    def __init__(self, accepted: Callable[[asyncio.Transport, ClientEnd], None]) -> None:
        self.accepted = accepted
        self.relay = Relay()
        self.data_received = self.relay.client_data
        self.driver: Driver | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accepted: the service decides."""
        self.accepted(transport, self)  # type: ignore[arg-type]

    def pause_writing(self) -> None:
        """The transport holds bytes that the client does not take."""
        self.relay.client_paused()

    def resume_writing(self) -> None:
        """It holds none any more."""
        self.relay.client_resumed()

    def eof_received(self) -> bool:
        """The client sends no more; the driver closes."""
        if self.driver is not None:
            self.driver.client_ended()
            return True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self.relay.detach_client()
        if self.driver is not None:
            self.driver.client_lost(exc)


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
        self.driver.server_made(transport, self)  # type: ignore[arg-type]

    def pause_writing(self) -> None:
        """The transport holds bytes that the server does not take."""
        self.relay.server_paused()

    def resume_writing(self) -> None:
        """It holds none any more."""
        self.relay.server_resumed()

    def eof_received(self) -> bool:
        """The server sends no more; the driver closes."""
        self.driver.server_ended()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self.driver.server_lost(exc)
