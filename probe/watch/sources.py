"""The documents that the contracts rely on, fetched again on a cadence of their own: do they still say so?

One after another, unpaid and bounded; a probe never waits for them. What a copy shows is worked out beside the loop and
kept in `state`, where a command may write as well.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from probe.contract import Contract
from probe.contract.document import MOST_BODY_BYTES, Document, Failed, Outcomes, examine, urls
from probe.contract.evidence import Occurrence
from probe.contract.text import MOST_BYTES
from probe.records import Fetched, Listener, SourceSeen, StoreFailed, Unfetched, UnpaidSent
from probe.sources import Known, Sources, fetched
from probe.watch.catalogue import Get
from probe.watch.held_sources import AreaSeen, Held, HeldSources

TIMEOUT_S: Final = 20.0
ACCEPT: Final = "text/markdown, text/plain;q=0.9, application/json;q=0.8, text/html;q=0.7, */*;q=0.1"


@dataclass(frozen=True, slots=True)
class Pace:
    """`recheck_s` None: nothing is fetched. What is due at the start is fetched `first_s` after it, sooner where the
    cadence is; every `look_s` it is seen whether a command has fetched something meanwhile."""

    recheck_s: float | None
    first_s: float = 10.0
    look_s: float = 10.0


async def document(get: Get, url: str) -> Fetched | Unfetched:
    """One source document; every status but 200 is a way of not having it."""
    answer = await get(url, timeout_s=TIMEOUT_S, limit_bytes=MOST_BYTES, accept=ACCEPT)
    return Unfetched(f"HTTP {answer.status}") if isinstance(answer, Fetched) and answer.status != 200 else answer


class SourceWatch:
    """Keeps what it fetches in `kept`; where the disk does not take it, in memory."""

    def __init__(self, contracts: Iterable[Contract], get: Get, kept: Sources, publish: Listener) -> None:
        self._contracts = tuple(contracts)
        self._get = get
        self._kept = kept
        self._publish = publish
        self._pace = Pace(None)
        self._held = HeldSources()
        self._stamps: dict[str, int | None] = {}
        self._due: dict[str, float] = {}
        self._news = asyncio.Event()

    def adopt(self, contracts: Iterable[Contract], recheck_s: float | None) -> None:
        """What a newly loaded configuration relies on, and how often it is fetched."""
        self._contracts = tuple(contracts)
        if recheck_s != self._pace.recheck_s:
            self._due.clear()
        self._pace = replace(self._pace, recheck_s=recheck_s)
        self._news.set()

    def documents(self, contract: Contract) -> tuple[Document, ...]:
        return self._held.documents(contract)

    def looked(self, contract: Contract) -> Contract:
        return self._held.looked(contract)

    def areas(self) -> Mapping[tuple[str, str], AreaSeen]:
        return self._held.areas()

    async def run(self, pace: Pace) -> None:
        """Read what is kept, then fetch what is due; runs until cancelled."""
        loop = asyncio.get_running_loop()
        self._pace, began = pace, loop.time()
        while True:
            self._news.clear()
            await self._take_in()
            await self._ask_due(began)
            next_s = min((at - loop.time() for at in self._due.values()), default=self._pace.look_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(next_s, self._pace.look_s))):
                    await self._news.wait()

    async def _ask_due(self, began: float) -> None:
        """Whatever is due, one after another; each stays on its own grid, also where answers take long."""
        loop, every_s = asyncio.get_running_loop(), self._pace.recheck_s
        if every_s is None:
            self._due.clear()
            return
        wanted = urls(self._contracts)
        self._due = {url: at for url, at in self._due.items() if url in wanted}
        for url in wanted:
            due = self._due.setdefault(url, self._first_due(url, began, every_s))
            if due <= loop.time() and not self._news.is_set():
                await self._ask(url)
                self._due[url] = due + ((loop.time() - due) // every_s + 1) * every_s

    def _first_due(self, url: str, began: float, every_s: float) -> float:
        held, now = self._held.get(url), asyncio.get_running_loop().time()
        tried_at = None if held is None else held.known.tried_at
        rest_s = 0.0 if tried_at is None else every_s - (datetime.now(UTC) - tried_at).total_seconds()
        return max(began + min(self._pace.first_s, every_s), now + min(rest_s, every_s))

    async def _ask(self, url: str) -> None:
        self._publish(UnpaidSent("source"))
        answer, contracts = await document(self._get, url), self._held.contracts
        try:
            held = await asyncio.to_thread(self._came, url, answer, contracts)
        except OSError as error:
            self._publish(StoreFailed("sources", None, f"sources: {error.strerror or 'an error'}"))
            held = await asyncio.to_thread(self._in_memory, url, answer, contracts)
        self._held.put(url, held)
        self._tell(url, held, asked=True)

    def _came(self, url: str, answer: Fetched | Unfetched, contracts: tuple[Contract, ...]) -> Held:
        """What is known of a document once an answer came and is kept."""
        before = self._held.get(url)
        if isinstance(answer, Unfetched):
            known = self._kept.fail(url, datetime.now(UTC), answer.words)
            held = Held(known) if before is None else replace(before, known=known)
        else:
            said = examine(contracts, url, answer.body, answer.media)
            found = outcomes(said.by_contract)
            known = self._kept.keep(answer, url, said.text_sha256, found, by_person=False)
            held = Held(known, _small(answer.body), said.by_contract)
        self._stamps[url] = self._kept.stamp(url)
        return held

    def _in_memory(self, url: str, answer: Fetched | Unfetched, contracts: tuple[Contract, ...]) -> Held:
        before = self._held.get(url) or Held(Known(url))
        if isinstance(answer, Unfetched):
            return replace(before, known=replace(before.known, failed=Failed(datetime.now(UTC), answer.words)))
        said = examine(contracts, url, answer.body, answer.media)
        known = fetched(before.known, answer, said.text_sha256, by_person=False)
        return Held(known, _small(answer.body), said.by_contract)

    async def _take_in(self) -> None:
        """What somebody else has kept, and all that is kept where the contracts are others than it was read for."""
        contracts = self._contracts
        is_other = contracts != self._held.contracts
        wanted = urls(contracts)
        fresh: dict[str, Held] = {}
        for url in wanted:
            stamp = await asyncio.to_thread(self._kept.stamp, url)
            if stamp is not None and (is_other or stamp != self._stamps.get(url)):
                fresh[url] = await asyncio.to_thread(self._from_disk, url, contracts)
                self._stamps[url] = stamp
        if is_other:
            self._held.keep_only(fresh)
            self._held.contracts = contracts
        for url, held in fresh.items():
            self._held.put(url, held)
            self._tell(url, held, asked=False)

    def _from_disk(self, url: str, contracts: tuple[Contract, ...]) -> Held:
        known = self._kept.known(url)
        body = None if known.newest is None else self._kept.body(known.newest.sha256)
        if body is None or known.newest is None:
            return Held(replace(known, copies=()))  # what is not there any more cannot be cited
        return Held(known, _small(body), examine(contracts, url, body, known.newest.media).by_contract)

    def _tell(self, url: str, held: Held, *, asked: bool) -> None:
        known = held.known
        self._publish(
            SourceSeen(
                url=url,
                asked=asked,
                failed=None if known.failed is None else known.failed.words,
                changed_to=known.newest.text_sha256 if known.newest is not None and known.is_changed else None,
                missing=held.missing(),
            )
        )


def outcomes(by_contract: Mapping[str, tuple[Occurrence, ...]]) -> Outcomes:
    return {name: {it.place: it.outcome.value for it in said} for name, said in by_contract.items()}


def _small(body: bytes) -> bytes | None:
    return body if len(body) <= MOST_BODY_BYTES else None
