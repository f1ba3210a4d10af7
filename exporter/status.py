"""What the status page shows of the board, at one moment: first the answer (is it up, for whom, since when, us or
them, where is the packet), then what it rests on. Pure: enums, numbers and configured names only, no bodies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from exporter.gauges import sources
from exporter.latest import Latest, is_fresh
from exporter.noticed import Noticed
from exporter.own import budget, health
from exporter.reload import Reloaded
from exporter.slices import made
from exporter.sparkline import bars
from probe.notes import Note
from probe.pong import Target
from probe.records import Json, Listing, RequestKind, Result, Verdict
from probe.scope import Seen, State, work_out
from probe.watch import AreaSeen

SQUARES: Final = 30


@dataclass(frozen=True, slots=True)
class WindowView:
    """The window of a target: `failures` of the last `size`, and what is open because of them, since when."""

    failures: int
    size: int
    threshold: int
    active: frozenset[Verdict]
    packets: tuple[str, ...]
    since: datetime | None = None


class Board(Protocol):
    """What the running program lets the pages see and do."""

    @property
    def targets(self) -> tuple[Target, ...]: ...
    @property
    def alerts(self) -> tuple[Noticed, ...]:
        """What became of the alerts that were posted, newest first."""

    @property
    def shard_words(self) -> str | None:
        """Which part of the configured targets is probed here; None where all are."""

    @property
    def ready(self) -> bool: ...
    @property
    def controls(self) -> Mapping[str, bool | None]: ...
    @property
    def outside_reachable(self) -> bool | None:
        """Whether an independent control answered last time; None where none is configured or asked yet."""

    @property
    def twins(self) -> tuple[tuple[str, str], ...]:
        """Our targets that another prober probes with the same credential: target, address of the other one."""

    @property
    def listings(self) -> Mapping[tuple[str, str], Listing]:
        """What public model lists say of our models, by contract and model, where that is known."""

    @property
    def areas(self) -> Mapping[tuple[str, str], AreaSeen]:
        """What our own copies of the documents show, by contract and area."""

    def results(self, target: str) -> tuple[Result, ...]:
        """The recent results of a target, oldest first."""

    async def results_since(self, target: str, due_at: datetime) -> tuple[Result, ...]:
        """Its results from one due then on, as far as they are still kept; also older ones."""

    def last_failed(self, target: str) -> Result | None:
        """Its newest failing exchange, which could be frozen now."""

    def window(self, target: str) -> WindowView: ...

    async def note(self, packet_id: str, note: Note) -> str:
        """Add what a person knows; the name of the addendum. BadNote: it holds a key; PacketNotFound."""

    async def reload(self) -> Reloaded:
        """ConfigError where the configuration does not hold; then the old one goes on."""

    async def freeze_now(self, target: str) -> str:
        """The ID of the packet. KeyError: no such target; LookupError: nothing was seen yet that could be frozen."""

    async def replay(self, document: Json) -> Json:
        """Send the request of a packet once more; what came back. Unlike: no target sends it; BudgetSpent."""


@dataclass(frozen=True, slots=True)
class View:
    """A target as the page shows it. `since` is when it began to be as it is; `is_since_whole` where we saw that;
    `has_failed` where there is a failing exchange that could be frozen now."""

    target: Target
    window: WindowView
    active: tuple[Verdict, ...]
    ticks: tuple[Result, ...]
    bars: tuple[Json, ...]
    listing: Listing | None
    state: str
    since: datetime | None
    is_since_whole: bool
    has_failed: bool

    @property
    def last(self) -> Result | None:
        return self.ticks[-1] if self.ticks else None

    @property
    def latency_s(self) -> float | None:
        return None if self.last is None or self.last.timings is None else self.last.timings.total_s


@dataclass(frozen=True, slots=True)
class Watched:
    """A target with its recent results, oldest first, and its window."""

    target: Target
    results: tuple[Result, ...]
    window: WindowView
    has_failed: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A board, each target at one moment."""

    targets: tuple[Watched, ...]
    controls: Mapping[str, bool | None]
    outside_reachable: bool | None
    twins: tuple[tuple[str, str], ...]
    listings: Mapping[tuple[str, str], Listing]
    areas: Mapping[tuple[str, str], AreaSeen]
    shard_words: str | None
    alerts: tuple[Noticed, ...]

    @classmethod
    async def of(cls, board: Board) -> "Snapshot":
        watched = (
            Watched(it, board.results(it.name), board.window(it.name), board.last_failed(it.name) is not None)
            for it in board.targets
        )
        return cls(
            tuple(await made(watched)),
            dict(board.controls),
            board.outside_reachable,
            board.twins,
            dict(board.listings),
            dict(board.areas),
            board.shard_words,
            board.alerts[:_ALERTS_SHOWN],
        )


async def status(seen: Snapshot, latest: Latest, now: datetime) -> dict[str, Any]:
    """The facts of the status page, gathered between the probes."""
    views = await made(
        _view(it, seen.listings.get((it.target.contract.name, it.target.model)), now) for it in seen.targets
    )
    late_s = await made(max(tick.lateness_s for tick in view.ticks) for view in views if view.ticks)
    lag_s = await made(max(tick.loop_lag_s for tick in view.ticks) for view in views if view.ticks)
    contracts = {it.target.contract.name: it.target.contract for it in seen.targets}
    rows, refills_in = budget(latest, now)
    open_packets = {packet for view in views for packet in view.window.packets}
    ended = [(name, known) for name, known in latest.packets.copy().items() if known.packet_id not in open_packets]
    return {
        "now": now,
        "answer": _answer(views),
        "scopes": _scopes(views, now),
        "outside": seen.outside_reachable,
        "targets": views,
        "incidents": [view for view in views if view.active],
        "recent": sorted(ended, key=lambda it: it[1].frozen_at, reverse=True),
        "controls": seen.controls,
        "twins": seen.twins,
        "shard": seen.shard_words,
        "alerts": seen.alerts,
        "budget": rows,
        "refills_in": refills_in,
        "health": health(latest, max(late_s, default=None), max(lag_s, default=None), now),
        "contracts": [
            (contract, [(area, source, seen.areas.get((contract.name, area))) for area, source in sources(contract)])
            for contract in contracts.values()
        ],
    }


def _view(watched: Watched, listing: Listing | None, now: datetime) -> View:
    target, window = watched.target, watched.window
    kept = [result for result in watched.results if result.kind is RequestKind.SCHEDULED]
    since, is_whole = _since(kept)
    return View(
        target=target,
        window=window,
        active=tuple(sorted(window.active)),
        ticks=tuple(kept[-SQUARES:]),
        bars=bars(kept[-SQUARES:], target.slow_s),
        listing=listing,
        state=_state(target, kept, window, now),
        since=window.since or since,
        is_since_whole=window.since is not None or is_whole,
        has_failed=watched.has_failed,
    )


def _state(target: Target, ticks: Sequence[Result], window: WindowView, now: datetime) -> str:
    """``incident``, ``failing`` (not often enough for an incident), ``answers``, ``ours``, or ``unknown``."""
    if window.active:
        return "incident"
    if not ticks or not is_fresh(target, ticks[-1], now):
        return "unknown"
    verdict = ticks[-1].verdict
    if verdict is Verdict.PROBE_FAULT:
        return "ours"
    if verdict is Verdict.MISSED:
        return "unknown"
    return "failing" if verdict.is_failure else "answers"


def _since(ticks: Sequence[Result]) -> tuple[datetime | None, bool]:
    """When the run of equal verdicts at the end began, and whether we saw its beginning."""
    begin = len(ticks)
    while begin and ticks[begin - 1].verdict is ticks[-1].verdict:
        begin -= 1
    return (ticks[begin].due_at if ticks else None), begin > 0


def _answer(views: Sequence[View]) -> Json:
    """Whether it is up, in a line."""
    by_state = {state: [it.target.name for it in views if it.state == state] for state in _ORDER}
    first = next((state for state in _ORDER if by_state[state]), "unknown")
    return {
        "state": first,
        "failing": by_state["incident"],
        "rest": [(state, names) for state, names in by_state.items() if names and state != "incident"],
        "count": len(views),
        "since": min((it.since for it in views if it.state == "incident" and it.since), default=None),
    }


_ALERTS_SHOWN: Final = 5
_ORDER: Final = ("incident", "failing", "ours", "unknown", "answers")
_KNOWN: Final = {"incident": State.FAILING, "answers": State.HEALTHY}


def _scopes(views: Sequence[View], now: datetime) -> list[tuple[str, str]]:
    """For whom it fails: of each contract with an open incident what separates failing targets from healthy ones."""
    said = []
    for contract in dict.fromkeys(view.target.contract.name for view in views if view.state == "incident"):
        seen = [_seen(view) for view in views if view.target.contract.name == contract]
        failing = next(it.target for it in seen if it.state is State.FAILING)
        said.append((contract, work_out(seen, failing, now).sentence))
    return said


def _seen(view: View) -> Seen:
    state = _KNOWN.get(view.state, State.NOT_KNOWN)
    return Seen.of(view.target, state, view.window.failures, view.window.size)
