"""The two protocols: chunks go to the relay, the rest to the driver."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from imap4fast._wire import Relay
from imap4fast.net.driver import Driver
from imap4fast.net.endpoint import ClientEnd, ServerEnd
from imap4fast.net.service import Service


class Calls:
    """Takes any call and remembers it."""

    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.made.append((name, *args))


def test_chunks_go_straight_to_the_relay() -> None:
    """The bound method of the extension itself: no Python frame per chunk."""
    client = ClientEnd(cast(Service, Calls()), False, "")
    server = ServerEnd(cast(Driver, Calls()), client.relay)
    assert client.data_received == client.relay.client_data
    assert server.data_received == client.relay.server_data
    client.data_received(b"a NOOP\r\n")
    assert client.relay.cout == 8


def test_a_connection_is_handed_over() -> None:
    calls = Calls()
    end = ClientEnd(cast(Service, calls), False, "")
    transport = asyncio.Transport()
    end.connection_made(transport)
    assert calls.made == [("accepted", transport, end)]


def test_a_client_without_a_driver() -> None:
    """Refused before it had one."""
    end = ClientEnd(cast(Service, Calls()), False, "")
    assert end.eof_received() is False
    end.connection_lost(None)


def test_a_clients_end() -> None:
    end = ClientEnd(cast(Service, Calls()), False, "")
    calls = Calls()
    end.driver = cast(Driver, calls)
    assert end.eof_received() is True
    end.connection_lost(None)
    assert [call[0] for call in calls.made] == ["client_ended", "client_lost"]


def test_a_servers_end() -> None:
    calls = Calls()
    end = ServerEnd(cast(Driver, calls), Relay())
    transport = asyncio.Transport()
    end.connection_made(transport)
    assert end.eof_received() is True
    end.connection_lost(None)
    assert [call[0] for call in calls.made] == ["server_made", "server_ended", "server_lost"]
    assert calls.made[0][1:] == (transport, end)
