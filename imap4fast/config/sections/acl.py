"""acl(5): conditions and the result, which all ACLs share."""

from __future__ import annotations

from imap4fast.config.clock import TIME
from imap4fast.config.diagnostic import Report
from imap4fast.config.host import HOSTS
from imap4fast.config.schema import Bound, Item
from imap4fast.config.types import KEY, Key, Ref, words
from imap4fast.config.values import HostList, HostRegex, HostSublist
from imap4fast.config.wordlist import STRINGS, WordListType, section_name

LANGUAGE = words("EN", "CZ", "CZ-ASCII", "CZ-ISO-8859-2", "CZ-WINDOWS-1250")


def _has_regex(members: HostList) -> bool:
    inner = (member.host for member in members)
    return any(_has_regex(one.members) if isinstance(one, HostSublist) else isinstance(one, HostRegex) for one in inner)


def _refused_to(value: HostList) -> str | None:
    """The name of where a client connected to is not looked up."""
    return "a regular expression in `to`" if _has_regex(value) else None


FROM = Item(
    keyword="from",
    type=HOSTS,
    field="conditions.from_",
    default="*",
    help="condition: the client; a regular expression fits its forward-confirmed name",
)
TO = Item(
    keyword="to",
    type=HOSTS,
    field="conditions.to",
    default="*",
    refuses=_refused_to,
    help="condition: where the client connected to, without regular expressions",
)
SERVER = Item(
    keyword="server",
    type=HOSTS,
    field="conditions.server",
    default="*",
    help="condition: the server of the session; a regular expression fits a name as it stands in plug-to",
)
TIME_ITEM = Item(
    keyword="time",
    type=TIME,
    field="conditions.time",
    repeatable=True,
    default="*",
    help="condition: any of these times, by the local time zone when the ACL is searched",
)
TIME_PERIOD = Item(
    keyword="time-period-set",
    type=Ref("time-period-set", resolve=True),
    field="conditions.time_period_set",
    default="*",
    help="condition: a section time-period-set",
)
USER = Item(
    keyword="user",
    type=STRINGS,
    field="conditions.user",
    default="*",
    help="condition: the out-of-band user until login, then the IMAP login name",
)
GROUP = Item(
    keyword="group",
    type=STRINGS,
    field="conditions.group",
    default="*",
    help="condition: groups of an out-of-band user",
)
RESULT = (
    Item(keyword="accept", type=KEY, help="the ACL accepts; it says either this or deny"),
    Item(keyword="deny", type=Key(False), field="accept", help="the ACL denies"),
)
RESULTS = ("accept", "deny")


def parent_acl(kind: str) -> Item:
    """Names of ACLs of the phase before."""
    return Item(
        keyword="parent-acl",
        type=WordListType(f"name of {kind}", section_name(kind)),
        field="conditions.parent_acl",
        default="*",
        help=f"condition: the {kind} that accepted",
    )


def check_times(bound: Bound, report: Report) -> None:
    """The two ways to name times are not mixed."""
    if "time" in bound.places and "time-period-set" in bound.places:
        report.error(bound.place("time-period-set"), "`time-period-set` and `time` exclude each other")
