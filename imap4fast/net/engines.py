"""The engines over the network that the settings of one mail name."""

from __future__ import annotations

import asyncio

from imap4fast.config.mailsettings import BUILTIN, Processing
from imap4fast.mail.work import Scan, Verdicts
from imap4fast.net.scanners import Scanners
from imap4fast.scan.engines import Use
from imap4fast.scan.merge import merge


class Engines:
    """`track` is the number of the session that the log has with what fails. Of a mail, or a part of it, where it is
    means (descriptor, size).
    """

    def __init__(self, scanners: Scanners, processing: Processing, track: int) -> None:
        self._scanners = scanners
        self._antivirus = processing.use_antivirus
        self._antispam = processing.use_antispam
        self._track = track

    @property
    def are_asked(self) -> bool:
        """Whether there is any."""
        return self._spam is not None or any(
            use.enable and self._scanners.has(use.engine.name) for use in self._antivirus
        )

    def may_find_nothing(self, size: int) -> bool:
        """Whether their answer about a mail of so many octets can be foretold: that there is no virus in it."""
        viruses = self.viruses
        return self._spam is None and bool(viruses) and all(use.takes(size) for use in viruses)

    @property
    def _spam(self) -> Use | None:
        """That which gives a score."""
        spam = self._antispam
        if spam is None or not spam.enable or not self._scanners.has(spam.engine.name):
            return None
        return Use(spam.engine.name, spam.size or 0)

    @property
    def viruses(self) -> list[Use]:
        """Those that look for viruses."""
        return [
            Use(use.engine.name, use.size or 0)
            for use in self._antivirus
            if use.enable and use.engine.connection.kind != BUILTIN
        ]

    async def verdicts(
        self, said: Verdicts, raw: tuple[int, int], normal: tuple[int, int], scan: Scan | None = None
    ) -> Verdicts:
        """What all engines say of the mail: of its octets as they came, and as they are read from now on. `said` is
        what is known already; `scan` what they said of it as it came, None: they were not asked.
        """
        forms = [raw] if scan is None else []
        if normal != raw:
            forms.append(normal)
        asked = [self.virus(where) for where in forms] if self.viruses else []
        spam = self._spam
        score, failed = said.spam, said.spam_failed
        if spam is not None and spam.takes(raw[1]):
            scoring = asyncio.ensure_future(self._scanners.spam(*raw, spam, track=self._track))
            scans = await asyncio.gather(*asked)
            score = await scoring
            failed = score is None
        else:
            scans = await asyncio.gather(*asked)
        scans = [one for one in (said.virus, scan, *scans) if one is not None]
        virus = merge(scans) if scans else None
        return Verdicts(virus, said.leaves, score, failed)

    async def virus(self, where: tuple[int, int], offset: int = 0) -> Scan:
        """What the engines say of octets, which begin at `offset`."""
        return await self._scanners.virus(where[0], where[1], self.viruses, offset, track=self._track)
