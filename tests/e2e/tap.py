"""A TCP tap: a plain relay in front of a server that keeps every byte of both directions, connection by connection."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import threading
import time

from tests.e2e.wire import Address


class Recording:
    """One connection through the tap: `out` went to the server, `into` came from it. `port` is ours towards it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.out = bytearray()
        self.into = bytearray()
        self.closed = threading.Event()


class Tap:
    """Listens on a port of its own and relays to `server`. With `context` TLS ends here: what is kept is plain."""

    def __init__(self, server: Address, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._server = server
        self._context = context
        self._listener = socket.create_server((host, 0), family=family, backlog=1024)
        self.address: Address = (host, self._listener.getsockname()[1])
        self.recordings: list[Recording] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def since(self, mark: int) -> bytes:
        """What went to the server in all connections made after `mark` of them existed."""
        return b"".join(bytes(one.out) for one in self.recordings[mark:])

    def wait(self, mark: int, pattern: bytes, timeout_s: float = 10.0) -> bytes:
        """Wait until `pattern` went to the server."""
        deadline = time.monotonic() + timeout_s
        while pattern not in (seen := self.since(mark)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{pattern!r} did not reach the server: {seen[-400:]!r}")
            time.sleep(0.01)
        return seen

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._relay(near)

    def _relay(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._server, timeout=10)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for sock in (near, far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        record = Recording(far.getsockname()[1])
        self.recordings.append(record)
        if self._context is None:
            threading.Thread(target=_both, args=(near, far, record), daemon=True).start()
        else:
            threading.Thread(target=_secure, args=(near, far, record, self._context), daemon=True).start()


def _secure(near: socket.socket, far: socket.socket, record: Recording, context: ssl.SSLContext) -> None:
    """One thread for both directions: an SSL object is not for two."""
    with far:
        try:
            inside = context.wrap_socket(near, server_side=True)
        except OSError:
            return
        with inside, contextlib.suppress(OSError):
            _shuttle(inside, far, record)
        record.closed.set()


def _shuttle(near: ssl.SSLSocket, far: socket.socket, record: Recording) -> None:
    """Copy both ways until the server ends; the client's end is passed on to it."""
    open_ends: list[socket.socket] = [near, far]
    while far in open_ends:
        ready = [near] if near in open_ends and near.pending() else select.select(open_ends, [], [])[0]
        if near in ready:
            chunk = near.recv(1 << 16)
            record.out += chunk
            far.sendall(chunk)
            if not chunk:
                open_ends.remove(near)
                far.shutdown(socket.SHUT_WR)
        if far in ready:
            chunk = far.recv(1 << 16)
            record.into += chunk
            near.sendall(chunk)
            if not chunk:
                open_ends.remove(far)


def _both(near: socket.socket, far: socket.socket, record: Recording) -> None:
    with near, far:
        out = threading.Thread(target=_pump, args=(near, far, record.out), daemon=True)
        out.start()
        _pump(far, near, record.into)
        record.closed.set()
        out.join()


def _pump(source: socket.socket, sink: socket.socket, record: bytearray) -> None:
    """Copy until the source ends, then half-close the sink."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(1 << 16):
            record += chunk
            sink.sendall(chunk)
    for sock, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with contextlib.suppress(OSError):
            sock.shutdown(how)


def tags_of(data: bytes) -> list[bytes]:
    """Tags of the commands in what reached the server, by a reading of our own.

    A server may refuse a command at its announcement: then nothing follows it.
    """
    tags, position = [], 0
    while position < len(data):
        tags.append(data[position:].split(b" ", 1)[0])
        while position < len(data):
            end = data.index(b"\r\n", position)
            line = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", data[position:end])
            position = end + 2
            if not (mark := re.search(rb"\{(\d+)\+?\}$", line)):
                break
            position += int(mark[1])
    return tags
