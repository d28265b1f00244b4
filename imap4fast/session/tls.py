"""TLS of a session's legs: what was agreed, whose certificate came, and how a leg ends.

A leg's handshake is `net`'s; session hears of its result, decides by the certificate, and says what the log says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imap4fast._wire import Tls
from imap4fast.imap.replies import Reply
from imap4fast.log import ssle
from imap4fast.policy.certificates import Presented, explain
from imap4fast.session import answers

if TYPE_CHECKING:
    from imap4fast.config.settings import CertMatch
    from imap4fast.session.session import Session


def client_secured(session: Session, tls: Tls) -> bool:
    """The handshake with the client is done. False: its certificate is not what the session-acl asks for."""
    session.facts.client_cert = presented = _agreed(session, "CLIENT", tls)
    if _fits(session, "CLIENT", session.acl.client_cert_match, presented):
        return True
    session.status = "REJECTED"
    session.reason = "client-cert-match"
    return False


def server_secured(session: Session, tls: Tls) -> bool:
    """The handshake with the server is done. False: the session has ended for the server's certificate."""
    session.facts.server_cert = presented = _agreed(session, "SERVER", tls)
    if _fits(session, "SERVER", session.powers.acl.server_cert_match, presented):
        return True
    session.end(Reply.SERVER_TLS, "server-cert-match")
    return False


def failed(session: Session, leg: str, why: str, tls: Tls | None = None) -> None:
    """There is no TLS on a leg that must have it."""
    session.log(ssle.FAILED, leg, why)
    if tls is not None:
        _presented(session, leg, tls)
    session.end(Reply.SERVER_TLS if leg == "SERVER" else None, f"TLS of the {leg.lower()}")


def client_leg(session: Session) -> int:
    """The question CLIENT_TLS."""
    tls = session.relay.ctls
    assert tls is not None
    if tls.faulted:
        session.log(ssle.FAILED, "CLIENT", tls.fault_reason)
        return session.end(None, "TLS of the client")
    session.outside.client_ended()
    return answers.CLOSE if session.over else answers.DROP


def server_leg(session: Session) -> int:
    """The question SERVER_TLS."""
    tls = session.relay.stls
    assert tls is not None
    if tls.faulted:
        session.log(ssle.FAILED, "SERVER", tls.fault_reason)
        return session.end(Reply.SERVER_TLS, "TLS of the server")
    session.outside.server_ended()
    return answers.CLOSE if session.over else answers.DROP


def cut_off(session: Session, leg: str, tls: Tls | None) -> None:
    """A leg's connection has ended: without close_notify somebody may have cut it."""
    if tls is not None and tls.truncated and not tls.faulted:
        session.log(ssle.TRUNCATED, leg)


def _agreed(session: Session, leg: str, tls: Tls) -> Presented | None:
    session.log(ssle.ESTABLISHED, leg, tls.version, tls.cipher, "YES" if tls.resumed else "NO", tls.sni)
    return _presented(session, leg, tls)


def _presented(session: Session, leg: str, tls: Tls) -> Presented | None:
    der = tls.peer_certificate
    if der is None:
        return None
    wrong = tls.verify_error
    presented = Presented(der, verified=wrong is None and tls.context.verify != 0)
    session.log(ssle.CERTIFICATE, leg, presented.subject, presented.issuer, wrong)
    return presented


def _fits(session: Session, leg: str, match: CertMatch | None, presented: Presented | None) -> bool:
    if match is None:
        return True
    found = explain(match, presented, session.outside.today())
    if not found.matched:
        session.log(ssle.MISMATCH, leg, match.name, found.condition, found.seen)
    return found.matched
