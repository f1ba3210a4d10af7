"""The public model lists of the contracts in use: looked at soon after the start and then hourly, without a key.

What was believed last stays while a list is away, broken or suddenly short; it is kept over restarts, so that a model
that was withdrawn while we were down is still known to have been there.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from probe.catalogue import Known, Listed, Member, distrust, moved, read, taken
from probe.client import Auth
from probe.contract import Catalogue, Contract
from probe.pong import Target
from probe.records import CatalogueSeen, Fetched, Listener, Listing, Unfetched, UnpaidSent
from probe.remembered import Remembered

FIRST_S: Final = 3.0
CADENCE_S: Final = 3600.0
TIMEOUT_S: Final = 20.0
LIMIT_BYTES: Final = 8 << 20
SHORT_LOOKS: Final = 24  # a list that has been short for a day of looks is what it is now


class Get(Protocol):
    """One unpaid request; `probe.client.Client.get` is one."""

    async def __call__(
        self, url: str, *, timeout_s: float, limit_bytes: int, auth: Auth | None = None, accept: str = "*/*"
    ) -> Fetched | Unfetched: ...


class Catalogues:
    """Watches one list for each contract that names one."""

    def __init__(
        self,
        targets: Sequence[Target],
        get: Get,
        remembered: Remembered,
        publish: Listener,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        first_s: float = FIRST_S,
    ) -> None:
        self._get = get
        self._remembered = remembered
        self._publish = publish
        self._now = now
        self._first_s = first_s
        self._known: dict[str, Known] = {}  # by contract, as believed
        self._lists: dict[str, tuple[Listed, datetime]] = {}  # by contract, of this run: for models that come later
        self._short: dict[str, int] = {}
        self._listings: Mapping[tuple[str, str], Listing] = {}  # replaced whole: a scrape reads it on another thread
        self._more = asyncio.Event()
        self.adopt(targets)

    @property
    def listings(self) -> Mapping[tuple[str, str], Listing]:
        """By contract and model, of configured models; without those of which it is not known."""
        return self._listings

    def listing(self, target: Target) -> Listing | None:
        """What is known of a target's model."""
        return self._listings.get((target.contract.name, target.model))

    def adopt(self, targets: Sequence[Target]) -> None:
        """What a newly loaded configuration probes: the lists are looked at soon."""
        self._contracts = {target.contract.name: target.contract for target in targets}
        self._models = {
            name: frozenset(target.model for target in targets if target.contract.name == name)
            for name in self._contracts
        }
        for name, contract in self._contracts.items():
            catalogue = _catalogue(contract)
            known = self._known.get(name) or self._remembered.catalogue(name)
            if catalogue is None or known is None or known.catalogue != catalogue:
                self._known.pop(name, None)
                self._lists.pop(name, None)
            else:
                self._known[name] = known
                if name in self._lists:
                    listed, looked_at = self._lists[name]
                    self._known[name] = taken(listed, catalogue, looked_at, self._models[name], known)
        for gone in self._known.keys() - self._contracts.keys():
            del self._known[gone]
            self._lists.pop(gone, None)
        self._more.set()
        self._show()

    async def run(self) -> None:
        """Look soon, then hourly, and soon after a reload; runs until cancelled."""
        while True:
            self._more.clear()
            await asyncio.sleep(self._first_s)
            await self.look()
            try:
                await asyncio.wait_for(self._more.wait(), CADENCE_S)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """One look at each list, one after the other."""
        for name, contract in tuple(self._contracts.items()):
            catalogue = _catalogue(contract)
            if catalogue is not None:
                await self._look(name, catalogue)

    async def _look(self, contract: str, catalogue: Catalogue) -> None:
        looked_at = self._now()
        self._publish(UnpaidSent("catalogue"))
        answer = await self._get(catalogue.url, timeout_s=TIMEOUT_S, limit_bytes=LIMIT_BYTES, accept="application/json")
        listed = await asyncio.to_thread(read, answer, catalogue)
        now = self._contracts.get(contract)
        if now is None or _catalogue(now) != catalogue:
            return  # a reload took it away meanwhile
        before = self._known.get(contract)
        problem = listed if isinstance(listed, str) else distrust(listed, before)
        short = self._short.get(contract, 0) + 1
        self._short[contract] = 0 if problem is None or isinstance(listed, str) else short
        if isinstance(listed, str) or (problem is not None and short < SHORT_LOOKS):
            self._publish(CatalogueSeen(contract, catalogue.url, problem))
            return
        models = self._models[contract]
        known = taken(listed, catalogue, looked_at, models, before)
        self._known[contract], self._lists[contract] = known, (listed, looked_at)
        self._remembered.keep_catalogue(contract, known)
        left, entered = moved(before, known, models)
        self._show()
        self._publish(CatalogueSeen(contract, catalogue.url, None, left, entered))

    def _show(self) -> None:
        self._listings = {
            (name, model): Listing(known.catalogue.url, known.looked_at, member.listed, member.last_listed_at)
            for name, known in self._known.items()
            for model in self._models[name]
            if (member := known.models.get(model, Member())).listed is not None
        }


def _catalogue(contract: Contract) -> Catalogue | None:
    return None if contract.catalogue is None else contract.catalogue.value
