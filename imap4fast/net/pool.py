"""The pool: one worker's helpers, and the jobs that wait for them. An executor whose jobs fail one by one.

    waiting (by owner) -> given to an idle helper -> answered, or the helper's end, or the wall clock

Owners take turns, so that who has a thousand mails to be made waits for himself. Helpers are made when there is work
for them, `most` at a time; one that is busy for longer than SLOW_S does not count, up to as many again, so that a few
hard mails do not hold up the light ones (the kernel shares the processors out). How many are made is damped: a burst,
then FORKS_PER_S, so that mails that kill helpers cost no more than that, and nobody's mail waits for a penalty to end.

A job whose awaiting task is cancelled is taken out of the queue; one that runs gets ABANDONED_S to finish unseen, which
most do in far less than it takes to make a new helper, and is killed then.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable

from imap4fast.errors import ServiceError
from imap4fast.log import tcps as entries
from imap4fast.log.logger import Write
from imap4fast.mail.work import Order, Outcome
from imap4fast.net import jobs
from imap4fast.net.helper import Helper, cause_of_death
from imap4fast.net.jobqueue import Job, JobQueue
from imap4fast.net.jobs import MESSAGE_BYTES, NOTICE_BYTES, Barren, Born, Broke, Done, Gone, Limits

TICK_S = 0.25
SLOW_S = 0.5
ABANDONED_S = 1.0
FORKS_BURST, FORKS_PER_S = 64, 10.0
ASK_AGAIN_S = 1.0
"""So long after a zygote's end is it asked for again, while there is none."""
SERVICE = "helper"
_WANTED = b"+"


class Pool:
    """One generation of helpers: all of one zygote's settings. Make and use it in the loop.

    `lost` is called when there is work and the zygote has gone, at most every ASK_AGAIN_S; `renew` gives another.
    """

    def __init__(
        self,
        zygote: socket.socket | None,
        most: int,
        write: Write,
        lost: Callable[[], None],
        limits: Limits | None = None,
        queue: JobQueue | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._write = write
        self._lost = lost
        self._limits = limits or Limits()
        self._queue = JobQueue() if queue is None else queue
        self._zygote: socket.socket | None = None
        self._helpers: dict[int, Helper] = {}
        self._idle: list[Helper] = []
        self._buffer = bytearray(MESSAGE_BYTES + 1)
        self._view = memoryview(self._buffer)
        self._leaving = 0
        self._asked = 0
        self._slow = 0
        self._forks = float(FORKS_BURST)
        self._damped = False
        self._ask_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        if zygote is not None:
            self.renew(zygote)
        write(entries.POOL_BEGAN, most)

    @property
    def helpers(self) -> int:
        """Helpers that live."""
        return len(self._helpers)

    @property
    def waiting(self) -> int:
        """Jobs that no helper has begun."""
        return len(self._queue)

    async def run(self, order: Order, source: int, target: int, owner: str) -> Outcome:
        """What a helper made of the mail. Both descriptors stay the caller's, and open until this returns.

        Raises ServiceError("helper", why) when the helper died, ran over a limit, gave no proper answer, or the queue
        is full; SpoolFullError where there is no room for what it makes.
        """
        data = jobs.encode(order)
        if len(data) > MESSAGE_BYTES:
            raise ServiceError(SERVICE, f"an order of {len(data)} octets")
        if self._closed:
            raise ServiceError(SERVICE, "the pool is closed")
        answer: asyncio.Future[Outcome] = self._loop.create_future()
        until = self._loop.time() + self._limits.queue_s
        job = Job(data, order.size, (source, target), owner, answer, until)
        self._queue.put(job)
        self._feed()
        self._look_on()
        try:
            return await answer
        except asyncio.CancelledError:
            self._abandon(job)
            raise

    def _abandon(self, job: Job) -> None:
        if self._queue.drop(job):
            return
        for helper in self._helpers.values():
            if helper.job is job:
                helper.until = min(helper.until, self._loop.time() + ABANDONED_S)

    # Jobs go out

    def _feed(self) -> None:
        """Gives what waits to helpers that are idle, and asks for more of them."""
        while self._idle and (job := self._queue.take()) is not None:
            if not job.answer.done() and not self._give(self._idle.pop(), job):
                self._queue.put_back(job)
        if self._queue:
            self._ask()

    def _give(self, helper: Helper, job: Job) -> bool:
        """False: that helper has ended. What is wrong with the job itself fails it."""
        try:
            helper.sock.sendmsg([job.data], jobs.rights(job.source, job.target))
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
                return False  # its zygote will tell
            self._idle.append(helper)
            job.fail(str(error))
            return True
        helper.job = job
        helper.since = self._loop.time()
        helper.until = helper.since + self._limits.wall(job.size)
        return True

    def _ask(self) -> None:
        """Asks for as many helpers as there is work, room and leave for."""
        room = self._most + min(self._slow, self._most) - self._present - self._asked
        wanted = min(len(self._queue) - self._asked, room)
        while wanted > 0 and self._zygote is not None and self._may_fork():
            try:
                self._zygote.send(_WANTED)
            except BlockingIOError:
                return
            except OSError:
                self._zygote_gone()
                return
            self._asked += 1
            wanted -= 1

    def _may_fork(self) -> bool:
        if self._forks < 1:
            if not self._damped:
                self._write(entries.HELPERS_DAMPED, FORKS_PER_S)
            self._damped = True
            return False
        self._forks -= 1
        return True

    # Answers come in

    def _on_answer(self, helper: Helper) -> None:
        self._read(helper)
        self._feed()

    def _read(self, helper: Helper) -> None:
        try:
            size = helper.sock.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if size:
            self._take(helper, size)
        else:
            self._ended(helper)

    def _take(self, helper: Helper, size: int) -> None:
        job, helper.job = helper.job, None
        if job is None:
            self._forbid(helper, "it spoke unasked")
            return
        try:
            answer = jobs.decode_answer(self._view[:size])
        except ValueError as error:
            self._forbid(helper, f"its answer is none: {error}")
            job.fail(helper.why)
            return
        if isinstance(answer, Done):
            self._finish(helper, job, answer)
        else:
            self._broke(helper, job, answer)

    def _finish(self, helper: Helper, job: Job, answer: Done) -> None:
        if not job.answer.done():
            if not jobs.fits(answer.outcome, os.fstat(job.target).st_size):
                self._forbid(helper, "it did not write what it says")
                job.fail(helper.why)
                return
            job.answer.set_result(answer.outcome)
        if answer.last:
            self._leave(helper)
        elif self._present > self._most and not self._queue:
            self._leave(helper)
            helper.sock.close()
        else:
            self._idle.append(helper)

    def _broke(self, helper: Helper, job: Job, answer: Broke) -> None:
        self._leave(helper)
        if answer.full:
            job.lack_room()
            return
        entry = entries.HELPER_OVER if answer.over else entries.HELPER_DIED
        self._write(entry, helper.pid, answer.why)
        job.fail(answer.why)

    # Helpers come and go

    @property
    def _present(self) -> int:
        """Helpers that work or may be given work."""
        return len(self._helpers) - self._leaving

    def _leave(self, helper: Helper) -> None:
        """It takes no more jobs, and ends by itself."""
        helper.leaving = True
        self._leaving += 1
        self._loop.remove_reader(helper.sock.fileno())
        helper.until = self._loop.time() + ABANDONED_S

    def _forbid(self, helper: Helper, why: str) -> None:
        """It did what no helper does: it ends now."""
        if helper in self._idle:
            self._idle.remove(helper)
        helper.kill(why)
        self._leave(helper)

    def _ended(self, helper: Helper) -> None:
        """Its socket is closed: it is dead, or will be; the zygote will tell."""
        if helper in self._idle:
            self._idle.remove(helper)
        helper.kill("")
        self._leave(helper)

    def _hear(self) -> None:
        """Notices of the zygote."""
        zygote = self._zygote
        while zygote is not None and zygote is self._zygote:
            try:
                data, ancillary, _, _ = zygote.recvmsg(NOTICE_BYTES, jobs.room_for(2), socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                break
            except OSError:
                data, ancillary = b"", []
            if not data:
                self._zygote_gone()
                break
            self._heed(jobs.decode_notice(data), jobs.received(ancillary))
        self._feed()

    def _heed(self, notice: jobs.Notice, descriptors: list[int]) -> None:
        match notice:
            case Born(pid):
                self._asked -= 1
                self._welcome(pid, descriptors)
            case Gone(pid, status):
                if pid in self._helpers:
                    self._bury(self._helpers[pid], os.waitstatus_to_exitcode(status))
            case Barren(why):
                self._asked -= 1
                self._forks = 0.0
                self._write(entries.INTERNAL_ERROR, "zygote.fork", why)

    def _welcome(self, pid: int, descriptors: list[int]) -> None:
        if len(descriptors) != 2:  # this process may have no more: the helper finds its socket closed, and ends
            for descriptor in descriptors:
                os.close(descriptor)
            self._write(entries.INTERNAL_ERROR, "pool.welcome", "no descriptors left")
            return
        sock, pidfd = descriptors
        helper = Helper(pid, socket.socket(fileno=sock), pidfd)
        helper.sock.setblocking(False)
        self._helpers[pid] = helper
        self._idle.append(helper)
        self._loop.add_reader(sock, self._on_answer, helper)

    def _bury(self, helper: Helper, exit_code: int) -> None:
        if not helper.leaving:
            self._read(helper)  # its last words may still be there
        if not helper.leaving:
            self._ended(helper)
        self._leaving -= 1
        del self._helpers[helper.pid]
        helper.close()
        if exit_code == 0 and helper.job is None and not helper.why:
            return
        over = exit_code == -signal.SIGXCPU or helper.over
        why = helper.why or cause_of_death(exit_code)
        self._write(entries.HELPER_OVER if over else entries.HELPER_DIED, helper.pid, why)
        if helper.job is not None:
            helper.job.fail(why)

    def _zygote_gone(self) -> None:
        """With it its helpers have gone, or will in this moment."""
        zygote, self._zygote = self._zygote, None
        if zygote is None:
            return
        self._loop.remove_reader(zygote.fileno())
        zygote.close()
        self._asked = 0
        self._write(entries.ZYGOTE_DIED)
        for helper in list(self._helpers.values()):
            helper.kill("its zygote died")
            self._bury(helper, -signal.SIGKILL)
        self._ask_at = self._loop.time()
        self._look_on()

    def renew(self, zygote: socket.socket) -> None:
        """Takes the socket to a new zygote, in place of one that died."""
        if self._zygote is not None or self._closed:
            zygote.close()
            return
        zygote.setblocking(False)
        self._zygote = zygote
        self._loop.add_reader(zygote.fileno(), self._hear)
        self._feed()

    def close(self) -> None:
        """Fails what waits or runs; the zygote ends its helpers and itself."""
        self._closed = True
        while (job := self._queue.take()) is not None:
            job.fail("the pool is closed")
        if self._zygote is not None:
            self._loop.remove_reader(self._zygote.fileno())
            self._zygote.close()
            self._zygote = None
        for helper in self._helpers.values():
            if not helper.leaving:
                self._loop.remove_reader(helper.sock.fileno())
            helper.close()
            if helper.job is not None:
                helper.job.fail("the pool is closed")
        self._helpers.clear()
        self._idle.clear()

    # Time

    def _look_on(self) -> None:
        if self._timer is None and not self._closed:
            self._timer = self._loop.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        """While there is work: whose time is over, and what may be asked for again."""
        self._timer = None
        now = self._loop.time()
        self._forks = min(self._forks + FORKS_PER_S * TICK_S, FORKS_BURST)
        self._damped = self._damped and self._forks < FORKS_BURST
        busy = [helper for helper in self._helpers.values() if helper.job is not None or helper.leaving]
        self._slow = sum(helper.job is not None and now - helper.since > SLOW_S for helper in busy)
        for helper in busy:
            if now > helper.until:
                self._cut(helper)
        for job in self._queue.take_late(now):
            job.fail("no helper had time for it")
        if self._zygote is None and now >= self._ask_at and not self._closed:
            self._ask_at = now + ASK_AGAIN_S
            self._lost()
        self._feed()
        if busy or self._queue or self._zygote is None or self._forks < FORKS_BURST:
            self._look_on()

    def _cut(self, helper: Helper) -> None:
        if helper.job is None:
            helper.kill("it did not end")
        else:
            helper.over = True
            helper.kill("nobody waits any more" if helper.job.answer.done() else "over its time by the clock")
