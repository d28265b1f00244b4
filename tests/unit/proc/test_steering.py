"""Steering: the program, and what the kernel does with it."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from collections.abc import Iterator

import pytest

from imap4fast.proc import steering


@pytest.fixture
def group() -> Iterator[list[socket.socket]]:
    """Four listening sockets of one group."""
    sockets: list[socket.socket] = []
    port = 0
    for _ in range(4):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(200)
        sock.setblocking(False)
        port = sock.getsockname()[1]
        sockets.append(sock)
    yield sockets
    for sock in sockets:
        sock.close()


def spread(group: list[socket.socket], connects: int = 200) -> Counter[int]:
    """How many of so many connects each socket of the group gets."""
    clients = [socket.create_connection(group[0].getsockname()) for _ in range(connects)]
    got: Counter[int] = Counter()
    for index, sock in enumerate(group):
        while True:
            try:
                accepted, _ = sock.accept()
            except BlockingIOError:
                break
            accepted.close()
            got[index] += 1
    for client in clients:
        client.close()
    return got


def test_program_is_well_formed() -> None:
    steps = list(struct.iter_unpack("=HBBI", steering.program([5, 7])))
    assert steps == [(0x20, 0, 0, 0xFFFFF038), (0x94, 0, 0, 2), (0x15, 0, 1, 0), (6, 0, 0, 5), (6, 0, 0, 7)]


@pytest.mark.parametrize("live", [[0], [3], [1, 2], [0, 2, 3]])
def test_only_live_sockets_get_connections_and_all_of_them_do(group: list[socket.socket], live: list[int]) -> None:
    assert steering.attach(group[0], live)
    got = spread(group)
    assert got.total() == 200
    assert set(got) == set(live)
    assert min(got.values()) > 200 / len(live) / 3


def test_a_later_program_replaces_an_earlier(group: list[socket.socket]) -> None:
    assert steering.attach(group[0], [0])
    assert steering.attach(group[2], [1])
    assert spread(group, 50) == {1: 50}


def test_detached_all_get_connections(group: list[socket.socket]) -> None:
    assert steering.attach(group[0], [0])
    assert steering.detach(group[0])
    assert set(spread(group)) == {0, 1, 2, 3}


def test_what_waits_already_stays_where_it_is(group: list[socket.socket]) -> None:
    assert steering.attach(group[0], [3])
    with socket.create_connection(group[0].getsockname()):
        assert steering.attach(group[0], [1])
        assert spread(group, 20) == {3: 1, 1: 20}


def test_a_socket_without_a_group_is_told_apart() -> None:
    with socket.socket() as sock:
        assert not steering.detach(sock)
