"""`python -m tests.e2e.condition_table`: each condition of ssl-cert-match with a certificate that fits and one that
does not, as `test-imap4 -t` judges them. The tests of test_tls_conditions.py show the same by live sessions.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path

from imap4fast.cli import test_imap4
from tests.e2e.pki import Identity, pki
from tests.e2e.test_tls_conditions import FITS, front_of_table, match

_ROW = "{:<20} {:<66} {:<5} {:<5} {}"


def configuration(text: str) -> str:
    return f"""version IMAP4FAST-1;
{front_of_table("request")}
{match(text)}
imap4-proxy TABLE {{
  nodaemon;
  listen-on {{ non-transparent [127.0.0.1] port 9993; }}
  session-acl IN {{ accept; client-ssl-params FRONT session; client-cert-match PEOPLE; plug-to [127.0.0.1] : 143; }}
  command-acl ALL {{ accept; no-mail-scanning; }}
}}
"""


def judged(folder: Path, text: str, identity: Identity | None) -> tuple[bool, str]:
    """Whether a client with this certificate gets in, and what test-imap4 prints of it."""
    file = folder / "table.cfg"
    file.write_text(configuration(text))
    cert = f' cert "{identity.chain}"' if identity else ""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = test_imap4.main(["-f", str(file), "-t", f"test from [127.0.0.1] to [127.0.0.1] : 993{cert};"])
    if status not in (0, 1):
        raise SystemExit(f"test-imap4 ended with {status}:\n{said.getvalue()}")
    return status == 0, said.getvalue()


def reason(text: str) -> str:
    """What the condition that failed saw."""
    found = re.search(r"no match.*?saw (.*)", text, re.DOTALL)
    return " ".join(found[1].split("\n", 1)[0].split()) if found else ""


def main() -> int:
    """Exit status 1: a row is not as it must be."""
    wrong = 0
    print(_ROW.format("condition", "as configured", "staff", "guest", "what the guest's misfit saw"))
    rows = [(name, text, pki().guest, True, False) for name, text in FITS.items()]
    rows += [("any", "any;", None, True, False), ("none", "none;", None, False, True)]
    with tempfile.TemporaryDirectory() as folder:
        for name, text, other, first, second in rows:
            fits, _ = judged(Path(folder), text, pki().staff)
            misfits, said = judged(Path(folder), text, other)
            wrong += (fits, misfits) != (first, second)
            shown = match(text).removeprefix("ssl-cert-match PEOPLE { ").removesuffix(" }\n")
            shown = shown if len(shown) <= 66 else shown[:63] + "..."
            words = {True: "yes", False: "no"}
            guest = words[misfits] if other else f"({words[misfits]})"
            print(_ROW.format(name, shown, words[fits], guest, reason(said)))
    print(
        "staff: CN=Joe Staff,OU=Mail Staff,O=Example; guest: CN=Ann Guest, of another CA; in brackets: no certificate"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
