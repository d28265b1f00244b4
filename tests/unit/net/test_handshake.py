"""Handshakes in turns of the loop: no more steps than others can bear, in their order, each for itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import cast

import pytest

from imap4fast._wire import MOST_WAITING, STEPS_A_TURN, Handshake, Queue, Tls
from tests.unit.tls.ends import NAME, TLS12, TLS13, PythonEnd, client_context, python_context, server_context


class Loop:
    """Runs what was called soon, a turn at a time."""

    def __init__(self) -> None:
        self._soon: list[Callable[[], None]] = []
        self.queue = Queue(self._call_soon)

    def _call_soon(self, what: Callable[[], None]) -> None:
        self._soon.append(what)

    def turn(self) -> None:
        now, self._soon = self._soon, []
        for what in now:
            what()

    @property
    def idle(self) -> bool:
        return not self._soon


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.written))

    def write(self, data: bytes) -> None:
        assert data
        self.written.append(data)

    def taken(self) -> bytes:
        data = b"".join(self.written)
        self.written.clear()
        return data


class Shaken:
    """A handshake of our side with what came of it."""

    def __init__(self, queue: Queue, server: bool = True, version: int = TLS13, fd: int = -1) -> None:
        self.wire = Wire()
        self.ends: list[str | None] = []
        self.errors: list[Exception] = []
        leg = Tls(server_context() if server else client_context())
        if not server:
            leg.set_server_name(NAME.encode())
        transport = cast(asyncio.Transport, self.wire)
        self.handshake = Handshake(queue, leg, transport, self.ends.append, self.errors.append, fd)
        self.end = PythonEnd(python_context(not server, version), not server)

    def carry(self) -> None:
        """What was written to the other end, and its answer back."""
        said = self.end.pump(self.wire.taken())[1]
        if said:
            self.handshake.data(said)


class Fake:
    """Notes its steps; `error` is what breaks."""

    def __init__(self, name: str, steps: list[str], error: Exception | None = None) -> None:
        self.name, self.steps, self.error = name, steps, error
        self.broken: list[Exception] = []

    def step(self) -> None:
        self.steps.append(self.name)

    def late_step(self) -> None:
        self.step()


def fakes(queue: Queue, steps: list[str], names: str) -> None:
    for name in names:
        queue.take(cast(Handshake, Fake(name, steps)))


class TestQueue:
    def test_a_turn_has_so_many_steps_at_most(self) -> None:
        loop, steps = Loop(), list[str]()
        fakes(loop.queue, steps, "abcdefghijklm")
        counts = [len(steps)]
        for _ in range(6):
            loop.turn()
            counts.append(len(steps))
        assert STEPS_A_TURN == 4
        assert counts == [4, 8, 12, 13, 13, 13, 13]
        assert "".join(steps) == "abcdefghijklm"

    def test_what_comes_while_others_wait_is_behind_them(self) -> None:
        loop, steps = Loop(), list[str]()
        fakes(loop.queue, steps, "abcdef")
        loop.turn()
        fakes(loop.queue, steps, "ghij")
        assert "".join(steps) == "abcdefgh", "two of this turn were left"
        loop.turn()
        assert "".join(steps) == "abcdefghij"

    def test_no_more_than_a_turns_steps_whenever_they_come(self) -> None:
        loop, steps = Loop(), list[str]()
        for turn in range(20):
            before = len(steps)
            loop.turn()
            fakes(loop.queue, steps, "xyz" * (turn % 4))
            assert len(steps) - before <= STEPS_A_TURN
        while not loop.idle:
            before = len(steps)
            loop.turn()
            assert len(steps) - before <= STEPS_A_TURN
        assert len(steps) == sum(3 * (turn % 4) for turn in range(20))

    def test_an_idle_queue_asks_nothing_of_the_loop(self) -> None:
        loop, steps = Loop(), list[str]()
        assert loop.idle
        fakes(loop.queue, steps, "abcde")
        for _ in range(3):
            loop.turn()
        assert loop.idle
        fakes(loop.queue, steps, "fghi")
        assert "".join(steps) == "abcdefghi"
        assert not loop.idle

    def test_one_that_breaks_in_a_later_turn_ends_alone(self) -> None:
        loop = Loop()
        made = [Shaken(loop.queue) for _ in range(STEPS_A_TURN + 3)]
        for shaken in made:
            shaken.carry()
        broken = made[STEPS_A_TURN]
        broken.wire.written = cast(list[bytes], None)  # whatever it writes fails
        loop.turn()
        assert len(broken.errors) == 1
        assert broken.ends == []
        assert all(len(shaken.wire.written) == 1 for shaken in made if shaken is not broken)


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize("server", [True, False])
class TestHandshake:
    def shake(self, loop: Loop, shaken: Shaken) -> None:
        for _ in range(10):
            shaken.carry()
            loop.turn()

    def test_it_is_done_once(self, server: bool, version: int) -> None:
        loop = Loop()
        shaken = Shaken(loop.queue, server, version)
        if not server:
            loop.queue.take(shaken.handshake)
        self.shake(loop, shaken)
        assert shaken.ends == [None]
        assert shaken.end.handshake_done
        assert shaken.handshake.tls.handshake_done
        shaken.handshake.data(b"more")
        loop.turn()
        assert shaken.ends == [None]

    def test_octet_by_octet(self, server: bool, version: int) -> None:
        loop = Loop()
        shaken = Shaken(loop.queue, server, version)
        if not server:
            loop.queue.take(shaken.handshake)
        for _ in range(10):
            said = shaken.end.pump(shaken.wire.taken())[1]
            for at in range(len(said)):
                shaken.handshake.data(said[at : at + 1])
                if at % 3 == 0:
                    loop.turn()
            while not loop.idle:
                loop.turn()
        assert shaken.ends == [None]

    def test_garbage(self, server: bool, version: int) -> None:
        loop = Loop()
        shaken = Shaken(loop.queue, server, version)
        if not server:
            loop.queue.take(shaken.handshake)
            shaken.wire.taken()
        shaken.handshake.data(b"* OK ready\r\n" if not server else b"GET / HTTP/1.1\r\n\r\n")
        (why,) = shaken.ends
        assert why
        assert why == shaken.handshake.tls.fault_reason
        shaken.handshake.data(b"more")
        assert len(shaken.ends) == 1

    def test_what_stands_behind_it_waits_in_the_leg(self, server: bool, version: int) -> None:
        if not server:
            return
        loop = Loop()
        shaken = Shaken(loop.queue, server, version)
        for _ in range(4):
            before = shaken.end.handshake_done
            said = shaken.end.pump(shaken.wire.taken())[1]
            if shaken.end.handshake_done and not before:
                said += shaken.end.seal(b"a NOOP\r\n")
            if said:
                shaken.handshake.data(said)
            loop.turn()
        assert shaken.ends == [None]
        # In TLS 1.2 our flight is the last one: the other end speaks when the handshake is over.
        waiting = b"" if version == TLS12 else b"a NOOP\r\n"
        assert shaken.handshake.tls.pump(b"")[0] == waiting

    def test_dropped_while_it_waits(self, server: bool, version: int) -> None:
        loop, steps = Loop(), list[str]()
        fakes(loop.queue, steps, "abcd")
        shaken = Shaken(loop.queue, server, version)
        if server:
            shaken.handshake.data(shaken.end.pump(b"")[1])
        else:
            loop.queue.take(shaken.handshake)
        shaken.handshake.drop()
        loop.turn()
        shaken.handshake.data(b"x")
        assert (shaken.wire.written, shaken.ends, shaken.errors) == ([], [], [])


def test_chunks_that_wait_are_one_step() -> None:
    loop, steps = Loop(), list[str]()
    fakes(loop.queue, steps, "abcd")
    shaken = Shaken(loop.queue)
    hello = shaken.end.pump(b"")[1]
    for at in range(0, len(hello), 50):
        shaken.handshake.data(hello[at : at + 50])
    assert shaken.wire.written == []
    loop.turn()
    assert len(shaken.wire.written) == 1
    fakes(loop.queue, steps, "efg")
    assert "".join(steps) == "abcdefg", "three steps of this turn are left"


def test_an_end_that_says_too_much_while_it_waits() -> None:
    loop, steps = Loop(), list[str]()
    fakes(loop.queue, steps, "abcd")
    shaken = Shaken(loop.queue)
    for _ in range(MOST_WAITING // 1000 + 1):
        shaken.handshake.data(b"\x16\x03\x01" + bytes(997))
    assert shaken.ends == ["the other end says too much"]
    loop.turn()
    assert (shaken.ends, shaken.errors) == (["the other end says too much"], [])


class TestDescriptor:
    """What is said goes to the socket first."""

    @pytest.fixture
    def pair(self) -> Iterator[tuple[socket.socket, socket.socket]]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.settimeout(5)
            yield ours, theirs

    def greet(self, ours: socket.socket, before: bytes = b"") -> tuple[Shaken, bytes]:
        """The server's flight up to here; what came of it to the transport."""
        shaken = Shaken(Loop().queue, fd=ours.fileno())
        if before:
            shaken.wire.write(before)
        shaken.handshake.data(shaken.end.pump(b"")[1])
        return shaken, shaken.wire.taken()

    def test_all_of_it(self, pair: tuple[socket.socket, socket.socket]) -> None:
        shaken, left = self.greet(pair[0])
        assert left == b""
        shaken.wire.written.append(pair[1].recv(65536))
        for _ in range(2):
            shaken.carry()
        assert shaken.ends == [None]

    def test_a_socket_that_takes_no_more(self, pair: tuple[socket.socket, socket.socket]) -> None:
        ours, theirs = pair
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        size = 0
        with suppress(BlockingIOError):
            while True:
                size += ours.send(b"x" * 100)
        shaken, left = self.greet(ours)
        assert theirs.recv(size, socket.MSG_WAITALL) == b"x" * size
        shaken.wire.written.append(left)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        for _ in range(2):
            shaken.carry()
        assert shaken.ends == [None]

    def test_what_was_said_before_comes_first(self, pair: tuple[socket.socket, socket.socket]) -> None:
        ours, theirs = pair
        _, left = self.greet(ours, b"a OK begin TLS\r\n")
        assert left.startswith(b"a OK begin TLS\r\n\x16\x03")
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_a_certificate_that_does_not_fit_is_the_reason() -> None:
    loop = Loop()
    shaken = Shaken(loop.queue, server=False)
    shaken.handshake.tls.set_server_name(b"other.example.org")
    loop.queue.take(shaken.handshake)
    for _ in range(4):
        shaken.carry()
        loop.turn()
    (why,) = shaken.ends
    assert why == "certificate verify failed"
    assert shaken.handshake.tls.verify_error == "hostname mismatch"
    shaken.end.pump(shaken.wire.taken())
    assert shaken.end.error is not None, "the server gets an alert"
