"""Calls to the kernel: results and errors."""

from __future__ import annotations

import errno

import pytest

from imap4fast.proc import kernel


def test_errors_carry_their_number() -> None:
    with pytest.raises(OSError, match="Invalid argument") as error:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, 9999)
    assert error.value.errno == errno.EINVAL


def test_sets_are_those_of_proc() -> None:
    with open("/proc/self/status") as lines:
        status = dict(line.split(":\t", 1) for line in lines if line.startswith("Cap"))
    effective, permitted, inheritable = kernel.capabilities()
    assert [effective, permitted, inheritable] == [int(status[key], 16) for key in ("CapEff", "CapPrm", "CapInh")]
    assert sum(1 << capability for capability in kernel.bounding_set()) == int(status["CapBnd"], 16)
