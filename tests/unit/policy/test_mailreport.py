"""A mail's rehearsal written down."""

from __future__ import annotations

import msgspec

from imap4fast.policy.mailreport import mail_outcome, mail_text, mail_values
from tests.unit.policy.jobs import HEADER, INFECTED, simple
from tests.unit.policy.test_mailrehearsal import rehearsed


def test_text() -> None:
    found = rehearsed(INFECTED)
    assert mail_text(found).splitlines() == [
        f'mail "x", {len(INFECTED)} octets, download:',
        "  virus found (Eicar-Test-Signature), spam-score UNKNOWN",
        "",
        "phase 3, mail-acl, under command-acl C:",
        "  OTHERS: no match: from [10.0.0.2]; saw [10.0.0.1]",
        "    does not fit  from [10.0.0.2];  saw [10.0.0.1]",
        "  SPAM: no match: spam-score ge 5.0; saw UNKNOWN",
        "    fits          user alice;  saw alice",
        "    does not fit  spam-score ge 5.0;  saw UNKNOWN",
        "  REST: match",
        "    fits          parent-acl C;  saw C",
        "  ACCEPTED by REST",
        "",
        "phase 3, doc-acl, part 1: text/plain, no name, 11 octets, virus free:",
        "  UP: no match: direction upload; saw download",
        "    does not fit  direction upload;  saw download",
        "  VIRUS: no match: virus found; saw free",
        "    fits          parent-acl REST;  saw REST",
        "    does not fit  virus found;  saw free",
        "  ALL: match",
        "    fits          user /^a/;  saw alice",
        "  ACCEPTED by ALL",
        "",
        "phase 3, doc-acl, part 2: application/octet-stream, game.com, 68 octets, virus found:",
        "  UP: no match: direction upload; saw download",
        "    does not fit  direction upload;  saw download",
        "  VIRUS: match",
        "    fits          parent-acl REST;  saw REST",
        "    fits          virus found;  saw found",
        "  ACCEPTED by VIRUS: REMOVED",
        "",
        f"mail: ACCEPTED, changed, {len(found.trial.after)} octets",
    ]


def test_what_was_not_asked_and_what_was_found_in_the_form() -> None:
    odd = rehearsed(HEADER + b"X: \xff\r\n\r\n", download="use-antivirus enable NET;")
    text = mail_text(odd)
    assert "  not asked, and taken for free: NET" in text
    assert "  form: ACCEPT-8BIT-HEADER 0 8-bit character in header" in text
    assert mail_outcome(odd) == "REJECTED, replaced: form: accept-8bit-header: 8-bit character in header"
    assert "skipped (no engine is in use)" in mail_text(rehearsed(simple(), download=""))


def test_values_are_json() -> None:
    values = mail_values(rehearsed(INFECTED))
    assert msgspec.json.decode(msgspec.json.encode(values)) == values
    assert (values["outcome"], values["result"], values["acl"]) == ("ACCEPTED", "changed", "REST")
    assert values["virus"] == {"status": "found", "name": "Eicar-Test-Signature"}
    first, second = values["documents"]
    assert (first["part"], first["acl"], first["action"]) == ("1", "ALL", "PASSED")
    assert (second["part"], second["names"], second["virus"], second["action"]) == (
        "2",
        ["game.com"],
        "found",
        "REMOVED",
    )
    assert [acl["name"] for acl in second["acls"]] == ["UP", "VIRUS"]


def test_values_of_a_denied_mail() -> None:
    values = mail_values(rehearsed(simple(), acls=""))
    assert (values["outcome"], values["result"], values["acl"]) == ("REJECTED", "replaced", "<NULL>")
    assert values["reason"] == "policy"
    assert values["documents"] == []
