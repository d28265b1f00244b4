"""The tree that a text of the configuration language becomes, before any keyword is known."""

from __future__ import annotations

import msgspec

from imap4fast.config.source import Span


class Atom(msgspec.Struct, frozen=True, eq=False):
    """One word, number, string, address, regular expression or `*`. `kind` is its terminal in the grammar."""

    kind: str
    text: str
    span: Span


class Range(msgspec.Struct, frozen=True, eq=False):
    """`LOW - HIGH`: two addresses, integers or words."""

    low: Atom
    high: Atom
    span: Span


class SockNode(msgspec.Struct, frozen=True, eq=False):
    """`HOST : PORT`."""

    host: Atom | Range
    port: Atom | Range
    span: Span


class Negated(msgspec.Struct, frozen=True, eq=False):
    """`! VALUE`."""

    value: Node
    span: Span


class ListNode(msgspec.Struct, frozen=True, eq=False):
    """`{ MEMBER, ... }`, never empty."""

    members: tuple[Node, ...]
    span: Span


Node = Atom | Range | SockNode | Negated | ListNode


class Statement(msgspec.Struct, frozen=True, eq=False):
    """An item (`body` None) or a section. `end` is its closing `;` or `}`."""

    keyword: Atom
    elements: tuple[Node, ...]
    body: tuple[Statement, ...] | None
    end: Span
