"""A server's leg with TLS gone wrong: what the server shows, how it shakes hands, how it ends.

The client gets one `* BYE` in plain words, the log which check failed; the server never hears of a login.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
import warnings
from contextlib import suppress

import pytest

from tests.e2e.fakeserver import CAPABILITIES, Script, Session
from tests.e2e.lab import PASSWORD
from tests.e2e.legs import WAYS, LegLab, Over, back, shows
from tests.e2e.pki import Identity, pki, server_context
from tests.e2e.raw_tls import CERTIFICATE, HANDSHAKE, SERVER_HELLO, message, record, records
from tests.e2e.wire import Wire, WireError

CLIENTS = pytest.mark.parametrize("client", WAYS)
FAULT = r"SSLE-10[368]-W \S+"
"""HANDSHAKE-FAILED, STARTTLS-FAILED or TLS-BROKEN."""

SECURED = pytest.mark.parametrize("server", ["session", "command"])


def before_tls(session: Session, way: str) -> None:
    """Up to where the server's next octets are those of TLS."""
    if way == "command":
        session.send(b"* OK ready\r\n")
        tag, _ = session.wait_for(b"STARTTLS")
        session.send(tag + b" OK begin TLS\r\n")


def serving(way: str, context: ssl.SSLContext) -> Script:
    """A server that lets in by TLS."""

    def script(session: Session) -> None:
        before_tls(session, way)
        session.accept_tls(context)
        if way == "session":
            session.say_hello()
        with suppress(WireError):  # the proxy may have seen enough
            tag, _ = session.wait_for(b"LOGIN")
            session.send(tag + b" OK [CAPABILITY " + CAPABILITIES + b"] in\r\n")
            session.until_closed()

    return script


def saying(way: str, octets: bytes, *, close: bool = True) -> Script:
    """A server that says this in place of its half of the handshake."""

    def script(session: Session) -> None:
        before_tls(session, way)
        session.take(5)
        session.flood(octets)
        if close:
            session.sock.shutdown(socket.SHUT_WR)
        session.until_closed()

    return script


def turned_away(wire: Wire) -> None:
    """A BYE and a clean end; before it at most the proxy's own greeting."""
    data = wire.rest(15)
    assert re.fullmatch(rb"(\* OK \[CAPABILITY [^\r]*\] ready\r\n)?\* BYE \[UNAVAILABLE\] [ -~]+\r\n", data), data
    assert not wire.broken


def failed(lab: LegLab, reason: str, **config: object) -> None:
    lab.log(rf"{FAULT} SIDE=SERVER REASON=.*{reason}", plug=(lab.fake.address,), **config)
    lab.fake.finish()
    assert b"LOGIN" not in lab.fake.seen
    assert PASSWORD not in lab.fake.seen


# what it shows


REFUSED = {
    "expired": "certificate has expired",
    "early": "certificate is not yet valid",
    "other_name": "(hostname|IP address) mismatch",
    "stranger": "unable to get local issuer certificate",
    "self_signed": "self-signed certificate",
    "revoked": "certificate revoked",
    "for_clients": "(unsupported|unsuitable) certificate purpose",
    "far_below": "(certificate chain too long|unable to get local issuer certificate)",
}


def verifying(who: str, items: str = "") -> dict[str, object]:
    crl = f'crl "{pki().crl}";' if who == "revoked" else ""
    return {"sections": back(crl + items)}


@CLIENTS
@SECURED
@pytest.mark.parametrize("who", REFUSED)
def test_certificate_that_does_not_verify(over: Over, client: str, server: str, who: str) -> None:
    lab = over(client, server, shaken=False)
    identity: Identity = getattr(pki(), who)
    wire = lab.play(serving(server, server_context(identity)), **verifying(who))
    turned_away(wire)
    failed(lab, REFUSED[who], **verifying(who))


@SECURED
@pytest.mark.parametrize("who", ["expired", "other_name", "stranger", "self_signed"])
def test_certificate_that_nobody_verifies(over: Over, server: str, who: str) -> None:
    """Where the operator says so."""
    lab = over("plain", server, shaken=False)
    config = verifying(who, "verify none;")
    wire = lab.play(serving(server, server_context(getattr(pki(), who))), **config).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)


@SECURED
@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("mail.example.net", True),
        ("MAIL.example.NET", True),
        ("localhost", True),
        ("other.example.net", False),
        ("127.0.0.1", True),
        ("192.0.2.9", False),
    ],
)
def test_server_name(over: Over, server: str, name: str, good: bool) -> None:
    """It is sent where it is a name, and verified."""
    asked: list[str | None] = []
    context = server_context()
    context.sni_callback = lambda sock, asked_name, _: asked.append(asked_name)
    lab = over("plain", server, shaken=False)
    config = {"sections": back(f'server-name "{name}";')}
    wire = lab.play(serving(server, context), **config)
    if good:
        wire.greet().ok(b"LOGIN joe " + PASSWORD)
    else:
        turned_away(wire)
        failed(lab, "mismatch", **config)
    assert [text and text.lower() for text in asked] == [name.lower() if name[0].isalpha() else None]


def test_name_of_plug_to(over: Over) -> None:
    """Written as a name in plug-to it is what the certificate must bear."""
    for identity, good in ((pki().server, True), (pki().other_name, False)):
        lab = over("plain", "session", shaken=False)
        acls = (
            f"session-acl IN {{ accept; plug-to localhost : {lab.fake.address[1]}; }}"
            " command-acl ALL { accept; no-mail-scanning; }"
        )
        wire = lab.play(serving("session", server_context(identity)), acls=acls)
        if good:
            wire.greet().ok(b"LOGIN joe " + PASSWORD)
            wire.close()
        else:
            turned_away(wire)


@SECURED
def test_server_that_wants_a_certificate(over: Over, server: str) -> None:
    context = server_context(clients=pki().root.file)
    lab = over("session", server, shaken=False)
    config = {"sections": back(shows(pki().staff))}
    lab.play(serving(server, context), **config).greet().ok(b"LOGIN joe " + PASSWORD)


@SECURED
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_server_that_wants_a_certificate_and_gets_none(over: Over, server: str, version: ssl.TLSVersion) -> None:
    """In TLS 1.3 the refusal comes after the handshake."""
    context = server_context(clients=pki().root.file)
    context.maximum_version = version
    lab = over("plain", server, shaken=False)
    turned_away(lab.play(serving(server, context)))
    reasons = "handshake failure|certificate required"
    if version is ssl.TLSVersion.TLSv1_3 and server == "command":
        reasons += "|had asked for a certificate"  # our next words may have reset the connection: the alert is lost
    lab.log(rf"{FAULT} SIDE=SERVER REASON=.*({reasons})", plug=(lab.fake.address,))


# handshakes


HELLO_OF_SSL3 = record(HANDSHAKE, message(SERVER_HELLO, b"\x03\x00" + b"\x11" * 32 + b"\0\0\x35\0"), 0x0300)
ODD = {
    "nothing": (b"", "closed by the server"),
    "greeting": (b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n", r"wrong.version.number"),
    "preauth": (b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n", r"wrong.version.number"),
    "http": (b"HTTP/1.1 400 Bad Request\r\n\r\n", r"\S+"),
    "zeros": (b"\0" * 100, r"\S+"),
    "ones": (b"\xff" * 100, r"\S+"),
    "alert": (record(21, b"\x02\x28"), r"handshake failure"),
    "unknown-alert": (record(21, b"\x02\xee"), r"\S+"),
    "half-a-record": (b"\x16\x03\x03\x00\x50\x02\x00", "closed by the server"),
    "old-hello": (HELLO_OF_SSL3, r"\S+"),
    "no-hello": (record(HANDSHAKE, message(CERTIFICATE, b"\0\0\0")), r"unexpected message"),
    "data": (record(23, b"* OK ready\r\n"), r"\S+"),
    "oversized": (b"\x16\x03\x03\xff\xff" + b"x" * 70000, r"\S+"),
    "giant": (records(HANDSHAKE, b"\x02\xff\xff\xff" + b"x" * 500_000), r"\S+"),
    "warnings": (record(21, b"\x01\x5a") * 5000, r"\S+"),
}


@SECURED
@pytest.mark.parametrize("what", ODD)
def test_no_handshake(over: Over, server: str, what: str) -> None:
    octets, reason = ODD[what]
    lab = over("plain", server, shaken=False)
    turned_away(lab.play(saying(server, octets)))
    failed(lab, reason)


@CLIENTS
def test_server_that_closes_at_once(over: Over, client: str) -> None:
    lab = over(client, "session", shaken=False)
    turned_away(lab.play(lambda session: None))
    lab.log(r"IMAP-702-I SESSION-END ", plug=(lab.fake.address,))


@SECURED
@pytest.mark.parametrize("way", ["fin", "reset"])
def test_server_that_closes_in_the_handshake(over: Over, server: str, way: str) -> None:
    def script(session: Session) -> None:
        before_tls(session, server)
        session.take(5)
        if way == "reset":
            session.vanish()

    lab = over("session", server, shaken=False)
    turned_away(lab.play(script))
    failed(lab, "closed by the server")


@SECURED
def test_flight_that_is_cut_off(over: Over, server: str) -> None:
    """The server's first flight, real, up to some octet."""
    for size in (1, 5, 60, 200, 500):

        def script(session: Session, size: int = size) -> None:
            before_tls(session, server)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            end = server_context().wrap_bio(incoming, outgoing, server_side=True)
            while not outgoing.pending:
                incoming.write(session.sock.recv(65536))
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
            session.flood(outgoing.read()[:size])

        lab = over("plain", server, shaken=False)
        turned_away(lab.play(script))
        failed(lab, "closed by the server")


@SECURED
def test_server_that_does_not_shake(over: Over, server: str) -> None:
    """recv-timeout bounds the wait for handshake and greeting."""
    config = {"proxy": "server-conn { recv-timeout 2; }"}
    lab = over("plain", server, shaken=False)
    began = time.monotonic()
    wire = lab.play(saying(server, b"\x16", close=False), **config)
    turned_away(wire)
    assert 1.5 < time.monotonic() - began < 6


@SECURED
def test_server_that_drips(over: Over, server: str) -> None:
    """One octet of its flight now and then is no handshake either."""
    config = {"proxy": "server-conn { recv-timeout 2; }"}

    def script(session: Session) -> None:
        before_tls(session, server)
        session.take(5)  # octets that stand behind the answer to STARTTLS are another fault
        session.send_slowly(b"\x16\x03\x03\x00\x50" + b"\x02" * 60, 1, 0.25)

    lab = over("plain", server, shaken=False)
    began = time.monotonic()
    turned_away(lab.play(script, **config))
    assert 1.5 < time.monotonic() - began < 7


@SECURED
def test_old_server(over: Over, server: str) -> None:
    context = server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    lab = over("plain", server, shaken=False)
    turned_away(lab.play(serving(server, context)))
    failed(lab, "protocol version")


# once TLS is there


def test_greeting_that_does_not_come(over: Over) -> None:
    """TLS is there, IMAP is not."""

    def script(session: Session) -> None:
        session.accept_tls(server_context())
        session.until_closed()

    lab = over("session", "session", shaken=False)
    turned_away(lab.play(script, proxy="server-conn { recv-timeout 2; }"))


@pytest.mark.parametrize("way", ["fin", "reset", "close_notify"])
def test_server_that_ends(over: Over, way: str) -> None:
    """Only close_notify is an end that the server meant."""

    def script(session: Session) -> None:
        session.accept_tls(server_context())
        session.let_in()
        session.wait_for(b"NAMESPACE")
        if way == "close_notify":
            session.tls.unwrap()
        elif way == "fin":
            session.sock.shutdown(socket.SHUT_WR)
        else:
            session.vanish()

    lab = over("session", "session", shaken=False)
    wire = lab.play(script).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)
    wire.ok(b"NOOP")
    wire.send(b"a NAMESPACE\r\n")
    assert wire.rest().startswith(b"* BYE [UNAVAILABLE] ")
    assert not wire.broken
    config = {"plug": (lab.fake.address,)}
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$", **config)
    lab.log(rf"IMAP-888-I .* SESSION={number}$", **config)
    cut = f"TRUNCATED SIDE=SERVER SESSION={number}\n" in lab.logged(**config)
    assert cut == (way != "close_notify")


def test_mail_that_is_cut_off(over: Over) -> None:
    """Half a literal, then FIN: the client does not get the end of a unit."""

    def script(session: Session) -> None:
        session.accept_tls(server_context())
        session.let_select()
        session.wait_for(b"FETCH")
        session.send(b"* 1 FETCH (BODY[] {1000}\r\n" + b"x" * 500)
        session.sock.shutdown(socket.SHUT_WR)
        session.until_closed()

    lab = over("session", "session", shaken=False)
    wire = lab.play(script).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)
    wire.ok(b"SELECT INBOX")
    wire.send(b"a FETCH 1 BODY[]\r\n")
    data = wire.rest()
    assert b"a OK" not in data
    assert b")" not in data
    lab.log(r"SSLE-105-D TRUNCATED SIDE=SERVER", plug=(lab.fake.address,))


@pytest.mark.parametrize("octets", [b"* 1 FETCH (FLAGS (evil))\r\n", record(23, b"x" * 40), record(23, b"x" * 20_000)])
def test_octets_that_are_not_of_tls(over: Over, octets: bytes) -> None:
    def script(session: Session) -> None:
        session.accept_tls(server_context())
        session.let_in()
        session.wait_for(b"NAMESPACE")
        below = socket.socket(fileno=session.sock.detach())
        with below:
            below.sendall(octets)
            below.settimeout(5)
            while below.recv(65536):
                pass

    lab = over("session", "session", shaken=False)
    wire = lab.play(script).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)
    wire.send(b"a NAMESPACE\r\n")
    data = wire.rest()
    assert data.startswith(b"* BYE [UNAVAILABLE] "), data
    assert b"evil" not in data
    assert not wire.broken
    lab.log(rf"{FAULT} SIDE=SERVER REASON=\S+", plug=(lab.fake.address,))


def test_sessions_with_servers_are_resumed(over: Over) -> None:
    context = server_context()
    lab = over("plain", "session", shaken=False)
    for _ in range(3):
        wire = lab.play(serving("session", context)).greet()
        wire.ok(b"LOGIN joe " + PASSWORD)
        wire.close()
    found = lab.log(r"SSLE-101-I TLS SIDE=SERVER .* RESUMED=(\w+) ", 3, plug=(lab.fake.address,))
    assert found[-1] == "YES"


def test_resumed_session_is_judged_by_the_certificate(over: Over) -> None:
    """server-cert-match looks at the certificate of the session that goes on."""
    context = server_context()
    lab = over("plain", "session", shaken=False)
    sections = back() + "ssl-cert-match OURS { common-name mail.example.net; }\n"
    config = {"sections": sections, "command": "server-cert-match OURS;"}
    for _ in range(2):
        wire = lab.play(serving("session", context), **config).greet()
        wire.ok(b"LOGIN joe " + PASSWORD)
        wire.close()
    assert lab.log(r"TLS SIDE=SERVER .* RESUMED=(\w+) ", 2, plug=(lab.fake.address,), **config)[-1] == "YES"
