"""No password that a test used stands in any log of the whole run. Runs last (conftest.py beside this file)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from imap4fast.log.escape import shown
from imap4fast.log.lines import BAD_ARGUMENTS
from tests.secrets import LOG_DIRS, PASSWORDS

LOGGED_SESSION = b"IMAP-701-I"


def forms(password: str) -> set[bytes]:
    """How a password may look in a log: as it is, escaped, quoted, in JSON, in hex, in URLs, and in base64.

    Base64 of a longer text (SASL PLAIN, a bearer token) holds the password at one of three alignments; the characters
    that depend on neighbouring bytes are cut off.
    """
    raw = password.encode()
    texts = {password, shown(raw, 0), shown(password, 0), json.dumps(password)[1:-1], repr(raw)[2:-1], quote(password)}
    found = {text.encode() for text in texts} | {raw.hex().encode(), raw.hex().upper().encode()}
    for before in range(3):
        encoded = b64encode(b"\0" * before + raw)
        start = (before * 8 + 5) // 6
        end = (before + len(raw)) * 8 // 6
        found |= {encoded[start:end], encoded[start:end].replace(b"+", b"-").replace(b"/", b"_")}
    return found


def leaks(files: Iterable[Path], passwords: Iterable[str]) -> Iterator[str]:
    wanted = {form: password for password in passwords for form in forms(password)}
    for file in files:
        content = file.read_bytes()
        for form, password in wanted.items():
            if form in content:
                line = content[: content.index(form)].count(b"\n") + 1
                yield f"{file}:{line}: {password!r} as {form!r}"


def logs() -> list[Path]:
    """Every file of the run's log folders that holds something."""
    files = [path for folder in LOG_DIRS for path in sorted(Path(folder).rglob("*")) if path.is_file()]
    return [path for path in files if path.stat().st_size]


def test_passwords_are_worth_looking_for() -> None:
    assert len(set(PASSWORDS)) == len(PASSWORDS) >= 3
    assert all(len(password) >= 12 for password in PASSWORDS)


def test_no_log_holds_a_password() -> None:
    files = logs()
    assert files, f"no log found in {LOG_DIRS}: the end-to-end tests did not run"
    assert any(LOGGED_SESSION in file.read_bytes() for file in files), "no session was logged"
    assert list(leaks(files, PASSWORDS)) == []


def test_every_line_had_the_arguments_of_its_entry() -> None:
    assert [str(file) for file in logs() if BAD_ARGUMENTS.encode() in file.read_bytes()] == []


CARRIERS = {
    "plain": lambda password: b"LOGIN jana " + password,
    "quoted": lambda password: b'"' + password.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"',
    "repr": lambda password: repr(b"x" + password).encode(),
    "json": lambda password: json.dumps({"text": password.decode()}).encode(),
    "hex": lambda password: (b"ab" + password).hex().encode(),
    "sasl-login": b64encode,
    **{
        f"sasl-plain-{length}": lambda password, length=length: b64encode(b"\0" + b"u" * length + b"\0" + password)
        for length in range(4, 7)
    },
    "oauthbearer": lambda password: b64encode(b"n,a=u@x,\x01auth=Bearer " + password + b"\x01\x01"),
    "xoauth2": lambda password: b64encode(b"user=u@x\x01auth=Bearer " + password + b"\x01\x01"),
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("password", ["s3cr3t-Planted-One", 's3cr3t "two" \\back', "s3cr3t+three/?>>>~~~"])
def test_a_planted_password_is_found(tmp_path: Path, carrier: str, password: str) -> None:
    log = tmp_path / "planted.log"
    log.write_bytes(b"one\ntwo " + CARRIERS[carrier](password.encode()) + b"\n")
    assert any(f"{log}:2: " in leak for leak in leaks([log], [password]))
    assert list(leaks([log], ["s3cr3t-Another-One"])) == []
