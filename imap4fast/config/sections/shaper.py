"""shaper(5)."""

from __future__ import annotations

from imap4fast.config.composite import Branch, Named, Seq
from imap4fast.config.schema import Item, Section
from imap4fast.config.types import SIZE, SIZE_NOT_0, STR, YES_NO, Integer, Ref, words

SHAPER = Section(
    keyword="shaper",
    help="a token bucket",
    page="shaper",
    named=True,
    repeatable=True,
    supported=False,
    members=(
        Item(keyword="rate", type=SIZE_NOT_0, obligatory=True, help="bytes a second"),
        Item(keyword="burst", type=SIZE, default="rate / 10, at least 16K", help="bytes at once"),
        Item(
            keyword="per",
            type=words("session", "user", "client", "acl", "proxy"),
            default="session",
            help="what shares one bucket; user before login: session",
        ),
        Item(keyword="parent", type=Ref("shaper"), default="none", help="a bucket that is drawn from too"),
        Item(keyword="priority", type=Integer(0, 7), default="none", help="who is served first; 0 is highest"),
        Item(keyword="mark", type=Integer(), default="none", help="mark of the packets"),
        Item(keyword="dscp", type=Integer(0, 63), default="none", help="DSCP of the packets"),
        Item(keyword="max-pacing", type=YES_NO, default="no", help="SO_MAX_PACING_RATE"),
        Item(
            keyword="quota",
            type=Seq(SIZE, Named("per", words("day", "month"), optional=False)),
            default="none",
            help="bytes in a day or month",
        ),
        Item(keyword="cluster", type=Branch({"redis": STR}), default="none", help="shares the bucket between hosts"),
    ),
)
