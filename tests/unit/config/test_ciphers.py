"""Which versions and ciphers are weak, and that the defaults are not."""

from __future__ import annotations

import pytest

from imap4fast._wire import TlsContext
from imap4fast.config.ciphers import (
    CIPHERS,
    CIPHERSUITES,
    CURVES,
    CURVES_BEFORE_MLKEM,
    VERSIONS,
    is_weak_version,
    weak_cipher,
)


def test_versions() -> None:
    assert [version for version in VERSIONS if is_weak_version(version)] == ["TLSv1", "TLSv1-1"]
    assert list(VERSIONS.values()) == sorted(VERSIONS.values())


@pytest.mark.parametrize(
    ("ciphers", "weak"),
    [
        (CIPHERS, None),
        ("HIGH:!aNULL:-RC4:!3DES:+SHA1:@STRENGTH", None),
        ("ALL", None),
        ("DEFAULT:@SECLEVEL=2", None),
        ("DEFAULT@SECLEVEL=2", None),
        ("DEFAULT:@SECLEVEL=1", "@SECLEVEL=1"),
        ("DEFAULT@SECLEVEL=0", "DEFAULT@SECLEVEL=0"),
        ("HIGH:@seclevel=0", "@seclevel=0"),
        ("HIGH, eNULL", "eNULL"),
        ("HIGH DES-CBC3-SHA", "DES-CBC3-SHA"),
        ("ECDHE+aNULL", "ECDHE+aNULL"),
        ("TLS_RSA_WITH_RC4_128_MD5", "TLS_RSA_WITH_RC4_128_MD5"),
        ("ADH-AES128-GCM-SHA256", "ADH-AES128-GCM-SHA256"),
        ("LOW;HIGH", "LOW"),
    ],
)
def test_weak_ciphers(ciphers: str, weak: str | None) -> None:
    assert weak_cipher(ciphers) == weak


def test_this_openssl_takes_the_defaults() -> None:
    groups = CURVES_BEFORE_MLKEM.encode()
    TlsContext(server=False, ciphers=CIPHERS.encode(), ciphersuites=CIPHERSUITES.encode(), groups=groups)
    assert CURVES.endswith(CURVES_BEFORE_MLKEM)
