"""Strength of TLS: versions in order, the defaults of `ssl-params`, and which ciphers have to be asked for.

The defaults are Mozilla's intermediate profile, version 6.0 (https://wiki.mozilla.org/Security/Server_Side_TLS).
"""

from __future__ import annotations

import re

VERSIONS = {"TLSv1": 0x0301, "TLSv1-1": 0x0302, "TLSv1-2": 0x0303, "TLSv1-3": 0x0304}
"""The words of the language, lowest first, with their numbers in the protocol."""

LOWEST_STRONG = "TLSv1-2"

CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
CIPHERSUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
CURVES = "X25519MLKEM768:X25519:prime256v1:secp384r1"
CURVES_BEFORE_MLKEM = "X25519:prime256v1:secp384r1"
"""For OpenSSL before 3.5, which does not know the first of CURVES."""

WEAK = frozenset(
    (
        *("NULL", "ENULL", "ANULL", "ADH", "AECDH", "ANON"),
        *("RC2", "RC4", "DES", "3DES", "CBC3", "DES40", "IDEA", "SEED", "MD5"),
        *("EXP", "EXPORT", "EXPORT40", "EXPORT56", "LOW", "MEDIUM", "COMPLEMENTOFALL", "COMPLEMENTOFDEFAULT"),
    )
)
"""Parts of the names of ciphers, and of OpenSSL's groups of them, that are without a key, without a certificate, broken
or short.
"""

_BREAK = re.compile(r"[:, ;]+")
_PART = re.compile(r"[-+_]")
_LEVEL = re.compile(r"@SECLEVEL=(\d+)", re.IGNORECASE)


def is_weak_version(version: str) -> bool:
    """Whether a version may be named only with `weak-tls yes`."""
    return VERSIONS[version] < VERSIONS[LOWEST_STRONG]


def weak_cipher(ciphers: str) -> str | None:
    """The first element of a cipher string that adds a weak cipher by name or lowers OpenSSL's security level.

    Wide names such as ALL are no matter: without `weak-tls yes` OpenSSL leaves out what is weak in them.
    """
    for element in _BREAK.split(ciphers):
        level = _LEVEL.search(element)
        if level is not None and int(level[1]) < 2:
            return element
        if element[:1] not in ("!", "-", "+") and WEAK.intersection(_PART.split(element.upper())):
            return element
    return None
