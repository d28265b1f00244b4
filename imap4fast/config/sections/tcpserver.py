"""tcpserver(5)."""

from __future__ import annotations

from imap4fast.config.composite import WordOr
from imap4fast.config.diagnostic import Report
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.settings import TcpServer
from imap4fast.config.types import DURATION, KEY, Integer

_COUNT = Integer(0, 2**31 - 1)
"""What the shared table counts with."""


def _check(bound: Bound, report: Report) -> None:
    server: TcpServer = bound.struct
    for one, total, keyword, whole in (
        (server.max_sessions_per_ip, server.max_sessions, "max-sessions-per-ip", "max-sessions"),
        (server.conn_rate_per_ip, server.conn_rate, "conn-rate-per-ip", "conn-rate"),
    ):
        if total and one > total:
            report.error(bound.place(keyword), f"`{keyword}` {one} is more than `{whole}` {total}")


TCPSERVER = Section(
    keyword="tcpserver",
    help="processes and limits; limits are exact per host over all workers, per IPv4 address or IPv6 /64",
    page="tcpserver",
    struct=TcpServer,
    check=_check,
    members=(
        Item(keyword="workers", type=WordOr("auto", 0, Integer(1, 1024)), help="worker processes; auto: one a core"),
        Item(keyword="queue-size", type=Integer(1, 65535), help="length of the accept queue"),
        Item(keyword="max-sessions", type=_COUNT, help="sessions at once"),
        Item(keyword="max-sessions-per-ip", type=_COUNT, help="sessions at once of one client"),
        Item(
            keyword="max-children",
            type=_COUNT,
            field="max_sessions",
            same_as="max-sessions",
            help="another name of max-sessions",
        ),
        Item(
            keyword="max-children-per-ip",
            type=_COUNT,
            field="max_sessions_per_ip",
            same_as="max-sessions-per-ip",
            help="another name of max-sessions-per-ip",
        ),
        Item(keyword="conn-rate", type=_COUNT, help="connections a second"),
        Item(keyword="conn-rate-per-ip", type=_COUNT, help="connections a second of one client"),
        Item(keyword="terminate-wait", type=DURATION, help="graceful end: then BYE and close"),
        Item(
            keyword="helpers",
            type=WordOr("auto", 0, Integer(1, 1024)),
            help="processes that examine and rewrite mails; auto: one a core",
        ),
        Item(keyword="listener", type=KEY, help="known for compatibility: the proxy always works so"),
    ),
)
