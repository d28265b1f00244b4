"""What cannot be made a context of, and the words for it; what can, and where trust may come from."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from imap4fast import _wire
from imap4fast._wire import Tls, TlsContext, TlsError
from tests.unit.tls.certificates import Pair, key_pem, new_key
from tests.unit.tls.ends import (
    NAME,
    TLS12,
    TLS13,
    authority,
    client_context,
    client_pair,
    from_leg,
    server_context,
    server_pair,
    to_leg,
)

CHAIN, KEY = server_pair().chain, server_pair().key
LOCKED = key_pem(server_pair().private, b"open sesame")
BROKEN = CHAIN.replace(b"MII", b"!!!", 1)
CUT = CHAIN[: len(CHAIN) // 2]
NO_CERTIFICATE = "no certificate in it"


def small() -> Pair:
    return authority().issue("small", key=rsa.generate_private_key(65537, 1024))


def rsa_pair() -> Pair:
    return authority().issue("rsa", (NAME,), key=rsa.generate_private_key(65537, 2048))


SERVER_ERRORS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no-certificate": ({"certificate": None}, "certificate", "missing"),
    "no-key": ({"private_key": None}, "private-key", "missing"),
    "empty": ({"certificate": b""}, "certificate", NO_CERTIFICATE),
    "not-pem": ({"certificate": b"hello\n"}, "certificate", NO_CERTIFICATE),
    "key-for-certificate": ({"certificate": KEY}, "certificate", NO_CERTIFICATE),
    "broken": ({"certificate": BROKEN}, "certificate", "bad base64 decode"),
    "cut": ({"certificate": CUT}, "certificate", "bad end line"),
    "second-broken": ({"certificate": CHAIN + BROKEN}, "certificate", "bad base64 decode"),
    "key-not-pem": ({"private_key": b"hello\n"}, "private-key", "no private key can be read from it (unsupported)"),
    "certificate-for-key": ({"private_key": CHAIN}, "private-key", "no private key can be read from it (unsupported)"),
    "other-key": (
        {"private_key": key_pem(new_key())},
        "private-key",
        "it does not fit the certificate (key values mismatch)",
    ),
    "no-phrase": ({"private_key": LOCKED}, "private-key", "it is encrypted, and there is no pass phrase"),
    "wrong-phrase": ({"private_key": LOCKED, "passphrase": b"x"}, "private-key", "wrong pass phrase (bad decrypt)"),
    "no-ciphers": ({"ciphers": b"NOSUCH"}, "ciphers", "no cipher match"),
    "weak-ciphers": ({"ciphers": b"NULL", "max_version": TLS12}, "ciphers", "none fits the certificate's ECDSA key"),
    "ciphers-for-rsa": (
        {"ciphers": b"ECDHE-RSA-AES128-GCM-SHA256", "max_version": TLS12},
        "ciphers",
        "none fits the certificate's ECDSA key",
    ),
    "suites": ({"ciphersuites": b"TLS_NOSUCH"}, "ciphersuites", "no cipher match"),
    "groups": ({"groups": b"P-257"}, "curves", "unknown or empty (passed invalid argument)"),
    "versions": ({"min_version": TLS13, "max_version": TLS12}, "min-version", "it is above max-version"),
    "version": ({"min_version": 0x0309, "max_version": 0x030A}, "min-version", "not supported by this OpenSSL"),
    "ca": ({"ca": (b"",)}, "ca-file", NO_CERTIFICATE),
    "second-ca": ({"ca": (authority().pem, KEY)}, "ca-file", NO_CERTIFICATE),
    "broken-ca": ({"ca": (BROKEN,)}, "ca-file", "bad base64 decode"),
    "no-ca": ({"verify": 2}, "ca-file", "certificates shall be verified, and there is none to trust"),
    "ca-dir": ({"ca_dir": "/nonexistent"}, "ca-dir", "/nonexistent: No such file or directory"),
    "crl": ({"crl": (CHAIN,)}, "crl", "no revocation list in it"),
    "broken-crl": ({"crl": (authority().revoked()[:200],)}, "crl", "bad end line"),
    "sni-key": ({"sni": [(b"a.b", CHAIN, key_pem(new_key()))]}, "sni a.b private-key", "it does not fit"),
    "sni-phrase": ({"sni": [(b"a.b", CHAIN, LOCKED)]}, "sni a.b private-key", "it is encrypted"),
    "sni-certificate": ({"sni": [(b"a.b", b"", KEY)]}, "sni a.b certificate", NO_CERTIFICATE),
    "sni-name": ({"sni": [(b"", CHAIN, KEY)]}, "sni ", "no name of a host"),
}


@pytest.mark.parametrize("case", SERVER_ERRORS)
def test_error(case: str) -> None:
    items, what, why = SERVER_ERRORS[case]
    given: dict[str, Any] = {"server": True, "certificate": CHAIN, "private_key": KEY, **items}
    with pytest.raises(TlsError) as raised:
        TlsContext(**given)
    assert raised.value.what == what
    assert raised.value.why.startswith(why)
    assert str(raised.value) == f"{what}: {raised.value.why}"


def test_too_small_a_key() -> None:
    pair = small()
    places: list[dict[str, Any]] = [
        {"certificate": pair.chain, "private_key": pair.key},
        {"sni": [(b"a.b", pair.chain, pair.key)]},
    ]
    for where in places:
        given: dict[str, Any] = {"server": True, "certificate": CHAIN, "private_key": KEY, **where}
        with pytest.raises(TlsError, match=r"certificate: ee key too small"):
            TlsContext(**given)
    TlsContext(server=True, certificate=pair.chain, private_key=pair.key, security_level=1)


def test_ciphers_for_another_kind_of_key() -> None:
    pair, ciphers = rsa_pair(), b"ECDHE-ECDSA-AES128-GCM-SHA256"
    with pytest.raises(TlsError, match="none fits the certificate's RSA key"):
        server_context(pair, ciphers=ciphers, max_version=TLS12)
    # TLS 1.3 has suites for it.
    server_context(pair, ciphers=ciphers)


def test_an_error_leaves_nothing_for_the_next() -> None:
    with pytest.raises(TlsError):
        server_context(ca=(BROKEN,))
    assert to_leg(TLS13, server_context())[0].handshake_done


def test_a_certificate_is_no_need_towards_servers() -> None:
    assert from_leg(TLS13)[0].handshake_done
    with pytest.raises(TlsError, match="private-key: missing"):
        client_context(certificate=CHAIN)


@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_an_encrypted_key(form: str) -> None:
    phrase = b"open sesame"
    pem = server_pair().private.private_bytes(
        serialization.Encoding.PEM,
        getattr(serialization.PrivateFormat, form),
        serialization.BestAvailableEncryption(phrase),
    )
    context = TlsContext(server=True, certificate=CHAIN, private_key=pem, passphrase=phrase)
    assert to_leg(TLS13, context)[0].handshake_done


def test_a_phrase_that_is_no_need() -> None:
    assert TlsContext(server=True, certificate=CHAIN, private_key=KEY, passphrase=b"x").server


def test_certificate_and_key_in_one_file() -> None:
    for both in (CHAIN + KEY, KEY + CHAIN):
        context = TlsContext(server=True, certificate=both, private_key=both)
        assert to_leg(TLS13, context)[0].handshake_done


def test_text_around_the_blocks() -> None:
    context = server_context(ca=(b"# ours\n" + authority().pem + b"\n\ntext\n",), verify=2)
    assert to_leg(TLS13, context, pair=client_pair())[0].handshake_done


def test_other_kinds_of_keys() -> None:
    assert to_leg(TLS12, server_context(rsa_pair()))[0].cipher == "ECDHE-RSA-AES256-GCM-SHA384"
    edwards = authority().issue("ed", (NAME,), key=ed25519.Ed25519PrivateKey.generate())
    assert to_leg(TLS13, server_context(edwards))[0].handshake_done


def test_trust_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("no certificate here")
    (tmp_path / "below").mkdir()
    with pytest.raises(TlsError, match="ca-dir: no certificate in it"):
        client_context(ca=(), ca_dir=str(tmp_path))
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    (tmp_path / "12345678.0").symlink_to("ca.pem")
    context = client_context(ca=(), ca_dir=str(tmp_path))
    for path in tmp_path.glob("*.*"):
        path.unlink()
    # Read once: a chroot has no such folder.
    assert from_leg(TLS13, context)[0].handshake_done


def test_trust_from_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(authority().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert from_leg(TLS13, client_context(ca=(), ca_default=True))[0].handshake_done
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert from_leg(TLS13, client_context(ca=(), ca_default=True))[0].handshake_done
    file.unlink()
    with pytest.raises(TlsError, match="none to trust"):
        client_context(ca=(), ca_default=True)


def test_what_a_context_is_not() -> None:
    context = server_context()
    with pytest.raises(TypeError, match="made once"):
        context.__init__(server=True)
    leg = Tls(context)
    with pytest.raises(TypeError, match="made once"):
        leg.__init__(context)
    with pytest.raises(TypeError):
        Tls(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="verify is 0, 1 or 2"):
        server_context(verify=3, ca=(authority().pem,))
    with pytest.raises(ValueError, match="too many protocols"):
        server_context(alpn=(b"x" * 200, b"y" * 200))


def test_libraries_of_the_extension() -> None:
    """OpenSSL is linked, not loaded by chance through Python's own ssl."""
    said = subprocess.run(["ldd", _wire.__file__], capture_output=True, text=True, check=True).stdout
    assert "libssl.so.3" in said
    assert "libcrypto.so.3" in said
