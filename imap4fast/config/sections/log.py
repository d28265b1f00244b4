"""log(5): `log-debug {}` and `log-stats {}`."""

from __future__ import annotations

from imap4fast.config.composite import Seq
from imap4fast.config.diagnostic import Report
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.settings import LogSink
from imap4fast.config.types import DURATION, FILE, SIZE, SIZE_NOT_0, Integer, Word, words

LEVEL = Word({"error": 3, "warning": 4, "normal": 6, "debug": 7, "trace": 8, "full": 9}, range(3, 10))
_FACILITIES = (
    *("KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV", "FTP"),
    *(f"LOCAL{number}" for number in range(8)),
)


def _check(bound: Bound, report: Report) -> None:
    for keyword, needed in (("rotate", "file"), ("mem-level", "mem-file")):
        if keyword in bound.places and needed not in bound.places:
            report.error(bound.place(keyword), f"`{keyword}` needs `{needed}`")


def log_sink(keyword: str, text: str) -> Section:
    """A section of the form of `log`."""
    return Section(
        keyword=keyword,
        help=text,
        page="log",
        struct=LogSink,
        exclusive=(("file", "facility"),),
        check=_check,
        members=(
            Item(keyword="level", type=LEVEL, help="what is logged; statistics and notices always are"),
            Item(keyword="file", type=FILE, help="a file; neither file nor facility, with nodaemon: standard error"),
            Item(keyword="facility", type=words(*_FACILITIES), help="facility of syslog; without it LOCAL4"),
            Item(keyword="format", type=words("text", "json"), help="form of a line"),
            Item(keyword="mem-level", type=LEVEL, help="level of mem-file"),
            Item(
                keyword="mem-file", type=Seq(FILE, SIZE_NOT_0), help="a mapped file with the last lines, and its size"
            ),
            Item(keyword="rotate", type=Seq(SIZE_NOT_0, Integer(name="count")), help="size of a file, files kept"),
            Item(
                keyword="syslog-failure", type=words("ignore", "file", "stop"), help="when syslog does not take a line"
            ),
            Item(keyword="data-limit", type=SIZE, help="bytes of a value that are shown; 0: all"),
            Item(
                keyword="dump-hold-time",
                type=DURATION,
                supported=False,
                default="0",
                help="how long a dump of data is held back",
            ),
        ),
    )
