"""The search of phase 3: first match, nothing denies, and the trace that always agrees with the quick search."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imap4fast.config.mailsettings import DocAcl, MailAcl, MailConditions
from imap4fast.config.values import WordMember
from imap4fast.policy.mailsearch import name_of, search_of_documents, search_of_mails
from tests.unit.policy import drawn
from tests.unit.policy.cases import document, mail

mails = st.builds(
    mail, drawn.directions, drawn.sizes, drawn.statuses, st.none() | drawn.sizes.map(float), subject=drawn.words
)
documents = st.builds(
    document,
    mails,
    drawn.acl_names,
    drawn.sizes,
    drawn.statuses,
    st.lists(drawn.file_names, max_size=2).map(tuple),
    st.lists(drawn.media_types, max_size=2).map(tuple),
)


@given(st.lists(drawn.mail_acls, max_size=3, unique_by=lambda acl: acl.name), mails)
def test_the_trace_agrees_for_mails(acls, case) -> None:
    names = tuple(acl.name for acl in acls)
    search = search_of_mails(acls)
    found, traces = search.search(names, case), search.explain(names, case)
    assert [trace.name for trace in traces] == list(names[: len(traces)])
    assert found is (next(acl for acl in acls if acl.name == traces[-1].name) if _matched(traces) else None)


@given(st.lists(drawn.doc_acls, max_size=3, unique_by=lambda acl: acl.name), documents)
def test_the_trace_agrees_for_documents(acls, case) -> None:
    names = tuple(acl.name for acl in acls)
    search = search_of_documents(acls)
    found, traces = search.search(names, case), search.explain(names, case)
    assert len(traces) == len(names) or _matched(traces)
    assert name_of(found) == (traces[-1].name if _matched(traces) else "<NULL>")


def _matched(traces) -> bool:
    return bool(traces) and traces[-1].matched


def test_only_the_acls_that_are_left_are_searched() -> None:
    acls = (MailAcl("A", True), MailAcl("B", False))
    search = search_of_mails(acls)
    assert search.search(("A", "B"), mail()) is acls[0]
    assert search.search(("B",), mail()) is acls[1]
    assert search.search((), mail()) is None


def test_first_match_decides() -> None:
    found = MailConditions(virus=(WordMember("found"),))
    acls = (DocAcl("VIRUS", False, mail=found), DocAcl("REST", True))
    search = search_of_documents(acls)
    assert search.search(("VIRUS", "REST"), document(virus="free")) is acls[1]
    first, second = search.explain(("VIRUS", "REST"), document(virus="free"))
    assert (first.matched, first.condition, first.seen) == (False, "virus found;", "free")
    assert second.matched
