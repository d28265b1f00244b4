"""Records that were changed, cut or made up on the way: a leg reads what was sent or breaks, and never goes on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imap4fast._wire import Tls
from tests.unit.tls.ends import (
    NAME,
    TLS12,
    TLS13,
    PythonEnd,
    client_context,
    join,
    python_context,
    server_context,
    to_leg,
)

VERSIONS = st.sampled_from([TLS12, TLS13])
CONTEXT, TOWARDS = server_context(), client_context()
SENT = b"a1 FETCH 1 (FLAGS)\r\n" * 60
MUTATION = st.tuples(
    st.sampled_from(["flip", "drop", "insert", "double", "cut"]), st.integers(0, 1 << 20), st.integers(1, 255)
)


def changed(data: bytes, how: str, where: int, value: int) -> bytes:
    at = where % len(data)
    return {
        "flip": data[:at] + bytes((data[at] ^ value,)) + data[at + 1 :],
        "drop": data[:at] + data[at + 1 :],
        "insert": data[:at] + bytes((value,)) + data[at:],
        "double": data[: at + value] + data[at:],
        "cut": data[:at],
    }[how]


@settings(max_examples=150, deadline=None)
@given(VERSIONS, MUTATION)
def test_changed_data(version: int, mutation: tuple[str, int, int]) -> None:
    leg, end = to_leg(version, CONTEXT)
    said = b"".join(end.seal(SENT[at : at + 100]) for at in range(0, len(SENT), 100))
    got = leg.pump(changed(said, *mutation))[0]
    assert SENT.startswith(got)
    assert len(got) % 100 == 0
    if got != SENT:
        leg.lose()
        assert leg.faulted or leg.truncated
    if leg.faulted:
        assert leg.fault_reason not in (None, "unknown")
        assert leg.pump(end.seal(b"more"))[0] == b""
        assert leg.seal(b"more") == b""


@settings(max_examples=150, deadline=None)
@given(VERSIONS, st.booleans(), MUTATION, st.integers(0, 3))
def test_changed_handshake(version: int, server: bool, mutation: tuple[str, int, int], turn: int) -> None:
    """Either side of ours; one flight towards it is changed."""
    end = PythonEnd(python_context(not server, version), not server)
    leg = Tls(CONTEXT if server else TOWARDS)
    if not server:
        leg.set_server_name(NAME.encode())
    said = end.pump(leg.pump(b"")[1])[1]
    for count in range(4):
        if not said:
            break
        answer = leg.pump(changed(said, *mutation) if count == turn else said)[1]
        said = end.pump(answer)[1] if answer else b""
    if leg.faulted:
        assert leg.fault_reason not in (None, "unknown")
        assert not leg.seal(b"x")


@settings(max_examples=150, deadline=None)
@given(
    st.booleans(), st.binary(max_size=600), st.sampled_from([b"", b"\x16\x03\x01", b"\x15\x03\x03", b"\x17\x03\x03"])
)
def test_anything_at_all(server: bool, data: bytes, head: bytes) -> None:
    leg = Tls(CONTEXT if server else TOWARDS)
    if head:
        data = head + len(data).to_bytes(2, "big") + data
    assert leg.pump(data)[0] == b""
    assert not leg.handshake_done


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize("length", [16384 + 2049, 0xFFFF])
def test_too_long_a_record(version: int, length: int) -> None:
    leg, _ = to_leg(version)
    leg.pump(b"\x17\x03\x03" + length.to_bytes(2, "big"))
    assert leg.faulted
    assert leg.fault_reason in {"packet length too long", "encrypted length too long"}


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_record_again(version: int) -> None:
    leg, end = to_leg(version)
    said = end.seal(b"once")
    assert leg.pump(said)[0] == b"once"
    assert leg.pump(said)[0] == b""
    assert leg.fault_reason == "decryption failed or bad record mac"


def test_plain_bytes_in_between() -> None:
    leg, end = to_leg()
    assert leg.pump(end.seal(b"sealed") + b"b1 LOGIN evil evil\r\n")[0] == b"sealed"
    assert leg.fault_reason == "wrong version number"


def test_an_alert_of_the_other_side() -> None:
    """OpenSSL's words for it name the alert."""
    leg = Tls(server_context())
    end = PythonEnd(python_context(False), False, name="other.example.org")
    join(end, leg)
    assert end.error is not None
    assert leg.fault_reason == "sslv3 alert bad certificate"
