"""Queues in the master's hands: hand-over to live workers, none where nobody is there, nothing lost between."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Iterator

import pytest

from imap4fast.config.settings import Listen, Proxy
from imap4fast.config.values import Sock
from imap4fast.log.entry import Entry
from imap4fast.proc.control import Adopt, Channel, Heartbeat
from imap4fast.proc.listen import bind_all
from imap4fast.proc.queues import Queues
from imap4fast.proc.seat import Seat, State
from tests.e2e.proc_running import LOOPBACK, free_port


class Written:
    """Logs that only remember which entries came."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, tuple[object, ...]]] = []

    def write(self, entry: Entry, *args: object) -> None:
        self.entries.append((entry.id, args))


class Scene:
    """Two seats with far ends of their channels here instead of workers, and a clock to be moved."""

    def __init__(self) -> None:
        port = free_port()
        self.address = ("127.0.0.1", port)
        self.groups = bind_all(
            Proxy(name="I", listen_on=(Listen(False, Sock(LOOPBACK, 0), None, None, port, port),)), 2
        )
        self.seats = [Seat(0), Seat(1)]
        self.far: list[Channel] = []
        for seat in self.seats:
            seat.channel, far = Channel.pair()
            seat.state = State.SERVING
            self.far.append(far)
        self.selector = selectors.DefaultSelector()
        self.logs = Written()
        self.queues = Queues(self.groups, self.seats, self.selector, self.logs)  # type: ignore[arg-type]
        self.clients: list[socket.socket] = []

    def connect(self, count: int) -> None:
        self.clients += [socket.create_connection(self.address) for _ in range(count)]

    def at(self, now: float, heard: tuple[int, ...] = (0, 1)) -> None:
        """A turn of the master's loop at this time; these workers have just been heard."""
        for number in heard:
            self.seats[number].heard_at = now
        for key, _ in self.selector.select(0):
            key.data(now)
        self.queues.place(now)

    def adopted(self, number: int) -> int:
        """How many connections worker `number` has been given since the last question."""
        frames = self.far[number].receive()
        for frame, descriptor in frames:
            assert frame == Adopt(0)
            os.close(descriptor)
        return len(frames)

    def waiting(self, number: int) -> int:
        """How many stand in a worker's queue; they are taken out."""
        count = 0
        while True:
            try:
                self.groups[0].sockets[number].accept()[0].close()
            except BlockingIOError:
                return count
            count += 1

    def close(self) -> None:
        self.queues.unbind()
        for channel in [*self.far, *(seat.channel for seat in self.seats if seat.channel)]:
            channel.close()
        for client in self.clients:
            client.close()
        self.selector.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


def test_nothing_is_taken_while_all_are_heard(scene: Scene) -> None:
    scene.at(10)
    scene.connect(20)
    scene.at(10.5)
    assert scene.adopted(0) + scene.adopted(1) == 0
    assert scene.waiting(0) + scene.waiting(1) == 20
    assert scene.logs.entries == []


def test_a_dead_worker_gets_nothing_new_at_once(scene: Scene) -> None:
    scene.at(10)
    scene.seats[0].state = State.EMPTY
    scene.at(10.1, heard=(1,))
    scene.connect(30)
    assert (scene.waiting(0), scene.waiting(1)) == (0, 30)


def test_the_queue_of_one_long_away_goes_to_the_other(scene: Scene) -> None:
    scene.at(10)
    scene.connect(40)
    scene.seats[0].state = State.EMPTY
    scene.at(10.5, heard=(1,))
    assert scene.adopted(1) == 0, "it may come back and take its queue itself"
    for now in (11.1, 11.2):
        scene.at(now, heard=(1,))
    assert scene.adopted(1) + scene.waiting(1) == 40
    assert scene.waiting(0) == 0
    assert scene.logs.entries == [("TCPS-736-W", (1, "not back yet"))]


def test_who_is_back_gets_connections_again(scene: Scene) -> None:
    scene.at(10)
    scene.at(11.5, heard=(1,))
    scene.at(12)
    assert scene.logs.entries == [("TCPS-736-W", (1, "silent")), ("TCPS-737-N", (1,))]
    scene.connect(60)
    scene.at(12.1)
    assert scene.adopted(0) + scene.adopted(1) == 0
    assert scene.waiting(0) > 5


def test_with_nobody_there_all_stay_in_the_queues(scene: Scene) -> None:
    scene.at(10)
    scene.connect(20)
    for now in (12, 13, 14):
        scene.at(now, heard=())
    assert scene.queues.next_s(14, 0.25) == 0.25, "and the master does not spin"
    assert scene.selector.select(0) == []
    assert scene.waiting(0) + scene.waiting(1) == 20


def test_the_one_with_the_fewest_sessions_takes(scene: Scene) -> None:
    third = Seat(2)
    scene.at(10)
    scene.seats[0].sessions, scene.seats[1].sessions = 5, 0
    scene.connect(20)
    assert scene.queues.hand_over_all(10)
    given = (scene.adopted(0), scene.adopted(1))
    assert sum(given) == 20
    assert scene.seats[0].sessions - scene.seats[1].sessions in (-1, 0, 1)
    assert not third.takes(10)


def test_what_no_channel_takes_is_kept_and_passed_on_later(scene: Scene) -> None:
    scene.at(10)
    scene.connect(30)
    for seat in scene.seats:
        assert seat.channel is not None
        while seat.channel.has_room():
            seat.channel.offer(Heartbeat(0, full=False))
    assert not scene.queues.hand_over_all(10)
    assert 0 < scene.queues.next_s(10, 0.25) < 0.25, "it tries again soon, but does not spin"
    for far in scene.far:
        far.receive()
    assert scene.queues.hand_over_all(10.1)
    assert scene.adopted(0) + scene.adopted(1) == 30


def test_unbinding_closes_all(scene: Scene) -> None:
    scene.at(10)
    scene.at(11.5, heard=(1,))
    assert len(scene.selector.get_map()) == 1
    scene.queues.unbind()
    assert len(scene.selector.get_map()) == 0
    assert scene.queues.groups == []
    with pytest.raises(ConnectionRefusedError):
        scene.connect(1)
