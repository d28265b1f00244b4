"""The demo's certificate: who may read its key, what it says, and when it is made anew."""

from __future__ import annotations

import datetime
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tools.certificate import ADDRESS, NAME, PEM, SPARE, VALID, Pair, provide, signed, usable

DAY = datetime.timedelta(days=1)


def content(pair: Pair) -> tuple[bytes, bytes]:
    return pair.certificate.read_bytes(), pair.key.read_bytes()


def key_of(pair: Pair) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def put_certificate(pair: Pair, made: datetime.datetime) -> None:
    """A certificate for the same key, as if made then."""
    pair.certificate.write_bytes(signed(key_of(pair), made).public_bytes(PEM))


def test_what_it_says(tmp_path: Path) -> None:
    pair = provide(tmp_path)
    made = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NAME] == ["localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ADDRESS]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert key_of(pair).curve.name == "secp256r1"
    assert made.public_key() == key_of(pair).public_key()
    made.verify_directly_issued_by(made)


def test_key_is_for_its_owner_alone_under_any_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        pair = provide(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cert.pem", "key.pem"]


def test_key_is_never_readable_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, int]] = []

    def watched(path: os.PathLike[str], flags: int, mode: int = 0o777) -> int:
        descriptor = original(path, flags, mode)
        opened.append((Path(path).name, stat.S_IMODE(os.fstat(descriptor).st_mode)))
        return descriptor

    original = os.open
    monkeypatch.setattr(os, "open", watched)
    provide(tmp_path)
    assert ("key.new", 0o600) in opened


def test_good_pair_stays(tmp_path: Path) -> None:
    pair = provide(tmp_path)
    before = content(pair)
    assert content(provide(tmp_path)) == before


@pytest.mark.parametrize(
    ("age", "stays"),
    [(VALID - SPARE - DAY, True), (VALID - SPARE + DAY, False), (VALID + DAY, False), (-2 * DAY, False)],
    ids=["time left", "nears its end", "expired", "not valid yet"],
)
def test_renewed_in_time(tmp_path: Path, age: datetime.timedelta, stays: bool) -> None:
    pair = provide(tmp_path)
    put_certificate(pair, datetime.datetime.now(datetime.UTC) - age)
    before = content(pair)
    after = content(provide(tmp_path))
    assert (after == before) is stays
    assert usable(pair)


def other_key(pair: Pair) -> None:
    pair.key.write_bytes(provide(pair.key.parent.parent).key.read_bytes())


def locked_key(pair: Pair) -> None:
    how = serialization.BestAvailableEncryption(b"phrase")
    pair.key.write_bytes(key_of(pair).private_bytes(PEM, serialization.PrivateFormat.PKCS8, how))


def interrupted(pair: Pair) -> None:
    pair.key.rename(pair.key.with_suffix(".new"))


SPOILT: dict[str, Callable[[Pair], object]] = {
    "no certificate": lambda pair: pair.certificate.unlink(),
    "no key": lambda pair: pair.key.unlink(),
    "empty certificate": lambda pair: pair.certificate.write_bytes(b""),
    "half a key": lambda pair: pair.key.write_bytes(pair.key.read_bytes()[:100]),
    "another key": other_key,
    "a key with a pass phrase": locked_key,
    "a key for everybody": lambda pair: pair.key.chmod(0o644),
    "what an interrupted demo left": interrupted,
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_what_cannot_be_used_is_made_anew(tmp_path: Path, spoilt: str) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    pair = provide(folder)
    SPOILT[spoilt](pair)
    assert not usable(pair)
    assert usable(provide(folder))
    assert sorted(path.name for path in folder.iterdir()) == ["cert.pem", "key.pem"]
