"""From settings to a running service: logs, master or single process, foreground or daemon; what a command calls."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Sequence

from imap4fast.config.settings import Settings
from imap4fast.errors import SetupError
from imap4fast.log import cfgp, tcps
from imap4fast.log.setup import Logs, open_logs
from imap4fast.log.syslog import Datagrams
from imap4fast.proc import daemon, master, privileges, single
from imap4fast.proc.brood import Craft
from imap4fast.proc.worker import MakeService

SYSLOG_SOCKET = "/dev/log"


def run(
    settings: Settings, make_service: MakeService, warnings: Sequence[str] = (), craft: Craft | None = None
) -> None:
    """Runs the service until it is ended, or starts the daemon and returns when that listens.

    `warnings` of the configuration go to the log; `craft` is how mail is processed. Raises SetupError when the start
    failed.
    """

    def serve(on_ready: Callable[[], None]) -> None:
        _serve(settings, make_service, warnings, on_ready, craft)

    if settings.proxy.nodaemon:
        serve(lambda: None)
    else:
        daemon.detach(serve)


def _serve(
    settings: Settings,
    make_service: MakeService,
    warnings: Sequence[str],
    on_ready: Callable[[], None],
    craft: Craft | None,
) -> None:
    logs = _open_logs(settings)
    try:
        for warning in warnings:
            logs.write(cfgp.CONFIG_WARNING, warning)
        logs.write(cfgp.CONFIG_READ, settings.path, settings.digest)
        (single if settings.proxy.singleproc else master).run(settings, logs, make_service, on_ready, craft)
    except SetupError as error:
        logs.write(tcps.SETUP_FAILED, error.what, str(error.why))
        raise
    finally:
        logs.close()


def _open_logs(settings: Settings) -> Logs:
    """The logs of the whole service. Files made here belong to who workers run as. Raises SetupError."""
    proxy = settings.proxy
    who = privileges.identity(proxy)
    try:
        return open_logs(
            proxy.log_debug,
            proxy.log_stats,
            "imap4-proxy",
            socket.gethostname(),
            os.getpid(),
            time.time,
            _connect_syslog,
            proxy.nodaemon,
            stop=_stop,
            owner=(who.uid, who.gid) if who else None,
        )
    except OSError as error:
        raise SetupError("log", error) from error


def _connect_syslog() -> Datagrams:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.setblocking(False)
    try:
        sock.connect(SYSLOG_SOCKET)
    except OSError:
        sock.close()
        raise
    return sock


def _stop(reason: str) -> None:
    """`syslog-failure stop`: as SIGTERM does. A worker so ended is missed by the master, whose own next line fails."""
    os.kill(os.getpid(), signal.SIGTERM)
