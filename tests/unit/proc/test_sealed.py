"""Sealed memory: what was put is read once, and nothing that could still change is taken."""

from __future__ import annotations

import errno
import fcntl
import os

import pytest

from imap4fast.proc import sealed


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def put(data: bytes, seals: int) -> int:
    """As sealed.put, with other seals."""
    descriptor = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.write(descriptor, data)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


@pytest.mark.parametrize("size", [1, 4096, 1_000_003])
def test_what_was_put_is_read_and_everything_closed(size: int) -> None:
    before = descriptors()
    data = os.urandom(size)
    descriptor = sealed.put(data)
    assert not os.get_inheritable(descriptor)
    with sealed.opened(descriptor, size) as memory:
        assert memory[:] == data
    assert memory.closed
    assert descriptors() == before


def test_nobody_can_change_it() -> None:
    descriptor = sealed.put(b"secret")
    for change in (lambda: os.write(descriptor, b"x"), lambda: os.ftruncate(descriptor, 3)):
        with pytest.raises(PermissionError):
            change()
    with pytest.raises(PermissionError):
        os.ftruncate(descriptor, 9000)
    os.close(descriptor)


@pytest.mark.parametrize("announced", [0, -1, 5, 7, sealed.MOST_BYTES + 1])
def test_another_size_than_announced_is_refused(announced: int) -> None:
    before = descriptors()
    with pytest.raises(ValueError, match="octets came where"), sealed.opened(sealed.put(b"secret"), announced):
        raise AssertionError("it was taken")
    assert descriptors() == before


@pytest.mark.parametrize("missing", [fcntl.F_SEAL_SHRINK, fcntl.F_SEAL_GROW, fcntl.F_SEAL_WRITE, fcntl.F_SEAL_SEAL])
def test_a_missing_seal_is_refused(missing: int) -> None:
    before = descriptors()
    with pytest.raises(ValueError, match="not sealed"), sealed.opened(put(b"secret", sealed.SEALS & ~missing), 6):
        raise AssertionError("it was taken")
    assert descriptors() == before


def test_what_is_no_such_memory_is_refused() -> None:
    for descriptor in (os.open("/dev/null", os.O_RDONLY), -1):
        with pytest.raises(ValueError, match=r"no sealed memory|file descriptor"), sealed.opened(descriptor, 6):
            raise AssertionError("it was taken")


def test_too_much_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "MOST_BYTES", 5)
    with pytest.raises(OSError, match="too large") as raised:
        sealed.put(b"secret")
    assert raised.value.errno == errno.EFBIG


def test_a_kernel_that_does_not_know_the_newest_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    create = os.memfd_create

    def old(name: str, flags: int) -> int:
        if flags & 0x8:
            raise OSError(errno.EINVAL, "unknown flag")
        return create(name, flags)

    monkeypatch.setattr(os, "memfd_create", old)
    with sealed.opened(sealed.put(b"secret"), 6) as memory:
        assert memory[:] == b"secret"


def test_other_errors_of_the_kernel_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(name: str, flags: int) -> int:
        raise OSError(errno.EMFILE, "none left")

    monkeypatch.setattr(os, "memfd_create", none_left)
    with pytest.raises(OSError, match="none left"):
        sealed.put(b"secret")
