"""`test-imap4` from the command line to the exit status, with real configuration files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imap4fast.cli.test_imap4 import EXAMPLES, EXPRESSIONS, main
from imap4fast.config.values import Address
from imap4fast.net import resolve
from tests.unit.policy import jobs
from tests.unit.tls.ends import authority

EXAMPLE = """\
version IMAP4FAST-1;
imap4-proxy IMAP {
  app-user "imap4fast";
  listen-on { non-transparent [0.0.0.0] port 143; non-transparent [0.0.0.0] port 993; }
  tcpserver { workers auto; max-sessions-per-ip 50; }
  session-acl IMAPS {
    from { ! [10.0.0.5], [10.0.0.0/8] };
    to * : 993;
    accept;
    plug-to [192.0.2.20] : 143;
  }
  session-acl IMAP {
    from { ! [10.0.0.5], [10.0.0.0/8] };
    accept;
    plug-to [192.0.2.20] : 143;
  }
  command-acl READERS {
    from [10.9.0.0/16];
    accept;
    read-only;
    no-mail-scanning;
  }
  command-acl ALL {
    accept;
    no-mail-scanning;
    max-mail-in 50M;
    max-mail-out 50M;
  }
}
"""

NAMED = """\
version IMAP4FAST-1;
imap4-proxy IMAP {
  listen-on { non-transparent [127.0.0.1] port 1143; }
  session-acl FRIENDS { from friends.example; accept; plug-to [192.0.2.20] : 143; }
  session-acl BARE { from [10.0.0.7]; accept; }
  command-acl ALICE { user alice; accept; no-mail-scanning; commands { NOOP, LOGOUT }; }
  command-acl ALL { accept; no-mail-scanning; }
}
"""

SCANNING = """\
version IMAP4FAST-1;
antivirus OWN { connection builtin; }
imap4-proxy IMAP {
  listen-on { non-transparent [127.0.0.1] port 1143; }
  session-acl ALL { from { ! [10.0.0.2], * }; accept; plug-to [192.0.2.20] : 143; }
  command-acl ALL { accept; download { use-antivirus enable OWN; } upload { use-antivirus enable OWN; } }
  mail-acl UP { direction upload; virus found; deny "no"; }
  mail-acl REST { accept; }
  doc-acl VIRUS { virus found; accept; replace-file "TEMPLATE"; }
  doc-acl REST { accept; }
}
"""

READERS_TEXT = """\
test from [10.9.1.1] to [10.0.0.1] : 143

phase 1, session-acl, at connection:
  IMAPS: no match: to * : 993; saw [10.0.0.1] : 143
    fits          from { ! [10.0.0.5], [10.0.0.0/8] };  saw [10.9.1.1]
    does not fit  to * : 993;  saw [10.0.0.1] : 143
  IMAP: match
    fits          from { ! [10.0.0.5], [10.0.0.0/8] };  saw [10.9.1.1]
  ACCEPTED by IMAP

phase 2, command-acl, before login, server [192.0.2.20] : 143:
  READERS: match
    fits          from [10.9.0.0/16];  saw [10.9.1.1]
  ACCEPTED by READERS

in effect:
  servers            [192.0.2.20] : 143
  client-tls         none
  server-tls         none
  server-cert-match  none
  language           EN
  read-only          yes
  idle-timeout       1800
  login-timeout      60
  max-time           none
  max-bytes-in       none
  max-bytes-out      none
  max-mail-in        none
  max-mail-out       none
  max-line           65536
  max-server-line    1048576
  max-literal        65536
  max-pending        64
  max-bad-commands   10
  max-bad-prelogin   3
  commands-excluded  COMPRESS, PROXYAUTH, UNAUTHENTICATE, UNKNOWN
  capabilities       default

outcome: ACCEPTED
"""

REJECTED_TEXT = """\
test from [10.0.0.5] to [10.0.0.1] : 993

phase 1, session-acl, at connection:
  IMAPS: no match: from { ! [10.0.0.5], [10.0.0.0/8] }; saw [10.0.0.5]
    does not fit  from { ! [10.0.0.5], [10.0.0.0/8] };  saw [10.0.0.5]
    fits          to * : 993;  saw [10.0.0.1] : 993
  IMAP: no match: from { ! [10.0.0.5], [10.0.0.0/8] }; saw [10.0.0.5]
    does not fit  from { ! [10.0.0.5], [10.0.0.0/8] };  saw [10.0.0.5]
  REJECTED by <NULL>

outcome: REJECTED at connection: no session-acl matched
"""


@pytest.fixture
def example(tmp_path: Path) -> str:
    path = tmp_path / "example.cfg"
    path.write_text(EXAMPLE)
    return str(path)


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration with a name that only the fake resolver below knows."""
    path = tmp_path / "named.cfg"
    path.write_text(NAMED)
    known = {"friends.example": frozenset({Address(4, 0x0A000001)})}
    monkeypatch.setattr(resolve, "_addresses", known.get)
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    status = main(argv)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def run_json(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict]:
    status, out, _ = run(capsys, *argv, "--json")
    return status, json.loads(out)


def test_a_good_configuration(example: str, capsys) -> None:
    assert run(capsys, "-f", example) == (0, f"{example}: the configuration is good\n", "")


def test_the_example_explains_readers(example: str, capsys) -> None:
    asked = run(capsys, "-f", example, "-t", "test from [10.9.1.1] to [10.0.0.1]:143;")
    assert asked == (0, READERS_TEXT, "")


def test_a_rejected_session(example: str, capsys) -> None:
    asked = run(capsys, "-f", example, "-t", "test from [10.0.0.5] to [10.0.0.1]:993")
    assert asked == (1, REJECTED_TEXT, "")


def test_long_options(example: str, capsys) -> None:
    asked = run(capsys, "--debug-level", "9", "--file", example, "--test", "test from [10.9.1.1] to [10.0.0.1]:143;")
    assert asked == (0, READERS_TEXT, "")


def test_json_of_a_test(example: str, capsys) -> None:
    status, document = run_json(capsys, "-f", example, "-t", "test from [10.9.1.1] to [10.0.0.1]:143;")
    assert (status, document["outcome"], document["reason"]) == (0, "ACCEPTED", None)
    assert (document["file"], document["expression"], document["warnings"]) == (example, "test", [])
    assert [search["acl"] for search in document["searches"]] == ["IMAP", "READERS"]
    assert document["in_effect"]["read_only"] is True
    status, document = run_json(capsys, "-f", example, "-t", "test from [10.0.0.5];")
    assert (status, document["outcome"], document["in_effect"]) == (1, "REJECTED", None)


def test_json_of_a_check(example: str, capsys) -> None:
    assert run_json(capsys, "-f", example) == (
        0,
        {"file": example, "warnings": [], "expression": None, "good": True},
    )


def test_show_hash(example: str, capsys) -> None:
    status, out, err = run(capsys, "-f", example, "-t", "show-hash;")
    assert (status, err) == (0, "")
    assert len(out.strip()) >= 32
    assert run_json(capsys, "-f", example, "-t", "show-hash")[1]["hash"] == out.strip()


def test_show_acl(example: str, capsys) -> None:
    status, out, _ = run(capsys, "-f", example, "-t", "show-acl;")
    assert status == 0
    assert "session-acl IMAPS {" in out
    assert "command-acl" not in out
    status, out, _ = run(capsys, "-f", example, "-t", "show-acl 2;")
    assert status == 0
    assert "command-acl READERS {" in out
    assert "session-acl" not in out
    status, document = run_json(capsys, "-f", example, "-t", "show-acl 2;")
    assert (status, document["phase"], document["text"] + "\n") == (0, 2, out)


def test_show_proxy(example: str, capsys) -> None:
    status, out, _ = run(capsys, "-f", example, "-t", "show-proxy;")
    assert status == 0
    assert 'app-user "imap4fast";' in out
    assert "max-pending" not in out
    status, everything, _ = run(capsys, "-f", example, "-t", "show-proxy all;")
    assert status == 0
    assert "max-pending 64;" in everything
    assert run_json(capsys, "-f", example, "-t", "show-proxy all;")[1]["text"] + "\n" == everything


def test_help_expression(example: str, capsys) -> None:
    status, out, _ = run(capsys, "-f", example, "-t", "help;")
    assert (status, out) == (0, f"{EXPRESSIONS}\n{EXAMPLES}")
    assert run_json(capsys, "-f", example, "-t", "help;")[1]["text"] + "\n" == out


def test_several_expressions_are_answered_in_turn(example: str, capsys) -> None:
    both = "show-hash; test from [10.0.0.5] to [10.0.0.1]:993;"
    status, out, _ = run(capsys, "-f", example, "-t", both)
    digest, rest = out.split("\n", 1)
    assert (status, rest) == (1, f"\n{REJECTED_TEXT}")
    status, document = run_json(capsys, "-f", example, "-t", both)
    assert status == 1
    assert document["answers"][0] == {"expression": "show-hash", "hash": digest}
    assert document["answers"][1]["outcome"] == "REJECTED"


def test_usage_help_teaches(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert EXPRESSIONS in out
    assert EXAMPLES in out


@pytest.mark.parametrize("argv", [[], ["-f"], ["-f", "x", "--nonsense"], ["-d", "1", "-f", "x"]])
def test_usage_errors(argv: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "usage: test-imap4" in printed.err


def test_a_wrong_configuration(tmp_path: Path, capsys) -> None:
    path = tmp_path / "wrong.cfg"
    path.write_text(EXAMPLE.replace("read-only;", "read-onyl;"))
    status, out, err = run(capsys, "-f", str(path), "-t", "show-hash")
    assert (status, out) == (2, "")
    assert f"{path}:20:5: error: " in err
    assert "read-only" in err


def test_a_missing_file(tmp_path: Path, capsys) -> None:
    status, out, err = run(capsys, "-f", str(tmp_path / "none.cfg"))
    assert (status, out) == (2, "")
    assert "none.cfg" in err


@pytest.mark.parametrize(
    "expression",
    [
        "tset from [10.9.1.1];",
        "test from 10.9.1.1;",
        "test from;",
        "show-acl 0;",
        "show-acl 4;",
        "",
        "test time 2561;",
        "test time 02302200;",
        "test from * ;",
        'test cert "/nowhere/x.pem";',
        'test from [10.9.1.1] to [10.0.0.1]:143 write "x.eml";',
        "test direction upload;",
        "test spam-score 5.0;",
        "test virus found;",
    ],
)
def test_expression_errors(expression: str, example: str, capsys) -> None:
    status, out, err = run(capsys, "-f", example, "-t", expression)
    assert (status, out) == (2, "")
    assert err.strip()


def test_a_mail_that_nobody_looks_at(example: str, capsys) -> None:
    expression = 'test from [10.9.1.1] to [10.0.0.1]:143 mail "/nowhere/x.eml";'
    status, out, _ = run(capsys, "-f", example, "-t", expression)
    assert status == 0
    assert out.endswith("\nmail: not looked at: command-acl READERS says no-mail-scanning\n\noutcome: ACCEPTED\n")
    status, document = run_json(capsys, "-f", example, "-t", expression)
    assert (status, document["mail"]["result"]) == (0, "not scanned")


class TestMails:
    @pytest.fixture
    def scanning(self, tmp_path: Path) -> str:
        (tmp_path / "a.eml").write_bytes(jobs.INFECTED)
        path = tmp_path / "scanning.cfg"
        path.write_text(SCANNING.replace("TEMPLATE", jobs.template(tmp_path)))
        return str(path)

    def test_a_mail_that_is_changed(self, scanning: str, tmp_path: Path, capsys) -> None:
        expression = f'test mail "{tmp_path}/a.eml" write "{tmp_path}/b.eml";'
        status, out, _ = run(capsys, "-f", scanning, "-t", expression)
        assert status == 0
        assert "  ACCEPTED by VIRUS: REPLACED\n" in out
        assert out.endswith(f"octets\nwritten to {tmp_path}/b.eml\n\noutcome: ACCEPTED\n")
        assert out.count("outcome: ") == 1
        assert b"Eicar-Test-Signature by VIRUS" in (tmp_path / "b.eml").read_bytes()
        status, document = run_json(capsys, "-f", scanning, "-t", expression)
        assert (status, document["outcome"], document["mail"]["result"]) == (0, "ACCEPTED", "changed")
        assert document["mail"]["written"] == f"{tmp_path}/b.eml"

    def test_a_mail_that_is_denied(self, scanning: str, tmp_path: Path, capsys) -> None:
        expression = f'test mail "{tmp_path}/a.eml" direction upload virus found write "{tmp_path}/b.eml";'
        status, out, _ = run(capsys, "-f", scanning, "-t", expression)
        assert status == 1
        assert "\nmail: REJECTED, refused: virus: no, 0 octets\n" in out
        assert out.endswith("\n\noutcome: REJECTED at the mail: virus: no\n")
        assert out.count("outcome: ") == 1
        assert not (tmp_path / "b.eml").exists()
        status, document = run_json(capsys, "-f", scanning, "-t", expression)
        assert (status, document["outcome"], document["reason"]) == (1, "REJECTED", "mail: virus: no")
        assert document["mail"]["acls"][-1]["name"] == "UP"

    def test_a_session_that_is_denied_has_no_mail(self, scanning: str, tmp_path: Path, capsys) -> None:
        status, document = run_json(capsys, "-f", scanning, "-t", f'test from [10.0.0.2] mail "{tmp_path}/a.eml";')
        assert (status, document["outcome"], document["mail"]) == (1, "REJECTED", None)

    @pytest.mark.parametrize(
        ("item", "error"),
        [
            ('mail "{}/none"', "none: No such file or directory"),
            ('mail "{}"', "Is a directory"),
            ('mail "{}/a.eml" write "{}/x/y"', "No such file or directory"),
        ],
    )
    def test_files_that_cannot_be_used(self, item: str, error: str, scanning: str, tmp_path: Path, capsys) -> None:
        status, _, err = run(capsys, "-f", scanning, "-t", f"test {item.replace('{}', str(tmp_path))};")
        assert status == 2
        assert err.startswith("<expression>: error: ")
        assert error.split(": ")[-1] in err

    def test_show_acl(self, scanning: str, capsys) -> None:
        status, out, _ = run(capsys, "-f", scanning, "-t", "show-acl 3;")
        assert status == 0
        assert [line for line in out.splitlines() if line.endswith("{")] == [
            *("mail-acl UP {", "mail-acl REST {", "doc-acl VIRUS {", "doc-acl REST {"),
        ]

    def test_files_of_mails_are_checked(self, scanning: str, tmp_path: Path, capsys) -> None:
        assert run(capsys, "-f", scanning)[0] == 0
        (tmp_path / "template.txt").unlink()
        status, _, err = run(capsys, "-f", scanning)
        assert status == 2
        assert "scanning.cfg:9: error: doc-acl VIRUS: replace-file" in err

    def test_all_files_are_told_of_in_one_run(self, scanning: str, tmp_path: Path, capsys) -> None:
        (tmp_path / "template.txt").unlink()
        path = Path(scanning)
        keys = f'ssl-params P {{ certificate "{tmp_path}/none.pem"; private-key "{tmp_path}/none.key"; }}\n'
        text = path.read_text().replace("imap4-proxy IMAP", keys + "imap4-proxy IMAP")
        path.write_text(text.replace("accept; plug-to", "accept; client-ssl-params P; plug-to"))
        status, _, err = run(capsys, "-f", scanning)
        assert status == 2
        assert "doc-acl VIRUS: replace-file" in err
        assert "ssl-params P: certificate" in err


def test_without_r_a_name_cannot_be_told(named: str, capsys) -> None:
    status, out, _ = run(capsys, "-f", named, "-t", "test from [10.0.0.1];")
    assert status == 1
    assert "    cannot tell   from friends.example;  saw [10.0.0.1], friends.example not resolved\n" in out


def test_with_r_names_are_resolved(named: str, capsys) -> None:
    status, out, err = run(capsys, "-r", "-f", named, "-t", "test from [10.0.0.1];")
    assert status == 0
    assert "    fits          from friends.example;  saw [10.0.0.1]\n" in out
    assert "was not resolved" not in err
    status, out, _ = run(capsys, "--resolve", "-f", named, "-t", "test from friends.example;")
    assert status == 0
    assert out.startswith("test from [10.0.0.1] to ")


def test_a_name_that_nobody_knows_is_a_warning(named: str, capsys) -> None:
    status, _, err = run(capsys, "-r", "-f", named, "-t", "test from [10.0.0.1] server other.example:143;")
    assert status == 0
    assert "warning: other.example was not resolved\n" in err


def test_accepting_without_plug_to_is_rejected_and_warned_of(named: str, capsys) -> None:
    status, out, err = run(capsys, "-f", named, "-t", "test from [10.0.0.7];")
    assert status == 1
    assert out.endswith(
        "outcome: REJECTED at connection: "
        "session-acl BARE accepted without plug-to, and the connection is not transparent\n"
    )
    assert ":5:" in err
    assert "warning: " in err
    status, _, err = run(capsys, "-d", "3", "-f", named, "-t", "test from [10.0.0.7];")
    assert (status, err) == (1, "")
    _, document = run_json(capsys, "-f", named, "-t", "test from [10.0.0.7];")
    assert len(document["warnings"]) == 1


def test_a_user_after_login(named: str, capsys) -> None:
    status, document = run_json(capsys, "-r", "-f", named, "-t", "test from [10.0.0.1] user alice;")
    assert status == 0
    assert [(search["moment"], search["acl"]) for search in document["searches"]] == [
        ("at connection", "FRIENDS"),
        ("before login", "ALL"),
        ("after login", "ALICE"),
    ]
    assert "FETCH" in document["in_effect"]["commands_excluded"]


def test_as_a_program(example: str) -> None:
    command = [sys.executable, "-m", "imap4fast.cli.test_imap4"]
    argv = [*command, "-f", example, "-t", "test from [10.0.0.5] to [10.0.0.1]:993"]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, REJECTED_TEXT, "")


SECURE = """\
version IMAP4FAST-1;
ssl-params PUBLIC {
  certificate "%(folder)s/cert.pem"; private-key "%(folder)s/key.pem"; ca-file "%(folder)s/ca.pem"; verify request;
}
ssl-cert-match STAFF { common-name "jana"; }
imap4-proxy IMAP {
  listen-on { non-transparent [127.0.0.1] port 1143; }
  session-acl ALL { accept; client-ssl-params PUBLIC command; client-cert-match STAFF; plug-to [192.0.2.20] : 143; }
  command-acl ALL { accept; no-mail-scanning; }
}
"""


@pytest.fixture
def secure(tmp_path: Path) -> Path:
    """A configuration with TLS, and the files that it names."""
    pair = authority().issue("mail.example", ("mail.example",))
    for name, content in (("cert", pair.chain), ("key", pair.key), ("ca", authority().pem)):
        (tmp_path / f"{name}.pem").write_bytes(content)
    (tmp_path / "key.pem").chmod(0o600)
    (tmp_path / "proxy.cfg").write_text(SECURE % {"folder": tmp_path})
    return tmp_path


def test_a_check_reads_certificates_and_keys(secure: Path, capsys) -> None:
    config = str(secure / "proxy.cfg")
    assert run(capsys, "-f", config) == (0, f"{config}: the configuration is good\n", "")
    (secure / "key.pem").write_bytes(b"")
    status, out, err = run(capsys, "-f", config)
    assert (status, out) == (2, "")
    assert err.startswith(f'{config}:2: ssl-params PUBLIC: private-key "{secure}/key.pem": no private key')


def test_a_check_warns_of_certificates_and_keys(secure: Path, capsys) -> None:
    config = str(secure / "proxy.cfg")
    old = authority().issue("old.example", starts=-9, ends=-2)
    (secure / "cert.pem").write_bytes(old.chain)
    (secure / "key.pem").write_bytes(old.key)
    (secure / "key.pem").chmod(0o644)
    status, out, err = run(capsys, "-f", config)
    assert (status, out) == (0, f"{config}: the configuration is good\n")
    first, second = err.splitlines()
    assert f'{config}:2: warning: ssl-params PUBLIC: certificate "{secure}/cert.pem": ' in first
    assert "expired on" in first
    assert "can be read or written by everybody (mode 0644)" in second
    assert run(capsys, "-d", "3", "-f", config)[2] == ""
    assert len(run_json(capsys, "-f", config)[1]["warnings"]) == 2


def test_a_clients_certificate(secure: Path, capsys) -> None:
    config = str(secure / "proxy.cfg")
    for name, status, said in (
        ("jana", 0, "    fits          common-name jana;  saw jana\n"),
        ("eva", 1, "    does not fit  common-name jana;  saw eva\n"),
    ):
        (secure / "client.pem").write_bytes(authority().issue(name).chain)
        ended, out, _ = run(capsys, "-f", config, "-t", f'test cert "{secure}/client.pem";')
        assert ended == status
        assert said in out
    status, out, _ = run(capsys, "-f", config, "-t", "test;")
    assert status == 1
    assert "common-name jana; saw no certificate" in out
    (secure / "client.pem").write_bytes(b"junk")
    status, _, err = run(capsys, "-f", config, "-t", f'test cert "{secure}/client.pem";')
    assert (status, err) == (2, f'<expression>: error: cert "{secure}/client.pem": there is no certificate in it\n')


def test_a_reader_that_goes_away_is_no_error(example: str) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    code = "import sys; from imap4fast.cli.test_imap4 import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "-f", example, "-t", "help;"]
    done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(writes)
    assert (done.returncode, done.stderr) == (0, "")
