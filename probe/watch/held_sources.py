"""What is known in memory of the documents that contracts rely on: for packets, metrics and pages, without a wait."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from probe.contract import Contract
from probe.contract.document import Document, looks, urls
from probe.contract.evidence import Occurrence, Outcome, area
from probe.sources import Known


@dataclass(frozen=True, slots=True)
class Held:
    """A document: what is kept of it, its bytes where they are few, and what its newest copy says by contract."""

    known: Known
    body: bytes | None = None
    by_contract: Mapping[str, tuple[Occurrence, ...]] | None = None

    def missing(self) -> tuple[str, ...]:
        """Contract and place of every statement that was not found in the newest copy."""
        return tuple(
            f"{name}: {seen.place}"
            for name, found in (self.by_contract or {}).items()
            for seen in found
            if seen.outcome is Outcome.NOT_FOUND
        )


@dataclass(frozen=True, slots=True)
class AreaSeen:
    """An area of a contract by the newest copies of its sources: whether they changed since a person looked, whether
    all that it states was found in them (None: nothing of it can be looked for), and when the oldest was fetched."""

    is_changed: bool
    is_found: bool | None
    at: datetime


class HeldSources:
    """`contracts` are those that every document in it was held against."""

    def __init__(self) -> None:
        self.contracts: tuple[Contract, ...] = ()
        self._held: dict[str, Held] = {}

    def get(self, url: str) -> Held | None:
        return self._held.get(url)

    def put(self, url: str, held: Held) -> None:
        self._held[url] = held

    def keep_only(self, wanted: Iterable[str]) -> None:
        kept = set(wanted)
        self._held = {url: held for url, held in self._held.items() if url in kept}

    def documents(self, contract: Contract) -> tuple[Document, ...]:
        """What is known of each document that a contract cites. A reload may have brought statements that nobody has
        looked for yet: of those nothing is said."""
        is_known = contract in self.contracts
        found = []
        for url in urls([contract]):
            held = self._held.get(url)
            if held is None:
                found.append(Document(url))
                continue
            known = held.known
            said = (held.by_contract or {}).get(contract.name, ()) if is_known else ()
            found.append(Document(url, known.newest, held.body, said, known.failed, known.is_changed))
        return tuple(found)

    def looked(self, contract: Contract) -> Contract:
        """The contract with what its sources showed when they were fetched last."""
        return contract.looked(looks(self.documents(contract)))

    def areas(self) -> Mapping[tuple[str, str], AreaSeen]:
        """By contract and area, where a copy of every source of the area is there."""
        found: dict[tuple[str, str], AreaSeen | None] = {}
        for contract in self.contracts:
            for statement in contract.statements:
                key = (contract.name, area(statement.place))
                now = self._place(contract.name, statement.source.url, statement.place)
                before = found.get(key, now)
                found[key] = None if before is None or now is None else _both(before, now)
        return {key: seen for key, seen in found.items() if seen is not None}

    def _place(self, contract: str, url: str, place: str) -> AreaSeen | None:
        held = self._held.get(url)
        if held is None or held.known.newest is None:
            return None
        said = {it.place: it.outcome is Outcome.VERIFIED for it in (held.by_contract or {}).get(contract, ())}
        return AreaSeen(bool(held.known.is_changed), said.get(place), held.known.newest.fetched_at)


def _both(one: AreaSeen, other: AreaSeen) -> AreaSeen:
    said = [it for it in (one.is_found, other.is_found) if it is not None]
    return AreaSeen(one.is_changed or other.is_changed, all(said) if said else None, min(one.at, other.at))
