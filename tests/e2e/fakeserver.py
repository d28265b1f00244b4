"""A scripted IMAP server: each test says byte by byte what it answers.

A script is a function of one `Session`. It runs in a thread of its own for each connection.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

from tests.e2e.wire import Address, Wire, WireError

CAPABILITIES = b"IMAP4rev1 SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS MOVE CONDSTORE LITERAL+ AUTH=PLAIN AUTH=LOGIN"


class Session(Wire):
    """The server's end of one connection. `seen` is all that the proxy sent and the script took."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wait_s = 10.0
        self.received = self.sent = 0
        self.seen = bytearray()
        self.broken = ""
        self._buffer = bytearray()
        self._ended = False

    def accept_tls(self, context: ssl.SSLContext) -> None:
        """TLS as a server from here on; ssl.SSLError where the proxy does not go along."""
        self.sock.settimeout(self.wait_s)
        self.sock = context.wrap_socket(self.sock, server_side=True, suppress_ragged_eofs=False)

    def begin_tls(
        self, context: ssl.SSLContext, greeting: bytes = b"* OK ready\r\n", capabilities: bytes = CAPABILITIES
    ) -> None:
        """Greeting, STARTTLS, TLS."""
        self.send(greeting)
        tag, _ = self.wait_for(b"STARTTLS", capabilities)
        self.send(tag + b" OK begin TLS\r\n")
        self.accept_tls(context)

    def take(self, size: int, timeout_s: float | None = None) -> bytes:
        data = super().take(size, timeout_s)
        self.seen += data
        return data

    def rest(self, timeout_s: float | None = None) -> bytes:
        data = super().rest(timeout_s or 30)
        self.seen += data
        return data

    def say_hello(self, capabilities: bytes = CAPABILITIES) -> None:
        self.send(b"* OK [CAPABILITY " + capabilities + b"] fake server ready\r\n")

    def wait_for(self, name: bytes, capabilities: bytes = CAPABILITIES) -> tuple[bytes, bytes]:
        """Tag and arguments of the next command, which must be `name`; CAPABILITY, NOOP, ID are answered by the way."""
        while True:
            tag, _, text = self.line()[:-2].partition(b" ")
            word, _, arguments = text.partition(b" ")
            if word.upper() == name:
                return tag, arguments
            if word.upper() == b"CAPABILITY":
                self.send(b"* CAPABILITY " + capabilities + b"\r\n")
            elif word.upper() == b"ID":
                self.send(b"* ID NIL\r\n")
            elif word.upper() != b"NOOP":
                raise WireError(f"expected {name!r}, got {text!r}")
            self.send(tag + b" OK done\r\n")

    def let_in(self, capabilities: bytes = CAPABILITIES) -> None:
        """Greeting and one successful LOGIN."""
        self.say_hello(capabilities)
        tag, _ = self.wait_for(b"LOGIN", capabilities)
        self.send(tag + b" OK [CAPABILITY " + capabilities + b"] in\r\n")

    def let_select(self, capabilities: bytes = CAPABILITIES) -> None:
        """As `let_in`, then one SELECT of a mailbox of three mails."""
        self.let_in(capabilities)
        tag, _ = self.wait_for(b"SELECT", capabilities)
        self.send(b"* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 9] ok\r\n")
        self.send(tag + b" OK [READ-WRITE] selected\r\n")

    def until_closed(self) -> bytes:
        """Serve nothing more; everything that the proxy still sends."""
        return self.rest()


Script = Callable[[Session], None]


class FakeServer:
    """One listener for all tests; `play` sets the script of the connections to come."""

    def __init__(self, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        """With `context` each connection begins with TLS."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=256)
        self._context = context
        self.address: Address = (host, self._listener.getsockname()[1])
        self._script: Script | None = None
        self.sessions: list[Session] = []
        self._threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def play(self, script: Script) -> None:
        self.sessions.clear()
        self.errors.clear()
        self._script = script

    @property
    def seen(self) -> bytes:
        """What the scripts took, over all connections of this test."""
        return b"".join(bytes(session.seen) for session in self.sessions)

    def finish(self, timeout_s: float = 10.0) -> None:
        """Wait until every script has returned and raise what went wrong in one."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        running = [thread for thread in self._threads if thread.is_alive()]
        self._threads.clear()
        if self.errors:
            raise self.errors[0]
        if running:
            raise AssertionError("a script of the fake server is still waiting")

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                thread = threading.Thread(target=self._run, args=(sock,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _run(self, sock: socket.socket) -> None:
        with Session(sock) as session:
            self.sessions.append(session)
            try:
                if self._context is not None:
                    session.accept_tls(self._context)
                if self._script is not None:
                    self._script(session)
            except OSError:
                pass  # the proxy closed while the script wrote: the test looks at the client's side
            except BaseException as error:
                self.errors.append(error)
