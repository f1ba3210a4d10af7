"""Idempotency-Key: the same request sent twice is done once, and both get the same answer."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Final

MOST_KEYS: Final = 256


class KeyReused(Exception):
    """The key belongs to an earlier request for something else."""


class Once:
    """The latest keys and what became of them. A failure is not remembered: the next attempt is a real one."""

    def __init__(self, most: int = MOST_KEYS) -> None:
        self._most = most
        self._known: OrderedDict[str, tuple[str, asyncio.Task[str]]] = OrderedDict()

    async def run(self, key: str, subject: str, work: Callable[[], Coroutine[Any, Any, str]]) -> str:
        """The answer of `work`, begun now or by an earlier request with this key, which may still be under way."""
        if key not in self._known:
            task = asyncio.create_task(work())
            self._known[key] = (subject, task)
            task.add_done_callback(lambda done: self._settle(key, done))
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        known_subject, task = self._known[key]
        if known_subject != subject:
            raise KeyReused
        return await asyncio.shield(task)

    def _settle(self, key: str, task: asyncio.Task[str]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and key in self._known and self._known[key][1] is task:
            del self._known[key]
