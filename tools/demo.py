"""`make demo`: a demo IMAP server (pymap, in memory) and imap4-proxy in front of it, until Ctrl-C.

The proxy runs with conf/demo.cfg. Where other ports are asked for or the server's port is taken, it runs with a copy
in var/demo in which only the two ports differ. Logs and copy are in var/demo.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import imaplib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CONFIG = TOP / "conf" / "demo.cfg"
HOST = "127.0.0.1"
PORT = 1143
SERVER_PORT = 1144
USER = "demouser"
PASSWORD = "demopass"
START_S = 30.0
STOP_S = 5.0

SERVER = "from pymap.main import main; main()"
PROXY = "import sys; from imap4fast.cli.imap4_proxy import main; sys.exit(main())"

FETCH = (
    "import imaplib; c = imaplib.IMAP4('{host}', {port}); c.login('{user}', '{password}'); "
    "print(*c.list()[1], sep='\\n'); c.select('INBOX', readonly=True); "
    "print(c.fetch('4', '(BODY.PEEK[])')[1][0][1].decode())"
)

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class DemoError(Exception):
    """The demo cannot start or go on; the text says why and what to do."""


@dataclass(slots=True)
class Process:
    """A started program and the file that its output goes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises DemoError with the end of its output where the program has ended."""
        status = self.process.poll()
        if status is not None:
            raise DemoError(f"the {self.name} ended with status {status}; the end of {self.log}:\n{tail(self.log)}")

    def stop(self) -> None:
        """Ends the program, by SIGTERM, then the whole of its session by SIGKILL."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented."""
    return "\n".join("    " + line for line in log.read_text(errors="replace").splitlines()[-lines:])


def port_taken(port: int) -> bool:
    """Whether somebody listens on this port of the loopback; DemoError where it cannot be had for another reason."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise DemoError(f"port {port} of {HOST}: {error.strerror}") from error
    return False


def server_port(port: int) -> int:
    """The port for the demo server: the one of conf/demo.cfg where that is free, else the kernel's choice."""
    if port != SERVER_PORT and not port_taken(SERVER_PORT):
        return SERVER_PORT
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def configuration(folder: Path, port: int, behind: int) -> Path:
    """conf/demo.cfg, or a copy of it with the two ports in their places."""
    if (port, behind) == (PORT, SERVER_PORT):
        return CONFIG
    text = CONFIG.read_text(encoding="utf-8")
    text, first = re.subn(rf"(?m)^(\s*listen-on .*\bport ){PORT}\b", rf"\g<1>{port}", text)
    text, second = re.subn(rf"(?m)^(\s*plug-to .*: ){SERVER_PORT}\b", rf"\g<1>{behind}", text)
    if (first, second) != (1, 1):
        raise DemoError(f"{CONFIG} no longer names ports {PORT} and {SERVER_PORT} once each")
    copy = folder / "demo.cfg"
    copy.write_text(text, encoding="utf-8")
    return copy


def die_with_demo() -> None:
    """In a child: ends it when the demo is killed without a chance to end it."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(name: str, log: Path, program: str, *arguments: str) -> Process:
    """Starts a Python program in a session of its own, so that Ctrl-C reaches the demo alone."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=TOP,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_demo,
        )
    return Process(name, process, log)


def log_in(port: int) -> None:
    """One login and logout. OSError or imaplib's error where it does not work."""
    with imaplib.IMAP4(HOST, port, timeout=5) as client:
        client.login(USER, PASSWORD)


def wait_for_login(port: int, processes: list[Process]) -> None:
    """Returns when a login on this port works; DemoError after START_S or when a program ended."""
    deadline = time.monotonic() + START_S
    while True:
        for process in processes:
            process.check()
        try:
            return log_in(port)
        except (OSError, imaplib.IMAP4.error) as error:
            if time.monotonic() > deadline:
                raise DemoError(
                    f"no login on {HOST}:{port} within {START_S:.0f} s ({error}); "
                    f"the end of {processes[-1].log}:\n{tail(processes[-1].log)}"
                ) from error
        time.sleep(0.1)


def curl_line(port: int) -> str:
    """A line for a shell: lists the mailboxes and the mails of INBOX, then fetches the fourth mail."""
    root = f"imap://{HOST}:{port}/"
    urls = [root, root + "INBOX?ALL", root + "INBOX;MAILINDEX=4"]
    return " ".join(["curl", "-sS", "--user", f"{USER}:{PASSWORD}", *(f"'{url}'" for url in urls)])


def python_line(port: int) -> str:
    """A line for a shell: the same with Python's imaplib."""
    code = FETCH.format(host=HOST, port=port, user=USER, password=PASSWORD)
    return f'python3 -c "{code}"'.replace("\\n", "\\\\n")


def greeting(port: int, behind: int, config: Path, log: Path) -> str:
    """What the user is told when all runs."""
    return f"""
The proxy is ready on {HOST}:{port}, in front of a demo server on {HOST}:{behind}.

  account   {USER}
  password  {PASSWORD}

List the mailboxes and fetch a mail through it, from another terminal:

  {curl_line(port)}

  {python_line(port)}

  configuration  {config}
  log            {log}

Ctrl-C ends it.
"""


def catches_interrupt(pid: int) -> bool:
    """Whether this process exists and catches SIGINT."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = re.search(r"(?m)^SigCgt:\s*([0-9a-f]+)$", status)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGINT - 1) & 1)


class Starter:
    """The process that started the demo, make as a rule.

    GNU make does not hand on a SIGINT that it alone got; it gives the signal back its default action and waits for its
    recipe. A shell that runs make in the background has it ignore SIGINT from the beginning.
    """

    def __init__(self) -> None:
        self.pid = os.getppid()
        self.caught = catches_interrupt(self.pid)

    def gone(self) -> bool:
        """Whether it has died, or was interrupted and waits for the demo to end."""
        return os.getppid() != self.pid or (self.caught and not catches_interrupt(self.pid))


def serve(port: int, processes: list[Process]) -> None:
    """Runs the demo until it is interrupted; DemoError where it cannot start or a program ends by itself."""
    if port_taken(port):
        raise DemoError(f"port {port} of {HOST} is taken; choose another one: make demo PORT={port + 1000}")
    starter = Starter()
    folder = TOP / "var" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    behind = server_port(port)
    config = configuration(folder, port, behind)
    options = ["--host", HOST, "--port", str(behind), "--no-tls"]
    account = ["--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]
    processes.append(start("demo server", folder / "server.log", SERVER, *options, "dict", *account))
    wait_for_login(behind, processes)
    processes.append(start("proxy", folder / "proxy.log", PROXY, "-f", str(config)))
    wait_for_login(port, processes)
    print(greeting(port, behind, config, folder / "proxy.log"), flush=True)
    while not starter.gone():
        for process in processes:
            process.check()
        time.sleep(0.3)


def interrupted(signum: int, frame: object) -> None:
    """Signals end the demo the way Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """0 when it was ended as asked, 1 when it could not run."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="the proxy's port on 127.0.0.1 (default: %(default)s)")
    port: int = parser.parse_args().port
    if not 0 < port < 65536:
        parser.error(f"no such port: {port}")
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupted)
    processes: list[Process] = []
    try:
        serve(port, processes)
    except KeyboardInterrupt:
        print("\nending the demo", flush=True)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        for process in reversed(processes):
            process.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
