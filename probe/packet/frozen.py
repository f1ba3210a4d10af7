"""The copies of the documents relied on that go into a packet: which, under what name, what each one shows. Pure."""

from typing import Final

from probe.contract.document import Document
from probe.contract.evidence import Occurrence
from probe.packet.case import Case
from probe.packet.documented import sources
from probe.packet.facts import utc
from probe.records import Json

FOLDER: Final = "sources"
MOST_BYTES: Final = 8 * 1024 * 1024
NO_COPY: Final = "no copy was fetched"
# Nothing that a double click would run: a page of somebody else's must stay text.
_ENDINGS: Final = {"text/markdown": "md", "text/plain": "txt", "application/json": "json", "text/html": "html.txt"}


def files(case: Case) -> dict[str, bytes]:
    """The bytes of each copy that is carried, by its name in the packet."""
    return {name: known.body for known, name in _named(case) if name is not None and known.body is not None}


def rows(case: Case) -> list[Json]:
    """Every document relied on: its copy, and the outcome of each statement that cites it."""
    return [_row(known, name) for known, name in _named(case)]


def _named(case: Case) -> list[tuple[Document, str | None]]:
    """Each document relied on with the name of its file; None where no copy is carried."""
    by_url = {known.url: known for known in case.documents}
    found: list[tuple[Document, str | None]] = []
    room = MOST_BYTES
    for number, source in enumerate(sources(case.target.contract), start=1):
        known = by_url.get(source.url, Document(source.url))
        if known.copy is None or known.body is None or len(known.body) > room:
            found.append((known, None))
            continue
        room -= len(known.body)
        ending = _ENDINGS.get(known.copy.media.partition(";")[0], "bin")
        found.append((known, f"{FOLDER}/{number:02d}-{known.copy.sha256[:12]}.{ending}"))
    return found


def _row(known: Document, name: str | None) -> Json:
    copy, failed = known.copy, known.failed
    return {
        "url": known.url,
        "file": name,
        "found_at": copy.found_at if copy else None,
        "fetched_at": utc(copy.fetched_at) if copy else None,
        "first_fetched_at": utc(copy.first_at) if copy else None,
        "status": copy.status if copy else None,
        "media": copy.media if copy else None,
        "sha256": copy.sha256 if copy else None,
        "bytes": copy.size_bytes if copy else None,
        "changed": known.is_changed,
        "unreachable": {"at": utc(failed.at), "why": failed.words} if failed else None,
        "outcomes": [_outcome(seen) for seen in known.occurrences],
        "words": _words(known, name),
    }


def _outcome(seen: Occurrence) -> Json:
    return {
        "place": seen.place,
        "outcome": seen.outcome.value,
        "looked_for": seen.looked_for,
        "missing": list(seen.missing),
        "nearest": seen.nearest,
    }


def _words(known: Document, name: str | None) -> str:
    copy, failed = known.copy, known.failed
    if copy is None:
        return NO_COPY if failed is None else f"{NO_COPY}: {failed.words} at {utc(failed.at)}"
    found = sum(not seen.missing for seen in known.occurrences)
    words = f"fetched at {utc(copy.fetched_at)}; {found} of {len(known.occurrences)} stated values were found in it"
    if failed is not None:
        words += f"; since then not reached: {failed.words} at {utc(failed.at)}"
    return words if name is not None else f"{words}; named only, its bytes are not in this packet"
