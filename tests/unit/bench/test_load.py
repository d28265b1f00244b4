"""The runner's side of the load client: its command and its answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.certificates import make_certificates
from bench.load import LoadError, load_command, parse_result, tls_words
from bench.operations import Tls

TOLD = {
    "script": "noop",
    "operations": 7,
    "opened": 2,
    "bytes_in": 30,
    "bytes_out": 12,
    "wall_s": 0.5,
    "load_cpu_s": 0.25,
    "p50_us": 1.0,
    "p99_us": 2.0,
    "p99_all_us": 2.0,
    "most_us": 3.0,
    "errors": 0,
    "first_error": "",
    "full": 4,
    "resumed": 3,
    "tickets": 8,
    "unclean": 0,
}


def test_bytes_are_of_both_directions() -> None:
    result = parse_result("RESULT " + json.dumps(TOLD) + "\n")
    assert (result.operations, result.bytes, result.errors) == (7, 42, 0)
    assert (result.full, result.resumed, result.tickets) == (4, 3, 8)


@pytest.mark.parametrize("line", ["", "READY\n", "Segmentation fault\n"])
def test_anything_else_is_an_error(line: str) -> None:
    with pytest.raises(LoadError):
        parse_result(line)


def test_options_follow_the_fixed_part() -> None:
    command = load_command(143, "noop", 50, seconds=1.5, rate=0)
    assert command[1:] == ["--port", "143", "--script", "noop", "--sessions", "50", "--seconds", "1.5", "--rate", "0"]


def test_plain_runs_have_no_options_of_tls(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    assert tls_words(None, certificates) == []
    words = ["--tls", "1.2", "--authority", str(tmp_path / "ca.pem"), "--name", "bench.test"]
    assert tls_words(Tls("client", "1.2"), certificates) == words
    assert tls_words(Tls("client", "1.2", resumed=True), certificates) == [*words, "--resume", "1"]
