"""What a log line costs on the login path: to a file with a buffer, as every session writes it.

Guidance, not a gate: a line with three values at most 2 us, PROXY-EVENT with its sixteen at most 6 us.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imap4fast.log.imap import COMMAND_PASSED, PROXY_EVENT, SESSION_START
from imap4fast.log.lines import JsonLines, TextLines
from imap4fast.log.logger import Logger
from imap4fast.log.sinks import FileSink

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

START = ("198.51.100.7:40123", "192.0.2.20:143", "NO")
EVENT = (
    *("198.51.100.7", "198.51.100.7", 40123, "192.0.2.20", "192.0.2.20", 143, "imap", "jana@example.org"),
    *(10423, 812, 10423, 812, 12.345, "ACCEPTED", "OK", "READERS"),
)
EVENT_NO_LOGIN = tuple(None if value == "jana@example.org" else value for value in EVENT)
EVENT_HOSTILE = tuple(b'a b=c"\xff\r\n' if value == "jana@example.org" else value for value in EVENT)


@pytest.fixture(params=["text", "json"])
def logger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Logger]:
    make = {"text": TextLines, "json": JsonLines}[request.param]
    made = Logger(make("imap4", "host.example.org", 4711, time.time, 4096), FileSink(str(tmp_path / "debug.log")))
    yield made
    made.close()


def test_three_values(benchmark: BenchmarkFixture, logger: Logger) -> None:
    benchmark(logger.write, SESSION_START, *START, track=17)


def test_proxy_event(benchmark: BenchmarkFixture, logger: Logger) -> None:
    benchmark(logger.write, PROXY_EVENT, *EVENT, track=17)


def test_proxy_event_without_login(benchmark: BenchmarkFixture, logger: Logger) -> None:
    benchmark(logger.write, PROXY_EVENT, *EVENT_NO_LOGIN, track=17)


def test_proxy_event_with_hostile_user(benchmark: BenchmarkFixture, logger: Logger) -> None:
    benchmark(logger.write, PROXY_EVENT, *EVENT_HOSTILE, track=17)


def test_below_level(benchmark: BenchmarkFixture, logger: Logger) -> None:
    benchmark(logger.write, COMMAND_PASSED, "NOOP", "a1", track=17)
