"""What a handshake came to, for policy and for the log, by real handshakes."""

from __future__ import annotations

import ssl

import pytest

from imap4fast._wire import Tls
from imap4fast.log import ssle
from imap4fast.log.lines import body
from imap4fast.names import Side
from imap4fast.policy.fit import DOES_NOT_FIT
from imap4fast.policy.trace import ConditionTrace, acl_trace
from imap4fast.session import tlslog
from imap4fast.session.tlslog import Line
from tests.unit.tls.certificates import self_signed
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


def text(line: Line) -> str:
    """As it stands in the log."""
    return body(line.entry.form, line.values, 4096)


def asking(verify: int = 1):
    return server_context(ca=(authority().pem,), verify=verify)


def test_established() -> None:
    leg, _ = to_leg(TLS13, alpn=("imap",))
    assert text(tlslog.established(Side.CLIENT, leg)) == (
        f"TLS SIDE=CLIENT VERSION=TLSv1.3 CIPHER={leg.cipher} RESUMED=NO SNI={NAME} ALPN=imap"
    )
    server, _ = from_leg(TLS12)
    assert "SIDE=SERVER VERSION=TLSv1.2 " in text(tlslog.established(Side.SERVER, server))
    assert text(tlslog.established(Side.SERVER, server)).endswith("ALPN=<NULL>")


def test_a_verified_client() -> None:
    leg, _ = to_leg(context=asking(), pair=client_pair())
    presented = tlslog.presented_by(leg)
    assert presented is not None
    assert (presented.der, presented.verified) == (client_pair().der, True)
    line = tlslog.certificate(Side.CLIENT, leg, presented)
    assert text(line) == (
        f'CERTIFICATE SIDE=CLIENT SUBJECT="CN=jana" ISSUER="CN=Test CA" '
        f"FINGERPRINT={presented.fingerprint} VERIFIED=YES ERROR=<NULL>"
    )
    assert line.severity is None


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_an_unverified_client_stays_so_when_it_resumes(version: int) -> None:
    context, client = asking(), python_context(False, version, self_signed("liar"))
    session: ssl.SSLSession | None = None
    for resumed in (False, True):
        leg, end = Tls(context), PythonEnd(client, False, session)
        join(end, leg)
        end.pump(leg.seal(b"* OK ready\r\n"))
        session = end.tls.session
        presented = tlslog.presented_by(leg)
        assert leg.resumed is resumed
        assert presented is not None
        assert (presented.subject, presented.verified) == ("CN=liar", False)
        shown = text(tlslog.certificate(Side.CLIENT, leg, presented))
        assert 'SUBJECT="CN=liar"' in shown
        assert "VERIFIED=NO ERROR=" in shown
        assert not shown.endswith("<NULL>")


def test_no_client_certificate() -> None:
    leg, _ = to_leg(context=asking())
    assert tlslog.presented_by(leg) is None


def test_a_server_that_nobody_verifies() -> None:
    leg, _ = from_leg(context=client_context(ca=(), verify=0))
    presented = tlslog.presented_by(leg)
    assert presented is not None
    assert (presented.der, presented.verified) == (server_pair().der, False)
    line = tlslog.certificate(Side.SERVER, leg, presented)
    assert line.severity == "D"
    assert text(line).endswith("VERIFIED=NO ERROR=<NULL>")


def test_a_server_that_verifies() -> None:
    leg, _ = from_leg()
    presented = tlslog.presented_by(leg)
    assert presented is not None
    assert presented.verified


def test_a_handshake_that_failed() -> None:
    leg, _ = to_leg(context=asking(2), pair=self_signed("liar"))
    line = tlslog.handshake_failed(Side.CLIENT, leg)
    assert leg.fault_reason is not None
    assert line.values[:2] == ("CLIENT", leg.fault_reason)
    assert line.values[3] == leg.verify_error is not None
    ended = Tls(server_context())
    assert "the connection ended" in text(tlslog.handshake_failed(Side.CLIENT, ended))


def test_other_lines() -> None:
    trace = acl_trace("STAFF", (ConditionTrace("email", "email /@x$/;", "none", DOES_NOT_FIT),))
    shown = text(tlslog.mismatch(Side.SERVER, trace))
    assert shown == 'CERTIFICATE-MISMATCH SIDE=SERVER MATCH=STAFF CONDITION="email /@x$/;" SEEN=none'
    assert text(tlslog.truncated(Side.CLIENT)) == "TRUNCATED SIDE=CLIENT"
    for reason in (tlslog.NOT_OFFERED, tlslog.REFUSED, tlslog.PREAUTH):
        assert text(tlslog.starttls_failed(Side.SERVER, reason)) == f"STARTTLS-FAILED SIDE=SERVER REASON={reason}"
    assert text(tlslog.injected(Side.CLIENT, 12)) == "INJECTED SIDE=CLIENT SIZE=12"
    assert tlslog.injected(Side.CLIENT, 12).entry is ssle.INJECTED
