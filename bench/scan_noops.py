"""`python -m bench.scan_noops PORT RATE SECONDS`: NOOPs of one session at a steady rate; prints their p99 in us.

The p99 is the median of those of each whole second, as in the bench of whole processes; time counts from when a NOOP
was due. As root it goes before other work on its core, which would else be what is measured.
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
import time
from contextlib import suppress

from bench.processes import REAL_TIME
from tests.e2e.lab import PASSWORD


def main(port: int, rate: float, seconds: float) -> float:
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REAL_TIME))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock, sock.makefile("rb") as lines:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines.readline()
        ask(sock, lines, b"a LOGIN relay " + PASSWORD)
        ask(sock, lines, b"a SELECT INBOX")
        waits: list[list[float]] = []
        for second in range(int(seconds)):
            waits.append([])
            began = time.monotonic()
            for number in range(int(rate)):
                due = began + number / rate
                time.sleep(max(0.0, due - time.monotonic()))
                ask(sock, lines, b"a NOOP")
                waits[second].append((time.monotonic() - due) * 1e6)
    return statistics.median(sorted(one)[int(len(one) * 0.99)] for one in waits[1:])


def ask(sock: socket.socket, lines: object, text: bytes) -> None:
    """One command and its answer."""
    sock.sendall(text + b"\r\n")
    while not (line := lines.readline()).startswith(b"a "):  # type: ignore[attr-defined]
        if not line:
            raise RuntimeError("closed")


if __name__ == "__main__":
    print(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
