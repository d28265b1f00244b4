"""`singleproc`: master and worker in one process, for development. The same signals, nobody that restarts anything."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable

from imap4fast import __version__
from imap4fast._wire import keep_memory
from imap4fast.config.settings import Settings
from imap4fast.log import tcps
from imap4fast.log.setup import Logs
from imap4fast.names import PRODUCT
from imap4fast.net.mailroom import Provisions
from imap4fast.net.pool import Pool
from imap4fast.proc import privileges, signals
from imap4fast.proc.brood import Brood, Craft
from imap4fast.proc.eventloop import uvloop
from imap4fast.proc.keyring import Keyring
from imap4fast.proc.listen import Group
from imap4fast.proc.mailstores import MailStores
from imap4fast.proc.master import bind, count_table
from imap4fast.proc.pidfile import PidFile
from imap4fast.proc.worker import MakeService, Worker, drop_privileges, make_pool, raise_descriptor_limit

LOOK_S = 0.5
"""How often there is a look whether the ticket keys are due."""


def run(
    settings: Settings,
    logs: Logs,
    make_service: MakeService,
    on_ready: Callable[[], None],
    craft: Craft | None = None,
) -> None:
    """As master.run, with one worker in this process; SetupError likewise. A nursery that dies is replaced by its
    keeper: this process has keys and threads.
    """
    who = privileges.identity(settings.proxy)
    raise_descriptor_limit()
    brood = Brood(settings, logs, craft, workers=1, kept=True)
    try:
        keyring = Keyring(settings, logs, time.monotonic())
        stores = MailStores(settings, 1, who, logs) if brood.craft is not None else None
        groups, pid_file = bind(settings.proxy, 1)
        try:
            provisions = None if stores is None else stores.enter(0)
            drop_privileges(who, logs)
            keep_memory()
            uvloop.run(_serve(settings, logs, make_service, keyring, brood, groups, pid_file, on_ready, provisions))
        finally:
            for group in groups:
                group.close()
            if stores is not None:
                stores.close()
            logs.write(tcps.ENDED)
            logs.flush()
    finally:
        brood.end()


async def _serve(
    settings: Settings,
    logs: Logs,
    make_service: MakeService,
    keyring: Keyring,
    brood: Brood,
    groups: list[Group],
    pid_file: PidFile | None,
    on_ready: Callable[[], None],
    provisions: Provisions | None,
) -> None:
    counts = count_table(settings.proxy, 1)
    sockets = [(group.sockets[0], group.place.item) for group in groups]
    service = make_service(settings, logs, counts, 0)
    service.take_tls(keyring.materials, keyring.ticket_keys)
    pool = _pool(brood, logs)
    if pool is not None:
        _listen_to(brood)
    if pool is not None and provisions is not None:
        service.take_mail(pool, provisions)
    worker = Worker(service, logs, counts, sockets, pool=pool)
    await Single(settings, logs, worker, keyring, groups, pid_file).serve(on_ready)
    if pool is not None:
        pool.close()


def _pool(brood: Brood, logs: Logs) -> Pool | None:
    def sprout_again() -> None:
        zygote = brood.sprout()
        if pool is not None and zygote is not None:
            pool.renew(zygote)

    pool = make_pool(brood, brood.sprout(), logs, sprout_again)
    return pool


def _listen_to(brood: Brood) -> None:
    """What its keeper says, as long as it lives."""
    loop, keeper = asyncio.get_running_loop(), brood.fileno()

    def hear() -> None:
        if not brood.hear():
            loop.remove_reader(keeper)
            brood.bury(loop.time())

    loop.add_reader(keeper, hear)


class Single:
    """The master's part of one process: it announces, and hands signals to the worker."""

    def __init__(
        self,
        settings: Settings,
        logs: Logs,
        worker: Worker,
        keyring: Keyring,
        groups: list[Group],
        pid_file: PidFile | None,
    ) -> None:
        self._settings = settings
        self._logs = logs
        self._worker = worker
        self._keyring = keyring
        self._groups = groups
        self._pid_file = pid_file

    async def serve(self, on_ready: Callable[[], None]) -> None:
        """Returns when a signal has ended the service."""
        self._listen_to_signals()
        for group in self._groups:
            self._logs.write(tcps.LISTENING, str(group.place))
        self._logs.write(tcps.STARTED, f"{PRODUCT} {__version__}", self._settings.proxy.name, 1)
        if self._keyring.materials:
            self._change_keys()
        try:
            await self._worker.run(on_ready)
        finally:
            self._unbind()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in signals.AT_ONCE:
            loop.add_signal_handler(number, self._end_at_once, number)
        loop.add_signal_handler(signal.SIGHUP, self._end_gracefully)
        loop.add_signal_handler(signal.SIGUSR1, self._worker.change_level, True)
        loop.add_signal_handler(signal.SIGUSR2, self._worker.change_level, False)
        loop.add_signal_handler(signals.RELOAD, self._reload)
        loop.add_signal_handler(signals.REOPEN, self._worker.reopen)

    def _change_keys(self) -> None:
        """From here on, every LOOK_S."""
        asyncio.get_running_loop().call_later(LOOK_S, self._change_keys)
        if self._keyring.change_keys(time.monotonic()):
            self._worker.take_tls(None, self._keyring.ticket_keys)

    def _reload(self) -> None:
        if self._keyring.reload():
            self._worker.take_tls(self._keyring.materials, self._keyring.ticket_keys)

    def _end_gracefully(self) -> None:
        self._logs.write(tcps.GRACEFUL_END)
        self._unbind()
        self._worker.drain(self._settings.proxy.tcpserver.terminate_wait)

    def _end_at_once(self, number: int) -> None:
        self._logs.write(tcps.IMMEDIATE_END, signals.name(number))
        self._worker.drain(0)

    def _unbind(self) -> None:
        if not self._groups:
            return
        self._groups = []
        self._worker.unbind()
        if self._pid_file is not None:
            self._pid_file.remove()
        self._logs.write(tcps.SOCKETS_UNBOUND)
