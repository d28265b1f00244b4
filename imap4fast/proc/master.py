"""The master: binds, starts the workers and watches them, obeys signals.

It stays what it was started as (root, outside any chroot) and reads nothing that comes from the network. Its loop
wakes for signals (deaths among them), for frames, and for connections at sockets that it has taken over; it never
waits for a worker.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from enum import Enum
from typing import NoReturn

from imap4fast import __version__
from imap4fast._wire import CountTable
from imap4fast.config.settings import Proxy, Settings
from imap4fast.errors import SetupError
from imap4fast.log import tcps
from imap4fast.log.setup import Logs
from imap4fast.names import PRODUCT
from imap4fast.proc import kernel, privileges, signals, sweep, worker
from imap4fast.proc.brood import Brood, Craft
from imap4fast.proc.control import (
    Channel,
    Drain,
    Failed,
    Frame,
    Heartbeat,
    Level,
    NoZygote,
    Ready,
    Reopen,
    Tls,
    Unbind,
    Unbound,
    Zygote,
)
from imap4fast.proc.keyring import Keyring
from imap4fast.proc.listen import Group, bind_all
from imap4fast.proc.mailstores import MailStores
from imap4fast.proc.pidfile import PidFile
from imap4fast.proc.queues import Queues
from imap4fast.proc.room import Room
from imap4fast.proc.seat import GUARD_DEATHS, GUARD_S, Seat, State

TURN_S = 0.25
UNBIND_WAIT_S = 2.0
KILL_AFTER_S = worker.DRAIN_NOW_S + 2.0
ZYGOTE_S = 0.5


class Phase(Enum):
    """What the master is at; they only ever go forward."""

    STARTING = 0
    SERVING = 1
    UNBINDING = 2
    ENDING = 3


def run(
    settings: Settings,
    logs: Logs,
    make_service: worker.MakeService,
    on_ready: Callable[[], None],
    craft: Craft | None = None,
) -> None:
    """Serves until a signal ends it. `on_ready` is called once the service listens.

    Raises SetupError when something cannot be read, bound, written or dropped, or no worker came up.
    """
    who = privileges.identity(settings.proxy)
    worker.raise_descriptor_limit()
    brood = Brood(settings, logs, craft, worker_count(settings.proxy))  # before there are keys
    try:
        keyring = Keyring(settings, logs, time.monotonic())
        if keyring.materials:
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # a core would hold the keys
        workers = worker_count(settings.proxy)
        stores = MailStores(settings, workers, who, logs) if brood.craft is not None else None
        try:
            groups, pid_file = bind(settings.proxy, workers)
            master = Master(settings, logs, make_service, keyring, who, groups, pid_file, brood, stores)
            try:
                master.serve(on_ready)
            finally:
                master.finish()
        finally:
            if stores is not None:
                stores.close()
    finally:
        brood.end()


def worker_count(proxy: Proxy) -> int:
    """`workers auto` is one for each processor that this process may use."""
    return proxy.tcpserver.workers or len(os.sched_getaffinity(0))


def bind(proxy: Proxy, workers: int) -> tuple[list[Group], PidFile | None]:
    """Everything that a second instance must not have: sockets and pid file. Raises SetupError, then has nothing."""
    groups = bind_all(proxy, workers)
    try:
        return groups, PidFile(proxy.pid_file) if proxy.pid_file else None
    except SetupError:
        for group in groups:
            group.close()
        raise


def count_table(proxy: Proxy, workers: int) -> CountTable:
    """The host's counts with the limits of `tcpserver`."""
    counts, limits = CountTable(workers), proxy.tcpserver
    counts.set_limits(limits.max_sessions, limits.max_sessions_per_ip, limits.conn_rate, limits.conn_rate_per_ip)
    return counts


class Master:
    """One life of the service: `serve`, then always `finish`."""

    def __init__(
        self,
        settings: Settings,
        logs: Logs,
        make_service: worker.MakeService,
        keyring: Keyring,
        who: privileges.Identity | None,
        groups: list[Group],
        pid_file: PidFile | None,
        brood: Brood,
        stores: MailStores | None = None,
    ) -> None:
        self.settings = settings
        self.logs = logs
        self.make_service = make_service
        self.keyring = keyring
        self.brood = brood
        self.stores = stores
        brood.forget_secrets = keyring.wipe
        self.who = who
        self.pid = os.getpid()
        self._seats = [Seat(number) for number in range(worker_count(settings.proxy))]
        self.counts = count_table(settings.proxy, len(self._seats))
        self._room = Room(self.counts, logs)
        self._pid_file = pid_file
        self._phase = Phase.STARTING
        self._first_failure = ("workers", "all of them died at the start")
        self._end_by = 0.0
        self._started, self._died, self._most_sessions = 0, 0, 0
        self._selector = selectors.DefaultSelector()
        self._queues = Queues(groups, self._seats, self._selector, logs)
        self._signals = signals.Signals()
        self._selector.register(self._signals, selectors.EVENT_READ, self._on_signals)
        self._watch_nursery()

    def serve(self, on_ready: Callable[[], None]) -> None:
        """Returns when every worker has ended as asked. Raises SetupError when none came up."""
        self._announce()
        gc.collect()
        gc.freeze()
        for seat in self._seats:
            self._fork(seat)
        while any(seat.state is not State.ENDED for seat in self._seats):
            self._turn()
            if self._phase is Phase.STARTING and self._has_started():
                self._phase = Phase.SERVING
                on_ready()

    def finish(self) -> None:
        """Leaves nothing of this process's behind, however it ended."""
        for seat in self._seats:
            seat.kill()
            if seat.living:
                os.waitpid(seat.pid, 0)
                seat.leave(time.monotonic())
        self._unbind()
        self._selector.close()
        self._signals.close()
        gc.unfreeze()
        now, total = self.counts.sessions(), self.counts.admitted()
        seats = len(self._seats)
        self.logs.write(tcps.WORKER_STATISTICS, seats, self._started, self._died, now, self._most_sessions, total)
        self.logs.write(tcps.ENDED)
        self.logs.flush()

    def _announce(self) -> None:
        if self.who is None and os.geteuid() == 0:
            self.logs.write(tcps.STAYS_ROOT)
        for group in self._queues.groups:
            self.logs.write(tcps.LISTENING, str(group.place))
        self.logs.write(tcps.STARTED, f"{PRODUCT} {__version__}", self.settings.proxy.name, len(self._seats))

    def _has_started(self) -> bool:
        """Every worker is ready or has failed, one at least is ready. Raises SetupError when all have failed."""
        if any(seat.state is State.STARTING for seat in self._seats):
            return False
        if not any(seat.state is State.SERVING for seat in self._seats):
            raise SetupError(*self._first_failure)
        return True

    # One turn of the loop

    def _turn(self) -> None:
        events = self._selector.select(self._queues.next_s(time.monotonic(), TURN_S))
        now = time.monotonic()
        for key, _ in events:
            key.data(now)
        for seat in self._seats:
            self._look_after(seat, now)
        if self.brood.look(now):
            self._watch_nursery()
        if self.keyring.change_keys(now):
            self._tell(Tls(None, self.keyring.ticket_keys))
        if self._phase is Phase.SERVING:
            self._queues.place(now)
        self._go_on_ending(now)
        self._most_sessions = max(self._most_sessions, self.counts.sessions())
        self._room.look(now)
        self.logs.flush()

    def _look_after(self, seat: Seat, now: float) -> None:
        if seat.stuck(now):
            seat.kill()
        if seat.living:
            self._bury_if_dead(seat, now)
        if seat.channel is not None:
            seat.channel.push()
            self._give_zygote(seat, seat.channel, now)
        if not seat.living and seat.state is State.EMPTY and self._subtracted(seat):
            self._fill(seat, now)

    def _subtracted(self, seat: Seat) -> bool:
        """The dead one's sessions are out of the counts. False when the table is held: the next turn tries again."""
        if seat.counted:
            seat.counted = not sweep.subtract(self.counts, seat.number, self.who)
        return not seat.counted

    def _fill(self, seat: Seat, now: float) -> None:
        if self._phase in (Phase.UNBINDING, Phase.ENDING):
            seat.state = State.ENDED
        elif self._phase is Phase.SERVING and now >= seat.restart_at:
            self._fork(seat)

    # Workers come

    def _fork(self, seat: Seat) -> None:
        self.logs.flush()
        mine, theirs = Channel.pair()
        zygote = self.brood.sprout()
        mask = signals.block_all()
        try:
            pid = os.fork()
            if not pid:
                self._be_worker(seat, mine, theirs, mask, zygote)
        except OSError as error:
            mine.close()
            self.logs.write(tcps.INTERNAL_ERROR, "master.fork", error.strerror)
            seat.restart_at = time.monotonic() + 1
            return
        finally:
            signals.restore(mask)
            theirs.close()
            if zygote is not None:
                zygote.close()
        seat.sit(pid, mine, time.monotonic())
        self._selector.register(mine, selectors.EVENT_READ, lambda now: self._on_frames(seat, now))
        self._started += 1

    def _be_worker(
        self, seat: Seat, mine: Channel, theirs: Channel, mask: set[int], zygote: socket.socket | None
    ) -> NoReturn:
        """In the child: keeps what a worker needs, closes the rest."""
        status = 1
        try:
            signals.reset_in_worker()
            signals.restore(mask)
            mine.close()
            self._forget(seat)
            status = worker.main(self, seat.number, self._queues.sockets_of(seat.number), theirs, zygote)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _forget(self, own: Seat) -> None:
        self._selector.close()
        self._signals.forget()
        self.brood.forget()
        self._queues.keep_only(own.number)
        if self._pid_file is not None:
            self._pid_file.forget()
        for seat in self._seats:
            seat.forget()

    def _on_frames(self, seat: Seat, now: float) -> None:
        channel = seat.channel
        assert channel is not None
        for frame, _ in channel.receive():
            self._hear(seat, frame, now)
        if channel.closed:  # its death follows
            self._selector.unregister(channel)

    def _hear(self, seat: Seat, frame: Frame, now: float) -> None:
        match frame:
            case Ready():
                seat.state, seat.heard_at = State.SERVING, now
                again = tcps.WORKER_RESTARTED if seat.served else tcps.WORKER_STARTED
                self.logs.write(again, seat.number + 1, seat.pid)
                seat.served = True
            case Heartbeat(sessions, full):
                seat.sessions, seat.full, seat.heard_at = sessions, full, now
            case Unbound():
                seat.unbound = True
            case Failed(what, why):
                seat.failure = (what, why)
            case NoZygote():
                seat.wants_zygote = True

    # Mail processing

    def _watch_nursery(self) -> None:
        if self.brood.fileno() != -1:
            self._selector.register(self.brood.fileno(), selectors.EVENT_READ, self._on_nursery_dead)

    def _on_nursery_dead(self, now: float) -> None:
        self._selector.unregister(self.brood.fileno())
        self.brood.bury(now)

    def _give_zygote(self, seat: Seat, channel: Channel, now: float) -> None:
        """One every ZYGOTE_S at most, and only where it can be passed on."""
        if not seat.may_have_zygote(now) or not channel.has_room():
            return
        seat.zygote_at = now + ZYGOTE_S
        zygote = self.brood.sprout()
        if zygote is not None:
            with zygote:
                seat.wants_zygote = not channel.pass_on(Zygote(), zygote.fileno())

    # Workers go

    def _bury_if_dead(self, seat: Seat, now: float) -> None:
        pid, status = os.waitpid(seat.pid, os.WNOHANG)
        if not pid:
            return
        if seat.channel is not None and not seat.channel.closed:
            self._on_frames(seat, now)
        if seat.channel is not None and not seat.channel.closed:
            self._selector.unregister(seat.channel)
        delay_s = seat.leave(now)
        self._log_death(seat, pid, os.waitstatus_to_exitcode(status), delay_s)

    def _log_death(self, seat: Seat, pid: int, exit_code: int, delay_s: int) -> None:
        if self._phase in (Phase.UNBINDING, Phase.ENDING) and exit_code == 0:
            self.logs.write(tcps.WORKER_ENDED, seat.number + 1, pid)
            return
        self._died += 1
        if seat.failure:
            self._first_failure = seat.failure
        self.logs.write(tcps.WORKER_DIED, seat.number + 1, pid, _cause(seat, exit_code))
        if delay_s:
            self.logs.write(tcps.RESTART_LIMIT, GUARD_DEATHS, int(GUARD_S), delay_s)

    # Signals

    def _on_signals(self, now: float) -> None:
        for number in self._signals.take():
            if number in signals.AT_ONCE:
                self._end_at_once(number, now)
            elif number in _OBEYED:
                _OBEYED[number](self)

    def _tell(self, frame: Frame) -> None:
        for seat in self._seats:
            if seat.channel is None:
                continue
            try:
                seat.channel.send(frame)
            except OSError as error:
                what = f"{type(frame).__name__} for worker {seat.number + 1}: {error.strerror}"
                self.logs.write(tcps.INTERNAL_ERROR, "master.tell", what)

    def _raise_level(self) -> None:
        self.logs.write(tcps.LEVEL_CHANGED, self.logs.raise_level())
        self._tell(Level(up=True))

    def _lower_level(self) -> None:
        self.logs.write(tcps.LEVEL_CHANGED, self.logs.lower_level())
        self._tell(Level(up=False))

    def _reopen(self) -> None:
        self.logs.reopen()
        self.logs.write(tcps.LOGS_REOPENED)
        self._tell(Reopen())

    def _reload(self) -> None:
        if self.keyring.reload():
            self._tell(Tls(self.keyring.materials, self.keyring.ticket_keys))

    # The end

    def _end_gracefully(self) -> None:
        if self._phase in (Phase.UNBINDING, Phase.ENDING):
            return
        self.logs.write(tcps.GRACEFUL_END)
        self._phase = Phase.UNBINDING
        self._end_by = time.monotonic() + UNBIND_WAIT_S
        self._tell(Unbind())

    def _end_at_once(self, number: int, now: float) -> None:
        self.logs.write(tcps.IMMEDIATE_END, signals.name(number))
        self._phase = Phase.ENDING
        self._end_by = now + KILL_AFTER_S
        self._tell(Drain(0))

    def _go_on_ending(self, now: float) -> None:
        if self._phase is Phase.UNBINDING:
            unbound = all(seat.unbound or not seat.living for seat in self._seats)
            if now > self._end_by or (unbound and self._queues.hand_over_all(now)):
                self._drain(now)
        elif self._phase is Phase.ENDING and now > self._end_by:
            for seat in self._seats:
                seat.kill()

    def _drain(self, now: float) -> None:
        """The workers have closed their sockets, and got what stood in the queues."""
        self._unbind()
        wait_s = self.settings.proxy.tcpserver.terminate_wait
        self._phase = Phase.ENDING
        self._end_by = now + wait_s + KILL_AFTER_S
        self._tell(Drain(wait_s))

    def _unbind(self) -> None:
        """From here on another instance may listen."""
        if not self._queues.groups:
            return
        self._queues.unbind()
        if self._pid_file is not None:
            self._pid_file.remove()
            self._pid_file = None
        self.logs.write(tcps.SOCKETS_UNBOUND)


_OBEYED: dict[int, Callable[[Master], None]] = {
    int(signal.SIGHUP): Master._end_gracefully,
    int(signal.SIGUSR1): Master._raise_level,
    int(signal.SIGUSR2): Master._lower_level,
    signals.RELOAD: Master._reload,
    signals.REOPEN: Master._reopen,
}


def _cause(seat: Seat, exit_code: int) -> str:
    if seat.failure:
        return ": ".join(seat.failure)
    return f"killed by {signals.name(-exit_code)}" if exit_code < 0 else f"exit status {exit_code}"
