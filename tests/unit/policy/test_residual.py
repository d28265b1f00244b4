"""What is left of the policy on mails: the same decisions, and a digest of all that a mail's form depends on."""

from __future__ import annotations

import pytest
from hypothesis import given
from msgspec import structs

from imap4fast.config.load import load_text
from imap4fast.config.settings import Settings
from imap4fast.config.values import Address
from imap4fast.policy.conditions import compile_conditions
from imap4fast.policy.facts import Facts
from imap4fast.policy.fit import FITS
from imap4fast.policy.hosts import Names
from imap4fast.policy.material import Material
from imap4fast.policy.residual import Residual, Residuals, of
from tests.unit.policy import drawn

CLIENT = Address(4, 0x0A000001)


@given(drawn.mail_policies, drawn.facts, drawn.resolved, drawn.directions)
def test_those_are_left_whose_conditions_on_the_session_fit(
    settings: Settings, facts: Facts, names: Names, direction: str
) -> None:
    """An ACL is in if and only if all that can be known of the session fits it; order is the file's."""
    proxy = settings.proxy
    for acl in proxy.command_acls:
        left = of(settings, Material(), facts, acl, direction, names=names)
        under = structs.replace(facts, parent=acl.name)
        assert left.mail_acls == tuple(
            one.name
            for one in proxy.mail_acls
            if one.mail.direction in (None, direction)
            and all(condition.fits(under) is FITS for condition in compile_conditions(one.conditions, names))
        )
        conditions = {one.name: structs.replace(one.conditions, parent_acl=None) for one in proxy.doc_acls}
        assert left.doc_acls == tuple(
            one.name
            for one in proxy.doc_acls
            if one.mail.direction in (None, direction)
            and all(condition.fits(under) is FITS for condition in compile_conditions(conditions[one.name], names))
        )


@given(drawn.mail_policies, drawn.facts, drawn.facts, drawn.directions)
def test_sessions_that_are_judged_alike_share_their_mails(
    settings: Settings, one: Facts, other: Facts, direction: str
) -> None:
    residuals = Residuals(settings, Material())
    acl = settings.proxy.command_acls[0]
    first, second = (residuals.of(facts, acl, direction) for facts in (one, other))
    same = (first.mail_acls, first.doc_acls) == (second.mail_acls, second.doc_acls)
    assert (first == second) is same
    assert first == Residuals(settings, Material()).of(one, acl, direction)


TEXT = """version IMAP4FAST-1;
antivirus OWN { connection builtin; digests "/d"; max-checked-size 5M; pool 3; }
html-filter H { tag deny script; }
imap4-proxy P {
  listen-on { non-transparent [::1] port 1; }
  spool-keep 5d;
  doctype-identification { order magic; mime-types "/m"; magic "/g"; }
  command-acl C {
    accept; max-mail-in 9M; signed rewrite; prefetch 3; max-bytes-in 7M;
    download { use-antivirus enable OWN 1M; on-skipped pass; mail-filter { tnef keep; } }
    upload { on-unavailable pass; }
  }
  mail-acl M { from [10.0.0.0/8]; size lt 5K; accept; subject-prefix "[X]"; replace-body "/b"; quarantine "/q"; }
  mail-acl REST { deny; }
  doc-acl D { parent-acl M; filename a; accept; replace-file "/t"; }
  doc-acl H { direction download; accept; html-filter H; }
  doc-acl UP { direction upload; accept; }
}
"""
FILES = {path: path.encode() for path in ("/d", "/m", "/g", "/b", "/t")}


def residual(text: str = TEXT, files: dict[str, bytes] = FILES, direction: str = "download", language: str = "EN"):
    settings = load_text(text).settings
    facts = Facts(CLIENT, 1024, (CLIENT, 143), parent="S")
    return of(settings, Material(files), facts, settings.proxy.command_acls[0], direction, language)


def test_what_is_left() -> None:
    left = residual()
    assert (left.mail_acls, left.doc_acls) == (("M", "REST"), ("D", "H"))
    assert residual(direction="upload").doc_acls == ("D", "UP")
    assert residual(TEXT.replace("[10.0.0.0/8]", "[10.1.0.0/16]")).mail_acls == ("REST",)
    assert isinstance(left, Residual)
    assert len(left.digest) == 32


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max-checked-size 5M", "max-checked-size 4M"),
        ("OWN 1M", "OWN 2M"),
        ("on-skipped pass", "on-skipped deny"),
        ("tnef keep", "tnef deny"),
        ("signed rewrite", "signed replace"),
        ("max-mail-in 9M", "max-mail-in 8M"),
        ("order magic", "order extension"),
        ("size lt 5K", "size lt 6K"),
        ('"[X]"', '"[Y]"'),
        ("filename a", "filename b"),
        ("parent-acl M", "parent-acl REST"),
        ("tag deny script", "tag deny style"),
        ("mail-acl REST", "mail-acl LAST"),
        ("doc-acl H { direction download; accept;", "doc-acl H { direction download; accept; force-doctype-ident;"),
    ],
)
def test_the_digest_changes_with_what_a_mail_looks_like(old: str, new: str) -> None:
    assert old in TEXT
    assert residual(TEXT.replace(old, new)).digest != residual().digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from [10.0.0.0/8]", "from [10.0.0.1]"),
        ("from [10.0.0.0/8];", "from [10.0.0.0/8]; parent-acl C; direction download;"),
        ("pool 3", "pool 4"),
        ("spool-keep 5d", "spool-keep 6d"),
        ("prefetch 3", "prefetch 4"),
        ("max-bytes-in 7M", "max-bytes-in 8M"),
        ("on-unavailable pass", "on-unavailable error"),
        ('quarantine "/q"', 'quarantine "/r"'),
        ("doc-acl UP", "doc-acl UPWARDS"),
    ],
)
def test_the_digest_keeps_with_all_else(old: str, new: str) -> None:
    assert old in TEXT
    assert residual(TEXT.replace(old, new)).digest == residual().digest


@pytest.mark.parametrize("path", sorted(FILES))
def test_the_digest_changes_with_the_octets_of_files(path: str) -> None:
    assert residual(files={**FILES, path: b"other"}).digest != residual().digest


def test_the_digest_changes_with_direction_and_language() -> None:
    found = {residual().digest, residual(direction="upload").digest, residual(language="CZ").digest}
    assert len(found) == 3
