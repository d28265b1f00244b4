"""Certificates with names, usages and alternative names as a test wants them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

KEY = ec.generate_private_key(ec.SECP256R1())
TODAY = datetime.datetime(2025, 3, 4, 5, 6, tzinfo=datetime.UTC)

OIDS = {
    "CN": NameOID.COMMON_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "E": NameOID.EMAIL_ADDRESS,
    "SN": NameOID.SERIAL_NUMBER,
}
FLAGS = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def name(*parts: tuple[str, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(OIDS[kind], value) for kind, value in parts])


def certificate(
    *subject: tuple[str, str],
    issuer: Iterable[tuple[str, str]] = (("CN", "Test CA"),),
    names: Iterable[x509.GeneralName] = (),
    usage: Iterable[str] | None = None,
    extended: Iterable[str] | None = None,
    serial: int = 0x0A12,
    days: float = 30,
) -> bytes:
    """DER of a certificate that has so many days left on TODAY."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(*subject))
        .issuer_name(name(*issuer))
        .public_key(KEY.public_key())
        .serial_number(serial)
        .not_valid_before(TODAY - datetime.timedelta(days=400))
        .not_valid_after(TODAY + datetime.timedelta(days=days))
    )
    if names := tuple(names):
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage is not None:
        wanted = set(usage)
        builder = builder.add_extension(x509.KeyUsage(**{flag: flag in wanted for flag in FLAGS}), critical=True)
    if extended is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(map(ObjectIdentifier, extended)), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
