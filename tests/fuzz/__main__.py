"""`python -m tests.fuzz [--seconds N] [--target NAME]`: coverage-guided fuzzing of the wire, all targets in turn.

atheris (libFuzzer) guides by the counters of the extension itself, built by gcc into build/fuzz (see `build`), and of
COUNTED; the references are plain Python and not counted. Prints the executions of each target; exit status 1 on a
finding, whose input lies in build/fuzz/findings and is run again by `--target NAME FILE`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz.build import PLACE, ROOT, build, load

NAMES = (
    *("lexer", "client", "server", "turns", "raw", "tls", "starttls", "mime", "index", "scanners", "rewriting"),
    *("fetch", "flow"),
)
EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
COVERAGE = re.compile(r"cov: (\d+)")
COUNTED = [
    "imap4fast.imap.fetch",
    "imap4fast.imap.fetchdata",
    "imap4fast.session.download",
    "imap4fast.session.intake",
    "imap4fast.session.mailbox",
    "imap4fast.session.printing",
    "imap4fast.session.processing",
    "imap4fast.session.starttls",
    "imap4fast.session.upload",
    "imap4fast.scan",
    "imap4fast.mail.ambiguity",
    "imap4fast.mail.boundary",
    "imap4fast.mail.coding",
    "imap4fast.mail.corrections",
    "imap4fast.mail.edit",
    "imap4fast.mail.headercorrections",
    "imap4fast.mail.headerlines",
    "imap4fast.mail.mimefields",
    "imap4fast.mail.normalise",
    "imap4fast.mail.rereading",
    "imap4fast.mail.structured",
]
"""What is fuzzed and plain Python."""
FINDINGS = PLACE / "findings"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", choices=NAMES, help="only this one")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("file", nargs="*", help="with --target: inputs to run again")
    chosen, rest = parser.parse_known_args()
    if chosen.inside:
        return inside(chosen.target, [*rest, *chosen.file])
    build()
    if chosen.file:
        return subprocess.run(command(chosen.target, chosen.file), cwd=ROOT, check=False).returncode
    names = [chosen.target] if chosen.target else list(NAMES)
    results = [outside(name, max(1, chosen.seconds // len(names))) for name in names]
    return 0 if all(results) else 1


def command(name: str, arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "tests.fuzz", "--inside", "--target", name, *arguments]


def outside(name: str, seconds: int) -> bool:
    """One target in a process of its own: a crash is a finding, too."""
    FINDINGS.mkdir(parents=True, exist_ok=True)
    before = set(FINDINGS.iterdir())
    options = [
        f"-max_total_time={seconds}",
        "-max_len=2500",
        "-timeout=20",
        "-rss_limit_mb=1500",
        "-print_final_stats=1",
        f"-artifact_prefix={FINDINGS}/{name}-",
        f"-dict={PLACE / 'words.dict'}",
        str(PLACE / "corpus" / name),
    ]
    done = subprocess.run(
        command(name, options), cwd=ROOT, capture_output=True, text=True, errors="replace", check=False
    )
    output = done.stdout + done.stderr
    executions = EXECUTIONS.search(output)
    places = COVERAGE.findall(output)
    found = sorted(set(FINDINGS.iterdir()) - before)
    fine = done.returncode == 0 and not found and executions is not None and int(executions[1]) > 0
    print(
        f"{name}: {executions[1] if executions else 0} executions, {places[-1] if places else 0} places, {seconds} s:",
        end=" ",
    )
    print("nothing found" if fine else f"FINDING (status {done.returncode})")
    if not fine:
        print("\n".join(line for line in output.splitlines()[-60:]))
        for path in found:
            print(f"again: python -m tests.fuzz --target {name} {path.relative_to(ROOT)}")
    sys.stdout.flush()
    return fine


def inside(name: str, arguments: list[str]) -> int:
    atheris = load()
    # Only now: what they import from the extension must come from the counted one.
    with atheris.instrument_imports(include=COUNTED):
        from tests.fuzz import seeds, targets  # noqa: PLC0415

    if not any(Path(argument).is_file() for argument in arguments):
        seeds.write(name, PLACE / "corpus" / name)
        seeds.dictionary(PLACE / "words.dict")
    atheris.Setup([sys.argv[0], *arguments], targets.TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
