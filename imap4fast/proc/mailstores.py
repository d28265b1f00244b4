"""What workers need besides helpers where mail is processed: the spool, and the directories that copies of mails go to.

The master makes and sweeps the spool and keeps its directory; each worker enters it, and opens the other directories,
while it still has all rights and sees the whole file system.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

from imap4fast.config.settings import Settings
from imap4fast.errors import SetupError
from imap4fast.log.setup import Logs
from imap4fast.mail.spool import Limits
from imap4fast.net.mailroom import Provisions
from imap4fast.proc import privileges
from imap4fast.proc.spoolroom import SpoolRoom

PREFIX = "imap4fast-spool-"


class MailStores:
    """Made by the master for `workers`. Raises SetupError."""

    def __init__(self, settings: Settings, workers: int, who: privileges.Identity | None, logs: Logs) -> None:
        self._settings = settings
        proxy = settings.proxy
        self._made: str | None = None
        limits = Limits(proxy.spool_max, int(proxy.spool_keep), int(proxy.verdict_keep))
        path = proxy.spool_dir or self._made_directory(who)
        try:
            self._room = SpoolRoom(path, limits, workers, who, logs)
        except SetupError:
            self._remove()
            raise

    def _made_directory(self, who: privileges.Identity | None) -> str:
        """Without `spool-dir` mails are kept as long as the proxy runs."""
        try:
            self._made = path = tempfile.mkdtemp(prefix=PREFIX)
            if who is not None:
                os.chown(path, who.uid, who.gid)
        except OSError as error:
            raise SetupError("spool-dir", error) from error
        return path

    def _remove(self) -> None:
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)

    def enter(self, column: int) -> Provisions:
        """In a worker, before its chroot and while it still has all rights. Raises SetupError."""
        return Provisions(self._room.enter(column), dict(_opened(self._settings)))

    def close(self) -> None:
        """In the master, when all is over."""
        self._room.close()
        self._remove()


def _opened(settings: Settings) -> Iterator[tuple[str, int]]:
    proxy = settings.proxy
    wanted = {acl.quarantine: "quarantine" for acl in proxy.mail_acls if acl.quarantine is not None}
    for command_acl in proxy.command_acls:
        for processing in (command_acl.download, command_acl.upload):
            wanted |= {use.engine.comm_dir: "comm-dir" for use in processing.use_antivirus if use.engine.comm_dir}
    for path, item in sorted(wanted.items()):
        try:
            yield path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise SetupError(f"{item} {path}", error.strerror) from error
