"""The command `imap4-proxy`: reads a configuration and runs the proxy (configuration.md section 6).

Exit status: 0 ended as asked, 1 start-up failed, 2 usage or configuration.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from imap4fast.cli.options import USAGE_ERROR, base_parser
from imap4fast.config.load import load
from imap4fast.config.settings import Settings
from imap4fast.errors import ConfigError, SetupError
from imap4fast.log.entry import LEVELS
from imap4fast.net.jobs import Work
from imap4fast.net.service import Service
from imap4fast.policy.kit import Kit
from imap4fast.policy.mailjob import run
from imap4fast.policy.material import Material, read
from imap4fast.proc import launch
from imap4fast.proc.brood import Craft

START_FAILED = 1

_DESCRIPTION = "An IMAP security proxy: takes connections, judges them by ACLs, and relays what may pass."

_EXAMPLES = """\
examples:
  imap4-proxy -f /etc/imap4fast/imap4-proxy.cfg    start; returns once the proxy listens
  test-imap4 -f /etc/imap4fast/imap4-proxy.cfg     look for errors first

With `nodaemon;` in the configuration it stays in the foreground and logs to standard error.

signals to the process named in the pid file:
  SIGTERM SIGINT SIGQUIT   end at once; sessions get a BYE
  SIGHUP                   end gracefully: take no connections, wait terminate-wait for sessions
  SIGUSR1 SIGUSR2          raise, lower the log level
  SIGRTMIN                 read certificates, keys and revocation lists again, for new handshakes
  SIGRTMIN+1               open log files anew (after a rotation)

exit status: 0 ended as asked (daemon: it listens), 1 start-up failed, 2 usage or configuration
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    options = base_parser("imap4-proxy", _DESCRIPTION, _EXAMPLES).parse_args(argv)
    try:
        loaded = load(options.file)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    warnings = [str(warning) for warning in loaded.warnings]
    if options.debug_level is None or options.debug_level >= LEVELS["warning"]:
        for warning in warnings:
            print(warning, file=sys.stderr)
    try:
        files = read(loaded.settings)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    said = [warning.splitlines()[0] for warning in warnings]
    try:
        launch.run(loaded.settings, partial(Service, files=files), said, _craft(files))
    except SetupError as error:
        print(f"imap4-proxy: {error}", file=sys.stderr)
        return START_FAILED
    return 0


def _craft(files: Material) -> Craft:
    """How mails are processed, where a command-acl has that done."""

    def make_work(settings: Settings) -> Work:
        return partial(run, Kit(settings, files))

    return Craft(processes_mail, make_work)


def processes_mail(settings: Settings) -> bool:
    """Whether some command-acl has mails processed."""
    return any(acl.accept and not acl.no_mail_scanning for acl in settings.proxy.command_acls)


if __name__ == "__main__":
    sys.exit(main())
