"""ALPN, and the certificate that a client's server name chooses."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from imap4fast._wire import Tls, TlsContext
from tests.unit.tls.certificates import Authority, Pair
from tests.unit.tls.ends import (
    NAME,
    TLS12,
    TLS13,
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

VERSIONS = [TLS12, TLS13]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("offered", [("imap",), ("http/1.1", "imap")])
def test_alpn(version: int, offered: tuple[str, ...]) -> None:
    leg, end = to_leg(version, alpn=offered)
    assert (leg.alpn, end.tls.selected_alpn_protocol()) == (b"imap", "imap")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("offered", [("http/1.1", "h2"), ("imap4",), ("ima", "p"), ("managesieve",)])
def test_a_foreign_alpn_is_refused(version: int, offered: tuple[str, ...]) -> None:
    """T-S14."""
    leg, end = to_leg(version, alpn=offered)
    assert (leg.handshake_done, leg.fault_reason) == (False, "no application protocol")
    assert "no application protocol" in str(end.error).lower().replace("_", " ")


def test_any_alpn_where_none_is_ours() -> None:
    leg, _ = to_leg(TLS13, server_context(alpn=()), alpn=("http/1.1",))
    assert (leg.handshake_done, leg.alpn) == (True, None)


@pytest.mark.parametrize("version", VERSIONS)
def test_alpn_towards_a_server(version: int) -> None:
    leg, end = from_leg(version, alpn=("imap",))
    assert (leg.alpn, end.tls.selected_alpn_protocol()) == (b"imap", "imap")
    leg, end = from_leg(version, alpn=("smtp",))
    assert (leg.alpn, leg.handshake_done) == (None, True)


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    between = Authority("Between", authority())
    rsa_key = rsa.generate_private_key(65537, 2048)
    return {
        "exact": authority().issue("exact", ("imap.example.org",)),
        "wild": authority().issue("wild", ("*.example.net",)),
        "rsa": between.issue("rsa", ("rsa.example.net",), key=rsa_key),
    }


@pytest.fixture(scope="module")
def several(pairs: dict[str, Pair]) -> TlsContext:
    names = {b"*.example.net": "wild", b"IMAP.example.org": "exact", b"rsa.example.net": "rsa"}
    return server_context(sni=[(name, pairs[which].chain, pairs[which].key) for name, which in names.items()])


def shown(context: TlsContext, name: str | None, version: int) -> tuple[bytes | None, Tls]:
    """The certificate that a client sees who asks for `name`."""
    theirs = python_context(False, version)
    theirs.check_hostname = False
    leg, end = Tls(context), PythonEnd(theirs, False, name=name)
    join(end, leg)
    assert leg.handshake_done, leg.fault_reason
    return end.tls.getpeercert(True), leg


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "which"),
    [
        ("imap.example.org", "exact"),
        ("ImAp.Example.ORG", "exact"),
        ("mail.example.net", "wild"),
        ("rsa.example.net", "rsa"),
        ("example.net", None),
        ("a.b.example.net", None),
        ("mail.example.netx", None),
        ("imap.example.org.example.com", None),
        (NAME, None),
        (None, None),
    ],
)
def test_server_name(
    several: TlsContext, pairs: dict[str, Pair], name: str | None, which: str | None, version: int
) -> None:
    seen, leg = shown(several, name, version)
    assert seen == (pairs[which] if which else server_pair()).der
    assert leg.sni == (name.encode() if name else None)


def test_the_chain_of_a_name_is_sent(several: TlsContext, pairs: dict[str, Pair]) -> None:
    theirs, ours = Tls(several), Tls(client_context())
    ours.set_server_name(b"rsa.example.net")
    join(ours, theirs)
    assert ours.handshake_done, ours.fault_reason
    assert len(ours.peer_chain) == 2
    assert ours.peer_chain[0] == pairs["rsa"].der


def test_a_resumed_session_has_its_name(several: TlsContext) -> None:
    context = client_context()
    for resumed in (False, True):
        theirs, ours = Tls(several), Tls(context)
        ours.set_server_name(b"imap.example.org")
        join(ours, theirs)
        assert (theirs.resumed, theirs.sni) == (resumed, b"imap.example.org")


@pytest.mark.parametrize("name", [b"", b"a\0b", b"x" * 256])
def test_no_name_of_a_server(name: bytes) -> None:
    with pytest.raises(ValueError, match="no name of a server"):
        Tls(client_context()).set_server_name(name)


def test_the_server_sets_no_name() -> None:
    with pytest.raises(ValueError, match="no name of a server"):
        Tls(server_context()).set_server_name(NAME.encode())
