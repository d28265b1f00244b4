"""Status lines as the client may see them; tests/play has the server's words in conversation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.session import responses
from tests.play.stage import Stage


def test_cleaned() -> None:
    assert responses.cleaned(bytes(range(0x20)) + b"a\x7f\xc3\xa9") == b"a\xc3\xa9"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"* OK x\r\n", b"* OK x\r\n"),
        (b"* OK [UIDNEXT 4] x\r\n", b"* OK [UIDNEXT 4] x\r\n"),
        (b"* OK [UIDNEXT 4]\r\n", b"* OK [UIDNEXT 4] -\r\n"),
        (b"* OK [XNEW]\r\n", b"* OK -\r\n"),
        (b"* OK\r\n", b"* OK -\r\n"),
        (b"a NO [REFERRAL imap://x/] y\r\n", b"a NO y\r\n"),
        (b"* OK [[UIDNEXT 4] x\r\n", b"* OK x\r\n"),
        (b"* OK []x\r\n", b"* OK x\r\n"),
    ],
)
def test_rewritten(line: bytes, shown: bytes) -> None:
    assert responses.rewritten(Stage().session, line) == shown


@given(st.lists(st.sampled_from([b"[", b"]", b" ", b"\x1b", b"REFERRAL x", b"CAPABILITY IMAP4rev1", b"ALERT", b"x"])))
def test_a_client_never_finds_a_code_that_may_not_pass(parts: list[bytes]) -> None:
    shown = responses.rewritten(_SESSION, b"* OK " + b"".join(parts) + b"\r\n")
    text = shown.removeprefix(b"* OK").lstrip(b" ")
    assert not text.startswith((b"[REFERRAL", b"[ALERT", b"[x"))
    assert shown.count(b"\n") == 1
    assert b"\x1b" not in shown


def test_what_is_kept_is_bounded() -> None:
    session = Stage(level=6).session
    lines = [b"OK [CAPABILITY IMAP4rev1] %d\r\n" % number for number in range(600)]
    long = b"OK [CAPABILITY IMAP4rev1] " + b"x" * 5000 + b"\r\n"
    for line in [long, *lines]:
        responses.rewritten(session, b"* " + line)
    gate = session.powers.gate
    kept = [line for line in lines if gate.said(line, session.authenticated) is not None]
    assert 0 < len(kept) < len(lines)
    assert gate.said(long, session.authenticated) is None


_SESSION = Stage().session
