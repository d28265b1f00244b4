"""Certificates and keys that cannot be used: the proxy does not start, and says which file and why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.e2e.dovecot import free_port
from tests.e2e.legs import Over, front
from tests.e2e.pki import Identity, pki

TEXT = """version IMAP4FAST-1;
ssl-params FRONT {{ {items} }}
imap4-proxy E2E {{
  nodaemon;
  log-debug {{ file "{folder}/log"; }}
  listen-on {{ non-transparent [127.0.0.1] port {port}; }}
  session-acl IN {{ accept; client-ssl-params FRONT session; plug-to [127.0.0.1] : 9; }}
  command-acl ALL {{ accept; no-mail-scanning; }}
}}
"""


def started(folder: Path, items: str) -> tuple[int, str]:
    """Exit status and complaint of a proxy that should not start."""
    config = folder / "proxy.cfg"
    config.write_text(TEXT.format(items=items, folder=folder, port=free_port()))
    words = [sys.executable, "-m", "imap4fast.cli.imap4_proxy", "-f", str(config)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    return done.returncode, done.stderr


def files(folder: Path) -> dict[str, str]:
    """Files that are wrong, each in its own way, and one that is right."""
    key = serialization.load_pem_private_key(pki().server.key.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"zq8-pass-phrase"),
    )
    made = {
        "locked": locked,
        "nonsense": b"-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n",
        "empty": b"",
        "phrase": b"zq8-pass-phrase\n",
        "wrong-phrase": b"zq8-wrong-guess\n",
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    own = {"chain": pki().server.chain, "key": pki().server.key, "other-key": pki().renewed.key, "crl": pki().crl}
    return {
        **{name: str(folder / name) for name in [*made, "missing"]},
        **{name: str(path) for name, path in own.items()},
    }


WRONG = {
    "no such certificate": ('certificate "{missing}"; private-key "{key}";', "missing", "No such file"),
    "no such key": ('certificate "{chain}"; private-key "{missing}";', "missing", "No such file"),
    "key of another": ('certificate "{chain}"; private-key "{other-key}";', "other-key", "mismatch"),
    "nonsense": ('certificate "{nonsense}"; private-key "{key}";', "nonsense", ""),
    "empty": ('certificate "{empty}"; private-key "{key}";', "empty", ""),
    "key as certificate": ('certificate "{key}"; private-key "{key}";', "key", ""),
    "locked": ('certificate "{chain}"; private-key "{locked}";', "locked", ""),
    "locked, wrong phrase": (
        'certificate "{chain}"; private-key "{locked}"; key-passphrase "{wrong-phrase}";',
        "locked",
        "",
    ),
    "no such authority": (
        'certificate "{chain}"; private-key "{key}"; ca-file "{missing}"; verify require;',
        "missing",
        "",
    ),
    "no list": (
        'certificate "{chain}"; private-key "{key}"; ca-file "{chain}"; crl "{chain}"; verify require;',
        "chain",
        "",
    ),
    "folder": ('certificate "/"; private-key "{key}";', "", 'certificate "/"'),
}


@pytest.mark.parametrize("what", WRONG)
def test_file_that_cannot_be_used(tmp_path: Path, what: str) -> None:
    items, culprit, reason = WRONG[what]
    named = files(tmp_path)
    for name, path in named.items():
        items = items.replace(f"{{{name}}}", path)
    status, complaint = started(tmp_path, items)
    assert status in (1, 2), complaint
    assert "Traceback" not in complaint
    assert "ssl-params FRONT" in complaint
    assert named.get(culprit, "") in complaint
    assert reason in complaint
    assert "zq8" not in complaint
    assert "PRIVATE KEY" not in complaint


def test_locked_key_with_its_phrase(over: Over, tmp_path: Path) -> None:
    named, own = files(tmp_path), pki().server
    locked = Identity(own.certificate, own.chain, Path(named["locked"]), own.pem)
    lab = over("session", "plain")
    config = {"sections": front(f'key-passphrase "{named["phrase"]}";', locked)}
    lab.client(**config).ok(b"NOOP")
    assert "zq8" not in lab.logged(**config)
    lab.forget(**config)
