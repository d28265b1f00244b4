"""The runner's side of the load client (bench/c/load.c): start, ready, go, result."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

from bench.build import program
from bench.certificates import HOST, Certificates
from bench.operations import Tls
from bench.processes import pinned

RESULT = "RESULT "


class LoadError(Exception):
    """A wrong answer, a lost session, or none at all: the figures of that run count nothing."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the load client counted in the measured run; bytes are those of the client's leg, both directions."""

    operations: int
    opened: int
    bytes: int
    wall_s: float
    load_cpu_s: float
    p50_us: float
    p99_us: float
    """At an offered rate: the median of those of each second."""
    p99_all_us: float
    most_us: float
    errors: int
    first_error: str
    full: int = 0
    """Handshakes of the client in this run."""
    resumed: int = 0
    tickets: int = 0
    unclean: int = 0
    """Ends of connections that TLS did not announce."""


def parse_result(line: str) -> Result:
    """LoadError when the line isn't a result at all."""
    if not line.startswith(RESULT):
        raise LoadError(f"the load client said {line!r}")
    told: dict[str, Any] = json.loads(line.removeprefix(RESULT))
    return Result(
        operations=told["operations"],
        opened=told["opened"],
        bytes=told["bytes_in"] + told["bytes_out"],
        wall_s=told["wall_s"],
        load_cpu_s=told["load_cpu_s"],
        p50_us=told["p50_us"],
        p99_us=told["p99_us"],
        p99_all_us=told["p99_all_us"],
        most_us=told["most_us"],
        errors=told["errors"],
        first_error=told["first_error"],
        full=told["full"],
        resumed=told["resumed"],
        tickets=told["tickets"],
        unclean=told["unclean"],
    )


@dataclass(slots=True)
class Load:
    """A started load client. `ready` returns with all sessions open, warm and silent; `go` begins the measured run."""

    process: subprocess.Popen[str]

    def _line(self) -> str:
        return cast(IO[str], self.process.stdout).readline()

    def _signal(self) -> None:
        stdin = cast(IO[str], self.process.stdin)
        stdin.write("\n")
        stdin.flush()

    def ready(self) -> None:
        line = self._line()
        if line != "READY\n":
            result = parse_result(line)
            raise LoadError(f"{result.errors} errors while opening and warming up: {result.first_error}")

    def go(self) -> None:
        self._signal()

    def ended(self, wait_s: float) -> bool:
        """Whether the run is over, after at most so long."""
        readable, _, _ = select.select([cast(IO[str], self.process.stdout)], [], [], wait_s)
        return bool(readable)

    def result(self) -> Result:
        """Waits for the run's end; sessions stay open."""
        return parse_result(self._line())

    def run(self) -> Result:
        """`go` and the result, which must be without any error."""
        self.go()
        result = self.result()
        if result.errors:
            raise LoadError(f"{result.errors} errors: {result.first_error}")
        return result


def load_command(port: int, script: str, sessions: int, **more: float) -> list[str]:
    """`more` are the load client's other options: seconds, warm, rate, passes, spin."""
    command = [str(program("load")), "--port", str(port), "--script", script, "--sessions", str(sessions)]
    for name, value in more.items():
        command += [f"--{name}", f"{value:g}"]
    return command


def tls_words(tls: Tls | None, certificates: Certificates | None) -> list[str]:
    """The load client's options for the client's leg; none where it is plain."""
    if tls is None or certificates is None:
        return []
    words = ["--tls", tls.version, "--authority", str(certificates.authority), "--name", HOST]
    return [*words, "--resume", "1"] if tls.resumed else words


@contextmanager
def started_load(command: list[str], core: int | None) -> Iterator[Load]:
    """Ends with its sessions closed and the process gone."""
    process = subprocess.Popen(pinned(command, core), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield Load(process)
        except BaseException:
            process.kill()
            raise
