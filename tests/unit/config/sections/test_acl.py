"""What all ACLs share."""

from __future__ import annotations

from imap4fast.config.schema import Section
from imap4fast.config.sections.acl import FROM, RESULT, RESULTS, TIME_ITEM, TIME_PERIOD, check_times, parent_acl
from tests.unit.config.harness import bind, good, read


def test_result() -> None:
    section = Section(keyword="acl", help="for the test", members=RESULT, one_of=RESULTS)
    assert good(section, "accept;").values == {"accept": True}
    assert good(section, "deny;").values == {"accept": False}
    assert bind(section, "accept; deny;")[1] == ["`acl ` must say either `accept;` or `deny;`, not both"]


def test_times_are_not_mixed() -> None:
    section = Section(keyword="acl", help="for the test", members=(TIME_ITEM, TIME_PERIOD), check=check_times)
    known = ("time-period-set", "T")
    assert bind(section, "time *; time *;", known)[1] == bind(section, "time-period-set T;", known)[1] == []
    assert bind(section, "time *; time-period-set T;", known)[1] == ["`time-period-set` and `time` exclude each other"]


def test_conditions_are_parts() -> None:
    assert FROM.target == "conditions.from_"
    assert read(parent_acl("session-acl").type, "X") == "t:1:6: error: no section session-acl X"
