"""Engines as sections describe them."""

from __future__ import annotations

import msgspec
import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.values import Address, Sock
from imap4fast.scan.engines import AntispamEngine, AntivirusEngine, Use, antispam_engine, antivirus_engine

SOCK = Sock(Address(4, 0x7F000001), 3310)
OPT = SockOpt(conn_timeout=1)


class Connection(msgspec.Struct):
    kind: str
    sock: Sock | None = None
    path: str | None = None
    service: str | None = None


class Section(msgspec.Struct):
    connection: Connection
    name: str = "X"
    digests: str | None = None
    sock_opt: SockOpt = OPT
    timeout: float = 7
    max_checked_size: int = 100
    comm_dir: str | None = None
    pool: int = 2
    breaker: tuple[int, float] = (1, 2)


@pytest.mark.parametrize(
    ("connection", "items"),
    [
        (Connection("clamav-net", SOCK), {"address": SOCK}),
        (Connection("clamav-unix", path="/run/x"), {"address": "/run/x"}),
        (Connection("icap", SOCK, service="/avscan"), {"address": SOCK, "service": "/avscan"}),
        (Connection("icap", SOCK, service="avscan"), {"address": SOCK, "service": "/avscan"}),
        (Connection("builtin"), {}),
    ],
)
def test_antivirus(connection: Connection, items: dict[str, object]) -> None:
    common = {"sock_opt": OPT, "timeout": 7, "max_checked_size": 100, "pool": 2, "breaker": (1, 2)}
    assert antivirus_engine(Section(connection)) == AntivirusEngine("X", connection.kind, **common, **items)


def test_antivirus_by_file_and_digests() -> None:
    made = antivirus_engine(Section(Connection("clamav-file", path="/run/x"), comm_dir="/comm", digests="/list"))
    assert (made.kind, made.address, made.comm_dir, made.digests) == ("clamav-file", "/run/x", "/comm", "/list")


def test_antispam() -> None:
    made = antispam_engine(Section(Connection("spamd", SOCK)))
    assert made == AntispamEngine("X", "spamd", SOCK, sock_opt=OPT, timeout=7, pool=2, breaker=(1, 2))


@pytest.mark.parametrize(("limit", "size", "takes"), [(0, 10**9, True), (100, 100, True), (100, 101, False)])
def test_sizes(limit: int, size: int, takes: bool) -> None:
    assert Use("X", limit).takes(size) == takes
