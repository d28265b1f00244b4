"""Mail processing as the master (in `singleproc` the one process) keeps it: a nursery, and a zygote for each worker.

A configuration in which no mail is processed costs nothing: there is no nursery then. A nursery that dies is replaced;
zygotes and helpers outlive it. A reload with other settings is another brood: its nursery is forked from the master
with those settings, workers get its zygotes as further pools, and the old nursery ends when the last of its zygotes
has, which is when the sessions that began under the old settings have ended.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import msgspec

from imap4fast.config.settings import Proxy, Settings
from imap4fast.errors import SetupError
from imap4fast.log import tcps
from imap4fast.log.setup import Logs
from imap4fast.net.jobs import Limits, Work
from imap4fast.proc import privileges
from imap4fast.proc.keeper import KeptNursery
from imap4fast.proc.nursery import READY_S, Nursery

AGAIN_S = 1.0
LATER_S = 5.0
"""So long does a master that serves wait for a new nursery; a quarter of a second is usual."""


class Craft(msgspec.Struct, frozen=True):
    """How mail is processed, as the command puts it together: whether it is at all with these settings, and what a
    helper does. `make_work` runs with the master's rights and paths; what it returns must open and import nothing."""

    wanted: Callable[[Settings], bool]
    make_work: Callable[[Settings], Work]
    limits: Limits = Limits()


def helper_share(proxy: Proxy, workers: int) -> int:
    """The helpers of one worker: `helpers auto` is one for each processor that this process may use."""
    return max(1, -(-(proxy.tcpserver.helpers or len(os.sched_getaffinity(0))) // workers))


class Brood:
    """Make it before there is a key, a thread or a loop. Raises SetupError when mail cannot be processed as told.

    `forget_secrets` is called in nurseries that come later: what the master has by then, helpers must not see. `share`
    is how many helpers a worker may have. `kept`: this process will not be able to make another nursery, so a keeper is
    to do that.
    """

    def __init__(
        self,
        settings: Settings,
        logs: Logs,
        craft: Craft | None,
        workers: int,
        *,
        kept: bool = False,
    ) -> None:
        self._settings = settings
        self._logs = logs
        self.craft = craft if craft is not None and craft.wanted(settings) else None
        self._kept = kept
        self._nursery: Nursery | None = None
        self._again_at = 0.0
        self.forget_secrets: Callable[[], None] = lambda: None
        self.share = helper_share(settings.proxy, workers)
        if self.craft is not None:
            self._nursery = self._made(self.craft, READY_S)
            if self._nursery.lacks:
                logs.write(tcps.SANDBOX_LACKS, self._nursery.lacks)

    def _made(self, craft: Craft, ready_s: float) -> Nursery:
        who = privileges.identity(self._settings.proxy)
        if self._kept:
            return KeptNursery(lambda: craft.make_work(self._settings), who, craft.limits, ready_s)
        return Nursery(lambda: craft.make_work(self._settings), who, craft.limits, self.forget_secrets, ready_s)

    def fileno(self) -> int:
        """For a selector: readable when the nursery is dead; -1 where there is none."""
        return self._nursery.fileno() if self._nursery is not None else -1

    def sprout(self) -> socket.socket | None:
        """A worker's socket to a new zygote. None: no mail is processed, or just now there is no nursery."""
        if self._nursery is None:
            return None
        try:
            return self._nursery.sprout()
        except OSError:
            return None

    def hear(self) -> bool:
        """What a keeper says of its nurseries goes to the log. False: it is dead, and nothing replaces it."""
        if not isinstance(self._nursery, KeptNursery):
            return False
        told = self._nursery.heard()
        if told is None:
            return False
        if told.died:
            self._logs.write(tcps.NURSERY_DIED, told.died)
        if told.failed:
            self._logs.write(tcps.INTERNAL_ERROR, "keeper", told.failed)
        return True

    def bury(self, now: float) -> None:
        """The nursery is dead."""
        if self._nursery is None:
            return
        self._logs.write(tcps.NURSERY_DIED, self._nursery.pid)
        self._nursery.end()
        self._nursery = None
        self._again_at = now + AGAIN_S

    def look(self, now: float) -> bool:
        """Replaces a nursery that died, if that is due. True: there is a new one."""
        if self.craft is None or self._nursery is not None or now < self._again_at:
            return False
        self._again_at = now + AGAIN_S
        try:
            self._nursery = self._made(self.craft, LATER_S)
        except SetupError as error:
            self._logs.write(tcps.INTERNAL_ERROR, "brood.look", str(error))
            return False
        return True

    def forget(self) -> None:
        """In a worker: it has a zygote, and no part in the nursery."""
        if self._nursery is not None:
            self._nursery.forget()

    def end(self) -> None:
        """When the workers have ended."""
        if self._nursery is not None:
            self._nursery.end()
            self._nursery = None
