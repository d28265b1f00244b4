"""The extension with coverage counters, beside the normal build: build/fuzz has it, `load` puts it in its place."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "fuzz"
SHIM = Path(__file__).with_name("coverage.c")


def build() -> None:
    """Compile what has changed. gcc traces places and comparisons; `coverage.c` turns the places into counters."""
    PLACE.mkdir(parents=True, exist_ok=True)
    cc = os.environ.get("CC", "gcc")
    shim = PLACE / "coverage.o"
    subprocess.run([cc, "-O2", "-fPIC", "-c", str(SHIM), "-o", str(shim)], check=True)
    command = [
        sys.executable,
        "setup.py",
        "--quiet",
        "build_ext",
        "--force",
        "--build-lib",
        str(PLACE / "lib"),
        "--build-temp",
        str(PLACE / "tmp"),
    ]
    flags = os.environ | {
        "CFLAGS": "-fsanitize-coverage=trace-pc,trace-cmp -O1",
        # Our own trace_pc, not the one in libFuzzer that is global and only complains.
        "LDFLAGS": f"{shim} -Wl,-Bsymbolic-functions",
        "PYTHONWARNINGS": "ignore",
    }
    subprocess.run(command, check=True, cwd=ROOT, env=flags)


def load() -> ModuleType:
    """Import the counted extension as `imap4fast._wire` and show it to atheris' libFuzzer. Returns atheris."""
    atheris = importlib.import_module("atheris")
    core = importlib.import_module("atheris.core_with_libfuzzer")
    found = next((PLACE / "lib" / "imap4fast").glob("_wire.*.so"))
    spec = importlib.util.spec_from_file_location("imap4fast._wire", found)
    assert spec
    assert spec.loader
    package = importlib.import_module("imap4fast")
    module = importlib.util.module_from_spec(spec)
    sys.modules["imap4fast._wire"] = module
    spec.loader.exec_module(module)
    package._wire = module  # type: ignore[attr-defined]
    guide(ctypes.CDLL(str(found)), ctypes.CDLL(core.__file__))
    return atheris


def guide(counted: ctypes.CDLL, fuzzer: ctypes.CDLL) -> None:
    """Give `coverage.c` the functions of libFuzzer."""
    names = [f"{kind}cmp{size}" for kind in ("", "const_") for size in (1, 2, 4, 8)] + ["switch"]
    compare = [ctypes.cast(getattr(fuzzer, f"__sanitizer_cov_trace_{name}"), ctypes.c_void_p).value for name in names]
    shown = [ctypes.cast(fuzzer[f"__sanitizer_cov_{name}_init"], ctypes.c_void_p) for name in ("8bit_counters", "pcs")]
    counted.guide_by(*shown, (ctypes.c_void_p * len(compare))(*compare))
