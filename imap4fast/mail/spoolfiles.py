"""The spool's files, reached from descriptors of its directories that were opened before any chroot.

A file is written without a name (O_TMPFILE) and gets one, by link(2), when it is whole: what has a name under
`objects/` is whole, whoever was killed and when. Nothing is synchronised to the disk: a SIGKILL loses no octet that
write(2) has taken, and after a crash of the machine the sweep reads the newest objects again (spoolsweep.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import stat
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

_AT_EMPTY_PATH = 0x1000
_NO_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
_libc = ctypes.CDLL(None, use_errno=True)
_MODE = 0o600
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_MOST_VECTORS = 512
_CRADLES = "new"
CRADLES = 32
"""Directories in which files begin. The kernel keeps the inodes of the files of a directory together, and where many of
them were removed in the last minutes ext4 looks at each of those when it makes a file: a millisecond for thousands.
"""
_GET_FLAGS, _SET_FLAGS, _TOP_DIRECTORY = 0x80086601, 0x40086602, 0x20000  # linux/fs.h; chattr +T
TEMPORARY = "tmp."
"""What temporary names begin with; only file systems without O_TMPFILE have any for longer than a moment."""


class Files:
    """The directories `root` (the spool) and `objects`. `tag` keeps temporary names of processes apart.

    `links` is /proc/self/fd, opened by this process before the chroot; None: there is none, and the kernel must link
    an empty path (Linux 6.10). `cradles`, open as the others, are where files without a name begin, by turns; none:
    among the objects.
    """

    def __init__(
        self,
        root: int,
        objects: int,
        links: int | None,
        tag: str = "0",
        unnamed: bool = True,
        cradles: Sequence[int] = (),
    ) -> None:
        self.root = root
        self.objects = objects
        self._links = links
        self._tag = tag
        self._made = 0
        self._unnamed = unnamed
        self._cradles = cradles
        self._next = cycle(cradles or (objects,)).__next__

    def create(self) -> int:
        """A new empty file without a name, open to read and write. Raises OSError."""
        if self._unnamed:
            try:
                return os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, _MODE, dir_fd=self._next())
            except OSError as error:
                if error.errno not in _NO_TMPFILE:
                    raise
        fd, name = self._temporary(self.objects)
        self._unnamed = False
        os.unlink(name, dir_fd=self.objects)
        return fd

    def _temporary(self, directory: int) -> tuple[int, str]:
        while True:
            self._made += 1
            name = f"{TEMPORARY}{self._tag}.{self._made}"
            try:
                flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
                return os.open(name, flags, _MODE, dir_fd=directory), name
            except FileExistsError:  # of a predecessor that was killed
                continue

    def link(self, fd: int, name: str) -> None:
        """Gives the whole file behind `fd` its name among the objects; another file of that name goes. OSError."""
        try:
            self._link(fd, name)
        except FileExistsError:
            if os.path.samestat(os.fstat(fd), os.stat(name, dir_fd=self.objects, follow_symlinks=False)):
                return
            self.unlink(name)
            self._link(fd, name)

    def _link(self, fd: int, name: str) -> None:
        if not self._unnamed:
            self.copy(fd, self.objects, name)
        elif self._links is None:
            if _libc.linkat(fd, b"", self.objects, os.fsencode(name), _AT_EMPTY_PATH):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        else:
            os.link(str(fd), name, src_dir_fd=self._links, dst_dir_fd=self.objects, follow_symlinks=True)

    def copy(self, fd: int, directory: int, name: str) -> None:
        """A copy of the file under a name that appears when it is whole, in place of what had it. Raises OSError."""
        target, temporary = self._temporary(directory)
        try:
            _copy(fd, target)
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            os.unlink(temporary, dir_fd=directory)
            raise
        finally:
            os.close(target)

    def put(self, octets: bytes, directory: int, name: str) -> None:
        """As `copy`, from memory."""
        target, temporary = self._temporary(directory)
        try:
            write(target, [octets], 0)
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            os.unlink(temporary, dir_fd=directory)
            raise
        finally:
            os.close(target)

    def open(self, name: str, size: int) -> int | None:
        """An object to read; None: there is none, or `is_whole` says no. Raises OSError."""
        try:
            fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self.objects)
        except FileNotFoundError:
            return None
        if is_whole(os.fstat(fd), size):
            return fd
        os.close(fd)
        return None

    def unlink(self, name: str) -> None:
        """The object's name goes; who has it open reads on."""
        try:
            os.unlink(name, dir_fd=self.objects)
        except FileNotFoundError:
            return

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """All that lies among the objects."""
        fd = os.open(".", _DIRECTORY, dir_fd=self.objects)  # a position of its own
        try:
            with os.scandir(fd) as found:
                for entry in found:
                    yield entry.name, entry.stat(follow_symlinks=False)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Closes the descriptors."""
        for fd in (self.root, self.objects, self._links, *self._cradles):
            if fd is not None:
                os.close(fd)


def make_cradles(root: int) -> None:
    """Makes the directories in which files begin, each far from the others where the file system knows how (ext4).
    Raises OSError.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(_CRADLES, 0o700, dir_fd=root)
    above = _opened(root, _CRADLES)
    try:
        with contextlib.suppress(OSError):  # another file system
            (flags,) = struct.unpack("i4x", fcntl.ioctl(above, _GET_FLAGS, bytes(8)))
            fcntl.ioctl(above, _SET_FLAGS, struct.pack("i4x", flags | _TOP_DIRECTORY))
        for number in range(CRADLES):
            with contextlib.suppress(FileExistsError):
                os.mkdir(str(number), 0o700, dir_fd=above)
    finally:
        os.close(above)


def open_cradles(root: int) -> list[int]:
    """The directories that `make_cradles` made. Raises OSError."""
    above = _opened(root, _CRADLES)
    try:
        return [_opened(above, str(number)) for number in range(CRADLES)]
    finally:
        os.close(above)


def _opened(directory: int, name: str) -> int:
    return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)


def is_whole(found: os.stat_result, size: int) -> bool:
    """A plain file of this process's user, for nobody else, and of this size."""
    private = found.st_uid == os.geteuid() and not found.st_mode & 0o077
    return private and stat.S_ISREG(found.st_mode) and found.st_size == size


def write(fd: int, chunks: Iterable[bytes], offset: int) -> None:
    """Writes all of the chunks at `offset`, whatever the kernel takes at once. Raises OSError."""
    left: list[bytes | memoryview] = [chunk for chunk in chunks if chunk]
    while left:
        taken = os.pwritev(fd, left[:_MOST_VECTORS], offset)
        offset += taken
        done = 0
        while done < len(left) and taken >= len(left[done]):
            taken -= len(left[done])
            done += 1
        del left[:done]
        if taken:
            left[0] = memoryview(left[0])[taken:]


def _copy(source: int, target: int) -> None:
    offset, size = 0, os.fstat(source).st_size
    while offset < size:
        sent = os.sendfile(target, source, offset, size - offset)
        if not sent:
            raise OSError(errno.EIO, "the file became shorter")
        offset += sent
