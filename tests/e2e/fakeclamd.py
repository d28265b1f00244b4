"""A scripted clamd: takes streams and answers what a test says, or nothing, or nonsense."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from tests.e2e.carriers import EICAR
from tests.e2e.wire import Address

Answer = Callable[[bytes], bytes | None]
"""Of what was streamed: the reply without number and NUL; None: the connection is closed."""


def honest(octets: bytes) -> bytes:
    return b"stream: Eicar-Test-Signature FOUND" if EICAR in octets else b"stream: OK"


class FakeClamd:
    """Knows VERSION, PING, STATS, IDSESSION, END, INSTREAM. `streams` and `commands` are all that came."""

    def __init__(self, answer: Answer = honest, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.address: Address = ("127.0.0.1", self._listener.getsockname()[1])
        self.answer = answer
        self.taken: int | None = None
        """After so many octets of a stream its answer is given, the rest not read."""
        self.hold = threading.Event()
        """Answers wait for it."""
        self.hold.set()
        self.begun = threading.Event()
        """Octets of a mail have come."""
        self.streams: list[bytes] = []
        self.commands: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.hold.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as octets, contextlib.suppress(OSError):
            number = 0
            session = False
            while command := _until_nul(octets.read):
                self.commands.append(command)
                if command == b"IDSESSION":
                    session = True
                    continue
                number += 1
                reply = self._reply(command, octets.read)
                if reply is None or command == b"END":
                    return
                sock.sendall((b"%d: " % number if session else b"") + reply + b"\0")
                if self.taken is not None:
                    return

    def _reply(self, command: bytes, read: Callable[[int], bytes]) -> bytes | None:
        if command == b"VERSION":
            return b"ClamAV 1.4.6/27000/Mon Jan 15 10:11:12 2024"
        if command == b"STATS":
            return b"POOLS: 1\n\nEND"
        if command == b"PING":
            return b"PONG"
        if command != b"INSTREAM":
            return b"UNKNOWN COMMAND"
        stream = b""
        while size := int.from_bytes(read(4), "big"):
            stream += read(size)
            self.begun.set()
            if self.taken is not None and len(stream) >= self.taken:
                break
        self.streams.append(stream)
        self.hold.wait(30)
        return self.answer(stream)


def _until_nul(read: Callable[[int], bytes]) -> bytes:
    command = b""
    while (octet := read(1)) not in (b"\0", b""):
        command += octet
    return command.removeprefix(b"z")
