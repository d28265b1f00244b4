"""Headers that make a mail seem another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import decode_words
from imap4fast.mail import fields, spoof

MAILSPLOIT = (
    b"From: =?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?==?utf-8?Q?=00?="
    b"=?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?=@mailsploit.com\r\n\r\n"
)


def test_T_H01_control_characters_are_taken_out() -> None:  # noqa: N802
    assert "T-H01" in spoof.flags(MAILSPLOIT)
    done = spoof.cleaned(MAILSPLOIT)
    assert spoof.cleaned(done) is done
    assert "T-H01" not in spoof.flags(done)
    text = decode_words(fields.fields(done)[0].value)
    assert text == "potus@whitehouse.gov potus@whitehouse.gov@mailsploit.com"


@pytest.mark.parametrize(
    "header",
    [
        b"From: =?utf-8?q?a=0Ab?= <a@example.com>\r\n\r\n",
        b"Subject: =?utf-8?q?=E2=80=AEexe?=\r\n\r\n",
        b"Subject: a\x01b\r\n\r\n",
        b"To: a\x0b <a@example.com>\r\n\r\n",
    ],
)
def test_T_H01_wherever_they_are(header: bytes) -> None:  # noqa: N802
    done = spoof.cleaned(header)
    assert done != header
    assert spoof.flags(done) == frozenset()
    assert spoof.cleaned(done) is done


@pytest.mark.parametrize(
    "header",
    [
        b"From: =?utf-8?q?=C3=A9?= <a@example.com>\r\n\r\n",
        b'From: "Ann\tB" <a@example.com>\r\nSubject: \xc3\xa9 \xe9\r\nX-Other: \x01\r\n\r\n',
        b"",
    ],
)
def test_what_hides_nothing_is_the_same_object(header: bytes) -> None:
    assert spoof.cleaned(header) is header


def test_T_H02_several_from() -> None:  # noqa: N802
    header = b"From: a@good.example\r\nFrom: b@evil.example\r\nX: y\r\n\r\n"
    assert spoof.flags(header) == {"T-H02"}
    assert spoof.cleaned(header) is header
    assert spoof.cleaned(header, one_each=True) == b"From: a@good.example\r\nX: y\r\n\r\n"


@pytest.mark.parametrize(
    ("sender", "flagged"),
    [
        (b'"ceo@bank.example" <x@evil.example>', True),
        (b"=?utf-8?q?ceo=40bank.example?= <x@evil.example>", True),
        (b"(ceo@bank.example) <x@evil.example> (note)", True),
        (b'"x@evil.example" <X@evil.example>', False),
        (b"CEO <ceo@bank.example>", False),
        (b"ceo@bank.example", False),
        (b"me @ work <x@example.com>", False),
    ],
)
def test_T_H05_an_address_as_a_name(sender: bytes, flagged: bool) -> None:  # noqa: N802
    assert ("T-H05" in spoof.flags(b"From: " + sender + b"\r\n\r\n")) is flagged


def test_T_H07_fields_of_ours_are_taken_out() -> None:  # noqa: N802
    header = b"X-Kernun-Scan: clean\r\nSubject: x\r\nx-imap4fast-replaced: y\r\nX-Imap4: z\r\n\r\n"
    assert spoof.flags(header) == {"T-H07"}
    assert spoof.cleaned(header) == b"Subject: x\r\nX-Imap4: z\r\n\r\n"
    own = frozenset((b"x-imap4fast-replaced",))
    assert spoof.cleaned(header, own) == b"Subject: x\r\nx-imap4fast-replaced: y\r\nX-Imap4: z\r\n\r\n"


@given(
    st.lists(st.sampled_from([b"=?utf-8?q?", b"=00", b"?=", b" ", b"a", b"\x01", b'"', b"<", b">", b"@"]), max_size=20)
)
def test_twice_is_once(pieces: list[bytes]) -> None:
    header = b"From: " + b"".join(pieces) + b"\r\n\r\n"
    done = spoof.cleaned(header)
    assert spoof.cleaned(done) == done
    assert "T-H01" not in spoof.flags(done)
