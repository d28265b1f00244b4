"""`make tls-check`: testssl.sh against imap4-proxy with default TLS, at once and by STARTTLS.

Prints every finding above INFO. Fails on one above LOW that is not among the exceptions, which are printed with their
reason. The whole reports (JSON) stay in var/tls-check.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.fakeserver import FakeServer, Session
from tests.e2e.legs import Legs
from tests.e2e.parts import need
from tests.e2e.pki import pki
from tests.e2e.proxy import Config, Proxy

TOP = Path(__file__).resolve().parent.parent
REPORTS = TOP / "var" / "tls-check"

BAD = ("MEDIUM", "HIGH", "CRITICAL")
QUIET = ("OK", "INFO", "DEBUG")

EXCEPTIONS = {
    "cipher_order": "as Mozilla's intermediate profile wants it: all ciphers are strong, so the client chooses the one "
    "that it is fast with",
    "cert_revocation": "the certificate is made for the check: a private authority names no CRL and no OCSP server",
}
"""Findings above LOW that say something of the check and not of the proxy: id (or its start) to reason."""


def serve(session: Session) -> None:
    session.say_hello()
    session.until_closed()


def check(way: str, address: tuple[str, int]) -> list[dict[str, str]]:
    """Run testssl.sh; its findings."""
    report = REPORTS / f"{way}.json"
    report.unlink(missing_ok=True)
    words = [need("testssl"), "--quiet", "--color", "0", "--warnings", "off", "--add-ca", str(pki().root.file)]
    words += ["--jsonfile", str(report), "--nodns", "none", "--connect-timeout", "5", "--openssl-timeout", "5"]
    if way == "command":
        words += ["-t", "imap"]
    with (REPORTS / f"{way}.txt").open("wb") as output:
        subprocess.run(
            [*words, f"localhost:{address[1]}"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    found: list[dict[str, str]] = json.loads(report.read_text())
    return found


def excepted(finding: dict[str, str]) -> str | None:
    return next((reason for start, reason in EXCEPTIONS.items() if finding["id"].startswith(start)), None)


def tell(way: str, findings: list[dict[str, str]]) -> bool:
    """Print what matters; whether there is nothing to complain of."""
    good = True
    print(f"==> TLS {'at once' if way == 'session' else 'by STARTTLS'}: {len(findings)} findings")
    for finding in findings:
        if finding["severity"] in QUIET:
            continue
        reason = excepted(finding) if finding["severity"] in BAD else None
        good = good and (finding["severity"] not in BAD or reason is not None)
        print(f"{finding['severity']:9} {finding['id']}: {finding['finding']}")
        if reason:
            print(f"{'':9} excepted: {reason}")
    return good


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    os.environ.setdefault("IMAP4FAST_TEST_LOGS", str(REPORTS))
    server = FakeServer()
    server.play(serve)
    results = []
    for way in ("session", "command"):
        config = Config(**Legs(way, "plain").applied({"plug": (server.address,), "log": "level normal;"}))  # type: ignore[arg-type]
        proxy = Proxy(config)
        try:
            results.append(tell(way, check(way, proxy.address)))
            proxy.check()
        finally:
            proxy.close()
    server.close()
    print("no finding above LOW" if all(results) else "findings above LOW", f"(reports in {REPORTS.relative_to(TOP)})")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
