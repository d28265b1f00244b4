"""T-M31: opaque S/MIME is unpacked for the built-in engine."""

from __future__ import annotations

import base64

import pytest

from imap4fast.mail import archive, builtin, cms, opaque
from imap4fast.mail.streams import Budget
from imap4fast.mail.work import FOUND, FREE
from tests.unit.mail.mails import TWO
from tests.unit.mail.test_cms import DETACHED, INNER, WHOLE, der, endless, made

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
MAIL = b"Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(EICAR) + b"\r\n"


def members(octets: bytes) -> list[bytes]:
    return [b"".join(blocks) for blocks in opaque.opened(octets, Budget())]


def test_T_M31_the_mail_inside_and_its_leaves() -> None:  # noqa: N802
    assert members(WHOLE) == [INNER, b"X5O!P%@AP\r\n"]
    assert members(made(cms.SIGNED_DATA, der(0x04, TWO))) == [TWO, b"first", bytes(range(5))]


@pytest.mark.parametrize("shape", [der, endless])
def test_T_M31_a_virus_inside_is_found(shape: object) -> None:  # noqa: N802
    data = made(cms.SIGNED_DATA, der(0x04, MAIL), shape)
    engine = builtin.Engine(frozenset())
    assert engine.scan(data).status == FOUND
    assert engine.scan_leaf(base64.encodebytes(data), b"base64").status == FOUND
    assert engine.scan(made(cms.SIGNED_DATA, der(0x04, data), shape)).status == FOUND
    assert engine.scan(made(cms.SIGNED_DATA, der(0x04, INNER), shape)).status == FREE


INDIRECT = {
    "mail-in-base64": b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(MAIL),
    "preamble": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + MAIL + b"\r\n--b\r\n\r\nx\r\n--b--\r\n",
    "epilogue": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n\r\n--b\r\n" + MAIL,
    "split": EICAR[:30] + b"\r\n\r\n",
}


@pytest.mark.parametrize("case", INDIRECT)
def test_T_M31_what_no_part_of_the_mail_inside_shows(case: str) -> None:  # noqa: N802
    """It is looked at as any other mail that is content."""
    data = made(cms.SIGNED_DATA, der(0x04, INDIRECT[case]))
    assert builtin.Engine(frozenset()).scan(data).status == (FREE if case == "split" else FOUND)


def test_which_octets_are_opaque() -> None:
    assert archive.openers(WHOLE[: archive.HEAD], b"") == (opaque.opened,)
    assert not opaque.is_opaque(b"\x30\x03abc")
    assert not opaque.is_opaque(INNER)


def test_a_signature_apart_is_nothing_broken() -> None:
    budget = Budget()
    assert list(opaque.opened(DETACHED, budget)) == []
    assert budget.notes == {}


def test_what_cannot_be_read_is_noted() -> None:
    budget = Budget()
    assert list(opaque.opened(WHOLE[:60], budget)) == []
    assert budget.notes
