"""A client's leg with TLS gone wrong: certificates, handshakes, records, ends. No octet of IMAP comes of it."""

from __future__ import annotations

import random
import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.e2e.fakeserver import Session
from tests.e2e.lab import PASSWORD
from tests.e2e.legs import LegLab, Over, front
from tests.e2e.pki import Identity, client_context, pki
from tests.e2e.raw_tls import (
    CERTIFICATE,
    CLIENT_HELLO,
    DATA,
    HANDSHAKE,
    client_hello,
    is_ciphertext,
    message,
    record,
    records,
)
from tests.e2e.wire import Wire, WireError

T = TypeVar("T")
SECURED = pytest.mark.parametrize("client", ["session", "command"])


def ready_for_tls(lab: LegLab, **config: object) -> Wire:
    """A connection where the client's next octets are those of TLS."""
    wire = lab.bare(**config)
    if lab.legs.client == "command":
        wire.greet().ok(b"STARTTLS")
    return wire


def failed(lab: LegLab, wire: Wire, reason: str = r"\S+", **config: object) -> None:
    """The session ended for its TLS; the server has not been connected to."""
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$", **config)
    lab.log(rf"SSLE-10[368]-W \S+ SIDE=CLIENT REASON=.*{reason}.* SESSION={number}$", **config)
    lab.log(rf"IMAP-702-I SESSION-END CLIENT=\S*:{wire.port} ", **config)
    assert lab.connections() == 0


def lives(lab: LegLab, **config: object) -> None:
    """Others are served as before."""
    lab.login(**config).ok(b"NOOP")


# certificates


REFUSED = {
    "expired": "certificate has expired",
    "early": "certificate is not yet valid",
    "stranger": "unable to get local issuer certificate",
    "self_signed": "self-signed certificate",
    "revoked": "certificate revoked",
    "for_servers": "(unsupported|unsuitable) certificate purpose",
    "far_below": "(certificate chain too long|unable to get local issuer certificate)",
    "nobody": "peer did not return a certificate",
}


def verifying(verify: str, who: str) -> dict[str, object]:
    crl = f'crl "{pki().crl}";' if who == "revoked" else ""
    return {"sections": front(f'ca-file "{pki().root.file}"; verify {verify}; {crl}')}


def shown(wire: Wire, who: str) -> Wire:
    """TLS as this client. In TLS 1.3 a client hears of a refusal only when it reads."""
    identity: Identity | None = getattr(pki(), who, None)
    return wire.secure(client_context(identity))


@SECURED
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("who", REFUSED)
def test_certificate_that_does_not_verify(over: Over, client: str, who: str, version: ssl.TLSVersion) -> None:
    lab = over(client, "plain")
    config = verifying("require", who)
    wire = ready_for_tls(lab, **config)
    context = client_context(getattr(pki(), who, None))
    context.maximum_version = version
    try:
        data = wire.secure(context).rest()
    except ssl.SSLError:
        data = b""
    else:
        assert wire.broken
    assert data == b""
    failed(lab, wire, REFUSED[who], **config)


@pytest.mark.parametrize("who", [who for who in REFUSED if who != "nobody"])
def test_certificate_that_is_only_asked_for(over: Over, who: str) -> None:
    """The handshake goes on; what is wrong stands in the log."""
    lab = over("session", "plain")
    config = verifying("request", who)
    wire = shown(lab.bare(**config), who).greet()
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$", **config)
    lab.log(rf'SSLE-102-I CERTIFICATE SIDE=CLIENT .* VERIFIED=NO ERROR="{REFUSED[who]}" SESSION={number}$', **config)


def test_certificate_that_is_larger_than_anyone_needs(over: Over) -> None:
    lab = over("session", "plain")
    config = verifying("require", "huge")
    wire = lab.bare(**config)
    try:
        data = shown(wire, "huge").rest()
    except OSError:
        data = b""
    assert data == b""
    failed(lab, wire, "(too much|excessive|says too much)", **config)


# what is no handshake


def test_client_without_tls_at_a_port_with_it(over: Over) -> None:
    lab = over("session", "plain")
    wire = lab.bare()
    wire.flood(b"a LOGIN joe " + PASSWORD + b"\r\n")
    assert is_ciphertext(wire.rest())
    failed(lab, wire)
    assert PASSWORD.decode() not in lab.logged()


def test_client_with_tls_at_a_port_without_it(over: Over) -> None:
    lab = over("plain", "plain")
    wire = lab.client()
    wire.flood(client_hello(client_context()))
    data = wire.rest()
    assert data.startswith(b"* BAD ")
    assert b"\x16\x03" not in data


GARBAGE = [
    b"\0" * 100,
    b"\xff" * 100,
    b"\x16\x03\x01\xff\xff" + b"\x01" * 1000,
    b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + b"\0" * 40,
    record(DATA, b"a NOOP\r\n"),
    record(HANDSHAKE, b""),
    record(HANDSHAKE, message(CERTIFICATE, b"\0\0\0")),
    record(HANDSHAKE, message(CLIENT_HELLO, b"\x03\x03" + b"\0" * 10)),
    record(21, b"\x02\x28"),
    record(20, b"\x01"),
    record(24, b"\x01\x40\x00" + b"x" * 20),
    record(HANDSHAKE, message(CLIENT_HELLO, b""), 0x0200),
]


@SECURED
@pytest.mark.parametrize("octets", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_instead_of_a_handshake(over: Over, client: str, octets: bytes) -> None:
    lab = over(client, "plain")
    wire = ready_for_tls(lab, proxy="login-timeout 2;")
    wire.flood(octets)
    assert is_ciphertext(wire.rest(8))
    failed(lab, wire, proxy="login-timeout 2;")


def test_random_octets(over: Over) -> None:
    lab = over("session", "plain")
    drawn = random.Random(20250101)
    for _ in range(30):
        wire = lab.bare(proxy="login-timeout 2;")
        wire.flood(drawn.randbytes(drawn.randrange(1, 4000)))
        wire.sock.shutdown(socket.SHUT_WR)
        assert is_ciphertext(wire.rest(8))
    lives(lab, proxy="login-timeout 2;")


def test_mutated_first_flights(over: Over) -> None:
    """A ClientHello with some octets changed: refused, or answered by the ServerHello that it asks for."""
    lab = over("session", "plain")
    good = client_hello(client_context())
    drawn = random.Random(20250102)
    for _ in range(60):
        octets = bytearray(good)
        for _ in range(drawn.choice((1, 2, 8))):
            octets[drawn.randrange(len(octets))] = drawn.randrange(256)
        wire = lab.bare(proxy="login-timeout 2;")
        wire.flood(bytes(octets))
        wire.sock.shutdown(socket.SHUT_WR)
        assert is_ciphertext(wire.rest(8))
    lives(lab, proxy="login-timeout 2;")


@SECURED
def test_handshake_that_is_cut_off(over: Over, client: str) -> None:
    """At each place of the first flight, then the end."""
    lab = over(client, "plain")
    whole = client_hello(client_context())
    for size in (1, 4, 5, 6, 100, len(whole) - 1, len(whole)):
        wire = ready_for_tls(lab)
        wire.send(whole[:size])
        wire.sock.shutdown(socket.SHUT_WR)
        assert is_ciphertext(wire.rest())
        failed(lab, wire, "closed by the client")
    lives(lab)


@pytest.mark.parametrize("announced", [100_000, 0xFFFFFF])
@SECURED
def test_giant_first_message(over: Over, client: str, announced: int) -> None:
    """A ClientHello of 16 MiB by its own word: given up long before it is here."""
    lab = over(client, "plain")
    proxy = lab.proxy()
    lives(lab)
    before = proxy.memory_kb()
    wire = ready_for_tls(lab)
    body = bytes((CLIENT_HELLO,)) + announced.to_bytes(3, "big") + b"\x03\x03" + b"\0" * min(announced, 2_000_000)
    wire.flood(records(HANDSHAKE, body))
    assert is_ciphertext(wire.rest())
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$")
    lab.log(rf"SSLE-10[368]-W \S+ SIDE=CLIENT REASON=.* SESSION={number}$")
    assert proxy.memory_kb() - before < 4096


def test_many_small_records(over: Over) -> None:
    """A message in records of one octet each; alerts of level warning without end."""
    lab = over("session", "plain")
    whole = client_hello(client_context())[5:]
    wire = lab.bare(proxy="login-timeout 2;")
    wire.flood(records(HANDSHAKE, whole, 1))
    wire.flood(record(21, b"\x01\x5a") * 5000)
    assert is_ciphertext(wire.rest(8))
    lives(lab, proxy="login-timeout 2;")


@pytest.mark.parametrize("item", ["login-timeout 2;", "idle-timeout 2;"])
def test_handshake_of_a_drip(over: Over, item: str) -> None:
    """One octet now and then: the limit is of the whole handshake."""
    lab = over("session", "plain")
    whole = client_hello(client_context())
    wire = lab.bare(proxy=item)
    began = time.monotonic()
    for octet in whole:
        wire.flood(bytes((octet,)))
        try:
            wire.quiet(0.2)
        except (WireError, ConnectionError):
            break
        assert time.monotonic() - began < 6
    assert 1.5 < time.monotonic() - began < 6
    failed(lab, wire, "no handshake in time", proxy=item)


def test_handshake_that_does_not_begin(over: Over) -> None:
    lab = over("command", "plain")
    wire = ready_for_tls(lab, proxy="login-timeout 2;")
    assert is_ciphertext(wire.rest(8))
    failed(lab, wire, "no handshake in time", proxy="login-timeout 2;")


@SECURED
def test_handshake_in_single_octets(over: Over, client: str) -> None:
    """Slow is not wrong."""
    lab = over(client, "plain")
    wire = ready_for_tls(lab)
    end = Tampered(wire, step=1)
    end.say(b"a LOGIN %s %s\r\n" % (lab.user().encode(), PASSWORD), b"a OK")


# once TLS is there


class Tampered:
    """A client whose records go through the test's hands, in segments of `step` octets."""

    def __init__(self, wire: Wire, step: int = 65536) -> None:
        self.wire = wire
        self.step = step
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.end = client_context().wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self._until(self.end.do_handshake)

    def _until(self, call: Callable[[], T]) -> T:
        while True:
            try:
                result = call()
            except ssl.SSLWantReadError:
                self._flush()
                chunk = self.wire.sock.recv(min(65536, self.step * 7))
                if not chunk:
                    raise WireError("closed") from None
                self.incoming.write(chunk)
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        self.wire.send_slowly(self.outgoing.read(), self.step)

    def say(self, text: bytes, answer: bytes) -> bytes:
        self.end.write(text)
        said = b""
        while answer not in said:
            said += self._until(lambda: self.end.read(65536))
        return said

    def sealed(self, text: bytes) -> bytes:
        """The records for a text; not sent."""
        self.end.write(text)
        return self.outgoing.read()

    def left(self) -> bytes:
        """What still comes, deciphered; the proxy closes."""
        self.incoming.write(self.wire.rest())
        said = b""
        try:
            while more := self.end.read(65536):
                said += more
        except ssl.SSLError:
            pass
        return said


@SECURED
@pytest.mark.parametrize("at", [0, 1, 3, 5, 9, -1])
def test_changed_record(over: Over, client: str, at: int) -> None:
    """One bit of a record is another: the session ends, and nothing of the record is done."""
    lab = over(client, "plain")
    client_end = Tampered(ready_for_tls(lab))
    client_end.say(b"a LOGIN %s %s\r\n" % (lab.user().encode(), PASSWORD), b"a OK")
    octets = bytearray(client_end.sealed(b"b CREATE changed\r\n"))
    octets[at] ^= 0x01
    client_end.wire.send(bytes(octets))
    client_end.wire.sock.shutdown(socket.SHUT_WR)
    said = client_end.left()
    assert b"b OK" not in said
    lab.log(rf"IMAP-702-I SESSION-END CLIENT=\S*:{client_end.wire.port} ")
    assert b"changed" not in lab.out()
    lives(lab)


def test_record_twice(over: Over) -> None:
    lab = over("session", "plain")
    end = Tampered(ready_for_tls(lab))
    end.say(b"a LOGIN %s %s\r\n" % (lab.user().encode(), PASSWORD), b"a OK")
    end.wire.send(end.sealed(b"b CREATE once\r\n") * 2)
    end.left()
    lab.log(r"SSLE-10[368]-W \S+ SIDE=CLIENT REASON=.*bad record mac")
    assert lab.out().count(b"CREATE") <= 1


@SECURED
def test_octets_in_clear_inside(over: Over, client: str) -> None:
    lab = over(client, "plain")
    end = Tampered(ready_for_tls(lab))
    end.say(b"a LOGIN %s %s\r\n" % (lab.user().encode(), PASSWORD), b"a OK")
    end.wire.send(b"b CREATE clear\r\n")
    end.left()
    lab.log(r"SSLE-10[368]-W \S+ SIDE=CLIENT REASON=\S+")
    assert b"clear" not in lab.out()


def test_oversized_record(over: Over) -> None:
    lab = over("session", "plain")
    end = Tampered(ready_for_tls(lab))
    end.say(b"a NOOP\r\n", b"a OK")
    end.wire.flood(record(DATA, b"x" * 20_000))
    end.left()
    lab.log(r"SSLE-10[368]-W \S+ SIDE=CLIENT REASON=\S+")


# ends


def ended(lab: LegLab, wire: Wire) -> str:
    """The log of the session up to its end, when the server's leg is gone too."""
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$")
    lab.log(rf"IMAP-888-I .* SESSION={number}$")
    assert lab.tap.recordings[-1].closed.wait(5)
    return "\n".join(line for line in lab.logged().splitlines() if line.endswith(f"SESSION={number}"))


@SECURED
def test_client_that_ends_well(over: Over, client: str) -> None:
    lab = over(client, "plain")
    wire = lab.login()
    wire.tls.settimeout(5)
    wire.tls.unwrap().close()
    assert "SSLE-105" not in ended(lab, wire)


@SECURED
def test_client_that_is_cut_off(over: Over, client: str) -> None:
    """FIN without close_notify."""
    lab = over(client, "plain")
    wire = lab.login()
    wire.sock.shutdown(socket.SHUT_WR)
    assert "SSLE-105-D TRUNCATED SIDE=CLIENT" in ended(lab, wire)


def test_client_that_resets(over: Over) -> None:
    lab = over("session", "plain")
    wire = lab.login()
    wire.vanish()
    assert "SSLE-105-D TRUNCATED SIDE=CLIENT" in ended(lab, wire)


def test_check_of_the_port(over: Over) -> None:
    """Who connects and says nothing is no warning."""
    lab = over("session", "plain")
    wire = lab.bare()
    wire.sock.shutdown(socket.SHUT_WR)
    wire.rest()
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$")
    lab.log(rf"SSLE-103-D HANDSHAKE-FAILED SIDE=CLIENT REASON=.*closed by the client.* SESSION={number}$")


@SECURED
def test_logout_ends_in_close_notify(over: Over, client: str) -> None:
    wire = over(client, "plain").login()
    wire.send(b"a LOGOUT\r\n")
    assert b"a OK" in wire.rest()
    assert not wire.broken


@SECURED
def test_refusal_ends_in_close_notify(over: Over, client: str) -> None:
    """A BYE that is cut off could be anybody's doing."""
    lab = over(client, "plain")
    wire = lab.client()
    wire.send(b"a NOOP\nb NOOP\r\n")
    assert b"* BYE" in wire.rest()
    assert not wire.broken


def test_cut_off_in_the_midst_of_an_upload(over: Over) -> None:
    """Half a mail is no mail."""
    lab = over("session", "plain")
    user = lab.user()
    wire = lab.login(user)
    wire.send(b"a APPEND INBOX {1000+}\r\n" + b"x" * 500)
    lab.wait_out(b"APPEND")
    wire.sock.shutdown(socket.SHUT_WR)
    assert "SSLE-105-D" in ended(lab, wire)
    assert b"MESSAGES 0" in lab.direct(user).ok(b"STATUS INBOX (MESSAGES)").untagged[0]


def test_end_of_the_server_ends_tls(over: Over) -> None:
    def script(server: Session) -> None:
        server.let_in()

    wire = over("session", "plain").fake_login(script)
    assert wire.rest().startswith(b"* BYE [UNAVAILABLE] ")
    assert not wire.broken
