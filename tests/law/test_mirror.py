"""Each source file has its unit test at the same relative path, or a reason not to."""

from __future__ import annotations

import pytest

from tests.law.tree import PACKAGE, ROOT

UNIT = ROOT / "tests" / "unit"

REASONS = {
    "names.py": "words, no behaviour",
    "config/basesettings.py": "shapes of data, no behaviour",
    "config/settings.py": "shapes of data, no behaviour",
    "log/cfgp.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "log/imap.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "log/logs.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "log/mavi.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "log/mspa.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "log/netc.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "log/smtd.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "log/spol.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "log/ssle.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "log/tcps.py": "a part of the log catalogue: unit/log/test_catalogue.py and law/test_catalogue.py",
    "session/mailwork.py": "shapes, no behaviour",
}
"""Files without a unit test of their own, and why. Short, or the law is none."""

SOURCES = sorted(
    str(path.relative_to(PACKAGE))
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py" or path.stat().st_size > 400
)


def unit_test_of(source: str) -> str:
    folder, _, name = source.rpartition("/")
    return f"{folder}/test_{name}" if folder else f"test_{name}"


@pytest.mark.parametrize("source", [source for source in SOURCES if source not in REASONS])
def test_each_source_has_its_unit_test(source: str) -> None:
    test = UNIT / unit_test_of(source)
    assert test.is_file(), f"imap4fast/{source} has no tests/unit/{unit_test_of(source)}"
    assert "def test_" in test.read_text()


def test_reasons_are_about_files_that_exist_and_have_no_test() -> None:
    assert [source for source in REASONS if not (PACKAGE / source).is_file()] == []
    assert [source for source in REASONS if (UNIT / unit_test_of(source)).exists()] == []
    assert len(REASONS) <= 16


def test_roots_of_packages_hold_nothing() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        code = [line for line in path.read_text().splitlines() if line and not line.startswith(('"""', "#"))]
        assert all(line.startswith("__version__ = ") for line in code), path


def test_names_of_unit_tests() -> None:
    assert unit_test_of("log/entry.py") == "log/test_entry.py"
    assert unit_test_of("errors.py") == "test_errors.py"
