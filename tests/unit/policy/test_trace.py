"""The trace of one ACL."""

from __future__ import annotations

from imap4fast.policy.fit import CANNOT_TELL, DOES_NOT_FIT, FITS
from imap4fast.policy.trace import AclTrace, ConditionTrace, acl_trace

FROM = ConditionTrace("from", "from *;", "[10.0.0.1]", FITS)
SERVER = ConditionTrace("server", "server [10.0.0.2];", "unknown", CANNOT_TELL)
USER = ConditionTrace("user", "user bob;", "alice", DOES_NOT_FIT)


def test_all_fit() -> None:
    assert acl_trace("A", (FROM,)) == AclTrace("A", True, (FROM,))
    assert acl_trace("A", ()) == AclTrace("A", True)


def test_the_first_that_failed_is_named_and_cannot_tell_is_a_failure() -> None:
    trace = acl_trace("A", (FROM, SERVER, USER))
    assert trace == AclTrace("A", False, (FROM, SERVER, USER), "server [10.0.0.2];", "unknown")
