"""The frozen settings of engines and of their use: `antivirus NAME {}`, `antispam NAME {}`, `use-antivirus`.

Field names are item names with `_` for `-`; sizes are octets, durations seconds, 0 for a limit means none.
"""

from __future__ import annotations

import msgspec

from imap4fast.config.settings import SockOpt
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
    shape: str | None = None


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
    shape: str | None = None


class Use(msgspec.Struct, frozen=True):
    """`use-antivirus enable NAME [SIZE]`, or the same with `use-antispam`: no mail above `size` goes there."""

    engine: str
    size: int = 0

    def takes(self, size: int) -> bool:
        """Whether a mail of `size` octets goes to the engine."""
        return not self.size or size <= self.size
