"""What is measured and what must be reached where legs are TLS. Names are `WHAT-VERSION-LEGS`: `noop-1.3-both`.

login-full: tickets off. login-tickets: full handshakes too, and the peer gives tickets. login-resumed: each connection
resumes; on both legs the server gives tickets too. idle and moved: memory, after nothing and after 200 KiB each way.
"""

from __future__ import annotations

from typing import get_args

from bench.operations import REFERENCE, Legs, Operation, Target, Tls

VERSIONS = ("1.3", "1.2")
LEGS: tuple[Legs, ...] = get_args(Legs)
MANY = 4000
"""Idle sessions with TLS on both legs that one worker holds in MANY_MB."""
MANY_MB = 200.0

LIMITS = {
    "noop": 1.0,
    "fetch4k": 1.0,
    "fetch64k": 1.0,
    "fetch1m": 1.0,
    "append1m": 1.1,
    "login-full": 1.25,
    "login-tickets": 1.25,
    "login-resumed": 1.1,
}
"""Of HAProxy's CPU for the same."""


def of_load(version: str, legs: Legs) -> tuple[Operation, ...]:
    """What costs CPU."""
    end = f"-{version}-{legs}"
    tls = Tls(legs, version)
    off, resumed = Tls(legs, version, tickets=False), Tls(legs, version, resumed=True)
    return (
        Operation("noop" + end, "noop", 50, tls=tls),
        Operation("fetch4k" + end, "fetch4k", 50, tls=tls),
        Operation("fetch64k" + end, "fetch64k", 16, bulk=True, tls=tls),
        Operation("fetch1m" + end, "fetch1m", 8, bulk=True, tls=tls),
        Operation("append1m" + end, "append1m", 8, bulk=True, tls=tls),
        Operation("login-full" + end, "login-cycle", 16, tls=off),
        Operation("login-tickets" + end, "login-cycle", 16, optional=version != "1.3", tls=tls),
        Operation("login-resumed" + end, "login-cycle", 16, tls=resumed),
    )


TLS_OPERATIONS = (
    *(operation for legs in LEGS for version in VERSIONS for operation in of_load(version, legs)),
    Operation("idle-1.3-client", "idle", 1500, kind="legs", tls=Tls("client", "1.3")),
    Operation("moved-1.3-client", "moved", 1500, kind="legs", tls=Tls("client", "1.3")),
    Operation("idle-1.3-both", "idle", MANY, kind="legs", tls=Tls("both", "1.3")),
    Operation("moved-1.3-both", "moved", 1500, kind="legs", tls=Tls("both", "1.3")),
)


def limit_of(operation: Operation) -> float:
    return (
        LIMITS[operation.name.removesuffix(f"-{operation.tls.version}-{operation.tls.legs}")] if operation.tls else 0.0
    )


TLS_TARGETS = (
    *(Target(known.name, REFERENCE, limit_of(known)) for known in TLS_OPERATIONS if known.kind == "cpu"),
    Target("idle-1.3-client", "", 22.0),
    Target("moved-1.3-client", "", 32.0),
    Target("idle-1.3-both", "", 22.0),
    Target("moved-1.3-both", "", 32.0),
    Target("idle-1.3-both", "", MANY_MB, "pss_mb"),
)
"""Memory is that of whole sessions, divided by their TLS legs."""
