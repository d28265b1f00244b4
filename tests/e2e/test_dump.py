"""Level full: what both ends say stands in the log, and nothing of a login does."""

from __future__ import annotations

import re
import signal

from tests.e2e.fakeserver import Session
from tests.e2e.lab import PASSWORD, Lab

SHOWN = r"NETC-120-F DATA FROM=%s OFFSET=\d+ SIZE=\d+ BYTES=(.*) SESSION=%s$"
WITHHELD = r"NETC-121-F DATA-WITHHELD FROM=%s OFFSET=\d+ SIZE=\d+ REASON=(\S+) SESSION=%s$"


def number(lab: Lab, port: int, **config: object) -> str:
    """The number of the session from this port."""
    return lab.log(rf"SESSION-START FROM=\S*:{port} .* SESSION=(\d+)$", **config)[0]


def found(lab: Lab, form: str, side: str, session: str, **config: object) -> list[str]:
    return re.findall(form % (side, session), lab.logged(**config), re.MULTILINE)


def test_what_flows_is_shown_after_login(lab: Lab) -> None:
    wire = lab.client()
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    wire.ok(b"SELECT INBOX")
    session = number(lab, wire.port)
    lab.log(SHOWN % ("SERVER", session))
    client = found(lab, SHOWN, "CLIENT", session)
    assert [text for text in client if "SELECT INBOX\\x0d\\x0a" in text]
    assert [text for text in found(lab, SHOWN, "SERVER", session) if "* 0 EXISTS\\x0d\\x0a" in text]
    assert found(lab, WITHHELD, "CLIENT", session) == ["BEFORE-LOGIN"]
    assert set(found(lab, WITHHELD, "SERVER", session)) == {"BEFORE-LOGIN"}
    assert PASSWORD.decode() not in lab.logged()


def test_limits(lab: Lab) -> None:
    config = {
        "proxy": "client-conn { log-limit 7; } server-conn { log-limit 0; }",
        "log": "level full; data-limit 100;",
    }
    wire = lab.login(**config)
    wire.append(b"INBOX", b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 1000)
    wire.ok(b"SELECT INBOX")
    wire.ok(b"FETCH 1 BODY.PEEK[]")
    session = number(lab, wire.port, **config)
    lab.log(SHOWN.replace("(.*)", ".*FETCH.*") % ("SERVER", session), **config)
    assert all(len(text) < 40 for text in found(lab, SHOWN, "CLIENT", session, **config))
    assert sum(text.count("0123456789") for text in found(lab, SHOWN, "SERVER", session, **config)) >= 990
    assert [text for text in found(lab, SHOWN, "CLIENT", session, **config) if re.search(r"\.\.\.\+\d+\"?$", text)]


def test_a_client_that_logs_in_once_more(lab: Lab) -> None:
    """Refused, and not shown; its literals neither."""
    wire = lab.login()
    assert wire.command(b"LOGIN joe {%d+}\r\n%s" % (len(PASSWORD), PASSWORD)).status == "BAD"
    assert wire.command(b"AUTHENTICATE PLAIN").status == "BAD"
    wire.ok(b"NOOP")
    session = number(lab, wire.port)
    lab.log(WITHHELD.replace(r"(\S+)", "LOGIN-AGAIN") % ("CLIENT", session), 3)
    assert found(lab, SHOWN, "CLIENT", session) == []
    assert PASSWORD.decode() not in lab.logged()


def test_a_server_that_repeats_what_it_heard(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.say_hello()
        tag, text = server.wait_for(b"LOGIN")
        server.send(tag + b" NO what is LOGIN " + text + b"?\r\n")
        server.until_closed()

    wire = lab.play(script).greet()
    assert wire.command(b"LOGIN joe " + PASSWORD).status == "NO"
    config = {"plug": (lab.fake.address,)}
    session = number(lab, wire.port, **config)
    lab.log(WITHHELD % ("SERVER", session), 2, **config)
    assert found(lab, SHOWN, "SERVER", session, **config) == []
    assert PASSWORD.decode() not in lab.logged(**config)


def test_the_level_is_that_of_the_beginning(lab: Lab) -> None:
    """SIGUSR1 raises the level: sessions that begin then are shown, those that live are not."""
    config = {"log": "level trace;"}
    old = lab.login(**config)
    lab.proxy(**config).process.send_signal(signal.SIGUSR1)
    lab.log(r"TCPS-715-K Log level is now 9", **config)
    old.ok(b"NOOP")
    new = lab.login(**config)
    new.ok(b"NOOP")
    lab.log(SHOWN % ("CLIENT", number(lab, new.port, **config)), **config)
    assert found(lab, SHOWN, "CLIENT", number(lab, old.port, **config), **config) == []
    lab.forget(**config)
