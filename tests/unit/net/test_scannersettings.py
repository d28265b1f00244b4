"""Which engines a worker has to do with: each that a command-acl uses, once."""

from __future__ import annotations

from imap4fast.config.load import load_text
from imap4fast.config.values import Address, Sock
from imap4fast.net.scannersettings import engines_of

TEXT = """version IMAP4FAST-1;
antivirus CLAM { connection clamav-net [192.0.2.1] : 3310; timeout 7; pool 2; breaker 3 9; max-checked-size 1M; }
antivirus LOCAL { connection clamav-unix "/run/clamd.sock"; }
antivirus ICAP { connection icap [192.0.2.2] : 1344 "/avscan"; }
antivirus OWN { connection builtin; }
antivirus UNUSED { connection builtin; }
antispam SPAMD { connection spamd [192.0.2.3] : 783; timeout 5; }
imap4-proxy P {
  nodaemon;
  listen-on { non-transparent [127.0.0.1] port 143; }
  session-acl IN { accept; plug-to [192.0.2.9] : 143; }
  command-acl PASS { user "x"; accept; no-mail-scanning; }
  command-acl ALL {
    accept;
    download { use-antivirus enable CLAM; use-antivirus enable LOCAL; use-antispam enable SPAMD; }
    upload { use-antivirus enable CLAM; use-antivirus enable ICAP; use-antivirus disable OWN; }
  }
  mail-acl ALL { accept; }
  doc-acl ALL { accept; }
}
"""


def test_each_engine_once() -> None:
    antivirus, antispam = engines_of(load_text(TEXT).settings.proxy)
    assert {one.name: (one.kind, one.address, one.service) for one in antivirus} == {
        "CLAM": ("clamav-net", Sock(Address(4, 0xC0000201), 3310), ""),
        "LOCAL": ("clamav-unix", "/run/clamd.sock", ""),
        "ICAP": ("icap", Sock(Address(4, 0xC0000202), 1344), "/avscan"),
        "OWN": ("builtin", None, ""),
    }
    clam = antivirus[0]
    assert (clam.timeout, clam.pool, clam.breaker, clam.max_checked_size) == (7, 2, (3, 9), 1 << 20)
    assert [(one.name, one.kind, one.timeout) for one in antispam] == [("SPAMD", "spamd", 5)]
