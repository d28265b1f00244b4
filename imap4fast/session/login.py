"""Who logs in: the user name out of LOGIN and out of SASL exchanges (RFC 4616, 5802, 7628, LOGIN and XOAUTH2).

Only names are taken; what else an exchange carries is forgotten at once.
"""

from __future__ import annotations

import base64
import binascii
import unicodedata

MAX_ROUNDS = 32
MAX_CHALLENGE = 65536


def normalised(name: bytes) -> str:
    """A user name as policy and logs know it: Unicode, in form NFC."""
    if name.isascii():
        return name.decode("ascii")
    return unicodedata.normalize("NFC", name.decode("utf-8", "replace"))


def decoded(line: bytes) -> bytes | None:
    """The octets of a base64 line (RFC 4648, padded, no blanks), or None."""
    if len(line) % 4:
        return None
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        return None


def plain_user(octets: bytes) -> bytes | None:
    """message = [authzid] NUL authcid NUL passwd (RFC 4616)"""
    parts = octets.split(b"\0")
    if len(parts) != 3:
        return None
    return parts[0] or parts[1] or None


def _sasl_name(field: bytes) -> bytes:
    return field.replace(b"=2C", b",").replace(b"=3D", b"=")


def gs2_user(octets: bytes) -> bytes | None:
    """authzid of a gs2-header, `n,a=user,...` (RFC 5801 section 4)."""
    parts = octets.split(b",", 2)
    if len(parts) == 3 and parts[1].startswith(b"a="):
        return _sasl_name(parts[1][2:]) or None
    return None


def scram_user(octets: bytes) -> bytes | None:
    """client-first-message = gs2-header [reserved-mext ","] username "," nonce (RFC 5802 section 7)"""
    given = gs2_user(octets)
    if given is not None:
        return given
    for field in octets.split(b",")[2:]:
        if field.startswith(b"n="):
            return _sasl_name(field[2:]) or None
    return None


def xoauth2_user(octets: bytes) -> bytes | None:
    """`user=NAME` 0x01 `auth=Bearer ...` 0x01 0x01 (Google's XOAUTH2)"""
    first = octets.split(b"\x01", 1)[0]
    return first[5:] or None if first.startswith(b"user=") else None


_FIRST = {
    b"PLAIN": plain_user,
    b"XOAUTH2": xoauth2_user,
    b"OAUTHBEARER": gs2_user,
    b"LOGIN": lambda octets: octets or None,
    b"EXTERNAL": lambda octets: octets or None,
    b"ANONYMOUS": lambda octets: b"anonymous",
}


class Sasl:
    """One AUTHENTICATE: counts rounds and takes the name out of the client's first answer."""

    __slots__ = ("cancelled", "looked_at", "mechanism", "rounds", "stashed", "user")

    def __init__(self, mechanism: bytes) -> None:
        self.mechanism = mechanism
        self.rounds = 0
        self.cancelled = False
        self.looked_at = False
        self.user: str | None = None
        self.stashed: bytes | None = None
        """An initial response that the server takes only after its "+" (no SASL-IR there), as base64."""

    def answered(self, line: bytes, *, initial: bool = False) -> bool:
        """The client's line, base64; False if it is none. Only the first is looked at: in LOGIN the second is the
        password. An empty initial response is none (servers then ask for the name).
        """
        octets = decoded(line)
        if octets is None:
            return False
        if not self.looked_at:
            self.looked_at = bool(octets) or not initial
            take = scram_user if self.mechanism.startswith(b"SCRAM-") else _FIRST.get(self.mechanism)
            name = take(octets) if take is not None else self._last_word(octets)
            self.user = normalised(name) if name else None
        return True

    def _last_word(self, octets: bytes) -> bytes | None:
        """CRAM-MD5: user SP digest (RFC 2195); elsewhere nothing is known."""
        return octets.rpartition(b" ")[0] or None if self.mechanism == b"CRAM-MD5" else None
