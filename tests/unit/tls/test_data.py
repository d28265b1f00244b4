"""Bytes over an open leg: sizes, cuts, key updates, the two ways of ending, and what a leg keeps between chunks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imap4fast._wire import Tls
from tests.unit.tls.ends import (
    TLS12,
    TLS13,
    PythonEnd,
    RawEnd,
    client_context,
    from_leg,
    join,
    python_context,
    server_context,
    to_leg,
)

VERSIONS = [TLS12, TLS13]
SIZES = [0, 1, 2, 15, 16, 1023, 16383, 16384, 16385, 32768, 65536, 1 << 20]
LEGS = {"client": to_leg, "server": from_leg}
"""The leg that is ours."""


def sample(size: int) -> bytes:
    return bytes(range(251)) * (size // 251) + bytes(range(size % 251))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", LEGS)
def test_sizes(role: str, version: int) -> None:
    leg, end = LEGS[role](version)
    for size in SIZES:
        data = sample(size)
        assert end.pump(leg.seal(data))[0] == data
        assert leg.pump(end.seal(data)) == (data, b"")
    assert not leg.faulted


@pytest.mark.parametrize("version", VERSIONS)
def test_both_ways_at_once(version: int) -> None:
    """Sealing disturbs no record whose end is not here yet."""
    leg, end = to_leg(version)
    there, back = sample(40000), sample(30000)
    said = end.seal(there)
    first = leg.pump(said[:20000])[0]
    answer = leg.seal(back)
    assert first + leg.pump(said[20000:])[0] == there
    assert end.pump(answer)[0] == back


@pytest.mark.parametrize("version", VERSIONS)
def test_cut_at_every_place(version: int) -> None:
    leg, end = to_leg(version)
    for at in range(80):
        said = end.seal(b"a1 NOOP\r\n") + end.seal(b"b")
        assert len(said) < 80
        assert leg.pump(said[:at])[0] + leg.pump(said[at:])[0] == b"a1 NOOP\r\nb"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40000), max_size=6), st.lists(st.integers(1, 30000), min_size=1, max_size=9))
def test_cut_anywhere(sizes: list[int], cuts: list[int]) -> None:
    leg, end = to_leg(TLS13, CONTEXT)
    data = [sample(size) for size in sizes]
    said = b"".join(map(end.seal, data))
    got, at, turn = b"", 0, 0
    while at < len(said):
        step = cuts[turn % len(cuts)]
        got += leg.pump(said[at : at + step])[0]
        at, turn = at + step, turn + 1
    assert got == b"".join(data)


CONTEXT = server_context()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", LEGS)
def test_the_other_side_closes(role: str, version: int) -> None:
    """Half closed: what it has said before is read, and it can still be told something."""
    leg, end = LEGS[role](version)
    said = end.seal(b"last") + end.close()
    assert leg.pump(said)[0] == b"last"
    assert (leg.closed, leg.faulted, leg.closing) == (True, False, False)
    leg.lose()
    assert not leg.truncated
    assert leg.seal(b"answer")
    assert leg.close()
    assert leg.close() == b""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", LEGS)
def test_our_side_closes(role: str, version: int) -> None:
    leg, end = LEGS[role](version)
    before = end.seal(b"under way")
    end.pump(leg.close())
    assert end.closed
    assert leg.closing
    assert leg.seal(b"more") == b""
    assert leg.pump(before)[0] == b"under way"
    assert not leg.closed


@pytest.mark.parametrize("version", VERSIONS)
def test_answer_to_a_half_closed_leg(version: int) -> None:
    """OpenSSL's own end goes on reading after its close_notify."""
    leg, end = Tls(server_context()), RawEnd(False, version)
    join(end, leg)  # type: ignore[arg-type]
    leg.pump(end.close())
    assert leg.closed
    assert end.pump(leg.seal(b"* BYE\r\n") + leg.close())[0] == b"* BYE\r\n"


def test_what_comes_after_the_end_is_nothing() -> None:
    leg, end = to_leg()
    more = end.seal(b"x")
    leg.pump(end.close())
    assert leg.pump(more)[0] == b""


@pytest.mark.parametrize("role", LEGS)
def test_truncation(role: str) -> None:
    leg, end = LEGS[role]()
    said = end.seal(b"x" * 100)
    leg.pump(said[:50])
    assert not leg.truncated
    leg.lose()
    assert (leg.truncated, leg.closed, leg.faulted) == (True, False, False)


def test_the_connection_ends_in_the_handshake() -> None:
    leg = Tls(server_context())
    leg.pump(PythonEnd(python_context(False), False).pump(b"")[1][:40])
    leg.lose()
    assert leg.truncated


@pytest.mark.parametrize("server", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_key_updates(server: bool, both: bool) -> None:
    """An update that is asked for goes out with the next bytes at the latest."""
    leg, end = raw_pair(server, TLS13)
    usual = len(leg.seal(b"back"))
    leg, end = raw_pair(server, TLS13)
    for _ in range(5):
        asked = b"".join(end.update_keys(both) for _ in range(3))
        plain, answer = leg.pump(asked + end.seal(b"behind"))
        assert plain == b"behind"
        answer += leg.seal(b"back")
        assert (len(answer) > usual) == both
        assert end.pump(answer)[0] == b"back"


def test_key_updates_without_end() -> None:
    leg, end = raw_pair(False, TLS13)
    said = 0
    while not leg.faulted and said < 1 << 20:
        update = end.update_keys(False)
        assert update
        leg.pump(update)
        said += len(update)
    assert leg.fault_reason == "too much without a plain octet"
    assert said <= 140000


def raw_pair(server: bool, version: int) -> tuple[Tls, RawEnd]:
    """Our leg, and OpenSSL's own end; `server`: that one is the server."""
    end = RawEnd(server, version)
    if server:
        leg = Tls(client_context(verify=0))
        join(leg, end)  # type: ignore[arg-type]
    else:
        leg = Tls(server_context())
        join(end, leg)  # type: ignore[arg-type]
    assert leg.handshake_done
    return leg, end


@pytest.mark.parametrize("server", [False, True])
def test_renegotiation_is_refused(server: bool) -> None:
    """T-S17. A warning is all that the other side gets; if it goes on, so do we."""
    leg, end = raw_pair(server, TLS12)
    plain, answer = leg.pump(end.renegotiate())
    assert plain == b""
    assert answer[:1] == b"\x15"
    assert len(answer) < 64
    assert not leg.faulted
    assert leg.handshake_done
    assert leg.seal(b"still")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("most", [0, 1, 100, 16384, 30000])
def test_what_is_not_read_waits(version: int, most: int) -> None:
    """Back-pressure: chunks that come meanwhile stand behind it."""
    leg, end = to_leg(version, CONTEXT)
    data = sample(70000)
    said = end.seal(data)
    got = b""
    for at in range(0, len(said), 5000):
        more, _ = leg.pump(said[at : at + 5000], most)
        assert len(more) <= most
        got += more
    assert data.startswith(got)
    assert got + leg.pump(b"")[0] == data
    assert leg.pump(end.seal(b"after"))[0] == b"after"


def test_no_more_waits_than_a_cap() -> None:
    leg, end = to_leg()
    said = end.seal(b"x" * 400_000)
    for _ in range(2):
        leg.pump(said, 0)
        assert not leg.faulted
    leg.pump(said, 0)
    assert leg.fault_reason == "too much unread"
    assert leg.pump(b"") == (b"", b"")


def test_legs_do_not_mix() -> None:
    """All share one output."""
    legs = [to_leg(TLS13, CONTEXT) for _ in range(5)]
    for turn in range(3):
        said = [leg.seal(b"to %d %d" % (at, turn)) for at, (leg, _) in enumerate(legs)]
        for at, (leg, end) in enumerate(legs):
            assert end.pump(said[at])[0] == b"to %d %d" % (at, turn)
            assert leg.pump(end.seal(b"from %d" % at))[0] == b"from %d" % at
