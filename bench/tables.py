"""The tables of a bench: plain legs, and TLS on the client's leg or on both. Each has operations and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.operations import OPERATIONS, TARGETS, Operation, Target
from bench.peers import Peer, PeerError
from bench.tls_operations import TLS_OPERATIONS, TLS_TARGETS


@dataclass(frozen=True, slots=True)
class Table:
    """What is measured in one go. `seconds`: of one run; `budget_s`: nothing void is measured again after that."""

    name: str
    title: str
    operations: tuple[Operation, ...]
    targets: tuple[Target, ...]
    seconds: float
    budget_s: float


PLAIN = Table("plain", "plain legs", OPERATIONS, TARGETS, seconds=1.5, budget_s=23 * 60)
TLS = Table(
    "tls",
    "TLS, one certificate (P-256), TLS_AES_128_GCM_SHA256 or ECDHE-ECDSA-AES128-GCM-SHA256, X25519;"
    " nginx is not in those of both legs: its mail proxy has no TLS to servers",
    TLS_OPERATIONS,
    TLS_TARGETS,
    seconds=1.0,
    budget_s=38 * 60,
)
TABLES = (PLAIN, TLS)
EVERY_OPERATION = tuple(operation for table in TABLES for operation in table.operations)
EVERY_TARGET = tuple(target for table in TABLES for target in table.targets)


def can(peer: Peer, operation: Operation) -> bool:
    """Whether a peer takes part: all do where nothing is TLS."""
    return operation.tls is None or operation.tls.legs in peer.legs


def partakers(peers: Sequence[Peer], operation: Operation) -> list[Peer]:
    """PeerError when there is none."""
    found = [peer for peer in peers if can(peer, operation)]
    if not found:
        raise PeerError(f"{operation.name}: none of these peers ends TLS so: {', '.join(peer.name for peer in peers)}")
    return found


def shown_targets(table: Table, measured: Sequence[str]) -> list[Target]:
    """Those of optional operations only where these were measured."""
    optional = {operation.name for operation in table.operations if operation.optional} - set(measured)
    return [target for target in table.targets if target.operation not in optional]
