"""Taking a dead worker's sessions out of the counts, in a short-lived process without privileges.

The table's memory is written by workers, which talk to the network, and its mutex holds pointers that the C library
follows. A worker in hostile hands must gain nothing over the master by it, so the master never takes that lock.
"""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from imap4fast._wire import CountTable
from imap4fast.proc import privileges, signals

LIMIT_S = 1.0
"""How long the process may live, and the master waits at most; it needs about 10 ms."""


def subtract(counts: CountTable, column: int, who: privileges.Identity | None) -> bool:
    """Clears the column of a worker that is dead. False: the table is held, or no process could be made; ask again."""
    mask = signals.block_all()
    try:
        pid = os.fork()
        if not pid:
            _clear(counts, column, who, mask)
    except OSError:
        return False
    finally:
        signals.restore(mask)
    return os.waitpid(pid, 0)[1] == 0


def _clear(counts: CountTable, column: int, who: privileges.Identity | None, mask: set[int]) -> NoReturn:
    """In the child."""
    status = 1
    try:
        signals.reset_in_worker()
        signals.restore(mask)
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
        privileges.drop(who)
        counts.clear(column)
        status = 0
    finally:  # whatever went wrong, the status tells, and the master asks again
        os._exit(status)
