"""Files without names, and names that appear when files are whole."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from imap4fast.mail.spoolfiles import CRADLES, Files, is_whole, make_cradles, open_cradles, write
from tests.unit.mail import spools

NAME = "ab" * 32


@pytest.fixture(params=["linked by /proc", "linked by an empty path", "copied"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Files]:
    spools.made(tmp_path)
    unnamed, links = request.param != "copied", request.param == "linked by /proc"
    made = spools.files(tmp_path, unnamed, links)
    yield made
    made.close()


def written(files: Files, octets: bytes) -> int:
    fd = files.create()
    write(fd, [octets], 0)
    return fd


def test_a_file_has_no_name_until_it_gets_one(kind: Files, tmp_path: Path) -> None:
    fd = written(kind, b"whole")
    assert spools.names(tmp_path) == set()
    kind.link(fd, NAME)
    os.close(fd)
    assert (tmp_path / "objects" / NAME).read_bytes() == b"whole"
    assert spools.names(tmp_path) == {NAME}
    assert stat.S_IMODE((tmp_path / "objects" / NAME).stat().st_mode) == 0o600


def test_a_name_passes_to_another_file_and_readers_read_on(kind: Files) -> None:
    for octets in (b"first", b"other"):
        fd = written(kind, octets)
        kind.link(fd, NAME)
        os.close(fd)
        if octets == b"first":
            reader = kind.open(NAME, 5)
    assert reader is not None
    assert os.pread(reader, 9, 0) == b"first"
    os.close(reader)
    again = kind.open(NAME, 5)
    assert again is not None
    assert os.pread(again, 9, 0) == b"other"
    os.close(again)


def test_no_umask_opens_files_to_others(kind: Files, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        fd = written(kind, b"x")
        kind.link(fd, NAME)
        kind.put(b"text", kind.root, "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.fstat(fd).st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "text").stat().st_mode) == 0o600
    os.close(fd)


@pytest.mark.parametrize("size", [4, 6])
def test_a_file_of_another_size_is_not_opened(kind: Files, size: int) -> None:
    fd = written(kind, b"whole")
    kind.link(fd, NAME)
    os.close(fd)
    assert kind.open(NAME, size) is None


def test_what_is_no_plain_file_of_ours_is_not_opened(kind: Files, tmp_path: Path) -> None:
    objects = tmp_path / "objects"
    (tmp_path / "secret").write_bytes(b"whole")
    (objects / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic"):
        kind.open("link", 5)
    (objects / "directory").mkdir()
    assert kind.open("directory", os.stat(objects / "directory").st_size) is None
    assert kind.open("nothing", 0) is None
    if os.geteuid() == 0:
        (objects / "foreign").write_bytes(b"whole")
        os.chown(objects / "foreign", 65534, 65534)
        assert kind.open("foreign", 5) is None


def test_a_name_goes_once_and_again(kind: Files, tmp_path: Path) -> None:
    fd = written(kind, b"x")
    kind.link(fd, NAME)
    os.close(fd)
    kind.unlink(NAME)
    kind.unlink(NAME)
    assert spools.names(tmp_path) == set()


def test_copies_are_whole_and_leave_nothing_behind(kind: Files, tmp_path: Path) -> None:
    octets = os.urandom(3_000_000)
    fd = written(kind, octets)
    kind.copy(fd, kind.root, "copy")
    kind.put(b"text", kind.root, "text")
    os.close(fd)
    assert (tmp_path / "copy").read_bytes() == octets
    assert (tmp_path / "text").read_bytes() == b"text"
    assert {name for name in os.listdir(tmp_path) if name.startswith("tmp.")} == set()


def test_a_copy_that_fails_leaves_nothing_behind(kind: Files, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    fd = written(kind, b"x")
    with pytest.raises(OSError, match="directory"):
        kind.copy(fd, kind.root, "taken")
    with pytest.raises(OSError, match="directory"):
        kind.put(b"x", kind.root, "taken")
    os.close(fd)
    assert set(os.listdir(tmp_path)) == {"lock", "objects", "taken"}


def test_left_over_temporary_names_do_not_hinder(tmp_path: Path) -> None:
    spools.made(tmp_path)
    (tmp_path / "objects" / "tmp.0.1").touch()
    files = spools.files(tmp_path, unnamed=False)
    fd = written(files, b"x")
    files.link(fd, NAME)
    os.close(fd)
    files.close()
    assert spools.names(tmp_path) == {"tmp.0.1", NAME}


def test_a_file_system_without_unnamed_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's answer is the only part that is made up: no such file system is at hand everywhere."""
    spools.made(tmp_path)
    files = spools.files(tmp_path)
    really = os.open

    def refusing(path: str, flags: int, *args: int, **kwargs: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return really(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refusing)
    fd = written(files, b"whole")
    assert spools.names(tmp_path) == set()
    files.link(fd, NAME)
    os.close(fd)
    files.close()
    assert (tmp_path / "objects" / NAME).read_bytes() == b"whole"


def test_a_directory_that_is_gone_is_an_error(kind: Files, tmp_path: Path) -> None:
    (tmp_path / "objects").rmdir()
    with pytest.raises((FileNotFoundError, PermissionError)):  # as the file system likes
        kind.create()


def test_all_entries_are_told_each_time(kind: Files) -> None:
    for name in ("a", "b"):
        kind.put(b"x", kind.objects, name)
    for _ in range(2):
        assert {name: found.st_size for name, found in kind.entries()} == {"a": 1, "b": 1}


def test_many_chunks_and_short_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda fd, chunks, offset: really(fd, [b"".join(chunks)[:7]], offset))
    chunks = [bytes([number]) * number for number in range(20)]
    with open(tmp_path / "f", "w+b") as file:
        write(file.fileno(), chunks, 3)
    assert (tmp_path / "f").read_bytes() == bytes(3) + b"".join(chunks)
    monkeypatch.undo()
    many = [b"ab"] * 5000
    with open(tmp_path / "g", "w+b") as file:
        write(file.fileno(), many, 0)
    assert (tmp_path / "g").read_bytes() == b"".join(many)


def test_what_is_whole(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert not is_whole(os.stat(tmp_path / "f"), 3)  # others may read it
    (tmp_path / "f").chmod(0o600)
    assert is_whole(os.stat(tmp_path / "f"), 3)
    assert not is_whole(os.stat(tmp_path / "f"), 2)
    assert not is_whole(os.stat(tmp_path), os.stat(tmp_path).st_size)


def test_files_begin_in_one_cradle_after_the_other_and_end_among_the_objects(tmp_path: Path) -> None:
    spools.made(tmp_path)
    root = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    make_cradles(root)
    make_cradles(root)  # they are there
    objects = os.open(tmp_path / "objects", os.O_RDONLY | os.O_DIRECTORY)
    files = Files(root, objects, os.open("/proc/self/fd", os.O_RDONLY), cradles=open_cradles(root))
    fds = [written(files, b"whole") for _ in range(2 * CRADLES)]
    begun = [Path(os.readlink(f"/proc/self/fd/{fd}")).parent.relative_to(tmp_path) for fd in fds]
    assert [str(path) for path in begun] == [f"new/{number}" for number in range(CRADLES)] * 2
    files.link(fds[0], NAME)
    for fd in fds:
        os.close(fd)
    files.close()
    assert spools.names(tmp_path) == {NAME}
    assert [len(os.listdir(tmp_path / "new" / str(number))) for number in range(CRADLES)] == [0] * CRADLES


def test_cradles_are_the_spools_own(tmp_path: Path) -> None:
    root = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        make_cradles(root)
    assert os.listdir(tmp_path / "elsewhere") == []
    os.close(root)
