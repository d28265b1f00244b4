"""The pid file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imap4fast.errors import SetupError
from imap4fast.proc.pidfile import PidFile


def test_holds_the_pid_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    held = PidFile(str(path))
    assert path.read_text() == f"{os.getpid()}\n"
    held.remove()
    assert not path.exists()


def test_a_stale_file_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("123456789012345\n")
    held = PidFile(str(path))
    assert path.read_text() == f"{os.getpid()}\n"
    held.remove()


def test_a_running_holder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    held = PidFile(str(path))
    with pytest.raises(SetupError, match=f"in use by the running process {os.getpid()}"):
        PidFile(str(path))
    assert path.read_text() == f"{os.getpid()}\n"
    held.remove()


def test_a_follower_s_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    held = PidFile(str(path))
    path.unlink()
    path.write_text("follower")
    held.remove()
    assert path.read_text() == "follower"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "pid").symlink_to(tmp_path / "target")
    with pytest.raises(SetupError, match="pid-file"):
        PidFile(str(tmp_path / "pid"))
    assert (tmp_path / "target").read_text() == "precious"


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="No such file or directory"):
        PidFile(str(tmp_path / "no" / "pid"))


def test_removed_twice_by_somebody_else_is_no_error(tmp_path: Path) -> None:
    held = PidFile(str(tmp_path / "pid"))
    (tmp_path / "pid").unlink()
    held.remove()
    PidFile(str(tmp_path / "pid")).remove()
