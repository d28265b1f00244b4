"""T-M31: the content of opaque S/MIME, as made by a real library, in pieces, compressed, and broken."""

from __future__ import annotations

import datetime
import zlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import cms

INNER = b"Content-Type: text/plain\r\n\r\nX5O!P%@AP\r\n"


def der(tag: int, *content: bytes) -> bytes:
    octets = b"".join(content)
    size = len(octets)
    length = bytes((size,)) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes((tag,)) + length + octets


def endless(tag: int, *content: bytes) -> bytes:
    return bytes((tag, 0x80)) + b"".join(content) + b"\0\0"


def signed_by_a_library(options: list[pkcs7.PKCS7Options]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")])
    day = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(day).not_valid_after(day + datetime.timedelta(1))
    signer = pkcs7.PKCS7SignatureBuilder().set_data(INNER)
    signer = signer.add_signer(builder.sign(key, hashes.SHA256()), key, hashes.SHA256())
    return signer.sign(serialization.Encoding.DER, options)


def made(kind: bytes, string: bytes, shape: object = der) -> bytes:
    assert callable(shape)
    info = shape(0x30, der(0x06, b"\x2a\x03"), shape(0xA0, string))
    return bytes(shape(0x30, der(0x06, kind), shape(0xA0, shape(0x30, der(0x02, b"\1"), der(0x31), info))))


WHOLE = signed_by_a_library([pkcs7.PKCS7Options.Binary])
DETACHED = signed_by_a_library([pkcs7.PKCS7Options.DetachedSignature])


def test_T_M31_signed_by_a_library() -> None:  # noqa: N802
    assert cms.content(WHOLE) == INNER
    assert cms.content(DETACHED) is None
    assert cms.is_detached(DETACHED)
    assert not cms.is_detached(WHOLE)
    assert not cms.is_detached(b"")


def test_T_M31_in_pieces_of_any_length() -> None:  # noqa: N802
    string = endless(0x24, der(0x04, INNER[:7]), endless(0x24, der(0x04, INNER[7:])))
    assert cms.content(made(cms.SIGNED_DATA, string, endless)) == INNER
    assert cms.content(made(cms.SIGNED_DATA, der(0x04, INNER * 20), der)) == INNER * 20


def test_T_M31_compressed() -> None:  # noqa: N802
    data = made(cms.COMPRESSED_DATA, der(0x04, zlib.compress(INNER)))
    assert cms.content(data) == INNER
    assert cms.content(data, 10) == INNER[:10]
    assert cms.content(made(cms.COMPRESSED_DATA, der(0x04, b"no zlib"))) is None


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        made(bytes.fromhex("2a864886f70d010703"), der(0x04, b"encrypted")),
        made(cms.SIGNED_DATA, der(0x02, b"\1")),
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x80" * 100,
        b"\x1f\x1f",
    ],
)
def test_what_cannot_be_read_is_none(octets: bytes) -> None:
    assert cms.content(octets) is None


def test_the_number_of_elements_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    string = endless(0x24, *[der(0x04, b"x")] * 50)
    assert cms.content(made(cms.SIGNED_DATA, string, endless)) == b"x" * 50
    monkeypatch.setattr(cms, "MOST_ELEMENTS", 50)
    assert cms.content(made(cms.SIGNED_DATA, string, endless)) is None


@given(st.binary(max_size=60), st.integers(0, 200))
def test_anything_is_read_or_none(octets: bytes, at: int) -> None:
    whole = made(cms.SIGNED_DATA, endless(0x24, der(0x04, INNER)), endless)
    for data in (octets, whole[:at], whole[:at] + octets + whole[at + 1 :]):
        found = cms.content(data)
        assert found is None or isinstance(found, bytes)
