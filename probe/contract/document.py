"""A document that a contract relies on, as we fetched it ourselves: the newest copy, and what it says of the claims."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from probe.contract.evidence import Occurrence, Outcome, claims, occurrences
from probe.contract.facts import Contract, Look
from probe.contract.text import readable

MOST_BODY_BYTES: Final = 1 << 20  # a larger document is named with its digest, not carried about

# Contract -> place -> outcome, as it was when a copy came: for people who read the index. It is worked out anew from
# the bytes wherever it counts, since a contract may have changed meanwhile.
Outcomes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Copy:
    """A document as it was fetched. `found_at` is where, after redirects; of several fetches that brought the same
    bytes `first_at` is the first and `fetched_at` the newest. `text_sha256` is of its readable text."""

    found_at: str
    first_at: datetime
    fetched_at: datetime
    status: int
    media: str
    sha256: str
    text_sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The newest fetch brought no document; `words` are our own."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Document:
    """One source by its URL. `occurrences` are those of `copy`; `body` is its bytes where they are few enough;
    `is_changed` is whether its text differs from the copy that a person looked at last."""

    url: str
    copy: Copy | None = None
    body: bytes | None = None
    occurrences: tuple[Occurrence, ...] = ()
    failed: Failed | None = None
    is_changed: bool | None = None


def looks(documents: Iterable[Document]) -> Mapping[str, Look]:
    """What the copies show, by the place of the statement."""
    return {
        seen.place: Look(known.copy.fetched_at, seen.outcome is Outcome.VERIFIED)
        for known in documents
        if known.copy is not None
        for seen in known.occurrences
    }


@dataclass(frozen=True, slots=True)
class Examined:
    """What one document says of every contract that cites it, by the contract's name."""

    text_sha256: str
    by_contract: Mapping[str, tuple[Occurrence, ...]]


def urls(contracts: Iterable[Contract]) -> tuple[str, ...]:
    """Every document that the contracts cite, once."""
    return tuple(dict.fromkeys(it.source.url for contract in contracts for it in contract.statements))


def examine(contracts: Iterable[Contract], url: str, body: bytes, media: str) -> Examined:
    text = readable(body, media)
    return Examined(
        hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
        {
            contract.name: occurrences([it for it in claims(contract) if it.source.url == url], text)
            for contract in contracts
        },
    )
