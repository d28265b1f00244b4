"""The channel: frames whole and in order, nothing waits, the other end's death is seen."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

import msgspec
import pytest

from imap4fast.proc import sealed
from imap4fast.proc.control import (
    BATCH,
    FRAME_BYTES,
    NONE,
    Adopt,
    Channel,
    Drain,
    Failed,
    Frame,
    Heartbeat,
    Large,
    Level,
    NoZygote,
    Ready,
    Reopen,
    Tls,
    Unbind,
    Unbound,
    Zygote,
)

FRAMES: list[Frame] = [
    Unbind(),
    Drain(1.5),
    Level(up=True),
    Reopen(),
    Adopt(3),
    Tls(None, (b"k" * 80, b"o" * 80)),
    Ready(),
    Failed("what", "why"),
    Heartbeat(7, full=True),
    Unbound(),
    Zygote(),
    NoZygote(),
]


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    one, other = Channel.pair()
    yield one, other
    one.close()
    other.close()


def fill(channel: Channel) -> int:
    """Offers heartbeats until no more fits; how many did."""
    count = 0
    while channel.has_room():
        channel.offer(Heartbeat(count, full=False))
        count += 1
    return count


def stuff(channel: Channel) -> None:
    """As `fill`, and one Reopen more than fits."""
    fill(channel)
    while not channel._kept:
        channel.send(Reopen())


def read_all(channel: Channel) -> list[tuple[Frame, int]]:
    """All batches."""
    frames: list[tuple[Frame, int]] = []
    while batch := channel.receive():
        frames += batch
    return frames


def test_every_frame_arrives_as_it_was(ends: tuple[Channel, Channel]) -> None:
    for frame in FRAMES:
        ends[0].send(frame)
    assert ends[1].receive() == [(frame, -1) for frame in FRAMES]
    assert ends[1].receive() == []


def test_commands_are_kept_in_order_when_nothing_fits(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    fill(near)
    sent = 0
    while not near._kept:
        near.send(Drain(sent))
        sent += 1
    near.send(Drain(sent))
    got = [frame for frame, _ in read_all(far) if isinstance(frame, Drain)]
    near.push()
    got += [frame for frame, _ in read_all(far) if isinstance(frame, Drain)]
    assert got == [Drain(number) for number in range(sent + 1)]


def test_a_kept_command_is_overtaken_by_nothing(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    stuff(near)
    read_all(far)
    near.offer(Heartbeat(0, full=False))
    assert not near.pass_on(Adopt(0), 0)
    assert not near.has_room()
    assert far.receive() == []
    near.push()
    assert far.receive() == [(Reopen(), -1)]


def test_a_descriptor_is_passed(ends: tuple[Channel, Channel]) -> None:
    mine, passed = socket.socketpair()
    assert ends[0].pass_on(Adopt(2), passed.fileno())
    passed.close()
    ((frame, descriptor),) = ends[1].receive()
    assert frame == Adopt(2)
    with socket.socket(fileno=descriptor) as got, mine:
        got.send(b"x")
        assert mine.recv(1) == b"x"
        assert not os.get_inheritable(descriptor)


def test_a_descriptor_that_does_not_fit_is_refused(ends: tuple[Channel, Channel]) -> None:
    while ends[0].pass_on(Adopt(0), 0):
        pass
    for _, descriptor in ends[1].receive():
        os.close(descriptor)
    assert ends[0].pass_on(Adopt(0), 0)
    os.close(ends[1].receive()[0][1])


def test_the_end_is_seen_after_the_last_frame(ends: tuple[Channel, Channel]) -> None:
    ends[0].send(Ready())
    ends[0].close()
    assert ends[1].receive() == [(Ready(), -1)]
    assert ends[1].closed


def test_sending_to_a_dead_end_harms_nobody(ends: tuple[Channel, Channel]) -> None:
    ends[1].close()
    ends[0].send(Reopen())
    ends[0].offer(Heartbeat(0, full=False))
    assert not ends[0].pass_on(Adopt(0), 0)
    assert ends[0].receive() == []
    assert ends[0].closed


def test_what_is_no_frame_ends_the_channel() -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel = Channel(near, takes_descriptors=False)
    far.send(b"\x81\xa4type\xa5hello")
    far.send(b"")
    assert channel.receive() == []
    assert channel.closed
    channel.close()
    far.close()


def test_the_master_takes_no_descriptors_from_a_worker(ends: tuple[Channel, Channel]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    assert ends[1].pass_on(Ready(), 0)
    assert ends[0].receive() == [(Ready(), -1)]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_flood_is_read_in_batches(ends: tuple[Channel, Channel]) -> None:
    offered = fill(ends[1])
    got = [len(ends[0].receive()) for _ in range(offered // BATCH + 2)]
    assert sum(got) == offered
    assert max(got) <= BATCH


def large(size: int = 300_000) -> Failed:
    """A frame of about this size. (Any kind may be large.)"""
    return Failed("large", "x" * size)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [FRAME_BYTES - 20, FRAME_BYTES + 1, 5_000_000])
def test_a_frame_of_any_size_arrives_as_it_was(ends: tuple[Channel, Channel], size: int) -> None:
    before = descriptors()
    ends[0].send(large(size))
    ends[0].send(Reopen())
    assert ends[1].receive() == [(large(size), NONE), (Reopen(), NONE)]
    assert descriptors() == before


def test_a_large_frame_is_kept_in_order(ends: tuple[Channel, Channel]) -> None:
    near, far = ends
    before = descriptors()
    stuff(near)
    near.send(large())
    near.send(Unbind())
    assert descriptors() == before + 1
    read_all(far)
    near.push()
    assert far.receive() == [(frame, NONE) for frame in (Reopen(), large(), Unbind())]
    assert descriptors() == before


def test_a_kept_large_frame_goes_with_its_channel() -> None:
    before = descriptors()
    near, far = Channel.pair()
    stuff(near)
    near.send(large())
    assert descriptors() == before + 3
    near.close()
    near.send(large())
    far.close()
    assert descriptors() == before


def test_a_large_frame_without_memory_is_told_and_loses_nothing(
    ends: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(data: bytes) -> int:
        raise OSError(errno.EMFILE, "none left")

    monkeypatch.setattr(sealed, "put", none_left)
    with pytest.raises(OSError, match="none left"):
        ends[0].send(large())
    ends[0].send(Reopen())
    assert ends[1].receive() == [(Reopen(), NONE)]


LIES = {
    "size": (msgspec.msgpack.encode(Unbind()), 1, True),
    "no frame": (b"\xc1", 0, True),
    "large in large": (msgspec.msgpack.encode(Large(7)), 0, True),
    "no descriptor": (msgspec.msgpack.encode(Unbind()), 0, False),
}


@pytest.mark.parametrize(("inner", "more", "with_descriptor"), LIES.values(), ids=LIES)
def test_what_is_no_large_frame_ends_the_channel(
    ends: tuple[Channel, Channel], inner: bytes, more: int, with_descriptor: bool
) -> None:
    before = descriptors()
    announced = Large(len(inner) + more)
    if with_descriptor:
        descriptor = sealed.put(inner)
        assert ends[0].pass_on(announced, descriptor)
        os.close(descriptor)
    else:
        ends[0].send(announced)
    assert ends[1].receive() == []
    assert ends[1].closed
    assert descriptors() == before


def test_the_master_takes_no_large_frame(ends: tuple[Channel, Channel]) -> None:
    before = descriptors()
    ends[1].send(large())
    assert ends[0].receive() == []
    assert ends[0].closed
    assert descriptors() == before


def test_a_frame_with_keys_does_not_show_them() -> None:
    frame = Tls(None, (b"topsecret" * 8,))
    assert "topsecret" not in f"{frame} {frame!r}"
    assert "Tls" in repr(frame)
