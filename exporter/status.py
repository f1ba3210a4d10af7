"""What the status page shows of the board, at one moment. Pure: enums, numbers and configured names only, no bodies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from exporter.gauges import sources
from exporter.reload import Reloaded
from probe.notes import Note
from probe.pong import Target
from probe.records import Json, Listing, RequestKind, Result, Verdict
from probe.watch import AreaSeen

SQUARES: Final = 30


@dataclass(frozen=True, slots=True)
class WindowView:
    """The window of a target: `failures` of the last `size`, and what is open because of them."""

    failures: int
    size: int
    threshold: int
    active: frozenset[Verdict]
    packets: tuple[str, ...]


class Board(Protocol):
    """What the running program lets the pages see and do."""

    @property
    def targets(self) -> tuple[Target, ...]: ...
    @property
    def ready(self) -> bool: ...
    @property
    def controls(self) -> Mapping[str, bool | None]: ...
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

    def window(self, target: str) -> WindowView: ...

    async def note(self, packet_id: str, note: Note) -> str:
        """Add what a person knows; the name of the addendum. BadNote: it holds a key; PacketNotFound."""

    async def reload(self) -> Reloaded:
        """ConfigError where the configuration does not hold; then the old one goes on."""

    async def freeze_now(self, target: str) -> str:
        """The ID of the packet. KeyError: no such target; LookupError: nothing was seen yet that could be frozen."""

    async def replay(self, document: Json) -> Json:
        """Send the request of a packet once more; what came back. Unlike: no target sends it; BudgetSpent."""


def status(board: Board, now: datetime) -> dict[str, Any]:
    """The facts of the status page."""
    views = [
        _target(target, board.results(target.name), board.window(target.name))
        | {"listing": board.listings.get((target.contract.name, target.model))}
        for target in board.targets
    ]
    own = board.areas
    contracts = {target.contract.name: target.contract for target in board.targets}
    return {
        "now": now,
        "targets": views,
        "incidents": [view for view in views if view["window"].active],
        "controls": dict(board.controls),
        "twins": board.twins,
        "contracts": [
            (contract, [(area, source, own.get((contract.name, area))) for area, source in sources(contract)])
            for contract in contracts.values()
        ],
    }


def _target(target: Target, results: Sequence[Result], window: WindowView) -> dict[str, Any]:
    ticks = [result for result in results if result.kind is RequestKind.SCHEDULED][-SQUARES:]
    last = ticks[-1] if ticks else None
    return {
        "target": target,
        "window": window,
        "active": sorted(window.active),
        "last": last,
        "latency_s": None if last is None or last.timings is None else last.timings.total_s,
        "ticks": ticks,
    }
