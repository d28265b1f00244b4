"""The frozen settings of engines and of their use: `antivirus NAME {}`, `antispam NAME {}`, `use-antivirus`.

Field names are item names with `_` for `-`; sizes are octets, durations seconds, 0 for a limit means none.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.values import Sock

BUILTIN = "builtin"
CLAMAV_NET = "clamav-net"
CLAMAV_UNIX = "clamav-unix"
CLAMAV_FILE = "clamav-file"
ICAP = "icap"
SPAMD = "spamd"
RSPAMD = "rspamd"


class AntivirusEngine(msgspec.Struct, frozen=True):
    """`antivirus NAME {}`. `address` is a socket, or the path of a local one; None for `builtin`.

    `service` is of ICAP alone, with its slash. `breaker` is (failures, seconds); no failures: none.
    """

    name: str
    kind: str
    address: Sock | str | None = None
    service: str = ""
    digests: str | None = None
    sock_opt: SockOpt = SockOpt()
    timeout: float = 60
    max_checked_size: int = 25 << 20
    comm_dir: str | None = None
    pool: int = 4
    breaker: tuple[int, float] = (5, 30)


class AntispamEngine(msgspec.Struct, frozen=True):
    """`antispam NAME {}`, as above. `user` is whose preferences spamd is to take; empty: its own user's."""

    name: str
    kind: str
    address: Sock | str | None = None
    user: str = ""
    sock_opt: SockOpt = SockOpt()
    timeout: float = 30
    pool: int = 4
    breaker: tuple[int, float] = (5, 30)


class Use(msgspec.Struct, frozen=True):
    """`use-antivirus enable NAME [SIZE]`, or the same with `use-antispam`: no mail above `size` goes there."""

    engine: str
    size: int = 0

    def takes(self, size: int) -> bool:
        """Whether a mail of `size` octets goes to the engine."""
        return not self.size or size <= self.size


class Connection(Protocol):
    """Item `connection` as the configuration has it: `sock` or `path`, and the service of ICAP."""

    @property
    def kind(self) -> str: ...
    @property
    def sock(self) -> Sock | None: ...
    @property
    def path(self) -> str | None: ...
    @property
    def service(self) -> str | None: ...


class AntispamItems(Protocol):
    """Section `antispam`, and what `antivirus` shares with it."""

    @property
    def name(self) -> str: ...
    @property
    def connection(self) -> Connection: ...
    @property
    def sock_opt(self) -> SockOpt: ...
    @property
    def timeout(self) -> float: ...
    @property
    def pool(self) -> int: ...
    @property
    def breaker(self) -> tuple[int, float]: ...


class AntivirusItems(AntispamItems, Protocol):
    """Section `antivirus`."""

    @property
    def digests(self) -> str | None: ...
    @property
    def max_checked_size(self) -> int: ...
    @property
    def comm_dir(self) -> str | None: ...


def antivirus_engine(items: AntivirusItems) -> AntivirusEngine:
    """The engine that a section describes."""
    connection = items.connection
    return AntivirusEngine(
        items.name,
        connection.kind,
        connection.sock or connection.path,
        service=_with_slash(connection.service or ""),
        digests=items.digests,
        sock_opt=items.sock_opt,
        timeout=items.timeout,
        max_checked_size=items.max_checked_size,
        comm_dir=items.comm_dir,
        pool=items.pool,
        breaker=items.breaker,
    )


def antispam_engine(items: AntispamItems) -> AntispamEngine:
    """The engine that a section describes."""
    connection = items.connection
    return AntispamEngine(
        items.name,
        connection.kind,
        connection.sock or connection.path,
        sock_opt=items.sock_opt,
        timeout=items.timeout,
        pool=items.pool,
        breaker=items.breaker,
    )


def _with_slash(service: str) -> str:
    return service if not service or service.startswith("/") else f"/{service}"
