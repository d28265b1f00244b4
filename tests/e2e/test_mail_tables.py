"""The program that prints the tables: rows from a JUnit file, a failure told as one, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import mail_tables, sessions
from tests.e2e.mail_tables import Case, cases_of, main, rows_of

REPORT = """<testsuites><testsuite>
<testcase classname="tests.e2e.test_mail_faults" name="test_zygote_killed" time="1.5"><properties>
<property name="did" value="All mails are lost."/><property name="client" value="NO [UNAVAILABLE] later"/>
<property name="log" value="TCPS-754-E The process that starts helpers died"/></properties></testcase>
<testcase classname="tests.e2e.test_mail_faults" name="test_helper_killed[pass]" time="1">{failure}</testcase>
<testcase classname="tests.e2e.test_mail_rows_server" name="test_T_R02_other_mail_than_asked[a]" time="1"/>
<testcase classname="tests.e2e.test_mail_rows_server" name="test_T_R02_other_mail_than_asked[b]" time="1">{failure}
</testcase>
<testcase classname="tests.e2e.test_mail_rows_server" name="test_T_R01_unrequested_content" time="1"/>
<testcase classname="tests.e2e.test_mail_rows_mime" name="test_T_M_replaced_where_found[M07-chunks]" time="1"/>
<testcase classname="tests.e2e.test_mail_rows_mime" name="test_T_M_no_reading_shows_a_virus[deny]" time="1"/>
<testcase classname="tests.e2e.test_mail_rows_mime" name="test_the_readers_find_it" time="1"/>
<testcase classname="tests.e2e.test_mail_clients" name="test_mbsync[mail]" time="1">{skip}</testcase>
</testsuite></testsuites>"""
FAILURE = '<failure message="no">Traceback</failure>'


def report(path: Path, failure: str = "", skip: str = "") -> Path:
    file = path / "report.xml"
    file.write_text(REPORT.format(failure=failure, skip=skip))
    return file


def test_rows_of_attacks_go_by_number(tmp_path: Path) -> None:
    rows = rows_of("attacks", cases_of(report(tmp_path)))
    assert [(row.name, len(row.cases)) for row in rows] == [("T-M", 1), ("T-M07", 1), ("T-R01", 1), ("T-R02", 2)]
    assert rows[-1].cells() == ("T-R02", "other mail than asked", "", "", "ok 2/2")


def test_a_row_says_what_was_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--from", str(report(tmp_path))]) == 0
    said = capsys.readouterr().out
    (line,) = [line for line in said.splitlines() if line.startswith("zygote killed")]
    cells = [cell.strip() for cell in line.split("|")]
    assert cells[1:3] == ["All mails are lost.", "NO [UNAVAILABLE] later"]
    assert cells[3].startswith("TCPS-754-E The process that starts")
    assert cells[4] == "ok"
    assert said.endswith("faults: 2 rows, 2 tests, 2 ok, 0 not\n")


def test_a_failure_is_told_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(report(tmp_path, FAILURE))
    assert main(["attacks", "--from", file]) == 1
    said = capsys.readouterr().out
    assert "FAILED 1/2" in said
    assert "  FAILED: test_mail_rows_server.py::test_T_R02_other_mail_than_asked[b]\n" in said
    assert "ok 1/2" not in said


def test_a_skip_is_no_success(tmp_path: Path) -> None:
    assert main(["clients", "--from", str(report(tmp_path))]) == 0
    assert main(["clients", "--from", str(report(tmp_path, skip="<skipped/>"))]) == 1


def test_a_table_without_tests_is_no_success(tmp_path: Path) -> None:
    assert main(["carriers", "--from", str(report(tmp_path))]) == 1


def test_a_run_that_fails_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(tables: object, options: object, file: Path) -> int:
        report(file.parent)
        return 1

    monkeypatch.setattr(mail_tables, "run", run)
    assert main(["faults"]) == 1


def test_the_files_of_the_tables_are_there() -> None:
    folder = Path(mail_tables.__file__).parent
    patterns = [pattern for patterns in mail_tables.TABLES.values() for pattern in patterns]
    assert [pattern for pattern in patterns if not list(folder.glob(pattern))] == []


def test_numbers() -> None:
    assert Case("", "test_T_M_replaced_where_found[M07-chunks]", "ok", 0).number == "T-M07"
    assert Case("", "test_T_A04_timeout", "ok", 0).number == "T-A04"
    assert Case("", "test_no_upload", "ok", 0).number == ""


LOG = """Nov 23 vm imap4-proxy[7]: IMAP-760-I ACL OF ANOTHER SESSION=1
Nov 23 vm imap4-proxy[7]: IMAP-701-I SESSION-START FROM=127.0.0.1:50001 TO=127.0.0.1:1 TRANSP=NO SESSION=2
Nov 23 vm imap4-proxy[8]: IMAP-701-I SESSION-START FROM=127.0.0.1:50002 TO=127.0.0.1:1 TRANSP=NO SESSION=2
Nov 23 vm imap4-proxy[7]: IMAP-760-I ACL MINE SESSION=2
Nov 23 vm imap4-proxy[8]: IMAP-760-I ACL NOT MINE SESSION=2
Nov 23 vm imap4-proxy[7]: TCPS-754-E OF NONE
Nov 23 vm imap4-proxy[8]: IMAP-702-I SESSION-END CLIENT=127.0.0.1:50002 SESSION=2
"""


def test_the_log_of_a_client() -> None:
    told = sessions.told_of(LOG, {50001})
    assert "ACL MINE" in told
    assert "OF NONE" in told
    assert "ANOTHER" not in told
    assert "NOT MINE" not in told
    assert sessions.told_of(LOG, {50003}) == LOG
    assert sessions.ended(LOG, {50002})
    assert sessions.ended(LOG, ())
    assert not sessions.ended(LOG, {50001})
    assert not sessions.ended(LOG, {50001, 50002})
