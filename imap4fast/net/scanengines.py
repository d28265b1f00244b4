"""Engines of both sorts: which talk each takes, and what its answer means. Failures are results here, too."""

from __future__ import annotations

from imap4fast.config.values import Address, Sock
from imap4fast.errors import ServiceError
from imap4fast.mail.work import ERROR, SKIPPED, UNKNOWN, Scan
from imap4fast.net.addresses import literal_of, text
from imap4fast.net.commfile import CommDir
from imap4fast.net.exchange import Source
from imap4fast.net.scanpool import Engine, Failure
from imap4fast.scan import clamd, icap, rspamd, spamd
from imap4fast.scan.engines import CLAMAV_FILE, ICAP, RSPAMD, AntispamEngine, AntivirusEngine
from imap4fast.scan.talk import Score


class Antivirus:
    """One antivirus engine."""

    def __init__(self, settings: AntivirusEngine, engine: Engine, comm_dir: CommDir | None = None) -> None:
        self.settings = settings
        self.engine = engine
        self._comm_dir = comm_dir
        self._service = icap.Service(host_of(settings.address), settings.service)
        self._offer: icap.Offer | None = None

    async def scan(self, source: Source, limit: int, media: bytes, track: int) -> Scan:
        """What the engine says of the octets. More than `limit` (0: none) are not sent."""
        name = self.settings.name
        limit = min(limit or source.size, self.settings.max_checked_size or source.size)
        if source.size > limit:
            return Scan(SKIPPED, f"larger than {limit}", name)
        answer = await self._ask(source, media, track)
        if isinstance(answer, Failure):
            return Scan(UNKNOWN if answer.nonsense else ERROR, answer.why, name)
        if answer.status == ERROR:
            self.engine.complain(answer.name, track)
        return Scan(answer.status, answer.name, name)

    async def _ask(self, source: Source, media: bytes, track: int) -> Scan | Failure:
        if self.settings.kind == CLAMAV_FILE:
            return await self._by_file(source, track)
        if self.settings.kind == ICAP:
            return await self._by_icap(source, media, track)
        return await self.engine.ask(lambda turn: clamd.Instream(source.size, turn), source, track)

    async def _by_icap(self, source: Source, media: bytes, track: int) -> Scan | Failure:
        if self._offer is None:
            offer = await self.engine.ask(lambda turn: icap.Options(self._service), source, track)
            if isinstance(offer, Failure):
                return offer
            if offer.refused:
                return Scan(ERROR, offer.refused)
            self._offer = offer
        size, preview = source.size, self._offer.preview
        return await self.engine.ask(lambda turn: icap.Respmod(self._service, size, preview, media), source, track)

    async def _by_file(self, source: Source, track: int) -> Scan | Failure:
        if self._comm_dir is None:
            return Scan(ERROR, "no comm-dir")
        try:
            async with self._comm_dir.copy(source.fd, source.size, source.offset) as path:
                return await self.engine.ask(lambda turn: clamd.ScanFile(path, turn), source, track)
        except ServiceError as error:
            return Scan(ERROR, str(error))

    async def refresh(self, nothing: Source) -> None:
        """Ask the engine for its version."""
        if self.settings.kind == ICAP:
            offer = await self.engine.ask_aside(lambda turn: icap.Options(self._service), nothing)
            if offer is not None and not offer.refused:
                self._offer = offer
                self.engine.told(offer.istag)
        else:
            await self._refresh_clamd(nothing)

    async def _refresh_clamd(self, nothing: Source) -> None:
        version = await self.engine.ask_aside(clamd.Version, nothing)
        if version is None:
            return
        stats = await self.engine.ask_aside(clamd.Stats, nothing)
        if stats == "":
            self.engine.doubt()
        else:
            self.engine.told(f"{version} {stats}" if stats else version)


class Antispam:
    """One antispam engine."""

    def __init__(self, settings: AntispamEngine, engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        self._host = host_of(settings.address)

    async def score(self, source: Source, track: int) -> float | None:
        """None: the engine gave none."""
        answer = await self._ask(source, track)
        if isinstance(answer, Failure):
            return None
        if answer.value is None:
            self.engine.complain(answer.why, track)
        return answer.value

    async def _ask(self, source: Source, track: int) -> Score | Failure:
        size, user = source.size, self.settings.user
        if self.settings.kind == RSPAMD:
            return await self.engine.ask(lambda turn: rspamd.Check(self._host, size), source, track)
        return await self.engine.ask(lambda turn: spamd.Check(size, user), source, track)

    async def refresh(self, nothing: Source) -> None:
        """Ask the engine for its version."""
        if self.settings.kind == RSPAMD:
            version = await self.engine.ask_aside(lambda turn: rspamd.Ping(self._host), nothing)
        else:
            version = await self.engine.ask_aside(lambda turn: spamd.Ping(), nothing)
        self.engine.told(version or "")


def host_of(address: Sock | str | None) -> str:
    """The address as it stands in a Host field or a URI."""
    if not isinstance(address, Sock):
        return "localhost"
    host = literal_of(address.host) if isinstance(address.host, Address) else address.host
    return text(host or "localhost", address.port)
