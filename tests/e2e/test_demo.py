"""`make demo`'s program: the two client lines that it prints work through the proxy, and it leaves nothing behind."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.dovecot import free_port

TOP = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
END_S = 20


@contextmanager
def demo(port: int) -> Iterator[subprocess.Popen[str]]:
    """A running demo.py; killed at the end where the test did not end it."""
    command = [sys.executable, "tools/demo.py", "--port", str(port)]
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


def run(line: str) -> str:
    return subprocess.run(line, shell=True, text=True, capture_output=True, check=True, timeout=60).stdout


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_printed_lines_work_and_nothing_stays(signum: signal.Signals) -> None:
    port = free_port()
    with demo(port) as process:
        text = printed(process)
        programs = children(process.pid)
        curl = run("curl " + field(text, "curl"))
        python = run("python3 -c " + field(text, "python3 -c"))
        log = Path(field(text, "log"))
        process.send_signal(signum)
        assert process.wait(END_S) == 0
    for output in (curl, python):
        assert '"/" INBOX' in output
        assert "Subject: Hello, World!" in output
    assert "* SEARCH 1 2 3 4" in curl
    assert len(programs) == 2
    assert not [pid for pid in programs if Path(f"/proc/{pid}").exists()]
    assert not listening(port)
    lines = log.read_text()
    assert lines.count("IMAP-701-I SESSION-START") >= 3
    users = re.findall(r"SESSION-END .* USER=(\S+) ", lines)
    assert users == [field(text, "account")] * len(users)
    assert len(users) >= 3
    assert field(text, "password") not in lines


def test_taken_port_is_named_with_a_way_out() -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        port = holder.getsockname()[1]
        with demo(port) as process:
            assert process.wait(END_S) == 1
            assert process.stderr is not None
            said = process.stderr.read()
    assert f"port {port} of {HOST} is taken" in said
    assert "make demo PORT=" in said


def test_death_of_the_server_ends_the_demo() -> None:
    port = free_port()
    with demo(port) as process:
        printed(process)
        server = children(process.pid)[0]
        subprocess.run(["kill", "-KILL", str(server)], check=True)
        assert process.wait(END_S) == 1
        assert process.stderr is not None
        assert "the demo server ended with status -9" in process.stderr.read()
    assert not listening(port)
