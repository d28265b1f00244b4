"""Prints what pyproject.toml requires, one a line: `build`, `project`, or the name of an extra.

pip can install an extra only together with the package; the Makefile wants them apart.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def requirements(pyproject: dict[str, Any], what: str) -> list[str]:
    """The requirement strings of `build`, `project` or an extra; KeyError for anything else."""
    fixed = {"build": pyproject["build-system"]["requires"], "project": pyproject["project"]["dependencies"]}
    extras: dict[str, list[str]] = pyproject["project"]["optional-dependencies"]
    return (fixed | extras)[what]


if __name__ == "__main__":
    tables = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    for name in sys.argv[1:]:
        print("\n".join(requirements(tables, name)))
