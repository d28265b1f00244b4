"""Becoming a daemon: the process that was started stays until the service listens, and tells how that went."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from imap4fast.errors import SetupError

_LISTENS = b"listens\n"


def detach(serve: Callable[[Callable[[], None]], None]) -> None:
    """Runs `serve(on_ready)` in a daemon, and returns in the starting process once `on_ready` was called.

    Raises the daemon's SetupError, or one that says that it ended before.
    """
    read, write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    first = os.fork()
    if not first:
        os.close(read)
        os.setsid()
        if os.fork():  # no leader of a session can get a terminal by accident
            os._exit(0)
        _serve(serve, write)
    os.close(write)
    os.waitpid(first, 0)
    _await_report(read)


def _await_report(read: int) -> None:
    report = b""
    while not report.endswith(_LISTENS) and (piece := os.read(read, 4096)):
        report += piece
    os.close(read)
    if report != _LISTENS:
        what, _, why = report.decode("utf-8", "replace").partition("\0")
        raise SetupError(what or "start", why or "the service ended before it listened")


def _serve(serve: Callable[[Callable[[], None]], None], write: int) -> NoReturn:
    """In the daemon. The terminal is let go of before workers are made, so that they do not hold it either."""
    status = 1
    waiting = True

    def report(text: bytes) -> None:
        nonlocal waiting
        if waiting:
            os.write(write, text)
            os.close(write)
            waiting = False

    def on_ready() -> None:
        os.chdir("/")  # not before: until here paths are relative to where it was started
        report(_LISTENS)

    try:
        _leave_terminal()
        serve(on_ready)
        status = 0
    except SetupError as error:
        report(f"{error.what}\0{error.why}".encode())
    except BaseException:
        report(f"start\0{traceback.format_exc()}".encode())
    finally:
        os._exit(status)


def _leave_terminal() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
