"""The corpus of the oracle: hand-made mails, those of CPython's email tests where these are installed, drawn ones."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tests.mime import grammar, handmade

DRAWN = 260


def cpython() -> dict[str, bytes]:
    """The mails in Lib/test/test_email/data, with CRLF; none where Python came without its tests."""
    try:
        spec = importlib.util.find_spec("test.test_email")
    except ModuleNotFoundError:
        return {}
    if spec is None or spec.origin is None:
        return {}
    files = sorted((Path(spec.origin).parent / "data").glob("msg_*.txt"))
    return {f"cpython: {path.name}": crlf(path.read_bytes()) for path in files}


def debian() -> dict[str, bytes]:
    """The samples of Debian's spamassassin package; none where it is not installed."""
    files = sorted(Path("/usr/share/doc/spamassassin/examples").glob("sample-*.txt"))
    return {f"spamassassin: {path.name}": crlf(path.read_bytes()) for path in files}


def crlf(mail: bytes) -> bytes:
    return mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def mails() -> dict[str, bytes]:
    return handmade.mails() | cpython() | debian() | grammar.mails(DRAWN)
