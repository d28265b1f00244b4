"""A mailroom with a real spool and disk thread, whose helper is this process, and a session to work for."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from imap4fast.config.load import load_text
from imap4fast.config.mailsettings import Processing
from imap4fast.errors import ServiceError
from imap4fast.log.setup import Logs
from imap4fast.mail.work import LogLine, Order, Outcome
from imap4fast.net.disk import Disk
from imap4fast.net.mailroom import Mailroom, SessionMails
from imap4fast.net.pool import Pool
from imap4fast.net.scanners import Scanners
from imap4fast.net.scannersettings import engines_of
from imap4fast.policy.kit import Kit
from imap4fast.policy.mailjob import run
from imap4fast.policy.material import read
from imap4fast.policy.residual import Residuals
from imap4fast.session.mailwork import ProcessedMail, Refused, Work
from tests.play.stage import Notebook, Stage
from tests.unit.mail import spools

TEXT = """version IMAP4FAST-1;
antivirus AV {{ connection {engine}; }}
imap4-proxy P {{
  nodaemon;
  listen-on {{ non-transparent [127.0.0.1] port 143; }}
  session-acl IN {{ accept; plug-to [192.0.2.20] : 143; }}
  command-acl ALL {{
    accept;
    download {{ use-antivirus enable AV; {download} }}
    upload {{ use-antivirus enable AV; }}
  }}
  {acls}
}}
"""

ACLS = "mail-acl CLEAN {{ virus free; {condition} accept; {action} }} doc-acl ALL {{ accept; }}"


class Here:
    """The pool: jobs run at once, in this process. `broken`: they fail instead."""

    def __init__(self, work: Callable[[Order, int, int], Outcome]) -> None:
        self._work = work
        self.broken: ServiceError | None = None
        self.failures: list[ServiceError] = []
        """What the next jobs fail with, after a part of what they make was written."""
        self.orders: list[Order] = []

    async def run(self, order: Order, source: int, target: int, owner: str) -> Outcome:
        self.orders.append(order)
        await asyncio.sleep(0)
        if self.broken is not None:
            raise self.broken
        if self.failures:
            os.pwrite(target, b"half" * 1000, 0)
            raise self.failures.pop(0)
        return self._work(order, source, target)

    def close(self) -> None:
        """As Pool has it."""


class Bench:
    """`mails` are a session's, `processing` is that of its downloads. `logs` are those of the engines."""

    def __init__(
        self, room: Mailroom, mails: SessionMails, helper: Here, processing: Processing, logs: Notebook
    ) -> None:
        self.room = room
        self.mails = mails
        self.helper = helper
        self.processing = processing
        self.logs = logs
        self.ready = 0
        self.lines: list[LogLine] = []

    def _more(self) -> None:
        self.ready += 1

    async def processed(self, octets: bytes, uid: int = 0, direction: str = "download", **work: Any) -> Any:
        """What became of a mail that came in two pieces."""
        incoming = self.mails.receive(len(octets), self._more)
        assert incoming is not None
        for piece in (octets[: len(octets) // 2], octets[len(octets) // 2 :]):
            incoming.write(piece)
        origin = self.mails.origin(b"INBOX", 7, uid) if uid else None
        return await self.told(Work(direction, origin, **work), incoming)

    async def told(self, work: Work, incoming: Any) -> ProcessedMail | Refused:
        done: asyncio.Future[ProcessedMail | Refused] = asyncio.get_running_loop().create_future()

        def then(mail: ProcessedMail | Refused, lines: tuple[LogLine, ...]) -> None:
            self.lines += lines
            done.set_result(mail)

        self.mails.process(incoming, work, then)
        return await asyncio.wait_for(done, 20)

    async def found(self, uid: int) -> ProcessedMail | Refused | None:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        origin = self.mails.origin(b"INBOX", 7, uid)
        assert origin is not None
        self.mails.find(origin, done.set_result)
        return await asyncio.wait_for(done, 20)


async def octets_of(mail: ProcessedMail, offset: int = 0, size: int | None = None) -> bytes:
    """The mail's octets, as a session reads them."""
    done: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
    mail.read(offset, mail.size - offset if size is None else size, done.set_result)
    octets = await asyncio.wait_for(done, 20)
    assert octets is not None
    return octets


@asynccontextmanager
async def bench(
    path: Path,
    *,
    download: str = "",
    action: str = "",
    condition: str = "",
    engine: str = "builtin",
    limits: spools.Limits = spools.MANY,
    directories: Mapping[str, int] | None = None,
    acls: str = "",
) -> AsyncIterator[Bench]:
    """The bench; at its end no file may be open any more."""
    loop = asyncio.get_running_loop()
    acls = acls or ACLS.format(action=action, condition=condition)
    settings = load_text(TEXT.format(download=download, acls=acls, engine=engine)).settings
    files = read(settings)
    notebook = Notebook(6)
    logs = cast(Logs, notebook)
    disk = Disk(loop, spools.spool(path, limits=limits), logs)
    disk.start()
    helper = Here(functools.partial(run, Kit(settings, files)))
    scanners = Scanners(*engines_of(settings.proxy), disk, logs)
    scanners.start()
    room = Mailroom(disk, cast(Pool, helper), scanners, Residuals(settings, files), directories or {})
    stage = Stage(*settings.proxy.command_acls)
    session = stage.session
    session.user = "jana"
    mails = SessionMails(room, session)
    try:
        yield Bench(room, mails, helper, session.powers.acl.download, notebook)
    finally:
        await room.stop()
