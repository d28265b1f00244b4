"""monitoring(5): `monitoring {}` and `stats-daily {}`, `stats-weekly {}`, `stats-monthly {}`."""

from __future__ import annotations

from imap4fast.config.composite import Opt, Seq
from imap4fast.config.diagnostic import Report
from imap4fast.config.host import SOCK
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.settings import Monitoring
from imap4fast.config.types import DIRECTORY, DURATION, FILE, INTEGER, KEY


def _check(bound: Bound, report: Report) -> None:
    if "disabled" not in bound.places:
        report.error(bound.statement.keyword.span, "`monitoring` without `disabled` is not supported yet")


MONITORING = Section(
    keyword="monitoring",
    help="live data about sessions",
    page="monitoring",
    struct=Monitoring,
    check=_check,
    members=(
        Item(keyword="disabled", type=KEY, help="no monitoring"),
        Item(
            keyword="comm-dir",
            type=DIRECTORY,
            supported=False,
            default="the system's temporary directory",
            help="where the data lie",
        ),
        Item(keyword="interval", type=DURATION, supported=False, default="5", help="window of the speed shown"),
        Item(keyword="user", type=INTEGER, supported=False, default="8", help="characters of a user name"),
        Item(keyword="aproxy-user", type=INTEGER, supported=False, default="8", help="characters of a proxy user"),
        Item(
            keyword="data",
            type=Seq(INTEGER, Opt(INTEGER)),
            supported=False,
            default="180 60",
            help="characters of other data, and of these the tail",
        ),
        Item(keyword="metrics", type=SOCK, supported=False, default="none", help="where metrics are served"),
    ),
)


def stats(period: str) -> Section:
    """A summary of a period."""
    return Section(
        keyword=f"stats-{period}",
        help=f"{period} summary",
        page="monitoring",
        supported=False,
        members=(
            Item(keyword="file", type=FILE, default="none", help="as text"),
            Item(keyword="html", type=FILE, default="none", help="as HTML"),
            Item(keyword="top", type=INTEGER, default="20", help="lines of each table"),
        ),
    )
