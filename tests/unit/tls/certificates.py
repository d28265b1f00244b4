"""Certificates for tests: an authority, what it issues, and what it has revoked. All keys are P-256 but where said."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
DAY = datetime.timedelta(days=1)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def name_of(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def key_pem(key: Key, phrase: bytes | None = None) -> bytes:
    how = serialization.BestAvailableEncryption(phrase) if phrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


@dataclass(frozen=True)
class Pair:
    """A certificate with those above it (the root is not among them), and its key."""

    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...]
    private: Key

    @property
    def chain(self) -> bytes:
        every = (self.certificate, *self.above)
        return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in every)

    @property
    def key(self) -> bytes:
        return key_pem(self.private)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


class Authority:
    """Issues certificates: a root, or with `by` one that another authority has signed."""

    def __init__(self, common: str = "Test CA", by: Authority | None = None) -> None:
        self.private = new_key()
        self.subject = name_of(common)
        self.by = by
        signer = by or self
        self.certificate = self._sign(signer, self.subject, self.private, ca=True)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def above(self) -> tuple[x509.Certificate, ...]:
        return () if self.by is None else (self.certificate, *self.by.above())

    def issue(
        self,
        common: str,
        names: Iterable[str] = (),
        *,
        starts: int = -1,
        ends: int = 30,
        key: Key | None = None,
        client: bool = True,
        server: bool = True,
    ) -> Pair:
        """`starts` and `ends` are days from now; `client` and `server` are what it may be used for."""
        private = key or new_key()
        made = self._sign(
            self, name_of(common), private, names=tuple(names), days=(starts, ends), uses=(client, server)
        )
        return Pair(made, self.above(), private)

    @staticmethod
    def _sign(
        signer: Authority,
        subject: x509.Name,
        key: Key,
        *,
        ca: bool = False,
        names: tuple[str, ...] = (),
        days: tuple[int, int] = (-2, 60),
        uses: tuple[bool, bool] = (True, True),
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(map(alternative, names)), critical=False)
        if not ca:
            oids = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)
            allowed = [oid for oid, wanted in zip(oids, uses, strict=True) if wanted]
            builder = builder.add_extension(x509.ExtendedKeyUsage(allowed), critical=False)
        return builder.sign(signer.private, hashes.SHA256())

    def revoked(self, *pairs: Pair) -> bytes:
        """The authority's revocation list with these on it."""
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.subject)
        builder = builder.last_update(now - DAY).next_update(now + 7 * DAY)
        for pair in pairs:
            entry = x509.RevokedCertificateBuilder().serial_number(pair.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now - DAY).build())
        return builder.sign(self.private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def self_signed(common: str, names: Iterable[str] = ()) -> Pair:
    """A certificate that only itself speaks for."""
    alone = Authority(common)
    made = alone.issue(common, names, key=alone.private)
    return Pair(made.certificate, (), alone.private)
