"""`make demo`: a demo IMAP server (pymap, in memory) and imap4-proxy in front of it, until Ctrl-C.

The proxy runs with conf/demo-tls.cfg. Where other ports are asked for or the server's port is taken, it runs with a
copy in which only ports differ. The copy, the logs and the certificate that the demo makes are in var/demo.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import imaplib
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import astuple, dataclass
from email.message import EmailMessage
from pathlib import Path

from tools.certificate import Pair, provide

TOP = Path(__file__).resolve().parent.parent
CONFIG = TOP / "conf" / "demo-tls.cfg"
HOST = "127.0.0.1"
USER = "demouser"
PASSWORD = "demopass"
START_S = 30.0
STOP_S = 5.0

SERVER = "from pymap.main import main; main()"
PROXY = "import sys; from imap4fast.cli.imap4_proxy import main; sys.exit(main())"

OPEN = "import imaplib; c = imaplib.IMAP4('{host}', {port}); "
OPEN_TLS = (
    "import imaplib, ssl, sys; t = ssl.create_default_context(cafile=sys.argv[1]); "
    "c = imaplib.IMAP4_SSL('{host}', {port}, ssl_context=t); "
)
FETCH = (
    "c.login('{user}', '{password}'); print(*c.list()[1], sep='\\n'); c.select('INBOX', readonly=True); "
    "print(c.fetch('4', '(BODY.PEEK[])')[1][0][1].decode()); c.logout()"
)

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class DemoError(Exception):
    """The demo cannot start or go on; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Of the loopback: the proxy's two, plain and TLS, and the demo server's behind it."""

    plain: int
    tls: int
    server: int


USUAL = Ports(plain=1143, tls=1993, server=1144)
"""Those of conf/demo-tls.cfg."""


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


def need_free(**wanted: int) -> None:
    """DemoError where a port of the proxy is taken, with a way out. Its name here is that of `make demo`'s option."""
    taken = [port for port in wanted.values() if port_taken(port)]
    if taken:
        said = " and ".join(f"port {port} of {HOST} is taken" for port in taken)
        free = (f"{option}={port + 1000 if port in taken else port}" for option, port in wanted.items())
        raise DemoError(f"{said}; choose another one: make demo {' '.join(free)}")


def server_port(*proxys: int) -> int:
    """The port for the demo server: the usual one where that is free, else the kernel's choice."""
    if USUAL.server not in proxys and not port_taken(USUAL.server):
        return USUAL.server
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in proxys:
            return port


def configuration(folder: Path, ports: Ports) -> Path:
    """conf/demo-tls.cfg, or a copy of it with other ports in their places."""
    if ports == USUAL:
        return CONFIG
    moved = dict(zip(map(str, astuple(USUAL)), map(str, astuple(ports)), strict=True))
    text = re.sub(rf"\b({'|'.join(moved)})\b", lambda found: moved[found[0]], CONFIG.read_text(encoding="utf-8"))
    copy = folder / CONFIG.name
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


def connected(port: int, trusted: Path | None) -> imaplib.IMAP4:
    """A client: with TLS that this certificate verifies, or plain."""
    if trusted is None:
        return imaplib.IMAP4(HOST, port, timeout=5)
    context = ssl.create_default_context(cafile=trusted)
    return imaplib.IMAP4_SSL(HOST, port, ssl_context=context, timeout=5)


def log_in(port: int, trusted: Path | None) -> None:
    """One login and logout. OSError or imaplib's error where it does not work."""
    with connected(port, trusted) as client:
        client.login(USER, PASSWORD)


def wait_for_login(port: int, processes: list[Process], trusted: Path | None = None) -> None:
    """Returns when a login on this port works; DemoError after START_S or when a program ended."""
    deadline = time.monotonic() + START_S
    while True:
        for process in processes:
            process.check()
        try:
            return log_in(port, trusted)
        except (OSError, imaplib.IMAP4.error) as error:
            if time.monotonic() > deadline:
                raise DemoError(
                    f"no login on {HOST}:{port} within {START_S:.0f} s ({error}); "
                    f"the end of {processes[-1].log}:\n{tail(processes[-1].log)}"
                ) from error
        time.sleep(0.1)


def curl_line(root: str, *options: str) -> str:
    """A line for a shell: lists the mailboxes and the mails of INBOX, then fetches the fourth mail."""
    urls = [root, root + "INBOX?ALL", root + "INBOX;MAILINDEX=4"]
    return " ".join(["curl", "-sS", *options, "--user", f"{USER}:{PASSWORD}", *(f"'{url}'" for url in urls)])


def curl_mail(url: str, *more: str) -> str:
    """A line for a shell: what a URL below `url` gives, or what a command gives there."""
    options = [shlex.quote(option) for option in more] if more[0].startswith("-") else []
    where = url if options else url + more[0]
    return " ".join(["curl", "-sS", *options, "--user", f"{USER}:{PASSWORD}", f"'{where}'"])


def python_line(opening: str, port: int, *arguments: str) -> str:
    """A line for a shell: the same with Python's imaplib, which `opening` connects."""
    code = (opening + FETCH).format(host=HOST, port=port, user=USER, password=PASSWORD).replace("\\n", "\\\\n")
    return " ".join(["python3", "-c", f'"{code}"', *arguments])


def openssl_line(port: int, trusted: str, *options: str) -> str:
    """A line for a shell: IMAP by hand inside of TLS, with a server that verifies."""
    verify = f"-CAfile {trusted} -verify_ip {HOST} -verify_return_error"
    return " ".join(["openssl", "s_client", "-brief", "-crlf", verify, *options, "-connect", f"{HOST}:{port}"])


def greeting(ports: Ports, trusted: Path, config: Path, log: Path) -> str:
    """What the user is told when all runs."""
    file = shlex.quote(str(trusted))
    root = f"imap://{HOST}:{ports.plain}/"
    return f"""
The proxy is ready, in front of a demo server on {HOST}:{ports.server}.

  plain, STARTTLS  {HOST}:{ports.plain}
  TLS              {HOST}:{ports.tls}
  account          {USER}
  password         {PASSWORD}

List the mailboxes and fetch a mail through it, from another terminal:

  {curl_line(f"imap://{HOST}:{ports.plain}/")}

  {python_line(OPEN, ports.plain)}

The same inside of TLS:

  {curl_line(f"imaps://{HOST}:{ports.tls}/", "--cacert", file)}

  {python_line(OPEN_TLS, ports.tls, file)}

Talk IMAP by hand inside of TLS, from its beginning or by STARTTLS; say "a login {USER} {PASSWORD}":

  {openssl_line(ports.tls, file)}

  {openssl_line(ports.plain, file, "-starttls imap")}

Mail 5 of INBOX came with a virus in its attachment, mail 6 is spam. What a client sees of them: the whole mail, the
attachment alone, a range of it, its size and structure, and the subject of the spam:

  {curl_mail(root, "INBOX;MAILINDEX=5")}

  {curl_mail(root, "INBOX;MAILINDEX=5;SECTION=2")}

  {curl_mail(root, "INBOX;MAILINDEX=5;SECTION=2;PARTIAL=0.25")}

  {curl_mail(root + "INBOX", "-X", "FETCH 5 (RFC822.SIZE BODYSTRUCTURE)")}

  {curl_mail(root, "INBOX;MAILINDEX=6;SECTION=HEADER.FIELDS%20(SUBJECT)")}

  configuration  {config}
  certificate    {trusted}
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


def start_all(folder: Path, ports: Ports, pair: Pair, config: Path, processes: list[Process]) -> None:
    """Starts the demo server and the proxy, each until a login works; DemoError where it does not."""
    options = ["--host", HOST, "--port", str(ports.server), "--no-tls"]
    account = ["--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]
    processes.append(start("demo server", folder / "server.log", SERVER, *options, "dict", *account))
    wait_for_login(ports.server, processes)
    fill(ports.server)
    processes.append(start("proxy", folder / "proxy.log", PROXY, "-f", str(config)))
    wait_for_login(ports.plain, processes)
    wait_for_login(ports.tls, processes, pair.certificate)


EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""The test files of virus and spam scanners. From halves, so that no scanner takes this file for them."""


def mails_for_scanners() -> tuple[bytes, bytes]:
    """A mail with a text and an attachment that holds EICAR, and one that holds GTUBE."""
    infected = EmailMessage()
    infected["From"], infected["To"], infected["Subject"] = "mallory@example.net", "you@example.net", "An invoice"
    infected.set_content("Please find our invoice attached.\n")
    infected.add_attachment(EICAR.encode(), "application", "octet-stream", filename="invoice.com")
    spam = EmailMessage()
    spam["From"], spam["To"], spam["Subject"] = "mallory@example.net", "you@example.net", "You have won"
    spam.set_content(f"You have won.\n\n{GTUBE}\n")
    return bytes(infected), bytes(spam)


def fill(port: int) -> None:
    """Puts the two into the demo server's INBOX, past the proxy."""
    with imaplib.IMAP4(HOST, port, timeout=5) as client:
        client.login(USER, PASSWORD)
        for mail in mails_for_scanners():
            status, answer = client.append("INBOX", "", imaplib.Time2Internaldate(time.time()), mail)
            if status != "OK":
                raise DemoError(f"the demo server does not take a mail: {answer}")


def serve(plain: int, tls: int, processes: list[Process]) -> None:
    """Runs the demo until it is interrupted; DemoError where it cannot start or a program ends by itself."""
    need_free(PORT=plain, TLS_PORT=tls)
    starter = Starter()
    folder = TOP / "var" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    ports = Ports(plain, tls, server_port(plain, tls))
    config, pair = configuration(folder, ports), provide(folder)
    start_all(folder, ports, pair, config, processes)
    print(greeting(ports, pair.certificate, config, folder / "proxy.log"), flush=True)
    while not starter.gone():
        for process in processes:
            process.check()
        time.sleep(0.3)


def interrupted(signum: int, frame: object) -> None:
    """Signals end the demo the way Ctrl-C does."""
    raise KeyboardInterrupt


def asked_ports() -> tuple[int, int]:
    """The proxy's two ports, of the command line."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=USUAL.plain, help="the proxy's port (default: %(default)s)")
    parser.add_argument("--tls-port", type=int, default=USUAL.tls, help="its port for TLS (default: %(default)s)")
    options = parser.parse_args()
    for port in (options.port, options.tls_port):
        if not 0 < port < 65536:
            parser.error(f"no such port: {port}")
    if options.port == options.tls_port:
        parser.error(f"port {options.port} cannot be both, plain and TLS")
    return options.port, options.tls_port


def main() -> int:
    """0 when it was ended as asked, 1 when it could not run."""
    plain, tls = asked_ports()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupted)
    processes: list[Process] = []
    try:
        serve(plain, tls, processes)
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
