"""Clients and servers that speak TLS by Python's ssl over plain streams, a step at a time; material and settings for
our side of it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from imap4fast.config import ciphers
from imap4fast.config.settings import CommandAcl, SslParams, SslUse
from imap4fast.log import imap as entries
from imap4fast.net.tlsmaterial import Material
from tests.play.stage import accepting
from tests.unit.net.running import PATIENCE_S, Running, Talk, easy
from tests.unit.tls.certificates import Pair
from tests.unit.tls.ends import NAME, TLS13, PythonEnd, authority, client_pair, python_context, server_pair

NAMES = b"IMAP4rev1 SASL-IR AUTH=PLAIN"
Inside = Callable[["Secure"], Awaitable[None]]


def use(*, starttls: bool = False, **params: Any) -> SslUse:
    """`client-ssl-params` or `server-ssl-params` of the one material there is."""
    return SslUse(SslParams("P", **params), starttls=starttls)


def material(pair: Pair | None = None, **items: Any) -> Material:
    """Of `ssl-params P`, for both legs: it shows `pair` and trusts the authority of the tests."""
    pair = pair or server_pair()
    given: dict[str, Any] = {
        "name": "P",
        "certificate": pair.chain,
        "private_key": pair.key,
        "passphrase": None,
        "sni": (),
        "ca": (authority().pem,),
        "ca_system": (),
        "crl": (),
        "verify": None,
        "min_version": ciphers.VERSIONS["TLSv1-2"],
        "max_version": ciphers.VERSIONS["TLSv1-3"],
        "ciphers": ciphers.CIPHERS.encode(),
        "ciphersuites": ciphers.CIPHERSUITES.encode(),
        "curves": ciphers.CURVES_BEFORE_MLKEM.encode(),
        "weak_tls": False,
        "tickets": True,
        "lifetime_s": 300,
    }
    return Material(**given | items)


@cache
def client_side(version: int | None = TLS13, shows: bool = False) -> ssl.SSLContext:
    """A client of the proxy's; `shows` a certificate."""
    return python_context(False, version, client_pair() if shows else None)


@cache
def server_side(version: int | None = TLS13, asks: bool = False) -> ssl.SSLContext:
    """A mail server; `asks` for a certificate."""
    context = python_context(True, version)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Secure:
    """Streams with TLS above them. `said` and `heard` are counts of plain octets, those of before TLS too."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        context: ssl.SSLContext,
        *,
        server: bool = False,
        name: str = NAME,
    ) -> None:
        self.streams = reader, writer
        self.end = PythonEnd(context, server, name=name)
        self.said = self.heard = 0
        self.ended = False
        self._plain = bytearray()

    async def shake(self, behind: bytes = b"") -> bool:
        """Whether the handshake came about. `behind`: plain octets in the same write as its last flight."""
        reader, writer = self.streams
        data = b""
        while True:
            plain, said = self.end.pump(data)
            self._take(plain)
            if self.end.handshake_done and behind:
                self.said += len(behind)
                said += self.end.seal(behind)
            if said:
                writer.write(said)
            if self.end.handshake_done or self.end.error or self.ended:
                return self.end.handshake_done
            data = await asyncio.wait_for(reader.read(65536), PATIENCE_S)
            self.ended = not data

    def _take(self, plain: bytes) -> None:
        self.heard += len(plain)
        self._plain += plain

    async def more(self) -> bool:
        """Whether anything came before the end."""
        reader, writer = self.streams
        try:
            data = await asyncio.wait_for(reader.read(65536), PATIENCE_S)
        except ConnectionResetError:
            data = b""
        if not data:
            self.ended = True
            return False
        plain, said = self.end.pump(data)
        self._take(plain)
        if said:
            writer.write(said)
        return True

    async def readline(self) -> bytes:
        while b"\n" not in self._plain and not self.end.closed and await self.more():
            pass
        at = self._plain.find(b"\n") + 1 or len(self._plain)
        line = bytes(self._plain[:at])
        del self._plain[:at]
        return line

    async def exactly(self, count: int) -> bytes:
        """So many octets, or those up to the end."""
        while len(self._plain) < count and await self.more():
            pass
        found = bytes(self._plain[:count])
        del self._plain[:count]
        return found

    async def rest(self) -> bytes:
        """All up to the end of the connection."""
        while await self.more():
            pass
        plain = bytes(self._plain)
        self._plain.clear()
        return plain

    def write(self, plain: bytes) -> None:
        self.said += len(plain)
        self.streams[1].write(self.end.seal(plain))

    def leave(self) -> None:
        """close_notify; the connection stays."""
        self.streams[1].write(self.end.close())

    def close(self) -> None:
        self.streams[1].close()


async def begin_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, int]:
    """A client's STARTTLS: the next octets are those of TLS. How many octets it heard and said."""
    greeting = await asyncio.wait_for(reader.readline(), PATIENCE_S)
    writer.write(b"x STARTTLS\r\n")
    begins = await asyncio.wait_for(reader.readline(), PATIENCE_S)
    assert begins == b"x OK begin TLS\r\n"
    return len(greeting) + len(begins), len(b"x STARTTLS\r\n")


async def client(
    running: Running, *, starttls: bool = False, context: ssl.SSLContext | None = None, behind: bytes = b""
) -> Secure:
    """A client whose handshake is done, or has failed."""
    reader, writer = await running.client()
    secure = Secure(reader, writer, context or client_side())
    if starttls:
        secure.heard, secure.said = await begin_tls(reader, writer)
    await secure.shake(behind)
    return secure


async def answers(secure: Secure) -> None:
    """OK to everything, with a list of capabilities where it is asked for."""
    while line := await secure.readline():
        tag, command = line.split()[:2]
        if command.upper() == b"CAPABILITY":
            secure.write(b"* CAPABILITY " + NAMES + b"\r\n")
        if command.upper() == b"LOGOUT":
            secure.write(b"* BYE bye\r\n" + tag + b" OK done\r\n")
            return
        secure.write(tag + b" OK done\r\n")


async def greets(secure: Secure) -> None:
    secure.write(b"* OK ready\r\n")
    await answers(secure)


def at_once(inside: Inside = greets, context: ssl.SSLContext | None = None, seen: list[Secure] | None = None) -> Talk:
    """A server whose TLS begins with the connection. Its ends go to `seen`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _serve(Secure(reader, writer, context or server_side(), server=True), inside, seen)

    return talk


async def _serve(secure: Secure, inside: Inside, seen: list[Secure] | None) -> None:
    """TLS from its beginning to its end, at a server."""
    if seen is not None:
        seen.append(secure)
    if await secure.shake():
        await inside(secure)
        secure.leave()
        await secure.rest()


def by_starttls(
    inside: Inside = answers,
    context: ssl.SSLContext | None = None,
    *,
    greeting: bytes = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] plain\r\n",
    answer: bytes = b"%b OK begin\r\n",
    seen: list[Secure] | None = None,
) -> Talk:
    """A server with STARTTLS. `answer` that is no OK: it goes on in plain text, by `inside` too."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        line = await reader.readline()
        if not line.endswith(b" STARTTLS\r\n"):
            return
        said = answer % line.split()[0] if b"%b" in answer else answer
        writer.write(said)
        secure = Secure(reader, writer, context or server_side(), server=True)
        secure.said, secure.heard = len(greeting) + len(said), len(line)
        await _serve(secure, inside, seen)

    return talk


# ---- scenes

LOGIN = b"a LOGIN jana x\r\nb LOGOUT\r\n"
ANSWERED = b"a OK done\r\n* BYE bye\r\nb OK done\r\n"
HELLO = b"* OK ready\r\n"
UNSAFE = b"* BYE [UNAVAILABLE] no safe connection to the mail server\r\n"
FORMS: tuple[str | None, ...] = (None, "session", "command")
FILTERED = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+] ready\r\n"


def form(name: str | None, **params: Any) -> SslUse | None:
    return None if name is None else use(starttls=name == "command", **params)


def behind(name: str | None, **items: Any) -> Talk:
    """The mail server of this form."""
    return easy if name is None else at_once(**items) if name == "session" else by_starttls(**items)


def secured(client_form: str | None, server_form: str | None, **items: Any) -> dict[str, Any]:
    """Items of `serving` for these forms; the name of the server is its address."""
    acl = items.pop("acl", {})
    return {"materials": (material(),), "acl": {"client_ssl": form(client_form), **acl}, **items}


def acl_for(server_form: str | None, **items: Any) -> CommandAcl:
    return accepting(server_ssl=form(server_form), **items)


async def event(running: Running) -> dict[str, object]:
    (args,) = await running.logged(entries.PROXY_EVENT)
    return dict(zip(entries.PROXY_EVENT.keys, args, strict=True))


async def reason(running: Running) -> object:
    (args,) = await running.logged(entries.SESSION_END)
    return args[-1]


def no_internal_error(running: Running) -> None:
    assert [line.line for line in running.notebook.written if line.entry is entries.INTERNAL_ERROR] == []


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection by RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def remains(reader: asyncio.StreamReader) -> bytes:
    """All that comes up to the end."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    except ConnectionResetError:
        return b"(reset)"


def bad_server(pair: Pair) -> ssl.SSLContext:
    return python_context(True, TLS13, pair)


def says(said: bytes) -> Talk:
    """A server that says this, whatever it hears, and closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await reader.read(1)

    return talk


async def tls_client(running: Running, starttls: bool, version: int = TLS13) -> tuple[bytes, Secure]:
    """What a whole session hears, and its end."""
    end = await client(running, starttls=starttls, context=client_side(version))
    end.write(LOGIN)
    said = await end.rest()
    end.close()
    return said, end
