"""The certificate of every TLS end in a bench: P-256, issued by an authority of its own, good for some days."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "bench.test"
DAYS = 7
PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files. `both` has certificate and key in one."""

    authority: Path
    certificate: Path
    key: Path
    both: Path

    def client_context(self) -> ssl.SSLContext:
        """Of a client that verifies."""
        return ssl.create_default_context(cafile=str(self.authority))


def name_of(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def builder(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, authority: bool) -> x509.CertificateBuilder:
    """What both certificates have."""
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name_of(subject))
        .issuer_name(name_of(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def issue() -> tuple[bytes, bytes, bytes]:
    """PEM of the authority, of the certificate for HOST and 127.0.0.1, and of its key."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(HOST), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
    root = builder("bench authority", "bench authority", root_key, True).sign(root_key, hashes.SHA256())
    leaf = builder(HOST, "bench authority", key, False)
    leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    leaf = leaf.add_extension(identifier, critical=False)
    form, closed = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    signed = leaf.sign(root_key, hashes.SHA256())
    return root.public_bytes(PEM), signed.public_bytes(PEM), key.private_bytes(PEM, form, closed)


def make_certificates(folder: Path) -> Certificates:
    """Writes the files into a folder of this bench."""
    made = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem", folder / "both.pem")
    root, leaf, key = issue()
    texts = ((made.authority, root), (made.certificate, leaf), (made.key, key), (made.both, leaf + key))
    for path, text in texts:
        path.touch(mode=0o600)
        path.write_bytes(text)
    return made
