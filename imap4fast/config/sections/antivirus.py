"""antivirus(5)."""

from __future__ import annotations

from imap4fast.config.composite import Seq
from imap4fast.config.cursor import Cursor
from imap4fast.config.diagnostic import Report
from imap4fast.config.host import SOCK
from imap4fast.config.mailsettings import BUILTIN, Antivirus
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.sections.scanners import ConnectionType, service_members
from imap4fast.config.syntax import SockNode
from imap4fast.config.types import DIRECTORY, FILE, SIZE, STR, Path, Type

_SOCKET_FILE = Path("socket path")
_BY_FILE = "clamav-file"


class _SockOrPath(Type):
    """A socket of IP or of the file system."""

    name = f'{SOCK.name} | "PATH"'

    def read(self, cursor: Cursor) -> object:
        return (SOCK if isinstance(cursor.peek(), SockNode) else _SOCKET_FILE).read(cursor)

    def write(self, value: object) -> str:
        return _SOCKET_FILE.write(value) if isinstance(value, str) else SOCK.write(value)


CONNECTION = ConnectionType(
    {
        "clamav-net": SOCK,
        "clamav-unix": _SOCKET_FILE,
        _BY_FILE: _SockOrPath(),
        "icap": Seq(SOCK, STR),
    }
)


def _check(bound: Bound, report: Report) -> None:
    engine: Antivirus = bound.struct
    kind = engine.connection.kind
    if kind == _BY_FILE and engine.comm_dir is None and not bound.partial:
        report.error(bound.place("connection"), f"`{_BY_FILE}` needs `comm-dir`, where mails are left for it")
    if kind and kind != _BY_FILE and engine.comm_dir is not None:
        report.warning(bound.place("comm-dir"), f"`comm-dir` has no effect but with `{_BY_FILE}`")
    if kind and kind != BUILTIN and engine.digests is not None:
        report.warning(bound.place("digests"), f"`digests` has no effect but with `{BUILTIN}`")


ANTIVIRUS = Section(
    keyword="antivirus",
    help="a virus scanner",
    page="antivirus",
    named=True,
    repeatable=True,
    struct=Antivirus,
    check=_check,
    members=(
        Item(
            keyword="connection",
            type=CONNECTION,
            obligatory=True,
            help="clamav-net and clamav-unix send the mail (INSTREAM), clamav-file leaves it in comm-dir, "
            "builtin knows EICAR and `digests`",
        ),
        Item(keyword="digests", type=FILE, help="SHA-256 digests in hex, one a line"),
        Item(keyword="max-checked-size", type=SIZE, help="what is larger is SKIPPED"),
        Item(keyword="comm-dir", type=DIRECTORY, help="for clamav-file; with chroot it lies inside"),
        *service_members(),
    ),
)
