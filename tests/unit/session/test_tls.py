"""What a session makes of TLS on its legs: certificates, the log, how a leg ends. Real legs, no socket."""

from __future__ import annotations

from typing import Any

import pytest

from imap4fast._wire import Tls
from imap4fast.config.settings import CertMatch, SessionAcl, SslParams, SslUse
from imap4fast.config.values import WordMember
from imap4fast.log import imap as entries
from imap4fast.log import ssle
from imap4fast.session import answers, tls
from tests.play.stage import SERVER, Stage, accepting
from tests.unit.tls.ends import (
    NAME,
    PythonEnd,
    authority,
    client_pair,
    from_leg,
    join,
    python_context,
    server_context,
    server_pair,
)

UNSAFE = b"* BYE [UNAVAILABLE] no safe connection to the mail server\r\n"


def match(name: str) -> CertMatch:
    return CertMatch("M", common_name=(WordMember(name),))


def stage(client: CertMatch | None = None, server: CertMatch | None = None, level: int = 9) -> Stage:
    use = SslUse(SslParams("P"), starttls=True) if client else None
    acl = SessionAcl("IN", accept=True, plug_to=(SERVER,), client_ssl=use, client_cert_match=client)
    return Stage(accepting(server_cert_match=server), session=acl, level=level, unconnected=client is not None)


def from_client(shows: bool = True, **items: Any) -> tuple[Tls, PythonEnd]:
    """A leg to which a client has shown its certificate."""
    leg = Tls(server_context(verify=1, ca=(authority().pem,), **items))
    end = PythonEnd(python_context(False, None, client_pair() if shows else None), False)
    join(end, leg)
    return leg, end


def test_a_clients_certificate_is_known() -> None:
    made = stage()
    leg, _ = from_client()
    assert tls.client_secured(made.session, leg)
    found = made.session.facts.client_cert
    assert found is not None
    assert (found.der, found.verified) == (client_pair().der, True)
    fields = made.fields(ssle.CERTIFICATE)
    assert (fields["SIDE"], fields["SUBJECT"], fields["VERIFIED"]) == ("CLIENT", "CN=jana", "YES")
    line = made.fields(ssle.ESTABLISHED)
    assert (line["SIDE"], line["VERSION"], line["RESUMED"]) == ("CLIENT", "TLSv1.3", "NO")
    assert (line["SNI"], line["ALPN"]) == (NAME.encode(), None)


@pytest.mark.parametrize(
    ("name", "shows", "fits"), [("jana", True, True), ("petr", True, False), ("jana", False, False)]
)
def test_what_the_session_acl_requires(name: str, shows: bool, fits: bool) -> None:
    made = stage(client=match(name))
    leg, _ = from_client(shows)
    assert tls.client_secured(made.session, leg) is fits
    assert bool(made.logged(ssle.MISMATCH)) is not fits
    if not fits:
        assert (made.session.status, made.session.reason) == ("REJECTED", "client-cert-match")
        assert made.fields(ssle.MISMATCH)["MATCH"] == "M"


@pytest.mark.parametrize(("name", "fits"), [(NAME, True), ("other", False)])
def test_what_the_command_acl_requires_of_the_server(name: str, fits: bool) -> None:
    made = stage(server=match(name))
    leg, _ = from_leg()
    assert tls.server_secured(made.session, leg) is fits
    assert made.session.over is not fits
    assert made.client.taken() == (b"" if fits else UNSAFE)
    assert made.session.facts.server_cert is not None
    assert made.session.facts.server_cert.der == server_pair().der


def test_a_servers_certificate_is_read_only_where_somebody_asks() -> None:
    made = stage(level=6)
    leg, _ = from_leg()
    assert tls.server_secured(made.session, leg)
    assert made.session.facts.server_cert is None
    assert made.logged(ssle.CERTIFICATE) == []


@pytest.mark.parametrize(("side", "said"), [("CLIENT", b""), ("SERVER", UNSAFE)])
def test_no_tls_ends_the_session(side: str, said: bytes) -> None:
    """Towards a client without TLS nothing is said."""
    made = stage()
    tls.failed(made.session, side, "because")
    assert made.client.taken() == said
    assert made.fields(ssle.HANDSHAKE_FAILED)["REASON"] == "because"
    assert made.fields(entries.SESSION_END)["REASON"] == f"TLS of the {side.lower()}"


def test_no_starttls_ends_the_session() -> None:
    made = stage()
    tls.no_starttls(made.session, "because")
    assert made.client.taken() == UNSAFE
    assert made.logged(ssle.STARTTLS_FAILED) == [("SERVER", "because")]


def test_a_connection_that_was_cut_off() -> None:
    made = stage()
    for how, lines in (("clean", 0), ("broken", 0), ("cut", 1)):
        leg, end = from_client()
        if how == "clean":
            leg.pump(end.close())
        if how == "broken":
            leg.pump(b"\x17\x03\x03\x00\x20" + bytes(32))
        leg.lose()
        tls.cut_off(made.session, "CLIENT", leg)
        assert len(made.logged(ssle.TRUNCATED)) == lines
    tls.cut_off(made.session, "CLIENT", None)
    assert made.logged(ssle.TRUNCATED) == [("CLIENT",)]


@pytest.mark.parametrize("side", ["CLIENT", "SERVER"])
def test_a_leg_that_broke(side: str) -> None:
    made = stage()
    leg, _ = from_client() if side == "CLIENT" else from_leg()
    leg.pump(b"\x17\x03\x03\x00\x20" + bytes(32))
    if side == "CLIENT":
        made.relay.secure_client(leg)
        assert tls.client_leg(made.session) == answers.CLOSE
    else:
        made.relay.secure_server(leg)
        assert tls.server_leg(made.session) == answers.CLOSE
        assert made.client.taken() == UNSAFE
    assert made.fields(ssle.BROKEN)["REASON"] == "decryption failed or bad record mac"


def test_a_leg_that_ends() -> None:
    made = stage()
    leg, _ = from_client()
    made.relay.secure_client(leg)
    assert tls.client_leg(made.session) == answers.CLOSE
    assert made.fields(entries.PROXY_EVENT)["RESULT"] == "ABORTED"
