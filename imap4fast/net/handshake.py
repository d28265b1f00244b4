"""Handshakes: their steps are dear, so that only some of them are taken in each turn of the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from imap4fast._wire import Tls

STEPS_A_TURN = 4
"""A step is one flight, half a millisecond where it signs: other sessions wait no longer than for these."""

MOST_WAITING = 65536
"""Octets of one end that may wait for a step."""


class Queue:
    """The handshakes of one worker that have something to do."""

    __slots__ = ("_call_soon", "_left", "_running", "_waiting")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self._left = STEPS_A_TURN
        self._running = False
        self._waiting: deque[Handshake] = deque()

    def take(self, handshake: Handshake) -> None:
        """Let it go a step further, now or in one of the next turns."""
        if not self._running:
            self._running = True
            self._call_soon(self._turn)
        if self._left:
            self._left -= 1
            handshake.step()
        else:
            self._waiting.append(handshake)

    def _turn(self) -> None:
        steps = min(STEPS_A_TURN, len(self._waiting))
        self._left = STEPS_A_TURN - steps
        self._running = steps > 0
        if steps:
            self._call_soon(self._turn)
        for _ in range(steps):
            self._waiting.popleft().late_step()


class Handshake:
    """One leg's. `done` is called once: with None, or with why there is no TLS."""

    __slots__ = ("_broken", "_chunks", "_done", "_queue", "_size", "_transport", "heard", "tls")

    def __init__(
        self,
        queue: Queue,
        tls: Tls,
        transport: asyncio.Transport,
        done: Callable[[str | None], None],
        broken: Callable[[Exception], None],
    ) -> None:
        self.tls = tls
        self.heard = False
        """Whether the other end has said anything."""
        self._queue = queue
        self._transport = transport
        self._chunks: list[bytes] = []
        self._size = 0
        self._done: Callable[[str | None], None] | None = done
        self._broken: Callable[[Exception], None] | None = broken

    def data(self, chunk: bytes) -> None:
        """Octets of the other end: `data_received` of the leg while this goes on."""
        if self._done is None:
            return
        self.heard = True
        waits = bool(self._chunks)
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > MOST_WAITING:
            self._finish("the other end says too much")
        elif not waits:
            self._queue.take(self)

    def late_step(self) -> None:
        """A step that no chunk called for: what fails in it ends this session alone."""
        broken = self._broken
        try:
            self.step()
        except Exception as exc:
            if broken is not None:
                broken(exc)

    def step(self) -> None:
        """One flight further."""
        if self._done is None:
            return
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        said = self.tls.shake(data)
        if said:
            self._transport.write(said)
        if self.tls.faulted:
            self._finish(self.tls.fault_reason)
        elif self.tls.handshake_done:
            self._finish(None)

    def drop(self) -> None:
        """Nobody waits for the end any more. Nothing is held in a circle: workers run without the collector."""
        self._done = self._broken = None
        self._chunks.clear()

    def _finish(self, why: str | None) -> None:
        done = self._done
        self.drop()
        if done is not None:
            done(why)
