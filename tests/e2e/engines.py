"""Real scanners in temporary folders on loopback, without any network: clamd, c-icap before it, spamd, rspamd.

Their signatures and rules are the tests' own. Each starts with the object and ends with `close`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.dovecot import free_port
from tests.e2e.parts import need
from tests.e2e.wire import Address

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
SPAM_WORD = b"imap4fastspamword"
SPAM_SCORE = 2.5
VIRUS_NAME = "imap4fast.Test.Eicar.UNOFFICIAL"
STREAM_LIMIT = 1 << 20
"""StreamMaxLength of clamd."""
_START_S = 30.0


class Daemon:
    """A program of a scanner and its folder."""

    def __init__(self, name: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"imap4fast-{name}."))
        self.folder.chmod(0o755)
        self.address: Address = ("127.0.0.1", free_port())
        self._log = self.folder / "output"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *command: str) -> None:
        """Run it in a process group of its own, and wait until it takes connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait(self.listens, lambda: f"{command[0]} did not start: {self._log.read_text(errors='replace')}")

    def listens(self) -> bool:
        assert self._process is None or self._process.poll() is None, self._log.read_text(errors="replace")
        try:
            socket.create_connection(self.address, 5).close()
        except OSError:
            return False
        return True

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        assert self._process is not None
        return self._process.pid

    def unread(self) -> int:
        """Octets that came to its port and that it has not read."""
        rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        return sum(int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(f":{self.address[1]:04X}"))

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it and those that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, how)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(10)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def wait(ready: Callable[[], bool], failed: Callable[[], str]) -> None:
    deadline = time.monotonic() + _START_S
    while not ready():
        assert time.monotonic() < deadline, failed()
        time.sleep(0.05)


class Clamd(Daemon):
    """clamd by TCP and by a local socket, with one signature: the beginning of EICAR."""

    def __init__(self) -> None:
        program = need("clamd")
        super().__init__("clamd")
        self.path = str(self.folder / "socket")
        self.comm_dir = self.folder / "comm"
        self.signatures = self.folder / "signatures"
        for folder in (self.comm_dir, self.signatures):
            folder.mkdir()
        self.sign("test", {"imap4fast.Test.Eicar": EICAR[:40]})
        self._config = self.folder / "clamd.conf"
        self._config.write_text(
            f"DatabaseDirectory {self.signatures}\n"
            f"TCPSocket {self.address[1]}\nTCPAddr {self.address[0]}\nLocalSocket {self.path}\n"
            f"Foreground yes\nStreamMaxLength {STREAM_LIMIT}\nMaxScanSize 10M\nMaxFileSize 5M\nMaxRecursion 4\n"
            "AlertExceedsMax yes\n" + ("User root\n" if os.geteuid() == 0 else "")
        )
        self._program = program
        self.begin()

    def begin(self) -> None:
        self.start(self._program, "-c", str(self._config))
        wait(lambda: os.path.exists(self.path), lambda: "clamd made no local socket")

    def sign(self, name: str, signatures: dict[str, bytes]) -> None:
        """A file of signatures, used from the next start or `reload` on."""
        lines = [f"{virus}:0:*:{octets.hex()}\n" for virus, octets in signatures.items()]
        (self.signatures / f"{name}.ndb").write_text("".join(lines))

    def reload(self) -> None:
        """Have the signatures loaded anew, which must be others than before, and wait for it."""
        before = self._memory()
        assert self.ask("RELOAD") == "RELOADING"
        wait(lambda: self._memory() not in ("", before), lambda: "clamd does not end loading")

    def _memory(self) -> str:
        """What the signatures take; empty while others are being loaded."""
        return self.ask("STATS").partition(" pools 1 ")[2]

    def ask(self, command: str) -> str:
        with socket.create_connection(self.address, 10) as sock:
            sock.sendall(b"z%s\0" % command.encode())
            reply = b""
            while octets := sock.recv(4096):
                reply += octets
        return reply.decode().rstrip("\0")


class CIcap(Daemon):
    """c-icap with `virus_scan`, which asks that clamd, and `echo`."""

    def __init__(self, clamd: Clamd) -> None:
        program = need("c-icap")
        super().__init__("c-icap")
        modules = next(Path("/usr/lib").glob("*/c_icap"))
        config = self.folder / "c-icap.conf"
        config.write_text(
            f"PidFile {self.folder}/pid\nCommandsSocket {self.folder}/control\nTmpDir {self.folder}\n"
            f"Port {self.address[0]}:{self.address[1]}\nServerName localhost\nServerAdmin none@example.net\n"
            "Timeout 30\nStartServers 1\nMaxServers 1\nMinSpareThreads 2\nMaxSpareThreads 10\nThreadsPerChild 10\n"
            f"MaxRequestsPerChild 0\nModulesDir {modules}\nServicesDir {modules}\n"
            "TemplateDir /usr/share/c_icap/templates/\nTemplateDefaultLanguage en\n"
            f"LoadMagicFile /etc/c-icap/c-icap.magic\nServerLog {self.folder}/log\nAccessLog {self.folder}/access\n"
            "Service echo srv_echo.so\nService antivirus_module virus_scan.so\n"
            f"Module common clamd_mod.so\nclamd_mod.ClamdSocket {clamd.path}\nvirus_scan.DefaultEngine clamd\n"
            "virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE\n"
            "virus_scan.SendPercentData 5\nvirus_scan.StartSendPercentDataAfter 20M\nvirus_scan.MaxObjectSize 2M\n"
        )
        self.start(program, "-N", "-f", str(config))


class Spamd(Daemon):
    """spamd with two rules: GTUBE, and a word."""

    def __init__(self) -> None:
        program = need("spamd")
        super().__init__("spamd")
        rules = self.folder / "rules"
        rules.mkdir()
        (rules / "v320.pre").write_text("loadplugin Mail::SpamAssassin::Plugin::Check\n")
        (rules / "local.cf").write_text(
            "use_bayes 0\ndns_available no\n"
            f"body GTUBE /{_pattern(GTUBE)}/\nscore GTUBE 1000\n"
            f"body IMAP4FAST_WORD /{SPAM_WORD.decode()}/\nscore IMAP4FAST_WORD {SPAM_SCORE}\n"
        )
        home = self.folder / "home"
        home.mkdir()
        home.chmod(0o777)
        owner = ["--username=nobody"] if os.geteuid() == 0 else []
        places = [f"--configpath={rules}", f"--siteconfigpath={rules}", f"--helper-home-dir={home}"]
        host, port = self.address
        # Two children: one is the least that it takes, and one may be busy with our look whether it listens.
        self._command = (program, "-L", "-x", "-m", "2", f"--listen={host}:{port}", *places, *owner)
        self.begin()

    def begin(self) -> None:
        self.start(*self._command)


class Rspamd(Daemon):
    """rspamd with one rule, a word; GTUBE is built into it."""

    def __init__(self) -> None:
        program = need("rspamd")
        super().__init__("rspamd")
        run = self.folder / "run"
        run.mkdir()
        for folder in (self.folder, run):
            folder.chmod(0o777)
        config = self.folder / "rspamd.conf"
        config.write_text(
            f'options {{ filters = "regexp"; tempdir = "{run}"; hs_cache_dir = "{run}"; pidfile = "{run}/pid";\n'
            f'  control_socket = "{run}/control mode=0600"; cache_file = "{run}/cache";\n'
            '  url_tld = "/usr/share/rspamd/effective_tld_names.dat";\n'
            '  dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; } }\n'
            'logging { type = "console"; level = "warning"; }\n'
            f'worker "normal" {{ bind_socket = "{self.address[0]}:{self.address[1]}"; count = 1; }}\n'
            f'regexp {{ IMAP4FAST_WORD {{ re = "/{SPAM_WORD.decode()}/i{{mime}}"; score = {SPAM_SCORE}; }} }}\n'
            "actions { reject = 15; add_header = 6; greylist = 4; }\n"
        )
        self.start(program, "-f", *(["-i"] if os.geteuid() == 0 else []), "-c", str(config))


def _pattern(text: bytes) -> str:
    """The text as a regular expression of Perl."""
    return "".join(char if char.isalnum() or char == "-" else f"\\{char}" for char in text.decode())
