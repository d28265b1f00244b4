"""What TLS needs of the machine's files, read once before privileges are dropped, and the contexts made from it.

A `Material` is all of one `ssl-params` section as bytes: the master reads it, workers in a chroot make contexts from
it without any file. `Contexts` are those of one worker.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec
from cryptography import x509

from imap4fast._wire import TlsContext, TlsError, tls_folder, tls_system
from imap4fast.config import ciphers
from imap4fast.config.settings import Settings, SslParams
from imap4fast.errors import InternalError, SetupError

MAX_FILE = 16 * 1024 * 1024
"""Octets of one file. The largest that are met are revocation lists."""

_VERIFY = {"none": 0, "request": 1, "require": 2}
_STRONG, _ANY = 2, 0
"""OpenSSL's security levels: at least 112 bits; whatever is named."""

_CERTIFICATE = tuple(b"-----BEGIN %sCERTIFICATE-----" % kind for kind in (b"", b"X509 ", b"TRUSTED "))
_OTHERS = stat.S_IROTH | stat.S_IWOTH


class Material(msgspec.Struct, frozen=True):
    """One `ssl-params` section with the content of its files. Texts are PEM or OpenSSL's own words.

    `ca_system` is what the machine trusts, read where a server leg needs it. `warnings` are for people: of them the
    first line alone says all. Never printed whole: there are keys in it.
    """

    name: str
    certificate: bytes | None
    private_key: bytes | None
    passphrase: bytes | None
    sni: tuple[tuple[bytes, bytes, bytes], ...]
    ca: tuple[bytes, ...]
    ca_system: tuple[bytes, ...]
    crl: tuple[bytes, ...]
    verify: str | None
    min_version: int
    max_version: int
    ciphers: bytes
    ciphersuites: bytes
    curves: bytes
    weak_tls: bool
    tickets: bool
    lifetime_s: int
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Material({self.name})"


class Contexts:
    """The TLS contexts of one process, each made when it is first asked for. TlsError never: materials were tried."""

    def __init__(self, materials: Iterable[Material], ticket_keys: tuple[bytes, ...] = ()) -> None:
        self._materials = {material.name: material for material in materials}
        self._keys = ticket_keys
        self._accepting: dict[tuple[str, str], TlsContext] = {}
        self._connecting: dict[str, TlsContext] = {}

    def accepting(self, name: str, listener: str) -> TlsContext:
        """For clients at a listener. Sessions are resumed only at the same listener, under the same `ssl-params`."""
        context = self._accepting.get((name, listener))
        if context is None:
            context = accepting_context(self._material(name), listener)
            if self._keys:
                context.set_ticket_keys(self._keys)
            self._accepting[name, listener] = context
        return context

    def connecting(self, name: str) -> TlsContext:
        """For servers. It keeps their sessions, to be resumed."""
        context = self._connecting.get(name)
        if context is None:
            context = self._connecting[name] = connecting_context(self._material(name))
        return context

    def set_ticket_keys(self, keys: tuple[bytes, ...]) -> None:
        """1 to 4 keys, the newest first, for the contexts that are and those that will be."""
        self._keys = keys
        for context in self._accepting.values():
            context.set_ticket_keys(keys)

    def replace(self, materials: Iterable[Material]) -> None:
        """What was read again: handshakes from now on go by it. Contexts whose material is the same stay."""
        old, self._materials = self._materials, {material.name: material for material in materials}
        same = {name for name, material in self._materials.items() if old.get(name) == material}
        self._accepting = {key: context for key, context in self._accepting.items() if key[0] in same}
        self._connecting = {name: context for name, context in self._connecting.items() if name in same}

    def _material(self, name: str) -> Material:
        if name not in self._materials:
            raise InternalError(f"no material for ssl-params {name}")
        return self._materials[name]


def accepting_context(material: Material, listener: str) -> TlsContext:
    """A context for clients. TlsError where OpenSSL does not take the material."""
    return TlsContext(
        server=True,
        certificate=material.certificate,
        private_key=material.private_key,
        passphrase=material.passphrase,
        sni=material.sni,
        ca=material.ca,
        crl=material.crl,
        verify=_VERIFY[material.verify or "none"],
        min_version=material.min_version,
        max_version=material.max_version,
        ciphers=material.ciphers,
        ciphersuites=material.ciphersuites,
        groups=material.curves,
        security_level=_ANY if material.weak_tls else _STRONG,
        tickets=2 if material.tickets else 0,
        lifetime_s=material.lifetime_s,
        session_context=_session_context(material, listener),
    )


def connecting_context(material: Material) -> TlsContext:
    """A context for servers. TlsError where OpenSSL does not take the material."""
    return TlsContext(
        server=False,
        certificate=material.certificate,
        private_key=material.private_key,
        passphrase=material.passphrase,
        ca=material.ca or material.ca_system,
        crl=material.crl,
        verify=_VERIFY[material.verify or "require"],
        min_version=material.min_version,
        max_version=material.max_version,
        ciphers=material.ciphers,
        ciphersuites=material.ciphersuites,
        groups=material.curves,
        security_level=_ANY if material.weak_tls else _STRONG,
        tickets=2 if material.tickets else 0,
        lifetime_s=material.lifetime_s,
    )


def _session_context(material: Material, listener: str) -> bytes:
    """Where a session may be resumed. A client whose certificate would now be judged by others begins anew: a resumed
    handshake verifies nothing.
    """
    trust = hashlib.sha256(msgspec.msgpack.encode((material.verify, material.ca, material.crl))).digest()
    return f"{material.name} {listener} ".encode() + trust


def read_materials(settings: Settings) -> tuple[Material, ...]:
    """The material of every `ssl-params` that an ACL names. Each context is made once, so that all errors show here.

    Raises SetupError, which names section, item, file and OpenSSL's reason, for all sections at once.
    """
    faults: list[tuple[str, str]] = []
    materials = []
    for name, (params, legs) in _used(settings).items():
        reader = _Reader(params, int(settings.proxy.ssl_session_cache.timeout))
        material = reader.material("server" in legs)
        if not reader.faults:
            reader.try_out(material, legs)
        materials.append(material)
        faults += [(f"{params.path}:{params.line}: ssl-params {name}: {what}", why) for what, why in reader.faults]
    if faults:
        what, why = faults[0]
        raise SetupError(what, "; ".join([why, *(f"{what}: {why}" for what, why in faults[1:])]))
    return tuple(materials)


def _used(settings: Settings) -> dict[str, tuple[SslParams, set[str]]]:
    """The sections that ACLs name, each with the legs on which it is used."""
    found: dict[str, tuple[SslParams, set[str]]] = {}
    uses = [("client", acl.client_ssl) for acl in settings.proxy.session_acls]
    uses += [("server", acl.server_ssl) for acl in settings.proxy.command_acls]
    for leg, use in uses:
        if use is not None:
            found.setdefault(use.params.name, (use.params, set()))[1].add(leg)
    return found


class _Reader:
    """Reads the files of one section; `faults` are (item and file, reason)."""

    def __init__(self, params: SslParams, lifetime_s: int) -> None:
        self.params = params
        self.faults: list[tuple[str, str]] = []
        self._lifetime_s = lifetime_s
        self._warnings: list[str] = []

    def material(self, with_system: bool) -> Material:
        params = self.params
        ca = tuple(self._authorities())
        system = not ca and with_system and params.verify != "none"
        return Material(
            name=params.name,
            certificate=self._own("certificate", params.certificate),
            private_key=self._secret("private-key", params.private_key),
            passphrase=self._passphrase(params.key_passphrase),
            sni=tuple(self._sni()),
            ca=ca,
            ca_system=tuple(self._system()) if system else (),
            crl=tuple(self._file("crl", path) for path in params.crl),
            verify=params.verify,
            min_version=ciphers.VERSIONS[params.min_version],
            max_version=ciphers.VERSIONS[params.max_version],
            ciphers=(params.ciphers or ciphers.CIPHERS).encode(),
            ciphersuites=(params.ciphersuites or ciphers.CIPHERSUITES).encode(),
            curves=(params.curves or _curves()).encode(),
            weak_tls=params.weak_tls,
            tickets=params.session_tickets,
            lifetime_s=self._lifetime_s,
            warnings=tuple(self._warnings),
        )

    def try_out(self, material: Material, legs: set[str]) -> None:
        """Make a context for each leg; what OpenSSL says against it is a fault."""
        try:
            if "client" in legs:
                accepting_context(material, "")
            if "server" in legs:
                connecting_context(material)
        except TlsError as error:
            self.faults.append((self._culprit(error.what, material), error.why))

    def _file(self, item: str, path: str, *, private: bool = False) -> bytes:
        """The content of a file; a fault and nothing where it cannot be read."""
        try:
            with open(path, "rb", opener=_no_waiting) as file:
                mode = os.fstat(file.fileno()).st_mode
                content = file.read(MAX_FILE + 1) if stat.S_ISREG(mode) else b""
        except (OSError, ValueError) as error:
            self.faults.append((_quoted(item, path), getattr(error, "strerror", None) or str(error)))
            return b""
        if not stat.S_ISREG(mode):
            self.faults.append((_quoted(item, path), "it is no regular file"))
        elif len(content) > MAX_FILE:
            self.faults.append((_quoted(item, path), f"it is larger than {MAX_FILE // 1024 // 1024} MiB"))
        elif private and mode & _OTHERS:
            self._warn(f"{_quoted(item, path)} can be read or written by everybody (mode {stat.S_IMODE(mode):04o})")
        return content

    def _own(self, item: str, path: str | None) -> bytes | None:
        """A certificate that is shown to the other end."""
        if path is None:
            return None
        content = self._file(item, path)
        for text in _outdated(content, datetime.datetime.now(datetime.UTC)):
            self._warn(f"{_quoted(item, path)}: {text}")
        return content

    def _secret(self, item: str, path: str | None) -> bytes | None:
        return None if path is None else self._file(item, path, private=True)

    def _passphrase(self, path: str | None) -> bytes | None:
        """The first line of the file."""
        if path is None:
            return None
        before = len(self.faults)
        phrase = self._file("key-passphrase", path, private=True).partition(b"\n")[0].removesuffix(b"\r")
        if not phrase and len(self.faults) == before:
            self.faults.append((_quoted("key-passphrase", path), "its first line is empty"))
        return phrase

    def _sni(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        for name, certificate, key in self.params.sni:
            chain = self._own(f"sni {name} certificate", certificate) or b""
            yield name.encode(), chain, self._file(f"sni {name} private-key", key, private=True)

    def _authorities(self) -> Iterator[bytes]:
        if self.params.ca_file is not None:
            yield self._file("ca-file", self.params.ca_file)
        if self.params.ca_dir is not None:
            yield from self._folder(self.params.ca_dir)

    def _folder(self, path: str) -> list[bytes]:
        try:
            found = [content for content in tls_folder(path) if any(mark in content for mark in _CERTIFICATE)]
        except TlsError as error:
            self.faults.append((_quoted("ca-dir", path), error.why))
            return []
        if not found:
            self.faults.append((_quoted("ca-dir", path), "no certificate in it"))
        return found

    def _system(self) -> list[bytes]:
        try:
            return tls_system()
        except TlsError as error:
            self.faults.append(("ca-file of the system", error.why))
        except OSError as error:
            self.faults.append((f"ca-file of the system, {error.filename}", str(error.strerror)))
        return []

    def _warn(self, text: str) -> None:
        params = self.params
        self._warnings.append(f"{params.path}:{params.line}: warning: ssl-params {params.name}: {text}")

    def _culprit(self, what: str, material: Material) -> str:
        """The item and file of OpenSSL's complaint. Lists of several files are tried one by one."""
        params = self.params
        if what == "crl":
            for path, content in zip(params.crl, material.crl, strict=True):
                if not _taken(crl=(content,)):
                    return _quoted("crl", path)
        if what == "ca-file" and material.ca:
            authorities = material.ca if params.ca_file is None else material.ca[1:]
            if params.ca_dir is not None and not _taken(ca=authorities):
                return _quoted("ca-dir", params.ca_dir)
        return _quoted(what, self._value(what))

    def _value(self, what: str) -> str | None:
        """What the item says; of `sni NAME certificate` the file."""
        for name, certificate, key in self.params.sni:
            files = {f"sni {name} certificate": certificate, f"sni {name} private-key": key}
            if what in files:
                return files[what]
        value = getattr(self.params, what.replace("-", "_"), None)
        return value if isinstance(value, str) else None


def _no_waiting(path: str, flags: int) -> int:
    """A named pipe that nobody writes must not hold up the start."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _quoted(item: str, value: str | None) -> str:
    return item if value is None else f'{item} "{value}"'


def _taken(*, ca: tuple[bytes, ...] = (), crl: tuple[bytes, ...] = ()) -> bool:
    """Whether OpenSSL can read these."""
    try:
        TlsContext(server=False, ca=ca, crl=crl)
    except TlsError:
        return False
    return True


@cache
def _curves() -> str:
    """The default groups, as far as this OpenSSL knows them."""
    try:
        TlsContext(server=False, groups=ciphers.CURVES.encode())
    except TlsError:
        return ciphers.CURVES_BEFORE_MLKEM
    return ciphers.CURVES


def _outdated(pem: bytes, now: datetime.datetime) -> Iterator[str]:
    """What is wrong with the dates of certificates of our own. What cannot be read OpenSSL complains of itself."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        return
    for certificate in found:
        starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if ends < now:
            yield f"the certificate of {certificate.subject.rfc4514_string()} expired on {ends:%Y-%m-%d %H:%M} UTC"
        elif starts > now:
            yield f"the certificate of {certificate.subject.rfc4514_string()} is valid from {starts:%Y-%m-%d %H:%M} UTC"
