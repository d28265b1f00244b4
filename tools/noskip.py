"""A pytest plugin: as root a skipped test is a failure of the run.

A test that needs root, a name space or a program may skip for a plain user. Root has all of these, so there a skip
would hide that something was not tested.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remembers every skip but those of expected failures."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A module may skip as a whole."""
    if report.skipped:
        _skipped.append(report.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """With pytest-xdist modules are collected by the workers, who tell at their end."""
    _skipped.extend(
        skipped for skipped in getattr(node, "workeroutput", {}).get("skipped", ()) if skipped not in _skipped
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turns a green run with skips into a failed one."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["skipped"] = list(_skipped)
    if _skipped and os.geteuid() == 0 and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says why a green run failed."""
    if _skipped and os.geteuid() == 0:
        terminalreporter.section("skipped as root")
        for nodeid in _skipped:
            terminalreporter.line(nodeid)
