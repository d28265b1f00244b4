"""The talk with a server around STARTTLS (protocol.md section 3.1): whole, octet by octet and at every split."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.session.starttls import MOST_OCTETS, StartTls
from tests.unit.session.talks import (
    BEGIN,
    CAPABILITY,
    DONE,
    HELLO,
    INJECTED,
    LIST,
    STARTTLS,
    TAG,
    VECTORS,
    Vector,
    talked,
)

IDS = [vector.name for vector in VECTORS]


def cuttings(vector: Vector) -> Iterator[tuple[int, ...]]:
    """Octet by octet, at every place in two, and some in between."""
    longest = max(len(vector.before), len(vector.inside))
    yield (1,)
    yield (7, 1, 3)
    places = range(1, longest) if longest < 500 else range(1, longest, longest // 50)
    yield from ((place, 1 << 30) for place in places)


def test_vectors_are_named_apart() -> None:
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_whole(vector: Vector) -> None:
    result = talked(vector)
    assert (result.greeting, result.fault, result.tls) == (vector.greeting, vector.fault, vector.tls)
    assert result.sent in (b"", STARTTLS, STARTTLS + CAPABILITY)
    assert result.sent.endswith(CAPABILITY) == vector.tls
    assert result.counts[1] == len(result.sent)


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_any_chunking_is_the_same(vector: Vector) -> None:
    """But for octets behind the answer to STARTTLS: those that come apart from it go to TLS, which breaks by them."""
    for cuts in cuttings(vector):
        result = talked(vector, cuts)
        if vector.fault == INJECTED and result.tls:
            assert (result.greeting, result.fault) == (None, "")
        else:
            assert (result.greeting, result.fault, result.tls) == (vector.greeting, vector.fault, vector.tls), cuts


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.greeting], ids=[v.name for v in VECTORS if v.greeting])
def test_counts_are_all_octets_of_the_talk(vector: Vector) -> None:
    for cuts in cuttings(vector):
        talk_in = len(vector.before) + len(vector.inside)
        assert talked(vector, cuts).counts == (talk_in, len(STARTTLS) + len(CAPABILITY) * vector.tls)


@pytest.mark.parametrize("behind", [b"* 3 EXISTS\r\n", b"* CAP", b"x" * 70000])
@pytest.mark.parametrize("tls", [True, False])
def test_what_the_server_says_behind_the_talk_is_the_relays(tls: bool, behind: bytes) -> None:
    talk = StartTls(TAG, required=tls)
    talk.feed(HELLO)
    talk.feed(BEGIN if tls else TAG + b"T NO\r\n" + behind)
    if tls:
        talk.secured()
        talk.feed(LIST + DONE + behind)
    assert (talk.over, talk.rest) == (True, behind)


def test_injected_octets_are_counted() -> None:
    talk = StartTls(TAG, required=True)
    talk.feed(HELLO + BEGIN + b"* 3 EXISTS\r\n")
    assert (talk.unread, talk.rest, talk.over, talk.wants_tls) == (12, b"", False, False)


@pytest.mark.parametrize("late", [b"* 3 EXISTS\r\n", b"\x16", LIST + DONE])
def test_what_comes_before_tls_though_it_is_due_is_injected_too(late: bytes) -> None:
    talk = StartTls(TAG, required=True)
    talk.feed(HELLO + BEGIN)
    assert talk.feed(late) == b""
    assert (talk.fault, talk.unread, talk.wants_tls) == (INJECTED, len(late), False)


def test_a_broken_talk_says_and_hears_nothing_more() -> None:
    talk = StartTls(TAG, required=True)
    talk.feed(b"* BYE\r\n")
    assert talk.feed(HELLO + BEGIN + LIST + DONE) == b""
    assert (talk.greeting, talk.over, talk.wants_tls, talk.sent) == (None, False, False, 0)


def test_the_greeting_of_before_tls_is_not_kept() -> None:
    talk = StartTls(TAG, required=False)
    talk.feed(HELLO)
    talk.feed(BEGIN)
    assert (talk.greeting, talk.wants_tls) == (None, True)


def test_a_line_of_the_longest_kind_is_taken() -> None:
    """protocol.md 4.4: servers send lists of capabilities of some KiB."""
    names = b" ".join(b"X%03d" % number for number in range(800))
    talk = StartTls(TAG, required=True)
    talk.feed(HELLO + BEGIN)
    talk.secured()
    talk.feed(b"* CAPABILITY " + names + b"\r\n" + DONE)
    assert talk.greeting == b"* OK [CAPABILITY " + names + b"] ready\r\n"


HOSTILE = [
    b"X]", b"]", b"[ALERT]", b"\xff\xfe", b"\xc4\x8d", b"X\x1b[31m", b"X\x07", b"\x7f", b'"X', b"{5}", b"X{3}", b"(X",
    b"X)", b"*", b"%", b"\\X", b"X\x0bY", b"X\x0cY", b"X\tY", b"~{3}", b"{3+}",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_cannot_end_the_code(name: bytes) -> None:
    """What stands for the greeting is one whole line with one code, of names that are atoms (RFC 9051 section 9)."""
    talk = StartTls(TAG, required=True)
    talk.feed(HELLO + BEGIN)
    talk.secured()
    talk.feed(b"* CAPABILITY IMAP4rev1 " + name + b" AUTH=PLAIN\r\n" + DONE)
    _is_sound(talk.greeting, {b"IMAP4rev1", b"AUTH=PLAIN"})


@given(st.binary(max_size=60).filter(lambda data: not set(data) & {0, 10, 13}))
def test_any_names_cannot_end_the_code(names: bytes) -> None:
    talk = StartTls(TAG, required=True)
    talk.feed(HELLO + BEGIN)
    talk.secured()
    talk.feed(b"* CAPABILITY IMAP4rev1 " + names + b"\r\n" + DONE)
    _is_sound(talk.greeting, {b"IMAP4rev1"})


def _is_sound(greeting: bytes | None, kept: set[bytes]) -> None:
    assert greeting is not None
    assert greeting.startswith(b"* OK [CAPABILITY ")
    assert greeting.endswith(b"] ready\r\n")
    names = greeting[len(b"* OK [CAPABILITY ") : -len(b"] ready\r\n")]
    assert all(0x20 <= octet < 0x7F for octet in names)
    assert not set(names) & set(b'](){}%*"\\')
    assert kept <= set(names.split(b" "))


@given(st.binary(max_size=200), st.booleans(), st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_any_octets_in_any_chunks(said: bytes, required: bool, sizes: list[int]) -> None:
    vector = Vector("", HELLO + said, said, required=required)
    whole, cut = talked(vector), talked(vector, tuple(sizes))
    assert (whole.greeting, whole.fault, whole.tls) == (cut.greeting, cut.fault, cut.tls)
    assert whole.greeting is None or not required


def test_the_most_that_may_be_said() -> None:
    lines = b"* OK still here\r\n" * 3000
    talk = StartTls(TAG, required=True)
    talk.feed(HELLO + lines + BEGIN)
    assert talk.wants_tls
    assert talk.received < MOST_OCTETS
