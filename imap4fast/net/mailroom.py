"""A worker's mails on their way: spooled by the I/O thread, scanned over the network, processed by a helper, kept.

    octets -> unnamed file -> process, or presume beside scanners, or examine -> scanners -> leaves -> finish
    -> object -> session

With built-in engines alone one job of a helper does all. What fails is a verdict for that mail: `on-unavailable` says
what becomes of it, and nothing that was not processed is ever shown.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from imap4fast._wire import MailIndex
from imap4fast.config.mailsettings import Processing
from imap4fast.errors import ServiceError
from imap4fast.log import imap as entries
from imap4fast.log.cause import cause
from imap4fast.mail import work as words
from imap4fast.mail.quota import SpoolFullError
from imap4fast.mail.spool import Found, Said, Spool
from imap4fast.mail.spoolkey import Origin, digest
from imap4fast.mail.store import Kept
from imap4fast.mail.verdict import is_lasting, settled
from imap4fast.mail.work import LogLine, Order, Outcome, Quarantined, Scan, Verdicts
from imap4fast.net.disk import Disk
from imap4fast.net.engines import Engines
from imap4fast.net.incoming import Incoming
from imap4fast.net.keptmail import SMALL, KeptMail
from imap4fast.net.pool import Pool
from imap4fast.net.scanners import Scanners
from imap4fast.net.steps import Steps
from imap4fast.policy import examine
from imap4fast.policy.kit import filter_rules
from imap4fast.policy.loglines import line
from imap4fast.policy.residual import Residual, Residuals
from imap4fast.session.mailwork import Done, ProcessedMail, Receiver, Refused, Work

if TYPE_CHECKING:
    from imap4fast.session.session import Session

ROOM_FOR_MORE = 65536
"""Octets that a processed mail with its index may have more than the mail, before more room is asked for."""


class Provisions(NamedTuple):
    """What a worker brought along from before its chroot. `directories` are opened ones, by their paths."""

    spool: Spool
    directories: Mapping[str, int]


class Mailroom:
    """Of one worker and one configuration. `directories` were opened before chroot, by their paths."""

    def __init__(
        self, disk: Disk, pool: Pool, scanners: Scanners, residuals: Residuals, directories: Mapping[str, int]
    ) -> None:
        self.disk = disk
        self.pool = pool
        self.scanners = scanners
        self.residuals = residuals
        self.directories = directories
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._steps: set[Steps] = set()
        self._engines: dict[int, tuple[Processing, bytes]] = {}
        """Their digests, by the identity of the settings, which are held here."""
        self._told: dict[str, str] = {}
        self._versions = _versions({})

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that the mailroom holds until it ends."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def go(self, work: Coroutine[Any, Any, None]) -> None:
        """The same at once and without a task, for what is done for each mail and awaits nothing but futures."""
        steps = Steps(work, self._steps.discard)
        self._steps.add(steps)
        steps.run()

    async def stop(self) -> None:
        """All sessions have ended: what is still done is given up."""
        given_up: list[asyncio.Task[None] | Steps] = [*self._tasks, *self._steps]
        for work in given_up:
            work.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks))
        await self.scanners.close()
        self.pool.close()
        await self.disk.stop()

    def engines(self, processing: Processing) -> tuple[bytes, bytes]:
        """Digests of the engines in use, and of the versions of their signatures."""
        known = self._engines.get(id(processing))
        if known is None:
            known = self._engines[id(processing)] = (processing, _engines(processing))
        told = self.scanners.versions()
        if told != self._told:
            self._told, self._versions = told, _versions(told)
        return known[1], self._versions


def _engines(processing: Processing) -> bytes:
    names = [f"{use.engine.name} {use.engine.connection}" for use in processing.use_antivirus if use.enable]
    spam = processing.use_antispam
    if spam is not None and spam.enable:
        names.append(f"{spam.engine.name} {spam.engine.connection} {spam.size}")
    return digest(b"engines", *(name.encode() for name in names))


def _versions(told: dict[str, str]) -> bytes:
    return digest(b"versions", *(f"{name} {told[name]}".encode() for name in sorted(told)))


class SessionMails:
    """What one session has done (`session.mailwork.Mails`)."""

    def __init__(self, room: Mailroom, session: Session) -> None:
        self._room = room
        self._session = session
        self._residuals: dict[tuple[str, str | None, str], Residual] = {}
        self._server = ",".join(f"{sock.host}:{sock.port}" for sock in session.acl.plug_to).encode()

    def prefix(self) -> bytes:
        """The prefix of a session's own tags, which nobody can foretell."""
        return secrets.token_hex(5).encode() + b"x"

    def _residual(self, direction: str) -> Residual:
        session = self._session
        key = (session.powers.acl.name, session.user, direction)
        found = self._residuals.get(key)
        if found is None:
            acl = session.powers.acl
            found = self._room.residuals.of(session.facts, acl, direction, session.language)
            self._residuals[key] = found
        return found

    def origin(self, mailbox: bytes, uidvalidity: int, uid: int) -> Origin | None:
        """What the processed form of a mail is kept under; None: nobody knows the account, or its name is no UTF-8, so
        that others read the same.
        """
        session = self._session
        if session.user is None or "\ufffd" in session.user:
            return None
        residual = self._residual("download").digest
        return Origin(session.user.encode(), self._server, mailbox, uidvalidity, uid, residual)

    def find(self, origin: Origin, then: Callable[[ProcessedMail | Refused | None], object]) -> None:
        """The processed form, where it is kept."""
        self._room.go(self._guarded(self._find(origin, then)))

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of this session's: what breaks in it ends the session, which would wait for it without end."""
        return self._room.begin(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            if not self._session.over:
                self._session.broken(error)

    def forget_mailbox(self, mailbox: bytes) -> None:
        """A mailbox of this account has gone, or has another name; those below it as well, whatever delimits them."""
        session = self._session
        if session.user is not None:
            for delimiter in (b"/", b"."):
                self._room.disk.drop_mailbox(session.user.encode(), self._server, mailbox, delimiter)

    async def _find(self, origin: Origin, then: Callable[[ProcessedMail | Refused | None], object]) -> None:
        disk = self._room.disk
        mail: KeptMail | Refused | None = None
        try:
            found = await disk.find(origin.key(), SMALL)
            if found is not None:
                mail = self._opened(found)
        except ServiceError:
            pass  # the log has it; the mail is fetched again
        except ValueError:
            disk.drop(origin.key())
        self._tell(partial(then, mail))

    def _opened(self, found: Found) -> KeptMail | Refused:
        """The mail in an object; its descriptor belongs to it, or is closed. ValueError: it holds no index."""
        disk, kept, fd = self._room.disk, found.kept, found.fd
        if fd < 0:
            return Refused(kept.code.encode() or b"CANNOT", kept.reason)
        try:
            index = MailIndex.unpack(found.index)
        except ValueError:
            disk.close(fd)
            raise
        if len(found.head) < kept.mail_size:
            return KeptMail(disk, self, index, kept.mail_size, fd, None)
        disk.close(fd)
        return KeptMail(disk, self, index, kept.mail_size, -1, found.head)

    def header(self, octets: bytes, size: int) -> KeptMail | None:
        """A mail of which the header alone is known (`mail-view headers-first`)."""
        rules = filter_rules(self._session.powers.acl.download.mail_filter)
        rules = msgspec.structs.replace(rules, ambiguous_mime="keep")  # there is no body to tell what is meant
        form = examine.form(octets, rules, b"")
        if form.rejected is not None or len(form.index) != 1:
            return None
        return KeptMail(self._room.disk, self, form.index, size, -1, bytes(form.data[:]))

    def receive(self, size: int, ready: Callable[[], object]) -> Incoming | None:
        """Room for a mail of so many octets. Where there is none, the mail's processing says so."""
        return Incoming(self._room, size, ready)

    def process(self, receiver: Receiver | None, work: Work, then: Done) -> Callable[[], object]:
        """Judge and process a mail whose octets are all there."""
        assert receiver is None or isinstance(receiver, Incoming)
        return self._room.begin(self._process(receiver, work, then)).cancel

    async def _process(self, incoming: Incoming | None, work: Work, then: Done) -> None:
        begun = asyncio.get_running_loop().time()
        job = Job(self._room, self._session, work, self._residual(work.direction), incoming)
        outcome = Outcome(words.REFUSED, code="SERVERBUG", reason="internal error")
        done: KeptMail | Refused = Refused(b"SERVERBUG", "internal error")
        try:
            outcome, found = await job.done()
            done = self._opened(found)
        except ServiceError as error:
            outcome = job.failed(error)
            done = Refused(outcome.code.encode(), outcome.reason, isinstance(error, SpoolFullError))
        except Exception as error:
            self._session.log(entries.INTERNAL_ERROR, "mail", cause(error))
        finally:
            if incoming is not None:
                incoming.drop()
        self._tell(partial(then, done, (*outcome.log, job.record(outcome, begun))))

    def _tell(self, call: Callable[[], object]) -> None:
        """Go on with the session: what breaks there is its end, not only that of a task."""
        try:
            call()
        except Exception as error:
            if not self._session.over:
                self._session.broken(error)


class Job:
    """One mail's way through scanners and helpers."""

    def __init__(
        self, room: Mailroom, session: Session, work: Work, residual: Residual, incoming: Incoming | None
    ) -> None:
        self._room = room
        self._session = session
        self._work = work
        self._residual = residual
        self._incoming = incoming
        acl = session.powers.acl
        self.processing: Processing = acl.download if work.direction == "download" else acl.upload
        self._engines = Engines(room.scanners, self.processing, session.number)
        self._owner = session.user or str(session.facts.client)
        self.lasting = True
        """Whether the next time the same would come of it."""

    def _order(self, job: str, size: int, verdicts: Verdicts | None = None, refused: str = "") -> Order:
        residual, sha256 = self._residual, b"" if self._incoming is None else self._incoming.sha256
        return Order(
            job=job,
            direction=self._work.direction,
            command_acl=self._session.powers.acl.name,
            mail_acls=residual.mail_acls,
            doc_acls=residual.doc_acls,
            size=size,
            seed=digest(b"seed", sha256 or self._instead(), residual.digest),
            date=self._work.date,
            language=self._session.language,
            verdicts=verdicts,
            refused=refused,
            sha256=sha256,
        )

    def _instead(self) -> bytes:
        """What tells a mail without octets from others: they all would have the same Message-ID."""
        origin = self._work.origin
        return self._work.date.encode() if origin is None else origin.key()

    async def done(self) -> tuple[Outcome, Found]:
        """What became of the mail, and where it is. Raises ServiceError."""
        incoming, disk = self._incoming, self._room.disk
        if incoming is None:
            return await self._refused(self._work.refused)
        source = await incoming.opened()
        engines, versions = self._room.engines(self.processing)
        room = incoming.size + ROOM_FOR_MORE
        held, target = await disk.prepared(source, incoming.sha256, engines, versions, room)
        said: Verdicts | None = None
        try:
            if held is not None and held.current:
                outcome = await self._finish(incoming.size, held.verdicts, source, target)
            else:
                outcome, said = await self._judged(source, target)
                holds = said if held is None or said is None else settled(held.verdicts, said, aged=held.aged)
                if holds != said:
                    # What was said first holds, unless a virus is found only now: a client may have seen the mail.
                    disk.close(target)
                    target = -1
                    target = await disk.create(room)
                    outcome = await self._finish(incoming.size, holds, source, target)
            if said is not None and not is_lasting(said):
                self.lasting, said = False, None
            told = None if said is None else Said(incoming.sha256, engines, versions, said)
            kept, target = target, -1
            return outcome, await self._finished(outcome, kept, told)
        finally:
            if target >= 0:
                disk.close(target)

    async def _judged(self, source: int, target: int) -> tuple[Outcome, Verdicts | None]:
        """Have the mail scanned and processed; what became of it, and what the engines said, if they were asked."""
        assert self._incoming is not None
        if self._engines.are_asked:
            return await self._scanned(source, target)
        outcome = await self._run(self._order("process", self._incoming.size), source, target)
        return outcome, outcome.verdicts

    async def _finished(self, outcome: Outcome, target: int, said: Said | None) -> Found:
        """The object that was written is kept where it may be, and read; the descriptor belongs to what is found."""
        disk, kept = self._room.disk, self.kept(outcome)
        origin = self._work.origin if self.lasting else None
        found: Found | None = None
        try:
            if outcome.index_size:
                found = await disk.finished(target, kept, origin, said, SMALL)
            elif origin is not None:
                await disk.keep(origin, target, kept, said)
        finally:
            if found is None:
                disk.close(target)
        return found or Found(kept)

    async def _refused(self, reason: str) -> tuple[Outcome, Found]:
        """The mail is denied unseen."""
        self.lasting = False
        if self.processing.on_deny == "error":
            outcome = Outcome(words.REFUSED, reason=reason, code="LIMIT")
            return outcome, Found(self.kept(outcome))
        disk = self._room.disk
        target = await disk.create(ROOM_FOR_MORE)
        try:
            outcome = await self._run(self._order("finish", 0, refused=reason), target, target)
        except BaseException:
            disk.close(target)
            raise
        return outcome, await self._finished(outcome, target, None)

    async def _finish(self, size: int, verdicts: Verdicts | None, source: int, target: int) -> Outcome:
        """The mail decided about, by what the engines said. What documents were taken out of for a virus that is known
        to be in none of them is scanned before anybody sees it.
        """
        order = self._order("finish", size, verdicts)
        outcome = await self._made(order, source, target)
        if outcome.doubtful and verdicts is not None:
            left = await self._engines.virus((target, outcome.mail_size))
            if left.status != words.FREE:
                self.lasting = self.lasting and left.status != words.ERROR
                order = msgspec.structs.replace(order, left=left if left.status == words.FOUND else verdicts.virus)
                outcome = await self._made(order, source, target)
        return await self._put_aside(outcome, source)

    async def _run(self, order: Order, source: int, target: int) -> Outcome:
        """A helper's work on the mail, and the copies that it wants to be kept aside."""
        return await self._put_aside(await self._made(order, source, target), source)

    async def _put_aside(self, outcome: Outcome, source: int) -> Outcome:
        for copy in outcome.quarantine:
            directory = self._room.directories.get(copy.directory, -1)
            if directory >= 0:
                await self._quarantine(directory, source, copy)
        return outcome

    async def _quarantine(self, directory: int, source: int, copy: Quarantined) -> None:
        """Raises ServiceError: a mail of which no copy could be kept is not decided about."""
        try:
            await self._room.disk.quarantine(directory, source, copy.text)
        except SpoolFullError:
            raise
        except ServiceError as error:
            raise ServiceError(f"quarantine {copy.directory}", error.why) from error

    async def _made(self, order: Order, source: int, target: int) -> Outcome:
        """A helper's work; where the disk is full mails that are kept go, and it is done once more: somebody else may
        have made room, too.
        """
        pool = self._room.pool
        try:
            return await pool.run(order, source, target, self._owner)
        except SpoolFullError:
            await self._room.disk.make_room(target)
            return await pool.run(order, source, target, self._owner)

    # ---- scanners over the network ------------------------------------------------------------------------------

    async def _scanned(self, source: int, target: int) -> tuple[Outcome, Verdicts | None]:
        """Form first, then the scanners, then what is decided: of the mail as it came, as every job is. Most mails are
        in good form and hold no virus; this is presumed first, and done while they are scanned.
        """
        assert self._incoming is not None
        disk, size = self._room.disk, self._incoming.size
        scan: Scan | None = None
        if self._engines.may_find_nothing(size):
            outcome, scan = await self._presumed(source, target)
            if outcome.kind != words.EXAMINED and outcome.verdicts is not None and scan.status == words.FREE:
                return await self._put_aside(outcome, source), msgspec.structs.replace(outcome.verdicts, virus=scan)
        examined = disk.in_memory(size + ROOM_FOR_MORE)
        if examined < 0:
            examined = await disk.create(size + ROOM_FOR_MORE)
        try:
            outcome = await self._run(self._order("examine", size), source, examined)
            if outcome.kind != words.EXAMINED:  # denied for its form, or a replacement of ours: nothing is scanned
                return await self._finish(size, outcome.verdicts, source, target), None
            raw = (source, size)
            normal = (examined, outcome.mail_size) if outcome.mail_size else raw
            verdicts = await self._engines.verdicts(outcome.verdicts or Verdicts(), raw, normal, scan)
            if verdicts.virus is not None and verdicts.virus.status == words.FOUND:
                verdicts = await self._leaves(verdicts, raw)
            return await self._finish(size, verdicts, source, target), verdicts
        finally:
            disk.close(examined)

    async def _presumed(self, source: int, target: int) -> tuple[Outcome, Scan]:
        """(what becomes of the mail if no virus is in it, what the engines say)"""
        assert self._incoming is not None
        size = self._incoming.size
        scanning = asyncio.ensure_future(self._engines.virus((source, size)))
        try:
            order = self._order("presume", size, Verdicts(Scan(words.FREE)))
            return await self._made(order, source, target), await scanning
        finally:
            if not scanning.done():
                scanning.cancel()
                await asyncio.wait([scanning])

    async def _leaves(self, verdicts: Verdicts, raw: tuple[int, int]) -> Verdicts:
        """A virus was found in the mail: which documents have it? Each decoded leaf is scanned alone."""
        if not self._engines.viruses or verdicts.leaves:
            return verdicts
        disk = self._room.disk
        target = await disk.create(raw[1] + ROOM_FOR_MORE)
        try:
            outcome = await self._run(self._order("leaves", raw[1]), raw[0], target)
            scans = [await self._engines.virus((target, size), offset) for offset, size in outcome.pieces]
            return msgspec.structs.replace(verdicts, leaves=tuple(scans))
        finally:
            disk.close(target)

    # ---- what is told of it -------------------------------------------------------------------------------------

    def failed(self, error: ServiceError) -> Outcome:
        """No helper, no disk: the mail is not shown."""
        full = isinstance(error, SpoolFullError)
        return Outcome(words.REFUSED, reason=f"{error.service}: {error.why}", code="LIMIT" if full else "UNAVAILABLE")

    def kept(self, outcome: Outcome) -> Kept:
        """The row of the object."""
        incoming, none = self._incoming, bytes(32)
        return Kept(
            kind=outcome.kind,
            mail_size=outcome.mail_size,
            index_size=outcome.index_size,
            sha256=outcome.sha256 or none,
            original_size=0 if incoming is None else incoming.size,
            original_sha256=none if incoming is None else incoming.sha256,
            reason=outcome.reason,
            code=outcome.code,
            message_id=outcome.message_id,
        )

    def record(self, outcome: Outcome, begun: float) -> LogLine:
        """The mail's own statistics."""
        size = self._work.size if self._incoming is None else self._incoming.size
        way = "IN" if self._work.direction == "download" else "OUT"
        spent = f"{asyncio.get_running_loop().time() - begun:.3f}"
        name = outcome.message_id or None
        return line(
            entries.MAIL, way, size, outcome.mail_size, name, outcome.kind.upper(), spent, outcome.reason or None
        )
