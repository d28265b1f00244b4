"""The section of command-acl."""

from __future__ import annotations

import pytest

from imap4fast.config.load import load_text
from imap4fast.config.mailsettings import Upload
from imap4fast.config.sections.command_acl import COMMAND_ACL
from imap4fast.config.settings import CommandAcl
from imap4fast.errors import ConfigError
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "accept; no-mail-scanning;",
        "deny;",
        "deny; parent-acl { ! P, * }; commands { FETCH, UID-FETCH };",
    ],
)
def test_good(body: str) -> None:
    good(COMMAND_ACL, body, ("session-acl", "P"), ("session-acl", "QX"))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("deny; parent-acl Q;", "no section session-acl Q; did you"),
        ("deny; commands FECTH;", "did you mean `FETCH`"),
        ("deny; commands { ! STORE, * };", "STORE is excluded, but UID-STORE is not"),
        ("deny; commands { ! { STORE, COPY }, UID-STORE };", "STORE is excluded"),
        ("deny; capabilities XY;", "unknown capability `XY`"),
        ("deny; max-time 5M;", "did you mean `5m`"),
        ("deny; upload { on-deny replace; }", "`error` expected"),
        ("accept; no-mail-scanning; download { }", "`download` has no effect with `no-mail-scanning`"),
        ("accept; no-mail-scanning; prefetch 5;", "`prefetch` has no effect with `no-mail-scanning`"),
        ("accept; commands { NOTIFY, FETCH };", "`NOTIFY` never passes where mails are processed"),
        ("accept; commands { { UNKNOWN }, FETCH };", "`UNKNOWN` never passes where mails are processed"),
        ("accept; capabilities { catenate, ID };", "`CATENATE` is never offered where mails are processed"),
        ("deny; download { use-antivirus enable A; }", "no section antivirus A"),
        ("deny; download { use-antispam on A; }", "`enable` or `disable` expected"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(COMMAND_ACL, body, ("session-acl", "P"), ("session-acl", "QX"))[1])


@pytest.mark.parametrize("commands", ["{ ! FETCH, ! UID-FETCH, * }", "{ UID-FETCH }", "*", "{ ! NOOP, * }"])
def test_no_warning(commands: str) -> None:
    good(COMMAND_ACL, f"deny; commands {commands};")


def test_settings() -> None:
    bound = good(COMMAND_ACL, "accept; no-mail-scanning; read-only; max-mail-in 1K; sasl-external yes;")
    assert bound.struct == CommandAcl(
        "N", True, read_only=True, max_mail_in=1024, sasl_external=True, no_mail_scanning=True, line=1
    )


@pytest.mark.parametrize(
    "body",
    [
        "commands { ! NOTIFY, ! { UNKNOWN, COMPRESS }, * };",
        "commands *; capabilities *;",
        "capabilities { ! CATENATE, * };",
    ],
)
def test_what_is_not_named_is_no_error(body: str) -> None:
    assert bind(COMMAND_ACL, f"accept; {body}")[1] == []


def test_what_denies_or_passes_mails_may_name_every_command() -> None:
    assert bind(COMMAND_ACL, "deny; commands NOTIFY;")[1] == []
    assert bind(COMMAND_ACL, "accept; no-mail-scanning; commands NOTIFY;")[1] == []


ENGINES = """
antivirus CLAM { connection clamav-net [127.0.0.1] : 3310; }
antivirus OWN { connection builtin; }
antispam SPAMD { connection spamd [127.0.0.1] : 783; }
"""


def processing(body: str) -> CommandAcl:
    text = f"command-acl C {{ deny; {body} }}"
    proxy = f"imap4-proxy P {{ listen-on {{ non-transparent [::1] port 1; }} session-acl S {{ deny; }} {text} }}"
    return load_text(f"version IMAP4FAST-1; {ENGINES} {proxy}").settings.proxy.command_acls[0]


def test_processing() -> None:
    acl = processing(
        "mail-view headers-first; prefetch 3; signed rewrite; download { use-antivirus enable OWN 1M; "
        "use-antivirus disable CLAM; use-antispam enable SPAMD 100K; on-skipped pass; mail-filter { tnef keep; } }"
    )
    assert (acl.mail_view, acl.prefetch, acl.signed) == ("headers-first", 3, "rewrite")
    uses = [(use.enable, use.engine.name, use.size) for use in acl.download.use_antivirus]
    assert uses == [(True, "OWN", 1048576), (False, "CLAM", None)]
    assert acl.download.use_antispam is not None
    assert acl.download.use_antispam.engine.connection.kind == "spamd"
    assert (acl.download.on_skipped, acl.download.mail_filter.tnef, acl.download.on_deny) == ("pass", "keep", "replace")
    assert acl.upload == Upload()


def test_an_engine_is_named_once() -> None:
    with pytest.raises(ConfigError, match="`antivirus OWN` is named a second time"):
        processing("upload { use-antivirus enable OWN; use-antivirus disable OWN; }")
