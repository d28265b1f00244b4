"""Checks of mail processing over several sections."""

from __future__ import annotations

import pytest

from imap4fast.config.load import load_text
from imap4fast.errors import ConfigError

HEAD = """version IMAP4FAST-1;
antivirus OWN { connection builtin; }
imap4-proxy P {
  listen-on { non-transparent [::1] port 1; }
  session-acl S { accept; plug-to a : 1; }
"""
SCANNED = "use-antivirus enable OWN;"
COMMANDS = "command-acl C { accept; download { use-antivirus enable OWN; %s } upload { use-antivirus enable OWN; } }"
DOCS = "doc-acl D { accept; }"


def warnings_of(body: str) -> list[str]:
    return [warning.text for warning in load_text(f"{HEAD}{body}}}\n").warnings]


UNSEEN = "`mail-acl M` can accept mails that no virus scanner has seen: `command-acl C`, "


@pytest.mark.parametrize(
    ("commands", "mail", "warning"),
    [
        (COMMANDS % "", "accept;", None),
        (COMMANDS % "on-skipped pass;", "accept;", UNSEEN + "download: `on-skipped pass`"),
        (COMMANDS % "on-skipped pass;", "accept; virus { free, found };", None),
        (COMMANDS % "on-skipped pass;", "accept; virus { ! skipped, * };", None),
        (COMMANDS % "on-skipped pass;", "accept; direction upload;", None),
        (COMMANDS % "on-skipped pass;", "deny;", None),
        (COMMANDS % "on-unavailable pass;", "accept; virus { free, skipped };", None),
        (COMMANDS % "on-unavailable pass;", "accept; virus error;", UNSEEN + "download: `on-unavailable pass`"),
        (COMMANDS % "on-unavailable replace;", "accept;", None),
        ("command-acl C { accept; }", "accept;", UNSEEN + "download: no `use-antivirus enable`"),
        ("command-acl C { accept; }", "accept; parent-acl { ! C, * };", None),
        (
            "command-acl C { accept; download { use-antivirus disable OWN; } }",
            "accept; direction download;",
            UNSEEN + "download: no `use-antivirus enable`",
        ),
        ("command-acl C { accept; no-mail-scanning; }", "accept;", None),
        ("command-acl C { deny; }", "accept;", None),
    ],
)
def test_mails_that_nobody_scanned(commands: str, mail: str, warning: str | None) -> None:
    assert warnings_of(f"{commands} mail-acl M {{ {mail} }} {DOCS}") == ([warning] if warning else [])


def test_without_acls_of_mails_all_is_denied() -> None:
    said = "every mail is denied where `no-mail-scanning` is not said"
    assert warnings_of(COMMANDS % "") == [f"there is no mail-acl: {said}", f"there is no doc-acl: {said}"]
    assert warnings_of("command-acl C { accept; no-mail-scanning; }") == []


EARLY = (COMMANDS % "").replace("accept;", "accept; mail-view headers-first;", 1)


@pytest.mark.parametrize("item", ['subject-prefix "[X] ";', "modify-header add X-A b;"])
def test_headers_that_would_come_too_late(item: str) -> None:
    acl = "mail-acl M {{ accept; {}{} }} {}"
    with pytest.raises(ConfigError) as caught:
        warnings_of(f"{EARLY} {acl.format(item, '', DOCS)}")
    lines = str(caught.value).split("\n")
    word = item.split()[0]
    assert f"error: `{word}` would come too late for lists of mails: `command-acl C` says" in lines[0]
    assert lines[2].strip() == "^" + "~" * (len(word) - 1)
    assert warnings_of(f"{EARLY} {acl.format(item, 'direction upload;', DOCS)}") == []
    assert warnings_of(f"{COMMANDS % ''} {acl.format(item, '', DOCS)}") == []


def test_comm_dir_lies_inside_the_root() -> None:
    engine = 'antivirus FILE { connection clamav-file "/run/c"; comm-dir "%s"; }'
    for place, good in (("/jail/comm", True), ("/jail", True), ("/jailed", False)):
        text = HEAD.replace("imap4-proxy P {", f'{engine % place} imap4-proxy P {{ chroot-dir "/jail";')
        text += "command-acl C { deny; } }\n"
        if good:
            load_text(text)
        else:
            with pytest.raises(ConfigError, match="with `chroot-dir` it must lie inside `/jail`"):
                load_text(text)
