"""T-M31: what a signature or an encryption covers."""

from __future__ import annotations

import pytest

from imap4fast.mail import signed
from imap4fast.mail.signed import ENCRYPTED, SIGNED, Cover
from tests.unit.mail.mails import CLEAN, leaf, multipart, scan

INNER = (
    b"Content-Type: multipart/%s; boundary=s\r\n\r\n"
    b"--s\r\n\r\ntext\r\n--s\r\nContent-Type: application/x\r\n\r\nx\r\n--s--\r\n"
)


def found(data: bytes) -> tuple[Cover, ...]:
    return signed.covers(data, scan(data))


@pytest.mark.parametrize(("subtype", "kind"), [(b"signed", SIGNED), (b"encrypted", ENCRYPTED), (b"Signed", SIGNED)])
def test_T_M31_multiparts(subtype: bytes, kind: str) -> None:  # noqa: N802
    data = multipart(b"boundary=b", b"--b\r\n" + INNER % subtype + b"--b\r\n\r\noutside\r\n--b--\r\n")
    assert found(data) == (Cover(kind, 1, frozenset((1, 2, 3))),)


@pytest.mark.parametrize(
    ("parameters", "kind"),
    [
        (b"; smime-type=signed-data", SIGNED),
        (b"; smime-type=Certs-Only", SIGNED),
        (b"; smime-type=enveloped-data", ENCRYPTED),
        (b"; smime-type=authEnveloped-data", ENCRYPTED),
        (b"", ENCRYPTED),
    ],
)
def test_T_M31_smime(parameters: bytes, kind: str) -> None:  # noqa: N802
    data = leaf(b"Content-Type: application/pkcs7-mime" + parameters + b"\r\n")
    assert found(data) == (Cover(kind, 0, frozenset((0,))),)


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nx\r\n", [SIGNED]),
        (b"words\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nx\r\n", [ENCRYPTED]),
        (b"quoted: > -----BEGIN PGP MESSAGE-----\r\n", []),
        (b"-----BEGIN PGP MESSAGE----- or so\r\n", []),
    ],
)
def test_T_M31_pgp_in_the_text(body: bytes, kinds: list[str]) -> None:  # noqa: N802
    assert [each.kind for each in found(leaf(b"Content-Type: text/plain\r\n", body))] == kinds


@pytest.mark.parametrize("data", CLEAN)
def test_other_mails_are_not_covered(data: bytes) -> None:
    assert found(data) == ()
