"""What TLS of a leg came to: the certificate as policy wants it, and lines for the log."""

from __future__ import annotations

from typing import NamedTuple

from imap4fast._wire import Tls
from imap4fast.log import ssle
from imap4fast.log.entry import Entry
from imap4fast.names import Side
from imap4fast.policy.certificates import Presented
from imap4fast.policy.trace import AclTrace

NOT_OFFERED = "NOT-OFFERED"
REFUSED = "REFUSED"
PREAUTH = "PREAUTH"
"""Why STARTTLS came to nothing."""


class Line(NamedTuple):
    """An entry with its values; `severity` None: its usual one."""

    entry: Entry
    values: tuple[object, ...]
    severity: str | None = None


def presented_by(tls: Tls) -> Presented | None:
    """The certificate of the other end, verified where the context asks for that and nothing is wrong with it."""
    der = tls.peer_certificate
    return None if der is None else Presented(der, bool(tls.context.verify) and tls.verify_error is None)


def established(side: Side, tls: Tls) -> Line:
    """A handshake is done."""
    return Line(ssle.ESTABLISHED, (side.name, tls.version, tls.cipher, _yes_no(tls.resumed), tls.sni, tls.alpn))


def certificate(side: Side, tls: Tls, presented: Presented) -> Line:
    """What was presented in a handshake that is done."""
    values = (side.name, presented.subject, presented.issuer, presented.fingerprint, _yes_no(presented.verified))
    return Line(ssle.CERTIFICATE, (*values, tls.verify_error), None if side is Side.CLIENT else "D")


def handshake_failed(side: Side, tls: Tls) -> Line:
    """A handshake that came to no end, by a fault or because the connection ended."""
    presented = presented_by(tls)
    subject = presented.subject if presented is not None else None
    reason = tls.fault_reason or "the connection ended"
    return Line(ssle.HANDSHAKE_FAILED, (side.name, reason, subject, tls.verify_error))


def mismatch(side: Side, trace: AclTrace) -> Line:
    """A requirement that failed (`policy.certificates.explain`)."""
    return Line(ssle.MISMATCH, (side.name, trace.name, trace.condition, trace.seen))


def truncated(side: Side) -> Line:
    """The connection ended without close_notify."""
    return Line(ssle.TRUNCATED, (side.name,))


def starttls_failed(side: Side, reason: str) -> Line:
    """NOT_OFFERED, REFUSED or PREAUTH."""
    return Line(ssle.STARTTLS_FAILED, (side.name, reason))


def injected(side: Side, octets: int) -> Line:
    """So many octets came before the switch that belong to neither side of it."""
    return Line(ssle.INJECTED, (side.name, octets))


def _yes_no(value: bool) -> str:
    return "YES" if value else "NO"
