"""The listening sockets in the master's hands: who gets new connections, and what becomes of those that wait.

A seat whose worker is dead or silent gets none at once (steering.py). After OUT_AFTER_S the master takes its queue
over: it accepts what stands there and passes it to the worker with the fewest sessions. Where no worker can take
anything, connections stay in the kernel's queues, for whoever comes back first.
"""

from __future__ import annotations

import errno
import selectors
import socket
from collections import deque
from collections.abc import Callable, Sequence

from imap4fast.config.settings import Listen
from imap4fast.log import tcps
from imap4fast.log.setup import Logs
from imap4fast.proc.control import Adopt
from imap4fast.proc.listen import Group
from imap4fast.proc.seat import Seat

RETRY_S = 0.01
NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
NO_DESCRIPTORS_S = 1.0


class Queues:
    """All groups of listening sockets, and the seats by whose numbers their sockets go."""

    def __init__(
        self, groups: list[Group], seats: Sequence[Seat], selector: selectors.BaseSelector, logs: Logs
    ) -> None:
        self.groups = groups
        self._seats = seats
        self._selector = selector
        self._logs = logs
        self._live = [seat.number for seat in seats]
        self._accepted: deque[tuple[int, socket.socket]] = deque()
        self._taken: set[int] = set()
        self._pause_until = 0.0

    def sockets_of(self, number: int) -> list[tuple[socket.socket, Listen]]:
        """A worker's own sockets, group by group."""
        return [(group.sockets[number], group.place.item) for group in self.groups]

    def keep_only(self, number: int) -> None:
        """In a new worker: closes everything that is not its own."""
        for group in self.groups:
            for other, sock in enumerate(group.sockets):
                if other != number:
                    sock.close()
        for _, sock in self._accepted:
            sock.close()

    def next_s(self, now: float, turn_s: float) -> float:
        """How long the master may sleep, at most `turn_s`."""
        return min(turn_s, max(self._pause_until - now, 0.0)) if self._pause_until > now else turn_s

    def place(self, now: float) -> None:
        """Steers new connections to the seats that take them, and takes over the queues of those long away."""
        live = [seat.number for seat in self._seats if seat.takes(now)]
        if live != self._live:
            self._live = live
            for group in self.groups:
                group.steer(live)
        for seat in self._seats:
            why = seat.why_out(now)
            self._note(seat, why)
            self._take(seat, bool(why and live and now >= self._pause_until))
        if self._accepted:
            self._pass_on_accepted(now)

    def _note(self, seat: Seat, why: str | None) -> None:
        if why and not seat.out:
            self._logs.write(tcps.WORKER_OUT, seat.number + 1, why)
        elif seat.out and not why:
            self._logs.write(tcps.WORKER_BACK, seat.number + 1)
        seat.out = bool(why)

    def _take(self, seat: Seat, wanted: bool) -> None:
        """Watches a seat's sockets, or leaves them to its worker (and to the kernel)."""
        if wanted == (seat.number in self._taken):
            return
        for index, group in enumerate(self.groups):
            sock = group.sockets[seat.number]
            if wanted:
                self._selector.register(sock, selectors.EVENT_READ, self._accepter(index, sock, seat))
            else:
                self._selector.unregister(sock)
        self._taken ^= {seat.number}

    def _accepter(self, index: int, sock: socket.socket, seat: Seat) -> Callable[[float], None]:
        def accept(now: float) -> None:
            if seat.number in self._taken:
                self._accept(index, sock, now)

        return accept

    def hand_over_all(self, now: float) -> bool:
        """Accepts and passes on what stands in any queue. False: not all of it could be taken yet."""
        done = [self._accept(index, sock, now) for index, group in enumerate(self.groups) for sock in group.sockets]
        return all(done) and not self._accepted

    def _accept(self, index: int, sock: socket.socket, now: float) -> bool:
        """Accepts until the queue is empty (True), or no worker takes more."""
        while self._pass_on_accepted(now):
            try:
                accepted, _ = sock.accept()
            except BlockingIOError:
                return True
            except OSError as error:
                if error.errno in NO_DESCRIPTORS:
                    self._logs.write(tcps.INTERNAL_ERROR, "master.accept", error.strerror)
                    self._pause_until = now + NO_DESCRIPTORS_S
                    return False
                continue  # this client was gone before it was accepted
            self._accepted.append((index, accepted))
        return False

    def _pass_on_accepted(self, now: float) -> bool:
        """Passes on what was accepted; False when something is left, or no worker would take another one."""
        takers = [seat for seat in self._seats if seat.takes(now) and seat.channel and seat.channel.has_room()]
        while self._accepted and takers:
            index, sock = self._accepted[0]
            seat = min(takers, key=lambda taker: taker.sessions)
            assert seat.channel is not None
            if seat.channel.pass_on(Adopt(index), sock.fileno()):
                seat.sessions += 1
                self._accepted.popleft()
                sock.close()
            else:
                takers.remove(seat)
        if not takers:
            self._pause_until = now + RETRY_S
        return bool(takers)

    def unbind(self) -> None:
        """Closes everything: from here on another instance may listen."""
        for seat in self._seats:
            self._take(seat, False)
        for group in self.groups:
            group.unbind()
        for _, sock in self._accepted:
            sock.close()
        self._accepted.clear()
        self.groups = []
