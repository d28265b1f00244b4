"""What a helper knows of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from imap4fast.policy.kit import MOST_DEPTH, MOST_HEADER, MOST_PARTS, BuiltIn
from tests.unit.policy.jobs import kit_of, template


def test_rules_of_a_direction() -> None:
    kit = kit_of(download="use-antivirus enable OWN 1M; use-antivirus enable NET; use-antispam enable GTUBE 100K;")
    rules = kit.rules("C", "download")
    assert (rules.command_acl, rules.direction, rules.scanned, rules.signed) == ("C", "download", True, "pass-if-clean")
    assert [engine.limit for engine in rules.engines] == [1 << 20]
    assert rules.spam is not None
    assert rules.spam.limit == 100 << 10
    assert kit.rules("C", "upload").processing.on_deny == "error"


def test_the_smaller_size_counts() -> None:
    (engine,) = kit_of(download="use-antivirus enable OWN 26M;").rules("C", "download").engines
    assert engine.limit == 25 << 20
    assert engine.takes(25 << 20)
    assert not engine.takes((25 << 20) + 1)
    assert BuiltIn(None, 0).takes(1 << 40)


@pytest.mark.parametrize(
    ("download", "scanned", "engines", "spam"),
    [
        ("", False, 0, False),
        ("use-antivirus disable OWN; use-antispam disable GTUBE;", False, 0, False),
        ("use-antivirus enable NET;", True, 0, False),
        ("use-antivirus enable NET; use-antivirus enable OWN;", True, 1, False),
    ],
)
def test_engines_in_use(download: str, scanned: bool, engines: int, spam: bool) -> None:
    rules = kit_of(download=download).rules("C", "download")
    assert (rules.scanned, len(rules.engines), rules.spam is not None) == (scanned, engines, spam)


@pytest.mark.parametrize(
    ("proxy", "download", "upload"),
    [
        ("", ("content-type",), ("content-type",)),
        ("doctype-identification { order magic; }", ("magic",), ("magic",)),
        (
            "doctype-identification { order magic; order for upload { extension, magic }; }",
            ("magic",),
            ("extension", "magic"),
        ),
        ("doctype-identification { order for upload extension; }", ("content-type",), ("extension",)),
    ],
)
def test_order_of_methods(proxy: str, download: tuple[str, ...], upload: tuple[str, ...]) -> None:
    kit = kit_of(proxy=proxy)
    assert (kit.rules("C", "download").order, kit.rules("C", "upload").order) == (download, upload)


def test_caps_of_the_filter() -> None:
    found = kit_of(download="mail-filter { max-parts 7; tnef keep; }").rules("C", "download").filter
    assert (found.max_parts, found.max_depth, found.tnef) == (7, 30, "keep")
    none = kit_of(download="mail-filter { max-parts 0; max-depth 0; max-header-size 0; }").rules("C", "download").filter
    assert (none.max_parts, none.max_depth, none.max_header_size) == (MOST_PARTS, MOST_DEPTH, MOST_HEADER)


def test_templates_and_filters_by_name(tmp_path: Path) -> None:
    path = template(tmp_path, "x")
    acls = f'doc-acl D {{ accept; replace-file "{path}"; }} doc-acl H {{ accept; html-filter H; }}'
    kit = kit_of(acls, head="html-filter H { tag deny script; }")
    assert kit.template(path) == b"x"
    assert set(kit.html) == {"H"}
    assert (kit.mails.names, kit.documents.names) == ((), ("D", "H"))
