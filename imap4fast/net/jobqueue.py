"""Jobs that wait for a helper: bounded in number and in octets of mail, and fair between owners.

Owners stand in a ring; each turn takes the oldest job of the first, who then stands behind all others. An owner alone
may fill half of the places, so that there is always room for another's mail.
"""

from __future__ import annotations

import asyncio
from collections import deque

from imap4fast.errors import ServiceError
from imap4fast.mail.quota import SpoolFullError
from imap4fast.mail.work import Outcome

MOST_JOBS = 1024
MOST_BYTES = 1024**3
"""Of mail that waits in the spool. A mail larger than that may wait alone."""


class Job:
    """One order on its way. `source` and `target` belong to the task that awaits `answer`."""

    __slots__ = ("answer", "data", "owner", "size", "source", "target", "waits_until")

    def __init__(
        self,
        data: bytes,
        size: int,
        descriptors: tuple[int, int],
        owner: str,
        answer: asyncio.Future[Outcome],
        waits_until: float,
    ) -> None:
        self.data = data
        self.size = size
        self.source, self.target = descriptors
        self.owner = owner
        self.answer = answer
        self.waits_until = waits_until

    def fail(self, why: str) -> None:
        """The awaiting task gets a ServiceError, if it still waits."""
        if not self.answer.done():
            self.answer.set_exception(ServiceError("helper", why))

    def lack_room(self) -> None:
        """The same where what the job makes does not fit on the disk: SpoolFullError."""
        if not self.answer.done():
            self.answer.set_exception(SpoolFullError("the disk is full"))


class JobQueue:
    """See the module. `len()` is how many wait."""

    def __init__(self, most_jobs: int = MOST_JOBS, most_bytes: int = MOST_BYTES) -> None:
        self._most_jobs = most_jobs
        self._most_bytes = most_bytes
        self._owners: dict[str, deque[Job]] = {}
        self._jobs = 0
        self._bytes = 0

    def __len__(self) -> int:
        return self._jobs

    def put(self, job: Job) -> None:
        """Behind the owner's other jobs. Raises ServiceError when the queue is full."""
        own = self._owners.get(job.owner)
        if self._jobs >= self._most_jobs or (self._jobs and self._bytes + job.size > self._most_bytes):
            raise ServiceError("helper", "the queue is full")
        if own is not None and len(own) * 2 >= self._most_jobs:
            raise ServiceError("helper", "the queue is full of this user's mails")
        if own is None:
            own = self._owners[job.owner] = deque()
        own.append(job)
        self._count(1, job)

    def take(self) -> Job | None:
        """The next job in turn; None: nobody waits."""
        for owner, own in self._owners.items():
            job = own.popleft()
            del self._owners[owner]
            if own:
                self._owners[owner] = own
            self._count(-1, job)
            return job
        return None

    def put_back(self, job: Job) -> None:
        """A job that was taken, and that nobody has begun: it is the next."""
        own = self._owners.pop(job.owner, deque())
        own.appendleft(job)
        self._owners = {job.owner: own, **self._owners}
        self._count(1, job)

    def drop(self, job: Job) -> bool:
        """Takes a job out; False where it does not wait."""
        own = self._owners.get(job.owner)
        if own is None or job not in own:
            return False
        own.remove(job)
        if not own:
            del self._owners[job.owner]
        self._count(-1, job)
        return True

    def take_late(self, now: float) -> list[Job]:
        """Those that have waited for too long."""
        late = [job for own in self._owners.values() for job in own if job.waits_until < now]
        for job in late:
            self.drop(job)
        return late

    def _count(self, step: int, job: Job) -> None:
        self._jobs += step
        self._bytes += step * job.size
