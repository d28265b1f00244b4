"""What antivirus(5) and antispam(5) share."""

from __future__ import annotations

from imap4fast.config.composite import Seq
from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.netio import sock_opt
from imap4fast.config.types import DURATION, INTEGER, Integer, Ref


def service_members(timeout: str) -> tuple[Item | Section, ...]:
    """The items about the connections to a scanner."""
    return (
        sock_opt("sock-opt", "socket options of the connections"),
        Item(keyword="timeout", type=DURATION, default=timeout, help="for the whole check"),
        Item(keyword="pool", type=INTEGER, default="4", help="connections kept per worker"),
        Item(
            keyword="breaker",
            type=Seq(Integer(name="failures"), Integer(name="seconds")),
            default="5 30",
            help="after so many failures in a row the engine counts as ERROR at once for so long",
        ),
        Item(keyword="shape", type=Ref("shaper"), default="none", help="shaper of the traffic to the scanner"),
    )
