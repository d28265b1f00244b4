"""Sending on the descriptor first, the transport for the rest: no byte is lost, doubled or out of its order.

It holds for transports without slack (`set_write_buffer_limits(high=0)`), which say that they hold bytes before
`write` returns; one with slack would be overtaken by the descriptor.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import cast

import pytest
import uvloop

from tests.wire.play import Play


class Slow:
    """A transport without slack that writes when the loop comes round."""

    def __init__(self, end: socket.socket, paused: Callable[[], None], resumed: Callable[[], None]) -> None:
        self.end, self.paused, self.resumed = end, paused, resumed
        self.queue = b""

    def write(self, data: bytes) -> None:
        if not self.queue:
            self.paused()
        self.queue += data

    def flush(self) -> None:
        while self.queue:
            try:
                sent = self.end.send(self.queue)
            except BlockingIOError:
                return
            self.queue = self.queue[sent:]
            if not self.queue:
                self.resumed()

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return len(self.queue)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with near, far:
        yield near, far


def drain(far: socket.socket) -> bytes:
    try:
        return far.recv(1 << 20)
    except BlockingIOError:
        return b""


@pytest.mark.parametrize("side", ["client", "server"])
def test_bytes_keep_their_order(ends: tuple[socket.socket, socket.socket], side: str) -> None:
    near, far = ends
    play = Play(max_pending=255)
    slow = Slow(near, getattr(play.relay, f"{side}_paused"), getattr(play.relay, f"{side}_resumed"))
    getattr(play.relay, f"attach_{side}")(slow, near.fileno(), 0.0)
    said, got = b"", b""
    if side == "server":
        play.client(b"a APPEND x {10000000+}\r\n")
        play.says(b"+ OK\r\n")
        said += b"a APPEND x {10000000}\r\n"
    for number in range(2000):
        line = b'* LIST () "/" x%06d\r\n' % number
        said += line
        (play.says if side == "client" else play.client)(line)
        if number % 7 == 3:
            got += drain(far)
        if number % 11 == 5:
            slow.flush()
    while len(got) < len(said):
        slow.flush()
        got += drain(far)
    assert got == said


def test_nothing_goes_to_a_descriptor_after_detach(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    play = Play()
    play.relay.attach_client(Slow(near, play.relay.client_paused, play.relay.client_resumed), near.fileno(), 0.0)
    play.relay.detach_client()
    play.says(b"* 1 EXISTS\r\n")
    assert drain(far) == b""


def test_a_closed_descriptor_is_no_exception(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    play = Play()
    slow = Slow(near, play.relay.client_paused, play.relay.client_resumed)
    play.relay.attach_client(slow, near.fileno(), 0.0)
    far.close()
    play.says(b"* 1 EXISTS\r\n")
    assert slow.queue == b"* 1 EXISTS\r\n"


class Reader(asyncio.Protocol):
    """The relay's client side on a real loop: a transport with no slack."""

    def __init__(self, play: Play) -> None:
        self.play = play

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=0)
        self.transport = transport
        self.play.relay.attach_client(transport, transport.get_extra_info("socket").fileno(), 0.0)

    def pause_writing(self) -> None:
        self.play.relay.client_paused()

    def resume_writing(self) -> None:
        self.play.relay.client_resumed()


def test_bytes_keep_their_order_on_uvloop(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    lines = [b'* LIST () "/" x%06d\r\n' % number for number in range(20_000)]

    async def run() -> bytes:
        loop = asyncio.get_running_loop()
        play = Play()
        transport, _ = await loop.create_connection(lambda: Reader(play), sock=near.dup())
        got = []

        async def read() -> None:
            size = 0
            while size < len(lines) * len(lines[0]):
                got.append(await loop.sock_recv(far, 3000))
                size += len(got[-1])

        task = asyncio.ensure_future(read())
        for number, line in enumerate(lines):
            play.says(line)
            if number % 37 == 0:
                await asyncio.sleep(0)
        await asyncio.wait_for(task, 20)
        transport.abort()
        await asyncio.sleep(0)
        return b"".join(got)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(run()) == b"".join(lines)
