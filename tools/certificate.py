"""The demo's certificate, which it makes by itself: P-256, for localhost and 127.0.0.1, in two files.

It may sign nothing, so whoever is told to trust it (-CAfile, --cacert) trusts this one server and no other.
"""

from __future__ import annotations

import datetime
import fcntl
import ipaddress
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "localhost"
ADDRESS = ipaddress.ip_address("127.0.0.1")
VALID = datetime.timedelta(days=365)
SPARE = datetime.timedelta(days=30)
"""A certificate that ends sooner is made anew."""

BEFORE = datetime.timedelta(days=1)
"""It begins so long before it is made, since clocks are set back now and then."""

PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Pair:
    """The two files, PEM. The key's is for its owner alone."""

    certificate: Path
    key: Path


def provide(folder: Path) -> Pair:
    """The pair of this folder, made anew where it is not there, cannot be used, or nears its end."""
    pair = Pair(folder / "cert.pem", folder / "key.pem")
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another demo, on other ports, may be starting
        if not usable(pair):
            make(pair)
    finally:
        os.close(lock)
    return pair


def usable(pair: Pair) -> bool:
    """Whether the files are there and fit each other, nobody else can read the key, and there is time left."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
        mode = stat.S_IMODE(pair.key.stat().st_mode)
    except (OSError, ValueError, TypeError):  # TypeError: the key has a pass phrase
        return False
    now = datetime.datetime.now(datetime.UTC)
    in_time = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - SPARE
    return in_time and mode == 0o600 and certificate.public_key() == key.public_key()


def make(pair: Pair) -> None:
    """Writes a new pair."""
    key = ec.generate_private_key(ec.SECP256R1())
    form, closed = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write(pair.key, key.private_bytes(PEM, form, closed), 0o600)
    write(pair.certificate, signed(key, datetime.datetime.now(datetime.UTC)).public_bytes(PEM), 0o644)


def signed(key: ec.EllipticCurvePrivateKey, now: datetime.datetime) -> x509.Certificate:
    """A certificate for this key, signed by it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    places = [x509.DNSName(NAME), x509.IPAddress(ADDRESS)]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        .sign(key, hashes.SHA256())
    )


def write(path: Path, content: bytes, mode: int) -> None:
    """Puts a file in place whole, never readable by more than `mode` says."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(file, "wb") as output:
        output.write(content)
    new.replace(path)
