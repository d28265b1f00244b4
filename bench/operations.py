"""What is measured and what must be reached: the load client's operations, and the ratios that the project promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["cpu", "memory", "latency", "legs"]
Legs = Literal["client", "both"]


@dataclass(frozen=True, slots=True)
class Tls:
    """Which legs are TLS and of which version, `1.2` or `1.3`. `tickets`: the peers give some. `resumed`: the client
    resumes its sessions, and on both legs the peer those with the server; else the server gives no tickets.
    """

    legs: Legs
    version: str
    tickets: bool = True
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """`script` is the load client's. cpu: closed loop; memory, legs: sessions left idle; latency: at a fixed rate."""

    name: str
    script: str
    sessions: int
    kind: Kind = "cpu"
    bulk: bool = False
    optional: bool = False
    """Measured only when named."""
    tls: Tls | None = None

    @property
    def logs_in(self) -> bool:
        """Whether each pass opens a connection, so that handshakes are what is measured."""
        return self.script == "login-cycle"


OPERATIONS = (
    Operation("noop", "noop", 50),
    Operation("flags", "flags", 50),
    Operation("list100", "list100", 50),
    Operation("fetch4k", "fetch4k", 50),
    Operation("fetch64k", "fetch64k", 16, bulk=True),
    Operation("fetch1m", "fetch1m", 8, bulk=True),
    Operation("append64k", "append64k", 16, bulk=True),
    Operation("append1m", "append1m", 8, bulk=True),
    Operation("append64k-sync", "append64k-sync", 16, bulk=True, optional=True),
    Operation("append1m-sync", "append1m-sync", 8, bulk=True, optional=True),
    Operation("login-cycle", "login-cycle", 16),
    Operation("idle", "idle", 1500, kind="memory"),
    Operation("latency", "noop", 50, kind="latency"),
)

METRIC = {"cpu": "cpu_us", "memory": "kib_per_session", "latency": "p99_us", "legs": "kib_per_leg"}
"""The figure that ratios are made of. CPU per operation and CPU per GB have the same ratio."""

UNIT = {
    "cpu_us": "µs CPU per operation",
    "kib_per_session": "KiB PSS per idle session",
    "p99_us": "µs at p99",
    "kib_per_leg": "KiB PSS per TLS leg",
    "pss_mb": "MB PSS of all",
}


@dataclass(frozen=True, slots=True)
class Target:
    """imap4fast's figure must be at most `limit` times the other's; without another, at most `limit`.

    `metric`: another than the operation's kind has.
    """

    operation: str
    other: str
    limit: float
    metric: str = ""

    @property
    def text(self) -> str:
        unit = "MB" if self.metric == "pss_mb" else "KiB"
        return f"<= {self.limit:g} x {self.other}" if self.other else f"<= {self.limit:g} {unit}"


SUBJECT = "imap4fast"
REFERENCE = "haproxy"
"""Beside each figure stands its ratio to this peer's."""

TARGETS = (
    Target("noop", "haproxy", 1.1),
    Target("noop", "dovecot", 0.65),
    Target("flags", "haproxy", 1.1),
    Target("flags", "dovecot", 0.65),
    Target("list100", "haproxy", 1.2),
    Target("fetch64k", "haproxy", 0.7),
    Target("fetch1m", "haproxy", 0.7),
    Target("append64k", "haproxy", 0.75),
    Target("append1m", "haproxy", 0.75),
    Target("login-cycle", "nginx", 1.05),
    Target("login-cycle", "dovecot", 0.65),
    Target("idle", "", 6.0),
    Target("latency", "haproxy", 1.3),
)
