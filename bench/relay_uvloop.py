"""A TCP relay on uvloop that looks at nothing: what the event loop alone costs.

`python -m bench.relay_uvloop PORT SERVER-PORT`
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import cast

import uvloop

LOW_WATER_BYTES = 64 * 1024
HIGH_WATER_BYTES = 256 * 1024


class End(asyncio.Protocol):
    """One side of a session. A side that can't write pauses the other side's reading."""

    __slots__ = ("early", "other", "transport")

    def __init__(self, other: End | None = None) -> None:
        self.other = other
        self.transport: asyncio.Transport | None = None
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(HIGH_WATER_BYTES, LOW_WATER_BYTES)

    def data_received(self, data: bytes) -> None:
        other = self.other
        if other is not None and other.transport is not None:
            other.transport.write(data)
        else:
            self.early.append(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        other = self.other
        if other is not None and other.transport is not None and not other.transport.is_closing():
            other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        other, self.other, self.transport = self.other, None, None
        if other is not None and other.transport is not None:
            other.transport.close()


class ClientEnd(End):
    """The accepted side: connects to the server first of all."""

    __slots__ = ("connecting",)
    server_port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.connecting: asyncio.Task[None] | None = asyncio.get_running_loop().create_task(self.connect())

    async def connect(self) -> None:
        server = End(self)
        self.other = server
        try:
            await asyncio.get_running_loop().create_connection(lambda: server, "127.0.0.1", self.server_port)
        except OSError:
            self.other = None
            if self.transport is not None:
                self.transport.close()
            return
        finally:
            self.connecting = None
        if self.transport is None and server.transport is not None:
            server.transport.close()
        elif self.early and server.transport is not None:
            server.transport.writelines(self.early)
        self.early = []


async def serve(port: int) -> None:
    """Relays until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(ClientEnd, "127.0.0.1", port, backlog=4096)
    gc.collect()
    gc.freeze()
    gc.disable()
    await server.serve_forever()


if __name__ == "__main__":
    ClientEnd.server_port = int(sys.argv[2])
    uvloop.run(serve(int(sys.argv[1])))
