"""The tree."""

from __future__ import annotations

from imap4fast.config.syntax import Atom, ListNode, Negated, Range, SockNode
from tests.unit.config.harness import parsed


def test_nodes() -> None:
    word, ports, members, denied = parsed("item a [10.0.0.1] : 5-6 { b, * } ! c;").elements
    assert isinstance(word, Atom)
    assert (word.kind, word.text) == ("WORD", "a")
    assert isinstance(ports, SockNode)
    assert isinstance(ports.port, Range)
    assert (ports.port.low.text, ports.port.high.text) == ("5", "6")
    assert isinstance(members, ListNode)
    assert [member.text for member in members.members if isinstance(member, Atom)] == ["b", "*"]
    assert isinstance(denied, Negated)


def test_bodies() -> None:
    assert parsed("a;").body is None
    assert parsed("a { }").body == ()
    (inner,) = parsed("a { b; }").body
    assert inner.keyword.text == "b"
