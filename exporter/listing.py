"""Which packets a request asks for: its parameters, checked, and the page of packets that they select. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from exporter.answers import utc
from probe.index import PacketEntry
from probe.records import Json, Verdict

PACKET_ID: Final = re.compile(r"[A-Za-z0-9-]+")
LIMIT: Final = 100
MOST: Final = 500
STATES: Final = ("open", "recovered", "altered", "unreadable")


class BadParameter(ValueError):
    """A parameter is not what it should be."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name}: expected {expected}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Query:
    """`before` is the ID of the last packet of the page before (its `next`); `contract` means those targets that are
    probed now."""

    target: str | None = None
    verdict: Verdict | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = LIMIT
    before: str | None = None
    state: str | None = None
    contract: str | None = None


def parse(parameters: Mapping[str, str]) -> Query:
    """The query of a request. BadParameter names what was wrong; an empty value, as forms send it, asks for nothing."""
    given = {name: text for name, text in parameters.items() if text}
    since, until = instant(given, "since"), instant(given, "until")
    if since is not None and until is not None and since > until:
        raise BadParameter("until", "an instant that is not before `since`")
    return Query(
        given.get("target"),
        _verdict(given),
        since,
        until,
        _limit(given),
        _before(given),
        _state(given),
        given.get("contract"),
    )


def parse_latest(parameters: Mapping[str, str]) -> Query:
    """The query of a request for the latest packet of a target or of a whole contract, at or before `at`."""
    given = {name: text for name, text in parameters.items() if text}
    target, contract = given.get("target"), given.get("contract")
    if target is None and contract is None:
        raise BadParameter("target", "the name of a target (or a contract's as `contract`)")
    return Query(target, _verdict(given), until=instant(given, "at"), limit=1, contract=contract)


def instant(parameters: Mapping[str, str], name: str) -> datetime | None:
    """RFC 3339 with its offset, or Unix seconds as Prometheus writes them."""
    text = parameters.get(name)
    if not text:
        return None
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
            return datetime.fromtimestamp(float(text), UTC)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        at = None
    if at is None or at.tzinfo is None:
        raise BadParameter(name, "an instant such as 2026-01-31T12:00:00Z, or Unix seconds")
    return at


def _verdict(parameters: Mapping[str, str]) -> Verdict | None:
    if "verdict" not in parameters:
        return None
    try:
        return Verdict(parameters["verdict"])
    except ValueError:
        raise BadParameter("verdict", f"one of {', '.join(Verdict)}") from None


def _state(parameters: Mapping[str, str]) -> str | None:
    state = parameters.get("state")
    if state is not None and state not in STATES:
        raise BadParameter("state", f"one of {', '.join(STATES)}")
    return state


def _limit(parameters: Mapping[str, str]) -> int:
    text = parameters.get("limit", str(LIMIT))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST:
        raise BadParameter("limit", f"a whole number from 1 to {MOST}")
    return int(text)


def _before(parameters: Mapping[str, str]) -> str | None:
    before = parameters.get("before")
    if before is not None and not PACKET_ID.fullmatch(before):
        raise BadParameter("before", "the `next` of an earlier answer")
    return before


def select(
    entries: Sequence[PacketEntry], query: Query, contracts: Mapping[str, str] | None = None
) -> tuple[tuple[PacketEntry, ...], str | None]:
    """One page, newest first, and the `before` of the next one. What is frozen meanwhile shifts nothing. `contracts`
    gives the contract of each target."""
    limit_key = None
    if query.before is not None:
        last = next((entry for entry in entries if entry.id == query.before), None)
        if last is None:
            raise BadParameter("before", "the `next` of an earlier answer (this packet is not there any more)")
        limit_key = _key(last)
    wanted = [
        entry
        for entry in sorted(entries, key=_key, reverse=True)
        if (query.target is None or entry.target == query.target)
        and (query.contract is None or (contracts or {}).get(entry.target) == query.contract)
        and (query.verdict is None or entry.verdict == query.verdict)
        and (query.state is None or entry.state == query.state)
        and (query.since is None or entry.frozen_at >= query.since)
        and (query.until is None or entry.frozen_at <= query.until)
        and (limit_key is None or _key(entry) < limit_key)
    ]
    shown = tuple(wanted[: query.limit])
    return shown, shown[-1].id if len(wanted) > len(shown) else None


def latest(
    entries: Sequence[PacketEntry], query: Query, contracts: Mapping[str, str] | None = None
) -> PacketEntry | None:
    """The newest packet that a query of `parse_latest` selects; of a whole contract the one that leads its incident."""
    found, _ = select(entries, query, contracts)
    newest = found[0] if found else None
    if newest is None or query.target is not None:
        return newest
    return next((entry for entry in entries if entry.id == newest.incident), newest)


def _key(entry: PacketEntry) -> tuple[datetime, str]:
    return entry.frozen_at, entry.id


def row(entry: PacketEntry) -> Json:
    """An entry as programs read it."""
    return {**asdict(entry), "frozen_at": utc(entry.frozen_at)}
