"""A helper as its worker sees it: killed once, for a reason; and what deaths are called."""

from __future__ import annotations

import os
import signal
import socket
import subprocess

import pytest

from imap4fast.net.helper import Helper, cause_of_death


def test_it_is_killed_for_the_first_reason() -> None:
    process = subprocess.Popen(["sleep", "60"])
    ours, theirs = socket.socketpair()
    helper = Helper(process.pid, ours, os.pidfd_open(process.pid))
    helper.kill("first")
    helper.kill("second")
    assert (process.wait(), helper.why) == (-signal.SIGKILL, "first")
    helper.kill("")  # it has gone already
    helper.close()
    assert ours.fileno() == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(helper.pidfd)
    theirs.close()


@pytest.mark.parametrize(
    ("exit_code", "text"),
    [
        (3, "exit status 3"),
        (-signal.SIGSEGV, "killed by SIGSEGV"),
        (-signal.SIGXCPU, "over its processor time"),
        (-signal.SIGSYS, "a system call that no helper makes"),
    ],
)
def test_deaths_have_names(exit_code: int, text: str) -> None:
    assert cause_of_death(exit_code) == text
