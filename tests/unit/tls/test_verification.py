"""Certificates of the other side: none, asked for, required; and all that can be wrong with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from imap4fast._wire import Tls, TlsContext
from tests.unit.tls.certificates import Authority, Pair, self_signed
from tests.unit.tls.ends import (
    NAME,
    TLS12,
    TLS13,
    PythonEnd,
    authority,
    client_context,
    client_pair,
    from_leg,
    join,
    python_context,
    server_context,
    server_pair,
    to_leg,
)

VERSIONS = [TLS12, TLS13]
NAMES = (NAME,)


def long_chain() -> Pair:
    above = authority()
    for number in range(4):
        above = Authority(f"CA {number}", above)
    return above.issue("deep", NAMES)


BAD: dict[str, tuple[Callable[[], Pair], str]] = {
    "wrong-ca": (lambda: Authority("Other CA").issue("eve", NAMES), "unable to get local issuer certificate"),
    "expired": (lambda: authority().issue("late", NAMES, starts=-9, ends=-2), "certificate has expired"),
    "early": (lambda: authority().issue("soon", NAMES, starts=2), "certificate is not yet valid"),
    "self-signed": (lambda: self_signed("alone", NAMES), "self-signed certificate"),
    "forged": (lambda: Authority("Test CA").issue("forged", NAMES), "certificate signature failure"),
    "long-chain": (long_chain, "certificate chain too long"),
}
FOR_CLIENTS = {
    **BAD,
    "for-servers": (lambda: authority().issue("x", client=False), "unsuitable certificate purpose"),
}
FOR_SERVERS = {
    **BAD,
    "for-clients": (lambda: authority().issue("x", NAMES, server=False), "unsuitable certificate purpose"),
    "other-name": (lambda: authority().issue(NAME, ("other.example.org",)), "hostname mismatch"),
    "subject-only": (lambda: authority().issue(NAME), "hostname mismatch"),
    "partial-wildcard": (lambda: authority().issue("x", ("ma*.example.org",)), "hostname mismatch"),
}
DEPTH = 2


def asking(verify: int, **items: Any) -> TlsContext:
    return server_context(ca=(authority().pem,), verify=verify, depth=DEPTH, **items)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("verify", [1, 2])
def test_a_good_client(version: int, verify: int) -> None:
    leg, _ = to_leg(version, asking(verify), pair=client_pair())
    assert (leg.handshake_done, leg.verify_error) == (True, None)
    # Python's client sends what it trusts, too.
    assert (leg.peer_certificate, leg.peer_chain) == (client_pair().der, (client_pair().der, authority().der))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_chain_with_one_between(version: int) -> None:
    between = Authority("Between", authority())
    pair = between.issue("ann")
    leg, _ = to_leg(version, asking(2), pair=pair)
    assert leg.peer_chain == (pair.der, between.der)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_without_a_certificate(version: int) -> None:
    leg, _ = to_leg(version, asking(1))
    assert (leg.handshake_done, leg.peer_certificate, leg.verify_error) == (True, None, None)
    leg, end = to_leg(version, asking(2))
    assert (leg.handshake_done, leg.fault_reason) == (False, "peer did not return a certificate")
    assert end.error is not None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_is_not_asked(version: int) -> None:
    leg, _ = to_leg(version, server_context(ca=(authority().pem,)), pair=BAD["wrong-ca"][0]())
    assert (leg.handshake_done, leg.peer_certificate, leg.verify_error) == (True, None, None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", FOR_CLIENTS)
def test_a_bad_client(what: str, version: int) -> None:
    make, why = FOR_CLIENTS[what]
    pair = make()
    leg, end = to_leg(version, asking(2), pair=pair)
    assert (leg.handshake_done, leg.fault_reason, leg.verify_error) == (False, "certificate verify failed", why)
    assert end.error is not None
    leg, _ = to_leg(version, asking(1), pair=pair)
    assert (leg.handshake_done, leg.peer_certificate, leg.verify_error) == (True, pair.der, why)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", FOR_SERVERS)
def test_a_bad_server(what: str, version: int) -> None:
    make, why = FOR_SERVERS[what]
    pair = make()
    leg, end = from_leg(version, client_context(depth=DEPTH), pair=pair)
    assert (leg.handshake_done, leg.fault_reason, leg.verify_error) == (False, "certificate verify failed", why)
    assert end.error is not None
    leg, _ = from_leg(version, client_context(depth=DEPTH, verify=1), pair=pair)
    assert (leg.handshake_done, leg.peer_certificate, leg.verify_error) == (True, pair.der, why)
    leg, _ = from_leg(version, client_context(verify=0), pair=pair)
    assert (leg.handshake_done, leg.peer_certificate, leg.verify_error) == (True, pair.der, None)


@pytest.mark.parametrize(
    ("name", "good"), [("127.0.0.1", True), ("::1", True), ("0:0:0::1", True), ("127.0.0.2", False)]
)
def test_an_address(name: str, good: bool) -> None:
    leg, _ = from_leg(TLS13, name=name)
    assert leg.handshake_done == good
    assert leg.verify_error == (None if good else "IP address mismatch")


def test_a_server_by_wildcard() -> None:
    leg, _ = from_leg(TLS13, pair=authority().issue("x", ("*.example.org",)))
    assert leg.handshake_done


def test_a_server_whose_name_does_not_count() -> None:
    leg, end = Tls(client_context()), PythonEnd(python_context(True), True)
    leg.set_server_name(b"other.example.org", False)
    join(leg, end)
    assert (leg.handshake_done, leg.verify_error) == (True, None)


def test_several_faults_are_told_by_the_first() -> None:
    pair = Authority("Other CA").issue("eve", ("elsewhere.example.org",), starts=-9, ends=-2)
    leg, _ = from_leg(TLS13, client_context(verify=1), pair=pair)
    assert leg.verify_error == "unable to get local issuer certificate"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_revoked_client(version: int) -> None:
    good, bad = client_pair(), authority().issue("left")
    context = asking(2, crl=(authority().revoked(bad),))
    leg, _ = to_leg(version, context, pair=good)
    assert leg.handshake_done
    leg, _ = to_leg(version, context, pair=bad)
    assert (leg.fault_reason, leg.verify_error) == ("certificate verify failed", "certificate revoked")


def test_a_revoked_server() -> None:
    leg, _ = from_leg(TLS13, client_context(crl=(authority().revoked(server_pair()),)))
    assert leg.verify_error == "certificate revoked"


def test_every_issuer_needs_its_list() -> None:
    between = Authority("Between", authority())
    pair = between.issue("ann")
    leg, _ = to_leg(TLS13, asking(2, crl=(authority().revoked(),)), pair=pair)
    assert leg.verify_error == "unable to get certificate CRL"
    leg, _ = to_leg(TLS13, asking(2, crl=(authority().revoked() + between.revoked(),)), pair=pair)
    assert leg.handshake_done


@pytest.mark.parametrize("version", VERSIONS)
def test_our_certificate_towards_a_server(version: int) -> None:
    pair = client_pair()
    theirs = asking(2, min_version=version, max_version=version)
    ours = Tls(client_context(certificate=pair.chain, private_key=pair.key))
    ours.set_server_name(NAME.encode())
    end = Tls(theirs)
    join(ours, end)
    assert (ours.handshake_done, end.peer_certificate) == (True, pair.der)


@pytest.mark.parametrize(("version", "done"), [(TLS12, False), (TLS13, True)])
def test_a_server_refuses_us(version: int, done: bool) -> None:
    """In TLS 1.3 our handshake is done before the server has looked."""
    pair = Authority("Other CA").issue("eve")
    ours = Tls(client_context(certificate=pair.chain, private_key=pair.key))
    ours.set_server_name(NAME.encode())
    join(ours, Tls(asking(2, min_version=version, max_version=version)))
    assert (ours.handshake_done, ours.fault_reason) == (done, "tlsv1 alert unknown ca")
