"""Rows T-S14, T-S15 and T-S17: other protocols at a port with TLS, mechanisms of a layer below, weak TLS, tickets."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.fakeserver import CAPABILITIES, Session
from tests.e2e.lab import PASSWORD
from tests.e2e.legs import LegLab, Over, front
from tests.e2e.pki import client_context, server_context
from tests.e2e.raw_tls import is_ciphertext
from tests.e2e.wire import Wire
from tests.unit.tls.ends import TLS12, RawEnd

SECURED = pytest.mark.parametrize("client", ["session", "command"])


@contextmanager
def old_versions() -> Iterator[None]:
    """Python warns of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def ready_for_tls(lab: LegLab, **config: object) -> Wire:
    """A connection where the client's next octets are those of TLS."""
    wire = lab.bare(**config)
    if lab.legs.client == "command":
        wire.greet().ok(b"STARTTLS")
    return wire


def refused(lab: LegLab, context: ssl.SSLContext, **config: object) -> str:
    """The proxy refuses the handshake, without a word of IMAP; the client's reason."""
    wire = ready_for_tls(lab, **config)
    with pytest.raises(OSError, match=r".") as error:
        wire.secure(context)
    lab.log(r"SSLE-10[368]-W \S+ SIDE=CLIENT REASON=\S+", **config)
    assert lab.connections() == 0
    return str(error.value)


@SECURED
def test_T_S14_foreign_alpn(over: Over, client: str) -> None:
    context = client_context()
    context.set_alpn_protocols(["http/1.1", "h2"])
    assert "NO_APPLICATION_PROTOCOL" in refused(over(client, "plain"), context).upper().replace(" ", "_")


@SECURED
@pytest.mark.parametrize("names", [("imap",), ("http/1.1", "imap")])
def test_T_S14_our_alpn(over: Over, client: str, names: tuple[str, ...]) -> None:
    lab = over(client, "plain")
    context = client_context()
    context.set_alpn_protocols(list(names))
    wire = ready_for_tls(lab).secure(context)
    assert wire.tls.selected_alpn_protocol() == "imap"
    wire.send(b"a NOOP\r\n")
    while not wire.unit().startswith(b"a OK"):
        pass


def test_T_S14_alpn_to_servers(over: Over) -> None:
    """A server that knows other protocols too hears which one is meant; one that refuses ours is refused."""
    seen = []

    def script(server: Session) -> None:
        context = server_context()
        context.set_alpn_protocols(["http/1.1", "imap"])
        server.accept_tls(context)
        seen.append(server.tls.selected_alpn_protocol())
        server.say_hello()
        server.until_closed()

    lab = over("plain", "session", shaken=False)
    wire = lab.play(script).greet()
    wire.close()
    lab.fake.finish()
    assert seen == ["imap"]


def test_T_S14_http_at_the_port(over: Over) -> None:
    """In clear where TLS is expected: closed without a word of IMAP."""
    lab = over("session", "plain")
    wire = lab.bare()
    wire.flood(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n")
    assert is_ciphertext(wire.rest())
    lab.log(r"SSLE-10[368]-W \S+ SIDE=CLIENT REASON=\S+")
    assert lab.connections() == 0


@SECURED
def test_T_S14_http_inside(over: Over, client: str) -> None:
    lab = over(client, "plain")
    wire = lab.client()
    wire.flood(b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\nAccept: */*\r\n\r\n" + b"a=b&c=d\r\n" * 20)
    assert wire.rest().count(b"BAD") <= 4
    assert lab.out() == b""


# T-S15: what TLS below would have to answer for


BOUND = [b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-1-PLUS", b"GSSAPI", b"GS2-KRB5-PLUS", b"NTLM", b"DIGEST-MD5"]


def _offering(names: bytes) -> bytes:
    return CAPABILITIES + b"".join(b" AUTH=" + name for name in names.split())


@pytest.mark.parametrize("legs", [("session", "plain"), ("plain", "session"), ("session", "session")])
def test_T_S15_channel_binding(over: Over, legs: tuple[str, str]) -> None:
    """It would bind to the proxy's TLS, not to the server's: hidden and refused."""

    def script(server: Session) -> None:
        server.say_hello(_offering(b" ".join(BOUND)))
        server.until_closed()

    lab = over(*legs)
    wire = lab.play(script).greet()
    names = wire.ok(b"CAPABILITY").one(b"* CAPABILITY") if b"CAPABILITY" not in wire.greeting else wire.greeting
    assert b"AUTH=PLAIN" in names
    assert b"-PLUS" not in names
    for name in BOUND:
        assert b"AUTH=" + name not in names
        assert wire.command(b"AUTHENTICATE " + name).tagged.startswith((b"NO [CANNOT] ", b"NO [NOPERM] "))
    wire.close()
    lab.fake.finish()
    assert b"AUTHENTICATE" not in lab.fake.seen


def test_T_S15_external_is_not_offered(over: Over) -> None:
    """The server would take the proxy's certificate for the client's."""

    def script(server: Session) -> None:
        server.say_hello(_offering(b"EXTERNAL"))
        server.until_closed()

    lab = over("session", "session")
    wire = lab.play(script).greet()
    assert b"EXTERNAL" not in wire.greeting
    assert wire.command(b"AUTHENTICATE EXTERNAL").tagged.startswith((b"NO [CANNOT] ", b"NO [NOPERM] "))
    assert wire.command(b"AUTHENTICATE EXTERNAL am9l").tagged.startswith((b"NO [CANNOT] ", b"NO [NOPERM] "))
    wire.close()
    lab.fake.finish()
    assert b"AUTHENTICATE" not in lab.fake.seen


def test_T_S15_external_where_the_operator_permits_it(over: Over) -> None:
    def script(server: Session) -> None:
        server.say_hello(_offering(b"EXTERNAL"))
        tag, text = server.wait_for(b"AUTHENTICATE")
        assert text == b"EXTERNAL am9l"
        server.send(tag + b" OK in\r\n")
        server.until_closed()

    wire = over("session", "session").play(script, command="sasl-external yes;").greet()
    assert b"AUTH=EXTERNAL" in wire.greeting
    wire.ok(b"AUTHENTICATE EXTERNAL am9l")


# T-S17: weak TLS, renegotiation, tickets


@SECURED
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_T_S17_old_versions(over: Over, client: str, version: str) -> None:
    context = client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with old_versions():
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    assert "PROTOCOL_VERSION" in refused(over(client, "plain"), context).upper().replace(" ", "_")


WEAK = ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AECDH-AES128-SHA"]
"""Without forward secrecy, by CBC, without authentication."""


@pytest.mark.parametrize("cipher", WEAK)
def test_T_S17_weak_ciphers(over: Over, cipher: str) -> None:
    context = client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    assert "HANDSHAKE_FAILURE" in refused(over("session", "plain"), context).upper().replace(" ", "_")


@SECURED
def test_T_S17_no_renegotiation(over: Over, client: str) -> None:
    """A client that begins a second handshake in the first one's connection gets none."""
    lab = over(client, "plain")
    wire = ready_for_tls(lab)
    end = RawEnd(False, TLS12)
    plain, said = end.pump(b"")
    wire.sock.sendall(said)
    while not end.handshake_done or (b"\r\n" not in plain and client == "session"):
        more, said = end.pump(wire.sock.recv(65536))
        plain += more
        wire.sock.sendall(said)
    wire.sock.sendall(end.seal(b"a NOOP\r\n"))
    while b"a OK" not in plain:
        plain += end.pump(wire.sock.recv(65536))[0]
    wire.sock.sendall(end.renegotiate())
    answer = wire.sock.recv(65536)
    # OpenSSL's end says so itself in an alert of level warning, and may go on in the old connection.
    assert answer[:1] in (b"\x15", b""), answer[:16]
    assert b"\x16\x03" not in answer[:2]


def resumed_at(lab: LegLab, ports: tuple[int, int], **config: object) -> tuple[bool, bool]:
    """Whether the session got at the first listener is resumed there, and at the second."""
    context = client_context()
    addresses = lab.proxy(**config).addresses
    first = lab.keep(Wire(addresses[ports[0]])).secure(context).greet()
    session = first.tls.session
    assert session is not None
    found = []
    for port in ports:
        again = lab.keep(Wire(addresses[port])).secure(context, session=session).greet()
        found.append(bool(again.tls.session_reused))
    return found[0], found[1]


@pytest.mark.parametrize("version", ["TLSv1-2", "TLSv1-3"])
def test_T_S17_ticket_of_another_listener(over: Over, version: str) -> None:
    limits = f"min-version {version}; max-version {version};"
    assert resumed_at(over("session", "plain"), (0, 1), listeners=2, sections=front(limits)) == (True, False)


OTHERS = """
  session-acl ONE { from [127.0.0.2]; accept; client-ssl-params OTHER session; PLUG }
  session-acl TWO { accept; client-ssl-params FRONT session; PLUG }
  command-acl ALL { accept; no-mail-scanning; }
"""


def test_T_S17_ticket_of_other_params(over: Over) -> None:
    """At the same listener; which section is in force depends on the client's address."""
    config = {"acls": OTHERS, "sections": front() + front(name="OTHER"), "client_tls": "session", "probe": False}
    lab = over("plain", "plain")
    context = client_context()
    address = lab.proxy(**config).address
    session = lab.keep(Wire(address)).secure(context).greet().tls.session
    found = [
        bool(lab.keep(Wire(address, source=source)).secure(context, session=session).greet().tls.session_reused)
        for source in ("127.0.0.1", "127.0.0.2")
    ]
    assert found == [True, False]


def test_T_S17_no_tickets_where_the_operator_wants_none(over: Over) -> None:
    lab = over("session", "plain")
    config = {"sections": front("session-tickets no;")}
    context = client_context()
    wire = lab.keep(lab.bare(**config)).secure(context).greet()
    wire.ok(b"NOOP")
    assert wire.tls.session is None or not wire.tls.session.has_ticket
    again = lab.keep(lab.bare(**config)).secure(context, session=wire.tls.session).greet()
    assert not again.tls.session_reused
    again.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
