"""auth(5): `oob-auth` and the item `auth`."""

from __future__ import annotations

from typing import Any

from imap4fast.config.composite import Branch, Opt, Seq
from imap4fast.config.cursor import Cursor
from imap4fast.config.host import HOSTS, SOCK
from imap4fast.config.schema import Item, Section
from imap4fast.config.syntax import Atom
from imap4fast.config.types import DURATION, FILE, INTEGER, STR, Ref, Type, quoted, words


class _Store(Type):
    """A file or a server that keeps the sessions."""

    name = '"FILE" | redis "URL"'

    def read(self, cursor: Cursor) -> tuple[str, str]:
        return ("redis", STR.read(cursor)) if cursor.accept("redis") else ("file", FILE.read(cursor))

    def write(self, value: Any) -> str:
        return f"redis {quoted(value[1])}" if value[0] == "redis" else quoted(value[1])


class _Strings(Type):
    """Strings up to the end of the item."""

    name = "string ..."

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        found = []
        while isinstance(cursor.peek(), Atom):
            found.append(STR.read(cursor))
        return tuple(found)

    def write(self, value: Any) -> str:
        return " ".join(quoted(text) for text in value)


OOB_AUTH = Section(
    keyword="oob-auth",
    help="users known by their address, from a login outside IMAP",
    page="auth",
    named=True,
    repeatable=True,
    supported=False,
    members=(
        Item(keyword="method", type=words("html-form", "external"), obligatory=True, help="how users log in"),
        Item(keyword="listen", type=SOCK, default="none", help="the login page"),
        Item(keyword="ssl-params", type=Ref("ssl-params"), default="none", help="TLS of the login page"),
        Item(keyword="users", type=FILE, default="none", help="lines `name:hash[:group,group]`"),
        Item(keyword="radius", type=Seq(SOCK, FILE), default="none", help="server, file with the shared secret"),
        Item(keyword="ldap", type=Seq(STR, Opt(_Strings())), default="none", help="URL of the directory, parameters"),
        Item(keyword="max-sessions", type=INTEGER, default="10000", help="most sessions at once"),
        Item(keyword="session-timeout", type=DURATION, default="8h", help="longest life of a session"),
        Item(keyword="idle-timeout", type=DURATION, default="1h", help="longest life without use"),
        Item(keyword="max-user", type=INTEGER, default="64", help="longest user name"),
        Item(keyword="max-groups", type=INTEGER, default="1024", help="longest list of groups"),
        Item(keyword="trust-proxy", type=HOSTS, default="none", help="whose forwarded client addresses are believed"),
        Item(keyword="store", type=_Store(), default="memory", help="where sessions are kept"),
    ),
)

AUTH_TYPE = Branch({"none": None, "oob": Ref("oob-auth")})


def refused_auth(value: Any) -> str | None:
    """`oob` comes later."""
    return "`auth oob`" if value[0] == "oob" else None
