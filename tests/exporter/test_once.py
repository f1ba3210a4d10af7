"""Idempotency keys: done once, bounded, and a failure is not an answer."""

import asyncio
from itertools import count

import pytest

from exporter.once import KeyReused, Once


class Work:
    """Gives a new answer each time it is really done, once `gate` is open; fails while `broken`."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False

    async def __call__(self) -> str:
        number = next(self.numbers)
        await self.gate.wait()
        if self.broken:
            raise LookupError
        return f"answer {number}"


async def test_the_same_key_gives_the_first_answer_again() -> None:
    once, work = Once(), Work()
    assert [await once.run("k", "small", work) for _ in range(3)] == ["answer 1"] * 3
    assert await once.run("other", "small", work) == "answer 2"


async def test_a_key_under_way_is_joined() -> None:
    once, work = Once(), Work()
    work.gate.clear()
    both = [asyncio.create_task(once.run("k", "small", work)) for _ in range(2)]
    await asyncio.sleep(0)
    work.gate.set()
    assert await asyncio.gather(*both) == ["answer 1", "answer 1"]


async def test_one_that_hangs_up_does_not_take_the_answer_from_the_other() -> None:
    once, work = Once(), Work()
    work.gate.clear()
    first, second = [asyncio.create_task(once.run("k", "small", work)) for _ in range(2)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    work.gate.set()
    assert await second == "answer 1"


async def test_a_key_for_something_else_is_refused() -> None:
    once, work = Once(), Work()
    await once.run("k", "small", work)
    with pytest.raises(KeyReused):
        await once.run("k", "large", work)


async def test_a_failure_is_not_remembered() -> None:
    once, work = Once(), Work()
    work.broken = True
    with pytest.raises(LookupError):
        await once.run("k", "small", work)
    work.broken = False
    assert await once.run("k", "small", work) == "answer 2"


async def test_only_the_latest_keys_are_kept() -> None:
    once, work = Once(most=2), Work()
    for key in ("a", "b", "c"):
        await once.run(key, "small", work)
    assert await once.run("c", "small", work) == "answer 3"
    assert await once.run("a", "small", work) == "answer 4"


async def test_a_key_that_failed_after_it_was_dropped_leaves_its_successor_alone() -> None:
    once, work = Once(most=1), Work()
    work.broken = True
    work.gate.clear()
    dropped = asyncio.create_task(once.run("a", "small", work))
    await asyncio.sleep(0)
    other = asyncio.create_task(once.run("b", "small", work))
    await asyncio.sleep(0)
    work.gate.set()
    ended = await asyncio.gather(dropped, other, return_exceptions=True)
    assert [type(end) for end in ended] == [LookupError, LookupError]
    work.broken = False
    assert await once.run("a", "small", work) == "answer 3"
