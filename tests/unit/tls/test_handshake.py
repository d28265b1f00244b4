"""Handshakes in both roles, however their bytes are cut."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from imap4fast._wire import Tls
from tests.unit.tls.ends import (
    NAME,
    TLS12,
    TLS13,
    End,
    PythonEnd,
    authority,
    client_context,
    from_leg,
    join,
    python_context,
    server_context,
    server_pair,
    to_leg,
)

VERSIONS = {TLS12: "TLSv1.2", TLS13: "TLSv1.3"}


@pytest.mark.parametrize("version", VERSIONS)
def test_client_leg(version: int) -> None:
    leg, end = to_leg(version)
    assert leg.handshake_done
    assert end.handshake_done
    assert (leg.version, leg.cipher) == (VERSIONS[version], end.tls.cipher()[0])  # type: ignore[index]
    assert (leg.resumed, leg.sni, leg.alpn, leg.fault_reason) == (False, NAME.encode(), None, None)
    assert (leg.peer_certificate, leg.peer_chain, leg.verify_error) == (None, (), None)


@pytest.mark.parametrize("version", VERSIONS)
def test_server_leg(version: int) -> None:
    leg, end = from_leg(version)
    assert leg.handshake_done
    assert end.handshake_done
    assert leg.version == VERSIONS[version] == end.tls.version()
    assert leg.peer_certificate == server_pair().der
    # Python's server sends what it trusts, too.
    assert leg.peer_chain == (server_pair().der, authority().der)
    assert leg.verify_error is None


def both(role: str, version: int) -> tuple[End, End]:
    """Client, server; our leg is the one that `role` names."""
    if role == "server":
        return PythonEnd(python_context(False, version), False), Tls(server_context())
    leg = Tls(client_context())
    leg.set_server_name(NAME.encode())
    return leg, PythonEnd(python_context(True, version), True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", ["client", "server"])
def test_byte_by_byte(role: str, version: int) -> None:
    client, server = both(role, version)
    leg, end = (server, client) if role == "server" else (client, server)
    said = client.pump(b"")[1] if client is end else b""
    first = leg.pump(b"")[1]
    said = said or end.pump(first)[1]
    while said:
        answer = b"".join(leg.pump(bytes((octet,)))[1] for octet in said)
        said = end.pump(answer)[1] if answer else b""
    assert leg.handshake_done
    assert end.handshake_done


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", ["client", "server"])
def test_every_split_of_the_first_flight(role: str, version: int) -> None:
    contexts = server_context(), client_context()
    theirs = python_context(role == "client", version)
    size, at = 1 << 30, 0
    while at < size:
        end = PythonEnd(theirs, role == "client")
        leg = Tls(contexts[role == "client"])
        if role == "client":
            leg.set_server_name(NAME.encode())
        flight = end.pump(leg.pump(b"")[1])[1]
        answer = leg.pump(flight[:at])[1] + leg.pump(flight[at:])[1]
        assert not leg.faulted
        more = leg.pump(end.pump(answer)[1])[1]
        end.pump(more)
        assert leg.handshake_done
        assert end.handshake_done
        size, at = len(flight), at + 1 if at < 16 or at > len(flight) - 16 else at + 7


def test_nothing_is_said_or_read_before_the_handshake() -> None:
    leg = Tls(server_context())
    assert leg.seal(b"x") == b""
    assert leg.close() == b""
    assert leg.pump(b"") == (b"", b"")
    assert (leg.version, leg.cipher, leg.handshake_done) == (None, None, False)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "http request"),
        (b"a1 LOGIN jana secret\r\n", "wrong version number"),
        (b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff", "excessive message size"),
        (b"\x16\x03\x01\xff\xff" + b"x" * 20, "packet length too long"),
        (b"\x17\x03\x03\x00\x01x", "unexpected message"),
    ],
    ids=["http", "imap", "huge-hello", "long-record", "data"],
)
def test_garbage(said: bytes, reason: str) -> None:
    leg = Tls(server_context())
    leg.pump(said)
    assert (leg.handshake_done, leg.faulted, leg.fault_reason) == (False, True, reason)
    assert leg.pump(b"more") == (b"", b"")


def test_garbage_from_a_server() -> None:
    leg = Tls(client_context())
    leg.set_server_name(NAME.encode())
    assert leg.pump(b"")[1]
    leg.pump(b"* OK IMAP4rev1 ready\r\n")
    assert leg.fault_reason == "wrong version number"


def test_a_hello_without_an_end() -> None:
    """Fragments of one octet, of a message that may be long; and warnings without end."""
    leg = Tls(server_context())
    leg.pump(b"\x16\x03\x01\x00\x04\x01\x01\x00\x00")
    said = 0
    while not leg.faulted and said < 1 << 20:
        leg.pump(b"\x16\x03\x01\x00\x01x" * 100)
        said += 600
    assert leg.faulted
    assert said <= 140000


def test_no_version_in_common() -> None:
    leg, end = to_leg(TLS12, server_context(min_version=TLS13))
    assert leg.fault_reason == "unsupported protocol"
    assert isinstance(end.error, ssl.SSLError)
    assert "PROTOCOL_VERSION" in str(end.error).upper().replace(" ", "_")


def test_no_cipher_in_common() -> None:
    context = server_context(ciphers=b"ECDHE-ECDSA-CHACHA20-POLY1305", max_version=TLS12)
    theirs = python_context(False, TLS12)
    theirs.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    leg = Tls(context)
    end = PythonEnd(theirs, False)
    join(end, leg)
    assert leg.fault_reason == "no shared cipher"
    assert end.error is not None


def test_strength_that_was_asked_for() -> None:
    context = server_context(ciphersuites=b"TLS_CHACHA20_POLY1305_SHA256", groups=b"X25519")
    leg, _ = to_leg(TLS13, context)
    assert leg.cipher == "TLS_CHACHA20_POLY1305_SHA256"
    context = server_context(ciphers=b"ECDHE-ECDSA-CHACHA20-POLY1305")
    leg, _ = to_leg(TLS12, context)
    assert leg.cipher == "ECDHE-ECDSA-CHACHA20-POLY1305"


def test_group_not_in_common() -> None:
    theirs = python_context(False, TLS13)
    theirs.set_ecdh_curve("prime256v1")
    leg = Tls(server_context(groups=b"X25519"))
    end = PythonEnd(theirs, False)
    join(end, leg)
    assert leg.fault_reason == "no suitable key share"


@pytest.mark.parametrize("security_level", [0, 2])
def test_old_versions_need_a_low_level(security_level: int) -> None:
    """OpenSSL 3 speaks TLS 1.0 at level 0 alone."""
    items: dict[str, Any] = {
        "min_version": 0x0301,
        "max_version": 0x0301,
        "security_level": security_level,
        "ciphers": b"DEFAULT",
    }
    client, server = Tls(client_context(**items)), Tls(server_context(**items))
    client.set_server_name(NAME.encode())
    join(client, server)
    assert client.version == server.version == ("TLSv1" if security_level == 0 else None)
