"""One engine as a worker uses it: its connections, its breaker, how many requests are under way, what is logged.

An answer comes back, or None: then what went wrong is logged and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from imap4fast.errors import ServiceError
from imap4fast.log.cause import cause
from imap4fast.log.entry import Entry
from imap4fast.log.logger import Write
from imap4fast.net.exchange import Exchange, Source
from imap4fast.net.scanlines import Line, Lines
from imap4fast.scan.breaker import Breaker, Try
from imap4fast.scan.engines import AntispamEngine, AntivirusEngine
from imap4fast.scan.talk import Talk

T = TypeVar("T")

MOST_AT_ONCE = 32
"""Requests under way with one engine; more wait for their turn."""

Make = Callable[[int], Talk[T]]
"""Makes the talk that is the nth (from 0) on its connection."""


class Entries(NamedTuple):
    """The log entries of the engine's component."""

    nonsense: Entry
    failed: Entry
    down: Entry
    up: Entry
    version: Entry


class Failure(NamedTuple):
    """No answer; `nonsense`: there was something, but none that can be understood."""

    why: str
    nonsense: bool = False


class Engine:
    """`version` is what the engine last told of itself and its signatures, empty as long as it told nothing.

    `uncertain` is set when the engine may have been started anew, so that its version is to be asked for.
    """

    def __init__(
        self,
        settings: AntivirusEngine | AntispamEngine,
        entries: Entries,
        write: Write,
        clock: Callable[[], float],
        uncertain: asyncio.Event,
    ) -> None:
        self.settings = settings
        self.version = ""
        self._uncertain = uncertain
        self._entries = entries
        self._write = write
        self._clock = clock
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._breaker = Breaker(*settings.breaker)
        self._lines = Lines(settings.address or "", settings.sock_opt, settings.pool, clock)

    async def ask(self, make: Make[T], source: Source, track: int = 0) -> T | Failure:
        """The answer. Only cancelling raises: it closes the connection, and says nothing of the engine."""
        async with self._turns:
            what = self._breaker.begin(self._clock())
            if what is None:
                return Failure("left alone after failures")
            try:
                async with asyncio.timeout(self.settings.timeout or None):
                    talk = await self._talk(make, source)
            except TimeoutError:
                return self._failed(f"no answer in {self.settings.timeout:g} s", what, track)
            except ServiceError as error:
                return self._failed(f"{error.service}: {error.why}", what, track)
            except asyncio.CancelledError:
                self._breaker.abandoned(what)
                raise
            except Exception as error:
                return self._failed(cause(error), what, track)
            return self._outcome(talk, what, track)

    def _outcome(self, talk: Talk[T], what: Try, track: int) -> T | Failure:
        if talk.nonsense is not None:
            self._write(self._entries.nonsense, self.settings.name, talk.nonsense, track=track)
            self._count_failure(what)
            return Failure(talk.nonsense, nonsense=True)
        if talk.result is None:
            return self._failed(talk.cut or "no answer", what, track)
        if self._breaker.in_a_row:
            self.doubt()
        if self._breaker.succeeded():
            self._write(self._entries.up, self.settings.name)
        self.told(talk.version)
        return talk.result

    def complain(self, why: str, track: int = 0) -> None:
        """Log that the engine answered that it failed."""
        self._write(self._entries.failed, self.settings.name, why, track=track)

    def _failed(self, why: str, what: Try, track: int) -> Failure:
        self.complain(why, track)
        self._count_failure(what)
        return Failure(why)

    def _count_failure(self, what: Try) -> None:
        breaker = self._breaker
        if breaker.failed(self._clock(), what):
            self._write(self._entries.down, self.settings.name, breaker.in_a_row, f"{breaker.seconds:g}")

    def told(self, version: str) -> None:
        """The engine's version as it said itself; empty: it did not say."""
        if version and version != self.version:
            self.version = version
            self._write(self._entries.version, self.settings.name, version)

    def doubt(self) -> None:
        """The engine may be another than before: its version is to be asked for soon."""
        self._uncertain.set()

    async def _talk(self, make: Make[T], source: Source) -> Talk[T]:
        """On a kept connection; once more on a new one where that broke, since it may have been stale."""
        line = self._lines.take()
        if line is not None:
            talk = await self._over(line, make, source)
            if talk.cut is None:
                return talk
            self.doubt()
            self._lines.close()
        return await self._over(await self._lines.connect(), make, source)

    async def _over(self, line: Line, make: Make[T], source: Source) -> Talk[T]:
        try:
            talk = make(line.turns)
            await Exchange(line.sock, talk, source, self.settings.sock_opt).run()
            line.turns += 1
        except BaseException:
            line.sock.close()
            raise
        if talk.reusable:
            self._lines.give_back(line)
        else:
            line.sock.close()
        return talk

    async def ask_aside(self, make: Make[T], source: Source) -> T | None:
        """An answer outside of scanning: on a connection of its own, neither logged nor counted when it fails."""
        try:
            async with asyncio.timeout(min(self.settings.timeout or 10, 10)):
                line = await self._lines.connect()
                talk = make(0)
                try:
                    await Exchange(line.sock, talk, source, self.settings.sock_opt).run()
                finally:
                    line.sock.close()
                return talk.result
        except (ServiceError, TimeoutError):
            return None

    def prune(self) -> None:
        """Close connections that lay idle for too long."""
        self._lines.prune()

    def close(self) -> None:
        self._lines.close()
