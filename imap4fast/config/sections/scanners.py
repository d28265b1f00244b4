"""What antivirus(5) and antispam(5) share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imap4fast.config.composite import Branch, Seq
from imap4fast.config.cursor import Cursor
from imap4fast.config.mailsettings import BUILTIN, Connection
from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.netio import sock_opt
from imap4fast.config.types import DURATION, Integer, Ref, Type
from imap4fast.config.values import Sock

_MOST_POOLED = 1000


class ConnectionType(Type):
    """How a scanner is reached: a word for the protocol, and what it needs; `builtin` needs nothing."""

    def __init__(self, protocols: Mapping[str, Type]) -> None:
        self.branch = Branch({**protocols, BUILTIN: None})
        self.name = self.branch.name

    def read(self, cursor: Cursor) -> Connection:
        kind, value = self.branch.read(cursor)
        where, service = value if isinstance(value, tuple) else (value, None)
        if isinstance(where, Sock):
            return Connection(kind, sock=where, service=service)
        return Connection(kind, path=where)

    def write(self, value: Any) -> str:
        where = value.sock or value.path
        return self.branch.write((value.kind, where if value.service is None else (where, value.service)))


def service_members() -> tuple[Item | Section, ...]:
    """The items about the connections to a scanner."""
    return (
        sock_opt("sock-opt", "socket options of the connections"),
        Item(keyword="timeout", type=DURATION, help="for the whole check; 0: none"),
        Item(keyword="pool", type=Integer(0, _MOST_POOLED), help="connections kept per worker"),
        Item(
            keyword="breaker",
            type=Seq(Integer(name="failures"), Integer(name="seconds")),
            help="after so many failures in a row the engine counts as ERROR at once for so many seconds; 0: never",
        ),
        Item(
            keyword="shape",
            type=Ref("shaper"),
            supported=False,
            default="none",
            help="shaper of the traffic to the scanner",
        ),
    )
