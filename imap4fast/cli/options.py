"""Options that every command shares: -h -v -d -f, as configuration.md section 6 has them.

A usage error prints to standard error and ends the program with status 2.
"""

from __future__ import annotations

import argparse

from imap4fast import __version__
from imap4fast.names import DIALECT, PRODUCT

USAGE_ERROR = 2
"""Exit status for a wrong command line and for a configuration that cannot be used."""

LEVELS = range(3, 10)


def base_parser(prog: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser for `prog` with the shared options; `examples` ends the help text, printed as it is written.

    The result has `debug_level` (3 to 9 or None: not given) and `file` (obligatory).
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-v", "--version", action="version", version=version_line(), help="print the version and exit")
    parser.add_argument(
        "-d",
        "--debug-level",
        type=_level,
        metavar="LEVEL",
        help="log level, 3 (errors) to 9 (all data), until the configuration has been read",
    )
    parser.add_argument("-f", "--file", required=True, metavar="FILE", help="configuration file (obligatory)")
    return parser


def version_line() -> str:
    """What -v prints: program, version, and the dialect that a configuration must name."""
    return f"{PRODUCT} {__version__} ({DIALECT})"


def _level(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) not in LEVELS:
        raise argparse.ArgumentTypeError(f"{text!r} is no log level: 3 to 9 are")
    return int(text)
