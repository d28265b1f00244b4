"""ssl(5): `ssl-params` and `ssl-session-cache`, and how ACLs refer to these sections."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from imap4fast.config.ciphers import VERSIONS, is_weak_version, weak_cipher
from imap4fast.config.composite import Opt, Seq
from imap4fast.config.cursor import Cursor
from imap4fast.config.diagnostic import ElementError, Report
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.settings import SslParams, SslSessionCache, SslUse
from imap4fast.config.types import (
    DIRECTORY,
    DURATION_SUFFIXES,
    FILE,
    INTEGER,
    STR,
    YES_NO,
    Ref,
    Scaled,
    Str,
    Type,
    text_of,
    words,
)

LONGEST_RESUMED_S = 7 * 86400
"""RFC 8446 section 4.6.1: no ticket lives longer."""

KEYS_CHANGE_S = 12 * 3600
"""How often the keys of tickets change; two are kept."""

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_VERSION = words(*VERSIONS)


class SslUseType(Type):
    """`NAME [session | command]`."""

    def __init__(self) -> None:
        self._parts = Seq(Ref("ssl-params", resolve=True), Opt(words("session", "command")))
        self.name = self._parts.name

    def read(self, cursor: Cursor) -> SslUse:
        params, how = self._parts.read(cursor)
        return SslUse(params, how == "command")

    def write(self, value: Any) -> str:
        return f"{value.params.name} {'command' if value.starttls else 'session'}"


class TlsName(Str):
    """A name as it stands in certificates and in SNI: ASCII. `wildcard`: also `*.DOMAIN`; `address`: also an IP."""

    def __init__(self, *, wildcard: bool = False, address: bool = False) -> None:
        super().__init__("name of a host")
        self.wildcard = wildcard
        self.address = address

    def read(self, cursor: Cursor) -> str:
        atom = cursor.take_atom("a name of a host", *self.kinds)
        text = text_of(atom)
        plain = text.removeprefix("*.") if self.wildcard else text
        if self.address and _is_address(text):
            return text
        if not _NAME.fullmatch(plain) or _is_address(plain):
            raise ElementError(atom.span, f"`{text}` is no name of a host as certificates have it{_ascii(text)}")
        return text


SSL_USE = SslUseType()
CERT_MATCH = Ref("ssl-cert-match", resolve=True)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _ascii(text: str) -> str:
    return "" if text.isascii() else "; write it in its ASCII form, xn--..."


def _check_params(bound: Bound, report: Report) -> None:
    _check_identity(bound, report)
    _check_versions(bound, report)
    _check_ciphers(bound, report)


def _check_identity(bound: Bound, report: Report) -> None:
    """What belongs together is there together."""
    for keyword, needed in (
        ("private-key", "certificate"),
        ("certificate", "private-key"),
        ("key-passphrase", "private-key"),
        ("sni", "certificate"),
    ):
        if keyword in bound.places and needed not in bound.places and not bound.partial:
            report.error(bound.place(keyword), f"`{keyword}` without `{needed}`")
    seen: set[str] = set()
    for place, (name, _, _) in zip(bound.places.get("sni", ()), bound.struct.sni, strict=False):
        if name.lower() in seen:
            report.error(place, f"`sni` has {name} a second time")
        seen.add(name.lower())


def _check_versions(bound: Bound, report: Report) -> None:
    params: SslParams = bound.struct
    for keyword, version in (("min-version", params.min_version), ("max-version", params.max_version)):
        if is_weak_version(version) and not params.weak_tls:
            report.error(bound.place(keyword), f"{version} is weak: only with `weak-tls yes`")
    if VERSIONS[params.min_version] > VERSIONS[params.max_version]:
        place = bound.place("max-version" if "max-version" in bound.places else "min-version")
        report.error(place, f"`min-version` {params.min_version} is above `max-version` {params.max_version}")
    if params.weak_tls and is_weak_version(params.min_version) and params.ciphers is None:
        report.warning(bound.place("min-version"), "none of the default ciphers is for TLS below 1.2: name `ciphers`")


def _check_ciphers(bound: Bound, report: Report) -> None:
    params: SslParams = bound.struct
    weak = weak_cipher(params.ciphers or "")
    if weak is not None and not params.weak_tls:
        report.error(bound.place("ciphers"), f"`{weak}` is weak: only with `weak-tls yes`")


SSL_PARAMS = Section(
    keyword="ssl-params",
    help="TLS of a leg",
    page="ssl",
    named=True,
    repeatable=True,
    struct=SslParams,
    check=_check_params,
    members=(
        Item(
            keyword="certificate",
            type=FILE,
            default="none",
            help="PEM, with those above it behind it; obligatory on the client leg; on the server leg what is shown to "
            "servers that ask",
        ),
        Item(keyword="private-key", type=FILE, default="none", help="PEM; together with certificate"),
        Item(
            keyword="key-passphrase",
            type=FILE,
            default="none",
            help="file whose first line is the pass phrase of the keys",
        ),
        Item(
            keyword="sni",
            type=Seq(TlsName(wildcard=True), FILE, FILE),
            repeatable=True,
            default="none",
            help="client leg: name or `*.domain`, certificate and key for clients that ask for that name",
        ),
        Item(
            keyword="ca-file",
            type=FILE,
            default="the system's on the server leg, none on the client leg",
            help="PEM: authorities that are trusted",
        ),
        Item(
            keyword="ca-dir",
            type=DIRECTORY,
            default="the system's on the server leg, none on the client leg",
            help="all PEM files of it: authorities that are trusted",
        ),
        Item(
            keyword="crl",
            type=FILE,
            repeatable=True,
            default="none",
            help="PEM: what authorities revoked; with one every authority of a chain needs its own",
        ),
        Item(
            keyword="verify",
            type=words("none", "request", "require"),
            default="none on the client leg, require on the server leg",
            help="the certificate of the other end: not asked for; asked for, and what does not verify counts as none; "
            "one that verifies is required",
        ),
        Item(keyword="min-version", type=_VERSION, help="lowest version"),
        Item(keyword="max-version", type=_VERSION, help="highest version"),
        Item(keyword="ciphers", type=STR, default="Mozilla intermediate", help="ciphers up to TLS 1.2, as OpenSSL"),
        Item(keyword="ciphersuites", type=STR, default="Mozilla intermediate", help="ciphers of TLS 1.3, as OpenSSL"),
        Item(keyword="curves", type=STR, default="Mozilla intermediate", help="groups, as OpenSSL"),
        Item(keyword="weak-tls", type=YES_NO, help="permits TLS below 1.2 and weak ciphers to be named"),
        Item(keyword="session-tickets", type=YES_NO, help="sessions are resumed, with keys shared by the workers"),
        Item(
            keyword="require-tls",
            type=YES_NO,
            help="client leg with STARTTLS: no LOGIN before it; server leg: no STARTTLS offered ends the session",
        ),
        Item(
            keyword="server-name",
            type=TlsName(address=True),
            default="plug-to's host as written; transparent: the client's SNI; else the address",
            help="server leg: name to send and to verify",
        ),
    ),
)


def _check_cache(bound: Bound, report: Report) -> None:
    if "capacity" in bound.places:
        text = "`capacity` has no effect: clients keep their sessions themselves, as tickets"
        report.warning(bound.place("capacity"), text)
    if bound.struct.timeout > KEYS_CHANGE_S:
        text = "keys of tickets change every 12 h and two are kept: not all sessions can be resumed that long"
        report.warning(bound.place("timeout"), text)


SSL_SESSION_CACHE = Section(
    keyword="ssl-session-cache",
    help="resumption of TLS sessions",
    page="ssl",
    struct=SslSessionCache,
    check=_check_cache,
    members=(
        Item(keyword="capacity", type=INTEGER, help="no effect: clients keep their sessions themselves, as tickets"),
        Item(
            keyword="timeout",
            type=Scaled("duration", DURATION_SUFFIXES, 1, LONGEST_RESUMED_S),
            help="how long a session may be resumed",
        ),
    ),
)
