"""Other sides for a leg: Python's ssl over memory, and OpenSSL by ctypes for what Python's ssl does not offer."""

from __future__ import annotations

import ctypes
import ssl
import tempfile
from functools import cache
from typing import TYPE_CHECKING, Any

from imap4fast._wire import Tls, TlsContext
from tests.unit.tls.certificates import Authority, Pair

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "mail.example.org"
TLS12, TLS13 = 0x0303, 0x0304
PYTHON = {TLS12: ssl.TLSVersion.TLSv1_2, TLS13: ssl.TLSVersion.TLSv1_3}


@cache
def authority() -> Authority:
    return Authority()


@cache
def server_pair() -> Pair:
    return authority().issue(NAME, (NAME, "127.0.0.1", "::1"))


@cache
def client_pair() -> Pair:
    return authority().issue("jana")


def server_context(pair: Pair | None = None, **items: Any) -> TlsContext:
    """A context of our side, to which clients connect."""
    pair = pair or server_pair()
    return TlsContext(server=True, certificate=pair.chain, private_key=pair.key, **items)


def client_context(**items: Any) -> TlsContext:
    """A context of our side towards servers; verifies by the authority of the tests."""
    given: dict[str, Any] = {"ca": (authority().pem,), "verify": 2, **items}
    return TlsContext(server=False, **given)


def load(context: ssl.SSLContext, pair: Pair) -> None:
    """Python's ssl takes certificates from files alone."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(pair.chain + pair.key)
        file.flush()
        context.load_cert_chain(file.name)


def python_context(
    server: bool, version: int | None = None, pair: Pair | None = None, alpn: tuple[str, ...] = ()
) -> ssl.SSLContext:
    """The other side's: a server shows `pair`, a client trusts the authority and shows `pair` if there is one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authority().pem.decode())
    if version is not None:
        context.minimum_version = context.maximum_version = PYTHON[version]
    if server or pair:
        load(context, pair or server_pair())
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class PythonEnd:
    """Python's ssl. `pump` is a leg's: ciphertext in, (plain bytes, ciphertext) out; `error` is what broke it."""

    def __init__(
        self,
        context: ssl.SSLContext,
        server: bool,
        session: ssl.SSLSession | None = None,
        name: str | None = NAME,
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self._in, self._out, server_side=server, server_hostname=None if server else name, session=session
        )
        self.handshake_done = False
        self.closed = False
        self.error: ssl.SSLError | None = None

    def pump(self, data: bytes) -> tuple[bytes, bytes]:
        self._in.write(data)
        plain = bytearray()
        try:
            if not self.handshake_done:
                self.tls.do_handshake()
                self.handshake_done = True
            while more := self.tls.read(65536):
                plain += more
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except ssl.SSLError as exc:
            self.error = exc
        return bytes(plain), self._out.read()

    def seal(self, plain: bytes) -> bytes:
        if plain:
            self.tls.write(plain)
        return self._out.read()

    def close(self) -> bytes:
        try:
            self.tls.unwrap()
        except ssl.SSLError as exc:
            if not isinstance(exc, ssl.SSLWantReadError):
                raise
        return self._out.read()


End = Tls | PythonEnd


def join(client: End, server: End, through: Callable[[bytes], bytes] = bytes) -> tuple[bytes, bytes]:
    """Carry bytes between both until neither has more to say; what each of them has read, client first."""
    read = [bytearray(), bytearray()]
    _, towards_server = client.pump(b"")
    towards_client = b""
    while towards_server or towards_client:
        plain, more = server.pump(through(towards_server)) if towards_server else (b"", b"")
        read[1] += plain
        towards_client += more
        plain, towards_server = client.pump(through(towards_client)) if towards_client else (b"", b"")
        read[0] += plain
        towards_client = b""
    return bytes(read[0]), bytes(read[1])


def to_leg(version: int | None = None, context: TlsContext | None = None, **other: Any) -> tuple[Tls, PythonEnd]:
    """Our leg towards clients, and a client of Python's, joined."""
    leg = Tls(context or server_context())
    session, name = other.pop("session", None), other.pop("name", NAME)
    made = python_context(False, version, **other)
    end = PythonEnd(made, False, session, name)
    join(end, leg)
    return leg, end


def from_leg(version: int | None = None, context: TlsContext | None = None, **other: Any) -> tuple[Tls, PythonEnd]:
    """Our leg towards servers, and a server of Python's, joined."""
    leg = Tls(context or client_context())
    leg.set_server_name(str(other.pop("name", NAME)).encode())
    end = PythonEnd(python_context(True, version, **other), True)
    join(leg, end)
    return leg, end


class Library:
    """OpenSSL by ctypes: the functions that the raw end calls, with their types."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL("libssl.so.3")
        self._crypto = ctypes.CDLL("libcrypto.so.3")

    def pointer(self, name: str, *args: object) -> int:
        return int(self._typed(name, ctypes.c_void_p)(*map(_argument, args)) or 0)

    def number(self, name: str, *args: object) -> int:
        return int(self._typed(name, ctypes.c_long)(*map(_argument, args)) or 0)

    def _typed(self, name: str, result: type) -> Callable[..., int | None]:
        found = getattr(self._lib if name.startswith("SSL") or name.startswith("TLS") else self._crypto, name)
        found.restype = result
        return found  # type: ignore[no-any-return]


def _argument(value: object) -> object:
    return ctypes.c_void_p(value) if isinstance(value, int) and value > 0xFFFF else value


class RawEnd:
    """An end over OpenSSL's memory BIOs that renegotiates and updates keys; verifies nothing."""

    def __init__(self, server: bool, version: int) -> None:
        self.lib = Library()
        self._context = self.lib.pointer("SSL_CTX_new", self._method(server))
        for which in (123, 124):  # SSL_CTRL_SET_MIN_PROTO_VERSION and MAX
            self.lib.number("SSL_CTX_ctrl", self._context, which, version, None)
        if server:
            self._show(server_pair())
        self.ssl = self.lib.pointer("SSL_new", self._context)
        self._in, self._out = (self.lib.pointer("BIO_new", self.lib.pointer("BIO_s_mem")) for _ in range(2))
        self.lib.number("SSL_set_bio", self.ssl, self._in, self._out)
        self.lib.number("SSL_set_accept_state" if server else "SSL_set_connect_state", self.ssl)
        self.handshake_done = False

    def _method(self, server: bool) -> int:
        return self.lib.pointer("TLS_server_method" if server else "TLS_client_method")

    def _show(self, pair: Pair) -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(pair.chain + pair.key)
            file.flush()
            name = file.name.encode()
            assert self.lib.number("SSL_CTX_use_certificate_chain_file", self._context, name) == 1
            assert self.lib.number("SSL_CTX_use_PrivateKey_file", self._context, name, 1) == 1

    def pump(self, data: bytes) -> tuple[bytes, bytes]:
        if data:
            self.lib.number("BIO_write", self._in, data, len(data))
        if not self.handshake_done:
            self.handshake_done = ctypes.c_int(self.lib.number("SSL_do_handshake", self.ssl)).value == 1
        plain = self._drain("SSL_read", self.ssl) if self.handshake_done else b""
        return plain, self.output()

    def output(self) -> bytes:
        return self._drain("BIO_read", self._out)

    def _drain(self, name: str, source: int) -> bytes:
        found, room = bytearray(), ctypes.create_string_buffer(16384)
        while (n := ctypes.c_int(self.lib.number(name, source, room, len(room))).value) > 0:
            found += room.raw[:n]
        return bytes(found)

    def seal(self, plain: bytes) -> bytes:
        self.lib.number("SSL_write", self.ssl, plain, len(plain))
        return self.output()

    def close(self) -> bytes:
        self.lib.number("SSL_shutdown", self.ssl)
        return self.output()

    def renegotiate(self) -> bytes:
        """A client: a ClientHello inside the connection; a server: a HelloRequest."""
        self.lib.number("SSL_renegotiate", self.ssl)
        self.lib.number("SSL_do_handshake", self.ssl)
        return self.output()

    def update_keys(self, both: bool) -> bytes:
        assert self.lib.number("SSL_key_update", self.ssl, int(both)) == 1
        self.lib.number("SSL_do_handshake", self.ssl)
        return self.output()

    def __del__(self) -> None:
        self.lib.number("SSL_free", self.ssl)
        self.lib.number("SSL_CTX_free", self._context)
