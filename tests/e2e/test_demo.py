"""`make demo`'s program: the lines that it prints work through the proxy, plain and by TLS, and nothing stays."""

from __future__ import annotations

import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.dovecot import free_port
from tests.e2e.parts import need
from tools.certificate import provide

TOP = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
END_S = 20


@contextmanager
def demo(port: int, tls_port: int) -> Iterator[subprocess.Popen[str]]:
    """A running demo; killed at the end where the test did not end it."""
    command = [sys.executable, "-m", "tools.demo", "--port", str(port), "--tls-port", str(tls_port)]
    process = subprocess.Popen(
        command, cwd=TOP, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()


def printed(process: subprocess.Popen[str]) -> str:
    """What the demo prints until it is ready."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith("Ctrl-C"):
            return text
    assert process.stderr is not None
    pytest.fail(f"the demo did not get ready: {text}{process.stderr.read()}")


def field(text: str, name: str) -> str:
    """The rest of the line that starts with this word."""
    found = re.search(rf"(?m)^ +{name} +(.*)$", text)
    assert found is not None, text
    return found[1]


def lines_of(text: str, program: str) -> list[str]:
    """The lines for a shell that begin with this program."""
    need(program)
    return re.findall(rf"(?m)^  ({program} .*)$", text)


def run(line: str) -> str:
    return subprocess.run(line, shell=True, text=True, capture_output=True, check=True, timeout=60).stdout


def refused(line: str) -> str:
    """What a line says that must fail."""
    done = subprocess.run(line, shell=True, text=True, capture_output=True, timeout=60)
    assert done.returncode != 0, done.stdout
    return done.stderr


def typed(line: str, *commands: str) -> str:
    """What a line says while somebody types these; standard input stays open until the server has ended it."""
    process = subprocess.Popen(
        line, shell=True, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.writelines(command + "\n" for command in commands)
        process.stdin.flush()
        said = process.stdout.read()
        assert process.wait(END_S) == 0, said
    return said


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_printed_lines_work_and_nothing_stays(signum: signal.Signals) -> None:
    port, tls_port = free_port(), free_port()
    with demo(port, tls_port) as process:
        text = printed(process)
        programs = children(process.pid)
        curls = [run(line) for line in lines_of(text, "curl")]
        pythons = [run(line) for line in lines_of(text, "python3")]
        talks = [
            typed(line, f"a login {field(text, 'account')} {field(text, 'password')}", 'b list "" *', "c logout")
            for line in lines_of(text, "openssl")
        ]
        log = Path(field(text, "log"))
        process.send_signal(signum)
        assert process.wait(END_S) == 0
    assert (len(curls), len(pythons), len(talks)) == (7, 2, 2)
    check_mails(*curls[2:])
    for output in (*curls[:2], *pythons):
        assert '"/" INBOX' in output
        assert "Subject: Hello, World!" in output
    for output in curls[:2]:
        assert "* SEARCH 1 2 3 4 5 6" in output
    for output in talks:
        assert "Verification: OK" in output
        assert '"/" INBOX' in output
        assert re.search(r"(?m)^c OK ", output)
    assert len(programs) == 2
    assert not [pid for pid in programs if Path(f"/proc/{pid}").exists()]
    assert not listening(port)
    assert not listening(tls_port)
    check_log(log.read_text(), field(text, "account"), field(text, "password"))


def check_mails(whole: str, part: str, partial: str, facts: str, subject: str) -> None:
    """The mail with a virus, in every form, is the one that the proxy made of it; the spam says so."""
    assert "EICAR-STANDARD" not in whole + part
    assert part.startswith("A virus was removed here.\n\nname   invoice.com\n")
    assert part in whole.replace("\r\n", "\n")
    assert partial == "A virus was removed here."
    size = re.search(r"RFC822\.SIZE (\d+)", facts)
    assert size is not None
    assert int(size[1]) == len(whole.replace("\r\n", "\n").replace("\n", "\r\n"))
    assert f'"7bit" {len(part) + part.count(chr(10))} ' in facts
    assert subject.startswith("Subject: [SPAM] You have won")


def check_log(lines: str, account: str, password: str) -> None:
    """Sessions of the account alone, of them two that waited for the proxy, and each printed line's."""
    users = re.findall(r"SESSION-END .* USER=(\S+) ", lines)
    assert users == [account] * len(users)
    assert len(users) >= 8
    assert lines.count("IMAP-701-I SESSION-START") >= 8
    assert lines.count("SSLE-101-I TLS SIDE=CLIENT VERSION=TLSv1.3") == 5
    assert not re.search(r" SSLE-\d+-[WE] ", lines)
    assert password not in lines


def test_another_certificate_is_not_taken_for_it_and_its_key_is_for_nobody_else(tmp_path: Path) -> None:
    other = str(provide(tmp_path).certificate)
    with demo(free_port(), free_port()) as process:
        text = printed(process)
        certificate = Path(field(text, "certificate"))
        curl = refused(lines_of(text, "curl")[1].replace(str(certificate), other))
        python = refused(lines_of(text, "python3")[1].replace(str(certificate), other))
        openssl = [refused(line.replace(str(certificate), other)) for line in lines_of(text, "openssl")]
    assert stat.S_IMODE(certificate.with_name("key.pem").stat().st_mode) == 0o600
    assert "certificate" in curl
    assert "CERTIFICATE_VERIFY_FAILED" in python
    assert len(openssl) == 2
    for said in openssl:
        assert "self-signed certificate" in said


def test_taken_port_is_named_with_a_way_out() -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        port = holder.getsockname()[1]
        with demo(port, free_port()) as process:
            assert process.wait(END_S) == 1
            assert process.stderr is not None
            said = process.stderr.read()
    assert f"port {port} of {HOST} is taken" in said
    assert "make demo PORT=" in said


def test_death_of_the_server_ends_the_demo() -> None:
    port, tls_port = free_port(), free_port()
    with demo(port, tls_port) as process:
        printed(process)
        server = children(process.pid)[0]
        subprocess.run(["kill", "-KILL", str(server)], check=True)
        assert process.wait(END_S) == 1
        assert process.stderr is not None
        assert "the demo server ended with status -9" in process.stderr.read()
    assert not listening(port)
    assert not listening(tls_port)
