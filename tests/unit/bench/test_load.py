"""The runner's side of the load client: its command and its answers."""

from __future__ import annotations

import json

import pytest

from bench.load import LoadError, load_command, parse_result

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
}


def test_bytes_are_of_both_directions() -> None:
    result = parse_result("RESULT " + json.dumps(TOLD) + "\n")
    assert (result.operations, result.bytes, result.errors) == (7, 42, 0)


@pytest.mark.parametrize("line", ["", "READY\n", "Segmentation fault\n"])
def test_anything_else_is_an_error(line: str) -> None:
    with pytest.raises(LoadError):
        parse_result(line)


def test_options_follow_the_fixed_part() -> None:
    command = load_command(143, "noop", 50, seconds=1.5, rate=0)
    assert command[1:] == ["--port", "143", "--script", "noop", "--sessions", "50", "--seconds", "1.5", "--rate", "0"]
