"""Certificates of the end-to-end tests, made anew for each run: authorities, what they issued and revoked, as files.

All keys are P-256. STAFF and GUEST differ in everything that `ssl-cert-match` can ask for.
"""

from __future__ import annotations

import atexit
import datetime
import ipaddress
import shutil
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as Use
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
NAMES = ("localhost", "mail.example.net", "127.0.0.1")
"""What the proxy and the servers of the tests are called by."""

_PEM = serialization.Encoding.PEM
_BOTH = (Use.SERVER_AUTH, Use.CLIENT_AUTH)


@dataclass(frozen=True)
class Identity:
    """A certificate, with those between it and the root, and its key. `pem` is a file of both."""

    certificate: x509.Certificate
    chain: Path
    key: Path
    pem: Path

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def serial(self) -> str:
        return f"{self.certificate.serial_number:x}"


def _subject(common: str, organization: str, unit: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, organization), (NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    named = [x509.NameAttribute(oid, text) for oid, text in parts if text]
    return x509.Name([*named, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternative(name: str) -> x509.GeneralName:
    if "@" in name:
        return x509.RFC822Name(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*names: str) -> x509.KeyUsage:
    every = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: name in names for name in every})


class Authority:
    """A root, or with `by` an authority that another one has signed."""

    def __init__(self, folder: Path, common: str, by: Authority | None = None) -> None:
        self.folder = folder
        self.by = by
        self.name = _subject(common, "", "")
        self._private = ec.generate_private_key(ec.SECP256R1())
        signer = by or self
        builder = signer.builder(self.name, self._private, (-2, 90))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        usage = _usage("key_cert_sign", "crl_sign")
        self.certificate = signer.sign(builder.add_extension(usage, critical=True))
        self.file = folder / f"{common.replace(' ', '-')}.pem"
        self.file.write_bytes(self.certificate.public_bytes(_PEM))

    def builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: tuple[int, int]
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )

    def sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self._private, hashes.SHA256())

    def above(self) -> bytes:
        """Those between a certificate of this authority and the root."""
        return b"" if self.by is None else self.certificate.public_bytes(_PEM) + self.by.above()

    def issue(
        self,
        common: str,
        names: Sequence[str] = NAMES,
        *,
        days: tuple[int, int] = (-2, 60),
        organization: str = "",
        unit: str = "",
        usage: Sequence[str] = ("digital_signature",),
        uses: Sequence[x509.ObjectIdentifier] = _BOTH,
        file: str = "",
        own_key: bool = False,
    ) -> Identity:
        """`days`: from when to when, from now; `uses`: of the extended key usage; `file`: its name without suffix.

        With `own_key` it is the authority's key that it is for: signed by itself, where the names are the same.
        """
        key = self._private if own_key else ec.generate_private_key(ec.SECP256R1())
        builder = self.builder(_subject(common, organization, unit), key, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(*usage), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(uses)), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(map(_alternative, names)), critical=False)
        return stored(self.folder, file or common, self.sign(builder), key, self.above())

    def revocations(self, file: str, *revoked: Identity) -> Path:
        """This authority's list with these on it."""
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        builder = builder.last_update(now - DAY).next_update(now + 7 * DAY)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now - DAY).build())
        path = self.folder / f"{file}.crl"
        path.write_bytes(builder.sign(self._private, hashes.SHA256()).public_bytes(_PEM))
        return path


def stored(
    folder: Path, name: str, made: x509.Certificate, key: ec.EllipticCurvePrivateKey, above: bytes = b""
) -> Identity:
    """A certificate and its key as files; keys are for nobody else's eyes."""
    chain, private, both = (folder / f"{name}.{kind}" for kind in ("crt", "key", "pem"))
    secret = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(made.public_bytes(_PEM) + above)
    for path, content in ((private, secret), (both, chain.read_bytes() + secret)):
        path.touch(0o600)
        path.write_bytes(content)
    return Identity(made, chain, private, both)


class Pki:
    """What there is, by the tests' names."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="imap4fast-pki."))
        self.folder.chmod(0o755)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.root = Authority(self.folder, "Test CA")
        self.stranger_root = Authority(self.folder, "Unknown CA")
        self.guest_root = Authority(self.folder, "Guest CA")
        self.both = self.folder / "both.pem"
        self.both.write_bytes(self.root.file.read_bytes() + self.guest_root.file.read_bytes())
        self.server = self.root.issue("mail.example.net", days=(-2, 85), file="server")

    # what both ends may be

    @cached_property
    def renewed(self) -> Identity:
        return self.root.issue("renewed.example.net", file="renewed")

    @cached_property
    def one(self) -> Identity:
        """Of a name of its own."""
        return self.root.issue("one", ("one.example.net",))

    @cached_property
    def wild(self) -> Identity:
        """Of any name in a domain."""
        return self.root.issue("wild", ("*.example.net",))

    @cached_property
    def expired(self) -> Identity:
        return self.root.issue("expired", days=(-20, -1))

    @cached_property
    def early(self) -> Identity:
        """Valid from tomorrow on."""
        return self.root.issue("early", days=(1, 20))

    @cached_property
    def other_name(self) -> Identity:
        return self.root.issue("localhost", ("other.example.net", "192.0.2.9"), file="other-name")

    @cached_property
    def stranger(self) -> Identity:
        return self.stranger_root.issue("stranger")

    @cached_property
    def revoked(self) -> Identity:
        return self.root.issue("revoked")

    @cached_property
    def crl(self) -> Path:
        return self.root.revocations("root", self.revoked)

    @cached_property
    def self_signed(self) -> Identity:
        return Authority(self.folder, "alone").issue("alone", file="self-signed", own_key=True)

    @cached_property
    def for_servers(self) -> Identity:
        """Not good for a client."""
        return self.root.issue("for-servers", uses=(Use.SERVER_AUTH,))

    @cached_property
    def for_clients(self) -> Identity:
        """Not good for a server."""
        return self.root.issue("for-clients", uses=(Use.CLIENT_AUTH,))

    @cached_property
    def far_below(self) -> Identity:
        """Under more authorities than are looked at."""
        above = self.root
        for number in range(14):
            above = Authority(self.folder, f"step {number}", above)
        return above.issue("far-below")

    @cached_property
    def huge(self) -> Identity:
        """Larger than OpenSSL takes a list of certificates to be."""
        names = [f"{number:05}.{'x' * 50}.example.net" for number in range(2000)]
        return self.root.issue("huge", names)

    @cached_property
    def staff(self) -> Identity:
        return self.root.issue(
            "Joe Staff",
            ("joe@example.net", "staff.example.net", *NAMES),
            organization="Example",
            unit="Mail Staff",
            usage=("digital_signature", "key_agreement"),
            uses=(*_BOTH, Use.EMAIL_PROTECTION),
            file="staff",
        )

    @cached_property
    def guest(self) -> Identity:
        return self.guest_root.issue(
            "Ann Guest",
            ("ann@example.org", "guest.example.org", *NAMES),
            days=(-2, 5),
            organization="Elsewhere",
            unit="Guests",
            file="guest",
        )


@cache
def pki() -> Pki:
    return Pki()


# the tests' own ends of TLS


def client_context(identity: Identity | None = None, ca: Path | None = None) -> ssl.SSLContext:
    """A client that trusts the tests' authority and shows `identity`."""
    context = ssl.create_default_context(cafile=str(ca or pki().root.file))
    if identity is not None:
        context.load_cert_chain(identity.pem)
    return context


def server_context(identity: Identity | None = None, clients: Path | None = None) -> ssl.SSLContext:
    """A server that shows `identity`, and wants certificates of the authorities in `clients`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain((identity or pki().server).pem)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
