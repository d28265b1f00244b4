"""doctype-identification(7)."""

from __future__ import annotations

from typing import Any

from imap4fast.config.composite import ListOf, Named, Seq
from imap4fast.config.cursor import Cursor
from imap4fast.config.diagnostic import Report
from imap4fast.config.mailsettings import CONTENT_TYPE, EXTENSION, MAGIC, DoctypeIdentification, DoctypeOrder
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.types import FILE, Type, words

METHODS = ListOf(words(CONTENT_TYPE, EXTENSION, MAGIC))


class _OrderType(Type):
    """`[for DIRECTION] { METHODS }`."""

    inner = Seq(Named("for", words("download", "upload")), METHODS)
    name = inner.name

    def read(self, cursor: Cursor) -> DoctypeOrder:
        return DoctypeOrder(*self.inner.read(cursor))

    def write(self, value: Any) -> str:
        return self.inner.write((value.direction, value.methods))


def _check(bound: Bound, report: Report) -> None:
    found: DoctypeIdentification = bound.struct
    seen = set()
    for order, place in zip(found.order, bound.places.get("order", ()), strict=False):
        if order.direction in seen:
            what = "both directions" if order.direction is None else order.direction
            report.error(place, f"a second `order` for {what}")
        seen.add(order.direction)


DOCTYPE_IDENTIFICATION = Section(
    keyword="doctype-identification",
    help="how the type of a document is found",
    page="doctype-identification",
    struct=DoctypeIdentification,
    check=_check,
    members=(
        Item(
            keyword="order",
            type=_OrderType(),
            repeatable=True,
            default=CONTENT_TYPE,
            help="methods in the order in which they are tried; `for` one direction it wins over one for both",
        ),
        Item(keyword="mime-types", type=FILE, default="built in", help="types by extension, as in /etc/mime.types"),
        Item(keyword="magic", type=FILE, default="built in", help="types by the first bytes"),
    ),
)
