"""The keys of session tickets: made here, changed by the clock, kept where neither swap nor a core finds them.

The keys' own memory is locked and cleaned. What is handed out are Python's bytes, which can be neither: whoever takes
them lets go of them as soon as OpenSSL has them.
"""

from __future__ import annotations

import mmap
import os

from imap4fast.proc import kernel
from imap4fast.secret import Secret

KEY_BYTES = 80
"""As OpenSSL has it here: name, key of the cipher, key of the digest."""
KEPT = 2
"""The newest encrypts, all decrypt: so a ticket lives between one and two times CHANGE_S."""
CHANGE_S = 12 * 3600.0


class TicketKeys:
    """Never empty. `change_s` is how long a key is the newest; `now` is monotonic everywhere."""

    def __init__(self, now: float, change_s: float) -> None:
        # Private: an anonymous map is else shared with the workers, who could then choose the master's keys.
        self._memory = mmap.mmap(-1, KEPT * KEY_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        kernel.keep_secret(self._memory)
        self._change_s = change_s
        self._count = 0
        self._add(now)

    def _add(self, now: float) -> None:
        self._memory.move(KEY_BYTES, 0, (KEPT - 1) * KEY_BYTES)
        self._memory[:KEY_BYTES] = os.urandom(KEY_BYTES)
        self._count = min(self._count + 1, KEPT)
        self._change_at = now + self._change_s

    def change(self, now: float) -> bool:
        """Makes a new key and drops the oldest, if that is due; True when it was."""
        due = now >= self._change_at
        if due:
            self._add(now)
        return due

    def reveal(self) -> tuple[bytes, ...]:
        """The keys, newest first, for those who must use them."""
        return tuple(self._memory[at * KEY_BYTES : (at + 1) * KEY_BYTES] for at in range(self._count))

    def wipe(self) -> None:
        """Cleans this process's copy; there are no keys from here on."""
        self._memory[:] = bytes(KEPT * KEY_BYTES)
        self._count = 0

    def __repr__(self) -> str:
        return Secret.MARK
