"""The pid file: written under a lock that lives as long as the master, taken away when the sockets are unbound."""

from __future__ import annotations

import fcntl
import os

from imap4fast.errors import SetupError


class PidFile:
    """Holds `path` for this process. Raises SetupError when another running process holds it."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise SetupError(f"pid-file {self.path}", error.strerror or error) from error
        try:
            self._take()
        except SetupError:
            os.close(self._fd)
            raise

    def _take(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
            raise SetupError(f"pid-file {self.path}", f"in use by the running process {holder or '?'}") from error
        except OSError as error:
            raise SetupError(f"pid-file {self.path}", error.strerror or error) from error

    def forget(self) -> None:
        """In a worker: gives up the inherited descriptor, which would keep the lock when the master is gone."""
        os.close(self._fd)

    def remove(self) -> None:
        """Takes the file away, if it still is the one that was locked, and gives up the lock."""
        try:
            if os.path.samestat(os.stat(self.path), os.fstat(self._fd)):
                os.unlink(self.path)
        except OSError:  # gone, or out of reach after privileges were dropped: then empty it at least
            os.ftruncate(self._fd, 0)
        os.close(self._fd)
