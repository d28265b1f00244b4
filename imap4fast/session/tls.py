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


def failed(session: Session, side: str, why: str, tls: Tls | None = None) -> None:
    """There is no TLS on a leg that must have it."""
    shown = None if tls is None else _presented(tls)
    subject = None if shown is None else shown.subject
    session.log(ssle.HANDSHAKE_FAILED, side, why, subject, None if tls is None else tls.verify_error)
    session.end(Reply.SERVER_TLS if side == "SERVER" else None, f"TLS of the {side.lower()}")


def cut_short(session: Session, *, heard: bool) -> None:
    """The client's connection ended before the handshake did. One that said nothing may be a check of the port."""
    session.log(
        ssle.HANDSHAKE_FAILED, "CLIENT", "the connection was closed by the client", None, None,
        severity=None if heard else "D",
    )  # fmt: skip


def no_starttls(session: Session, why: str) -> None:
    """The talk with the server around STARTTLS went wrong."""
    session.log(ssle.STARTTLS_FAILED, "SERVER", why)
    session.end(Reply.SERVER_TLS, "STARTTLS of the server")


def client_leg(session: Session) -> int:
    """The question CLIENT_TLS."""
    tls = session.relay.ctls
    assert tls is not None
    if tls.faulted:
        session.log(ssle.BROKEN, "CLIENT", tls.fault_reason)
        return session.end(None, "TLS of the client")
    session.outside.client_ended()
    return answers.CLOSE if session.over else answers.DROP


def server_leg(session: Session) -> int:
    """The question SERVER_TLS."""
    tls = session.relay.stls
    assert tls is not None
    if tls.faulted:
        session.log(ssle.BROKEN, "SERVER", tls.fault_reason)
        return session.end(Reply.SERVER_TLS, "TLS of the server")
    session.outside.server_ended()
    return answers.CLOSE if session.over else answers.DROP


def cut_off(session: Session, side: str, tls: Tls | None) -> None:
    """A leg's connection has ended: without close_notify somebody may have cut it."""
    if tls is not None and tls.truncated and not tls.faulted:
        session.log(ssle.TRUNCATED, side)


def _agreed(session: Session, side: str, tls: Tls) -> Presented | None:
    session.log(ssle.ESTABLISHED, side, tls.version, tls.cipher, "YES" if tls.resumed else "NO", tls.sni, tls.alpn)
    if side == "SERVER" and session.powers.acl.server_cert_match is None and not session.logs.detailed:
        return None
    shown = _presented(tls)
    if shown is not None:
        severity = "I" if side == "CLIENT" else "D"
        verified = "YES" if shown.verified else "NO"
        session.log(
            ssle.CERTIFICATE, side, shown.subject, shown.issuer, shown.fingerprint, verified, tls.verify_error,
            severity=severity,
        )  # fmt: skip
    return shown


def _presented(tls: Tls) -> Presented | None:
    der = tls.peer_certificate
    if der is None:
        return None
    return Presented(der, verified=tls.context.verify != 0 and tls.verify_error is None)


def _fits(session: Session, side: str, match: CertMatch | None, presented: Presented | None) -> bool:
    if match is None:
        return True
    found = explain(match, presented, session.outside.today())
    if not found.matched:
        session.log(ssle.MISMATCH, side, match.name, found.condition, found.seen)
    return found.matched
