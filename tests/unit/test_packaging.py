"""What is installed agrees with itself: versions, manuals, samples, requirements. The archives: `make dist-test`."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from imap4fast import __version__
from imap4fast.cli.test_imap4 import main
from tools.certificate import provide

TOP = Path(__file__).resolve().parents[2]
MANUALS = sorted(TOP.glob("docs/man/*.[58]"))
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted(TOP.glob("docs/*.md"))]
SAMPLES = sorted(TOP.glob("conf/*.cfg"))
COMMANDS = {"imap4-proxy": "imap4fast.cli.imap4_proxy", "test-imap4": "imap4fast.cli.test_imap4"}


def pyproject() -> dict[str, Any]:
    return tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a console script of this module would do."""
    code = f"import sys; from {module} import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=TOP, text=True, capture_output=True, check=False, timeout=60)


def requirement_names() -> list[str]:
    project = pyproject()["project"]
    extras = project["optional-dependencies"].values()
    every = pyproject()["build-system"]["requires"] + project["dependencies"] + [line for one in extras for line in one]
    return sorted({re.split(r"[<>=\[ ]", line)[0] for line in every})


def embedded_samples() -> list[tuple[str, str]]:
    """(page, text) of each whole configuration in a manual: indented in Markdown, between .nf and .fi in man."""
    found = []
    for page in PAGES:
        for block in re.findall(r"(?m)(?:^ {4}.*\n|^\n(?= {4}))+", page.read_text(encoding="utf-8")):
            found.append((page.name, block))
    for page in MANUALS:
        found += [(page.name, block) for block in re.findall(r"(?ms)^\.nf\n(.*?)^\.fi$", page.read_text())]
    return [(name, block) for name, block in found if block.lstrip().startswith("version IMAP4FAST")]


def with_files(text: str, folder: Path) -> str:
    """The sample with a key, a certificate and a template of ours where it names such files: test-imap4 reads them."""
    pair = provide(folder)
    template = folder / "template.txt"
    template.write_text("%{filename}: %{virus}\n")

    def ours(named: re.Match[str]) -> str:
        return f'"{pair.key if "key" in Path(named[1]).name else pair.certificate}"'

    return re.sub(r'"([^"\n]+\.(?:pem|key))"', ours, re.sub(r'"[^"\n]+\.txt"', f'"{template}"', text))


@pytest.mark.parametrize("page", MANUALS, ids=lambda page: page.name)
def test_manual_names_the_version(page: Path) -> None:
    assert f'"imap4fast {__version__}"' in page.read_text().splitlines()[0]


def test_changelog_begins_with_the_version() -> None:
    headings = re.findall(r"(?m)^## (\S+)", (TOP / "CHANGELOG.md").read_text())
    assert headings[0] == __version__


@pytest.mark.parametrize("command", COMMANDS)
def test_version_line(command: str) -> None:
    done = run(COMMANDS[command], "-v")
    assert (done.returncode, done.stdout) == (0, f"imap4fast {__version__} (IMAP4FAST-1)\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_manual_names_every_option_of_help(command: str) -> None:
    help_text = run(COMMANDS[command], "--help").stdout
    options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_text.split("options:")[1].split("\n\n")[0]))
    manual = (TOP / "docs" / "man" / f"{command}.8").read_text().replace("\\-", "-")
    assert {"-h", "-v", "-d", "-f", "--help"} <= options
    assert {option for option in options if not re.search(rf"{option}(?![\w-])", manual)} == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_console_script_is_declared(command: str) -> None:
    assert pyproject()["project"]["scripts"][command] == f"{COMMANDS[command]}:main"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_sample_is_accepted(sample: Path, tmp_path: Path, capsys) -> None:
    file = tmp_path / sample.name
    file.write_text(with_files(sample.read_text(), tmp_path))
    assert main(["-f", str(file)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("page", "text"), embedded_samples())
def test_sample_in_a_manual_is_accepted(page: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "sample.cfg"
    file.write_text(with_files(text, tmp_path))
    done = run("imap4fast.cli.test_imap4", "-f", str(file))
    assert (done.returncode, done.stderr) == (0, ""), page


def test_manuals_show_samples() -> None:
    assert {name for name, _ in embedded_samples()} >= {"operations.md", "imap4-proxy.5"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_requirement_has_its_reason() -> None:
    reasons = (TOP / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    assert [name for name in requirement_names() if not re.search(rf"\b{name.lower()}\b", reasons)] == []


def test_proxy_never_needs_the_demo_server() -> None:
    assert not [line for line in pyproject()["project"]["dependencies"] if line.startswith("pymap")]
    assert not [path for path in TOP.glob("imap4fast/**/*.py") if re.search(r"\bpymap\b", path.read_text())]


def test_every_included_source_of_the_extension_is_there() -> None:
    included = re.findall(r'(?m)^include "([^"]+)"', (TOP / "_ext" / "_wire.pyx").read_text())
    assert included
    assert [name for name in included if not (TOP / "_ext" / name).is_file()] == []


def test_licence_is_the_one_declared() -> None:
    text = (TOP / "LICENSE").read_text()
    assert pyproject()["project"]["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert (TOP / "imap4fast" / "py.typed").exists()


def test_make_help_lists_every_target() -> None:
    makefile = (TOP / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z-]+):", makefile))
    said = subprocess.run(["make", "help"], cwd=TOP, text=True, capture_output=True, check=True).stdout
    assert targets - {"need", "run-bench", "run-bench-scan"} == set(re.findall(r"(?m)^  make ([a-z-]+) ", said))
