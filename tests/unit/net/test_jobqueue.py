"""The queue of jobs: turns, bounds, and what leaves it early."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.errors import ServiceError
from imap4fast.net.jobqueue import Job, JobQueue


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def job(loop: asyncio.AbstractEventLoop, owner: str, size: int = 1, until: float = 10) -> Job:
    return Job(b"", size, (0, 1), owner, loop.create_future(), until)


def owners(queue: JobQueue) -> str:
    """Whose jobs come, in order."""
    return "".join(iter(lambda: (taken := queue.take()) and taken.owner, None))


@pytest.mark.parametrize(
    ("put", "taken"), [("", ""), ("aaa", "aaa"), ("aaab", "abaa"), ("aaabbc", "abcaba"), ("abcabc", "abcabc")]
)
def test_owners_take_turns(loop: asyncio.AbstractEventLoop, put: str, taken: str) -> None:
    queue = JobQueue()
    for owner in put:
        queue.put(job(loop, owner))
    assert len(queue) == len(put)
    assert owners(queue) == taken
    assert len(queue) == 0


def test_an_owners_jobs_keep_their_order(loop: asyncio.AbstractEventLoop) -> None:
    queue = JobQueue()
    jobs = [job(loop, "a") for _ in range(3)]
    for one in jobs:
        queue.put(one)
    assert [queue.take() for _ in jobs] == jobs


def test_what_is_put_back_is_next(loop: asyncio.AbstractEventLoop) -> None:
    queue = JobQueue()
    for owner in "aab":
        queue.put(job(loop, owner))
    first = queue.take()
    assert first is not None
    queue.put_back(first)
    assert len(queue) == 3
    assert queue.take() is first
    assert owners(queue) == "ba"


def test_the_number_is_bounded_and_an_owners_share_of_it(loop: asyncio.AbstractEventLoop) -> None:
    queue = JobQueue(4)
    for owner in "aabc":
        queue.put(job(loop, owner))
    with pytest.raises(ServiceError, match=r"the queue is full$"):
        queue.put(job(loop, "d"))
    queue = JobQueue(4)
    for owner in "aa":
        queue.put(job(loop, owner))
    with pytest.raises(ServiceError, match="the queue is full of this user's mails"):
        queue.put(job(loop, "a"))
    queue.put(job(loop, "b"))


def test_octets_are_bounded_but_for_a_mail_alone(loop: asyncio.AbstractEventLoop) -> None:
    queue = JobQueue(most_bytes=100)
    queue.put(job(loop, "a", 500))
    with pytest.raises(ServiceError, match=r"the queue is full$"):
        queue.put(job(loop, "b", 1))
    assert queue.take() is not None
    queue.put(job(loop, "a", 60))
    queue.put(job(loop, "b", 40))
    with pytest.raises(ServiceError, match=r"the queue is full$"):
        queue.put(job(loop, "c", 1))


def test_what_is_dropped_makes_room(loop: asyncio.AbstractEventLoop) -> None:
    queue = JobQueue(2, 100)
    one, other = job(loop, "a", 60), job(loop, "b", 40)
    queue.put(one)
    queue.put(other)
    assert queue.drop(one)
    assert not queue.drop(one)
    queue.put(job(loop, "c", 60))
    assert owners(queue) == "bc"


def test_those_that_waited_too_long_come_out(loop: asyncio.AbstractEventLoop) -> None:
    queue = JobQueue()
    late = [job(loop, owner, until=5) for owner in "aba"]
    for one in (late[0], job(loop, "a"), *late[1:]):
        queue.put(one)
    assert queue.take_late(5) == []
    assert sorted(map(id, queue.take_late(6))) == sorted(map(id, late))
    assert owners(queue) == "a"


def test_a_failure_is_told_once_and_to_who_waits(loop: asyncio.AbstractEventLoop) -> None:
    one = job(loop, "a")
    one.fail("first")
    one.fail("second")
    assert str(one.answer.exception()) == "helper: first"
    one = job(loop, "a")
    one.answer.cancel()
    one.fail("unheard")
    assert one.answer.cancelled()


@given(st.lists(st.tuples(st.sampled_from(("put", "take", "drop", "back")), st.sampled_from("abcd"))))
def test_counts_are_those_of_what_is_in_it(steps: list[tuple[str, str]]) -> None:
    loop = asyncio.new_event_loop()
    queue, inside, outside = JobQueue(), [], []
    for step, owner in steps:
        if step == "put":
            inside.append(job(loop, owner, len(inside)))
            queue.put(inside[-1])
        elif step == "take" and (taken := queue.take()) is not None:
            inside.remove(taken)
            outside.append(taken)
        elif step == "drop" and inside:
            assert queue.drop(inside.pop())
        elif step == "back" and outside:
            inside.append(outside.pop())
            queue.put_back(inside[-1])
        assert len(queue) == len(inside)
        assert queue._bytes == sum(one.size for one in inside)
    loop.close()
