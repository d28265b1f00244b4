"""antivirus(5)."""

from __future__ import annotations

from imap4fast.config.composite import Branch, Seq
from imap4fast.config.cursor import Cursor
from imap4fast.config.host import SOCK
from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.scanners import service_members
from imap4fast.config.syntax import SockNode
from imap4fast.config.types import DIRECTORY, FILE, SIZE, STR, Path, Type

_SOCKET_FILE = Path("socket path")


class _SockOrPath(Type):
    """A socket of IP or of the file system."""

    name = f'{SOCK.name} | "PATH"'

    def read(self, cursor: Cursor) -> object:
        return (SOCK if isinstance(cursor.peek(), SockNode) else _SOCKET_FILE).read(cursor)

    def write(self, value: object) -> str:
        return _SOCKET_FILE.write(value) if isinstance(value, str) else SOCK.write(value)


CONNECTION = Branch(
    {
        "clamav-net": SOCK,
        "clamav-unix": _SOCKET_FILE,
        "clamav-file": _SockOrPath(),
        "icap": Seq(SOCK, STR),
        "builtin": None,
    }
)

ANTIVIRUS = Section(
    keyword="antivirus",
    help="a virus scanner",
    page="antivirus",
    named=True,
    repeatable=True,
    supported=False,
    members=(
        Item(
            keyword="connection",
            type=CONNECTION,
            obligatory=True,
            help="clamav-net and clamav-unix send the mail (INSTREAM), clamav-file leaves it in comm-dir, "
            "builtin knows EICAR and `digests`",
        ),
        Item(keyword="digests", type=FILE, default="none", help="SHA-256 digests in hex, one a line"),
        Item(keyword="max-checked-size", type=SIZE, default="25M", help="what is larger is SKIPPED"),
        Item(keyword="comm-dir", type=DIRECTORY, default="none", help="for clamav-file; with chroot it lies inside"),
        *service_members("60"),
    ),
)
