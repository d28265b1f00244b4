"""Compiles the bench's C programs into bench/build/, when their sources are newer."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
BUILD = Path(__file__).parent / "build"
PROGRAMS = ("load", "relay", "server")
FLAGS = ("-O2", "-g", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE")


class BuildError(Exception):
    """No compiler, or it found fault with a source."""


def program(name: str) -> Path:
    """Path of one of PROGRAMS; `build()` makes it."""
    return BUILD / name


def is_stale(target: Path, sources: list[Path]) -> bool:
    """Whether a source is newer than what was made of it."""
    return not target.exists() or target.stat().st_mtime < max(source.stat().st_mtime for source in sources)


def openssl_flags() -> list[str]:
    """Flags of OpenSSL 3, which load client and server are linked with."""
    name = os.environ.get("PKG_CONFIG") or "pkg-config"
    wanted = "OpenSSL 3 with header files, and pkg-config, are needed: apt-get install libssl-dev pkg-config"
    if shutil.which(name) is None:
        raise BuildError(wanted)
    asked = [name, "--cflags", "--libs", "openssl >= 3"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode:
        raise BuildError(f"{wanted}\n{found.stderr}")
    return shlex.split(found.stdout)


def compile_program(compiler: str, source: Path, target: Path) -> None:
    """Replaces `target` only when the compiler succeeds, since a bench may be running it."""
    fresh = target.with_suffix(".new")
    command = [compiler, *FLAGS, "-o", str(fresh), str(source), "-lm", *openssl_flags()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(done.stderr)
    fresh.replace(target)


def build() -> None:
    """Makes every program that is missing or older than any source."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise BuildError("no C compiler; apt-get install gcc libc6-dev")
    BUILD.mkdir(exist_ok=True)
    headers = sorted(SOURCES.glob("*.h"))
    for name in PROGRAMS:
        source = SOURCES / f"{name}.c"
        if is_stale(program(name), [source, *headers]):
            compile_program(compiler, source, program(name))
