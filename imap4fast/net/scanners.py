"""All engines of a worker that are asked over the network: what they say of the octets of a file, merged.

Nothing is raised but CancelledError: an engine that fails has the result ERROR, and the log says why.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from imap4fast.log import mavi, mspa
from imap4fast.log.cause import cause
from imap4fast.log.setup import Logs
from imap4fast.mail.work import ERROR, Scan
from imap4fast.net.commfile import CommDir
from imap4fast.net.exchange import Disk, Source
from imap4fast.net.scanengines import Antispam, Antivirus
from imap4fast.net.scanpool import Engine, Entries
from imap4fast.scan.engines import BUILTIN, AntispamEngine, AntivirusEngine, Use
from imap4fast.scan.icap import MAIL
from imap4fast.scan.merge import merge

VERSION_S = 60.0
"""How often engines are asked for their version."""
AGAIN_S = 1.0
"""The least time between two such rounds, whatever happens."""

_MAVI = Entries(mavi.NONSENSE, mavi.FAILED, mavi.DOWN, mavi.UP, mavi.VERSION)
_MSPA = Entries(mspa.NONSENSE, mspa.FAILED, mspa.DOWN, mspa.UP, mspa.VERSION)


class Scanners:
    """Made in a worker; `start` begins to ask for versions, `close` ends that and closes what lies idle.

    Built-in engines are not among them: the helper has these. `comm_dirs` are descriptors of directories that were
    opened before the chroot, by their paths; a directory that is not among them is opened here.
    """

    def __init__(
        self,
        antivirus: Sequence[AntivirusEngine],
        antispam: Sequence[AntispamEngine],
        disk: Disk,
        logs: Logs,
        clock: Callable[[], float] = time.monotonic,
        comm_dirs: Mapping[str, int] | None = None,
    ) -> None:
        self._disk = disk
        self._logs = logs
        self._clock = clock
        self._uncertain = asyncio.Event()
        self._refreshing: asyncio.Task[None] | None = None
        self._opened: list[int] = []
        self._comm_dirs = {engine.comm_dir: self._comm_dir(engine.comm_dir, comm_dirs or {}) for engine in antivirus}
        self._antivirus = {one.name: self._new_antivirus(one) for one in antivirus if one.kind != BUILTIN}
        self._antispam = {one.name: self._new_antispam(one) for one in antispam if one.kind != BUILTIN}

    def _comm_dir(self, path: str | None, opened: Mapping[str, int]) -> CommDir | None:
        if path is None:
            return None
        descriptor = opened.get(path)
        if descriptor is None:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._opened.append(descriptor)
        return CommDir(path, descriptor)

    def _new_antivirus(self, settings: AntivirusEngine) -> Antivirus:
        engine = Engine(settings, _MAVI, self._logs.write, self._clock, self._uncertain)
        return Antivirus(settings, engine, self._comm_dirs[settings.comm_dir])

    def _new_antispam(self, settings: AntispamEngine) -> Antispam:
        return Antispam(settings, Engine(settings, _MSPA, self._logs.write, self._clock, self._uncertain))

    def has(self, engine: str) -> bool:
        """Whether the engine is asked over the network, so that this is who asks it."""
        return engine in self._antivirus or engine in self._antispam

    async def virus(
        self, fd: int, size: int, uses: Sequence[Use], offset: int = 0, *, media: bytes = MAIL, track: int = 0
    ) -> Scan:
        """What the engines of `uses` say of `size` octets from `offset` on, merged; engines not of the network are
        passed over. `media` is the type that engines are told. Larger than the limit: SKIPPED at once.
        """
        source = Source(self._disk, fd, size, offset)
        asked = [
            self._scan(self._antivirus[use.engine], source, use, media, track) for use in uses if self.has(use.engine)
        ]
        return merge([await asked[0]] if len(asked) == 1 else await asyncio.gather(*asked))

    async def _scan(self, engine: Antivirus, source: Source, use: Use, media: bytes, track: int) -> Scan:
        begun = self._clock()
        try:
            scan = await engine.scan(source, use.size, media, track)
        except Exception as error:
            engine.engine.complain(cause(error), track)
            return Scan(ERROR, "internal error", engine.settings.name)
        if self._logs.detailed:
            spent = f"{self._clock() - begun:.3f}"
            row = (engine.settings.name, source.size, scan.status.upper(), scan.name, spent)
            self._logs.write(mavi.SCANNED, *row, track=track)
        return scan

    async def spam(self, fd: int, size: int, use: Use, offset: int = 0, *, track: int = 0) -> float | None:
        """The engine's score of the mail. None: it failed, or is none of the network, or the mail is too large for
        `use` (which the caller can tell by `use.takes`).
        """
        engine = self._antispam.get(use.engine)
        if engine is None or not use.takes(size):
            return None
        begun = self._clock()
        try:
            score = await engine.score(Source(self._disk, fd, size, offset), track)
        except Exception as error:
            engine.engine.complain(cause(error), track)
            return None
        if score is not None and self._logs.detailed:
            row = (engine.settings.name, size, f"{score * 1000:.0f}", f"{self._clock() - begun:.3f}")
            self._logs.write(mspa.SCORED, *row, track=track)
        return score

    def versions(self) -> dict[str, str]:
        """What each engine told of itself and its signatures, by the engine's name; empty: nothing yet. Two of one name
        are told together.

        To be asked for before a scan whose result is kept under it: then no result is kept under a later version.
        """
        told: dict[str, str] = {}
        for one in self._engines():
            name, version = one.settings.name, one.engine.version
            told[name] = f"{told[name]}; {version}" if name in told else version
        return told

    def _engines(self) -> Iterator[Antivirus | Antispam]:
        yield from self._antivirus.values()
        yield from self._antispam.values()

    def start(self) -> None:
        """To be called in the loop. Also sweeps what killed workers left in comm-dirs."""
        loop = asyncio.get_running_loop()
        for comm_dir in self._comm_dirs.values():
            if comm_dir is not None:
                comm_dir.start()
        self._refreshing = loop.create_task(self._refresh())

    async def _refresh(self) -> None:
        while True:
            self._uncertain.clear()
            await asyncio.gather(*map(self._refresh_one, self._engines()))
            await asyncio.sleep(AGAIN_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(VERSION_S):
                    await self._uncertain.wait()

    async def _refresh_one(self, one: Antivirus | Antispam) -> None:
        one.engine.prune()
        try:
            await one.refresh(Source(self._disk, -1, 0))
        except Exception as error:
            one.engine.complain(cause(error))

    async def close(self) -> None:
        """Scans under way belong to those who asked for them."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait((self._refreshing,))
        for one in self._engines():
            one.engine.close()
        for comm_dir in self._comm_dirs.values():
            if comm_dir is not None:
                comm_dir.close()
        while self._opened:
            os.close(self._opened.pop())
