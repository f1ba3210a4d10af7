"""The ledger: what was due, sent, recorded, owed and found in each round, and whatever does not balance, in words."""

import asyncio
import io
import sqlite3
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from chaos.gateway import Arrival
from chaos.tally import FAILURES as FAILING
from chaos.tally import Incidents, Row, Threshold, doubled, due_times, packet_id, probe_id
from chaos.world import CADENCE_S, FAILURES, RECOVER, TARGETS, WINDOW, Life, World
from probe import render, stored
from probe.index import PacketEntry
from probe.records import REASONS, RequestKind, Verdict
from probe.vault import Vault
from tests.servers import moto, until

CADENCE_MS = round(CADENCE_S * 1000)
# What a kill may take: the batch that waits for the disk, and the probe that was under way.
UNWRITTEN_S = 2.0
STARTING_S = CADENCE_S + 2.0
CLOCK_NOTICED_S = 3.0
NEVER_ON_THE_WIRE = frozenset({"dns_failure", "connect_timeout", "connect_refused"})
DAMAGED = "damaged answers"
SURE = frozenset({"down", "auth", "hang", "reset", "dns"})  # what fails whatever the dice say


@dataclass
class Entry:
    """One round, or the sum of the rounds of one kind. `beside` was paid and not due: confirmations, siblings, replays;
    `unwritten` was paid, and a kill came before the disk had it."""

    kind: str
    rounds: int = 1
    seconds: float = 0.0
    due: int = 0
    sent: int = 0
    recorded: int = 0
    ok: int = 0
    failing: int = 0
    missed: int = 0
    ours: int = 0
    beside: int = 0
    unwritten: int = 0
    owed: int = 0
    found: int = 0
    vetoed: int = 0
    lost: int = 0
    doubled: int = 0
    did: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Entry") -> None:
        for name, value in vars(other).items():
            if isinstance(value, int | float):
                setattr(self, name, getattr(self, name) + value)
        self.did = dict(Counter(self.did) + Counter(other.did))
        self.problems = [*self.problems, *other.problems]


class Ledger:
    """Balances each round once, when it is over and everything is quiet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._incidents = {name: Incidents(Threshold(FAILURES, WINDOW, RECOVER, CADENCE_MS)) for name in TARGETS}
        self._rows: list[Row] = []
        self._balanced_ms = round(time.time() * 1000)
        self._arrivals = self._outages = self._lives = self._vetoes = 0  # how many of each were balanced
        self._packets: set[str] = set()

    def balance(self, kind: str, seconds: float, did: dict[str, int], *, clock_was_set: bool) -> Entry:
        """Everything since the balance before."""
        entry = Entry(kind, seconds=seconds, did=did)
        world = self._world
        arrivals, now_ms = world.gateway.arrivals[self._arrivals :], round(time.time() * 1000)
        new = self._read_rows(entry)
        self._requests(entry, new, arrivals)
        if clock_was_set:
            self._due_by_count(entry, new, seconds)
        else:
            self._due_by_grid(entry, now_ms, {it.probe for it in arrivals})
        trips = self._trips(entry, new)
        self._counted(entry)
        asyncio.run(self._store(entry, trips))
        self._planned(entry)
        self._arrivals += len(arrivals)
        self._balanced_ms, self._lives = now_ms, len(world.lives)
        return entry

    # ------------------------------------------------------------ rows and requests

    def _read_rows(self, entry: Entry) -> list[Row]:
        """The rows since the last look, once the process has written what it knew before this call."""
        time.sleep(UNWRITTEN_S)
        file = self._world.folder / "state/history.sqlite"
        if broken := [it.name for it in file.parent.glob("*.broken-*")]:
            entry.problems.append(f"the history was set aside as broken: {broken}")
        after = self._rows[-1].number if self._rows else 0
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as database:
            found = database.execute("SELECT id, data FROM result WHERE id > ? ORDER BY id", (after,)).fetchall()
        new = [_row(number, data) for number, data in found]
        self._rows += new
        if again := doubled(it.probe for it in self._rows):
            entry.doubled += len(again)
            entry.problems.append(f"recorded more than once: {again[:5]}")
        return new

    def _requests(self, entry: Entry, new: Sequence[Row], arrivals: Sequence[Arrival]) -> None:
        """Each paid request stands in the history, but for those that a kill took from it; and each is paid once."""
        entry.sent = len(arrivals)
        entry.beside = sum(it.kind != RequestKind.SCHEDULED for it in new)
        everything = tuple(self._world.gateway.arrivals)
        if again := doubled(it.probe for it in everything):
            entry.doubled += len(again)
            entry.problems.append(f"paid more than once: {again[:5]}")
        if self._world.gateway.wrong_keys:
            entry.problems.append(f"{self._world.gateway.wrong_keys} requests with another key")
        known = {it.probe for it in self._rows}
        for arrival in arrivals:
            if arrival.probe in known:
                continue
            if any(kill - UNWRITTEN_S <= arrival.at <= kill + 0.5 for kill in self._kills()):
                entry.unwritten += 1
            else:
                entry.lost += 1
                entry.problems.append(f"paid and not recorded: {arrival.probe} of {arrival.model}")
        arrived = {it.probe for it in everything}
        never = Counter(it.reason for it in new if it.probe not in arrived and it.verdict != "missed")
        for reason, count in never.items():
            if reason not in NEVER_ON_THE_WIRE:
                entry.problems.append(f"{count} recorded as if sent, which never arrived: {reason}")
        if never:
            entry.did["never on the wire"] = sum(never.values())

    def _kills(self) -> list[float]:
        return [it.ended for it in self._world.lives if it.how == "killed" and it.ended is not None]

    # ------------------------------------------------------------ ticks

    def _due_by_grid(self, entry: Entry, now_ms: int, paid: set[str]) -> None:
        """Each instant of the grid has one row, but for those at which nobody lived or that a kill took."""
        lived = self._lived(entry)
        for target in TARGETS:
            rows = {it.due_ms: it for it in self._rows if it.target == target and _is_tick(it)}
            grid = set(due_times(target, CADENCE_MS, self._balanced_ms, now_ms))
            for due_ms in sorted(grid):
                if due_ms in rows:
                    entry.due += 1
                    _count(entry, rows[due_ms])
                elif probe_id(target, due_ms) in paid:
                    entry.due += 1  # it is unwritten, or was complained of among the requests
                elif any(first <= due_ms / 1000 <= last for first, last in lived):
                    entry.due += 1
                    entry.lost += 1
                    entry.problems.append(f"due and not accounted for: {probe_id(target, due_ms)} of {target}")
            beside = [it.probe for ms, it in rows.items() if self._balanced_ms < ms <= now_ms and ms not in grid]
            if beside:
                entry.problems.append(f"{target}: ticks beside the grid: {beside[:5]}")

    def _lived(self, entry: Entry) -> list[tuple[float, float]]:
        """When a tick must have left a row: of each life from its first row on, to its end."""
        found = []
        for number, life in enumerate(self._world.lives):
            first = 0.0 if number < self._lives else self._first_tick(life)
            last = float("inf") if life.ended is None else life.ended
            last -= UNWRITTEN_S if life.how == "killed" else 0.0
            if number >= self._lives and min(first, last) > life.ready + STARTING_S:
                entry.problems.append(f"no tick within {STARTING_S:g} s of a start")
            found.append((first, last))
        return found

    def _first_tick(self, life: Life) -> float:
        after_ms = life.began * 1000
        return min((it.due_ms for it in self._rows if _is_tick(it) and it.due_ms > after_ms), default=1e15) / 1000

    def _due_by_count(self, entry: Entry, new: Sequence[Row], seconds: float) -> None:
        """Where clocks were set the grid is not one grid. Each row is still unique (`_read_rows`); and of each target
        lie half a cadence to one and a half between two ticks, whatever the clock did: neither silence nor burst."""
        lives = self._world.lives[max(0, self._lives - 1) :]
        dead_s = sum(after.ready + STARTING_S - (it.ended or after.ready) for it, after in pairwise(lives))
        dead_s += UNWRITTEN_S * (len(lives) - 1)
        for target in TARGETS:
            mine = [it for it in new if it.target == target and _is_tick(it)]
            for row in mine:
                entry.due += 1
                _count(entry, row)
            least = (seconds - dead_s - CLOCK_NOTICED_S) / (1.5 * CADENCE_S) - 1
            most = (seconds + 2 * UNWRITTEN_S) / (0.5 * CADENCE_S) + 1
            if not least <= len(mine) <= most:
                entry.problems.append(f"{target}: {len(mine)} ticks in {seconds:.0f} s, not {least:.0f} to {most:.0f}")

    # ------------------------------------------------------------ trips and packets

    def _trips(self, entry: Entry, new: Sequence[Row]) -> dict[str, Row]:
        """The packets that the rows call for, by ID."""
        owed = {}
        for row in new:
            if _is_tick(row) and self._incidents[row.target].feed(row) is not None:
                owed[packet_id(row.target, row.probe, row.due_ms)] = row
        entry.owed = len(owed)
        # A damaged reply may say that it comes from our own proxy; an exception of ours is never in order.
        in_order = ("dns_failure",) if entry.kind != DAMAGED else REASONS[Verdict.PROBE_FAULT]
        faults = [it for it in new if it.verdict == "probe_fault"]
        ours = [it for it in faults if it.reason not in in_order or it.words.endswith(" of ours")]
        if ours:
            entry.problems.append(f"{len(ours)} probe_fault: {ours[0].reason}, {ours[0].words[:120]}")
        if still := [name for name, it in self._incidents.items() if it.is_open]:
            entry.problems.append(f"an incident is still open by its rows: {still}")
        return owed

    def _counted(self, entry: Entry) -> None:
        """The metrics of this life count what the provider counts of it."""
        life, arrivals = self._world.life, self._world.gateway.arrivals
        seen = (0, 0)

        def agree() -> bool:
            nonlocal seen
            before = len(arrivals)
            seen = before - life.first, round(self._world.seen().total("freezeframe_requests_total"))
            return seen[0] == seen[1] and before == len(arrivals)

        try:
            until("both count the same", agree, 8, 0.05)
        except AssertionError:
            entry.problems.append(f"paid requests by the provider and by our metrics: {seen}")

    async def _store(self, entry: Entry, trips: dict[str, Row]) -> None:
        """Each trip has its packet, whole, ended once; and no other is there but those that somebody asked for."""
        vault = Vault.open(f"s3://{moto.BUCKET}/chaos", Path("/"))
        vetoes = self._world.log().count('"trip vetoed')
        entry.vetoed, self._vetoes = vetoes - self._vetoes, vetoes
        new = [it for it in await vault.entries() if it.id not in self._packets]
        self._packets |= {it.id for it in new}
        for known in new:
            entry.problems += await _wrong(vault, known)
        found = {it.id for it in new if it.trigger == "threshold"}
        entry.found = len(found)
        if asked := len(new) - len(found):
            entry.did["packets asked for"] = asked
        missing = trips.keys() - found
        if len(missing) > entry.vetoed:
            entry.lost += len(missing) - entry.vetoed
            entry.problems.append(f"trips without a packet: {sorted(missing)[:5]}")
        if strange := found - trips.keys():
            entry.doubled += len(strange)
            entry.problems.append(f"packets without a trip in the history: {sorted(strange)[:5]}")

    def _planned(self, entry: Entry) -> None:
        """Of whatever was made to fail for sure, each target tripped."""
        planned = self._world.outages[self._outages :]
        self._outages += len(planned)
        if planned:
            entry.did["outages"] = sum(len(it.targets) for it in planned)
        sure = sum(len(it.targets) for it in planned if it.mood in SURE)
        if sure > entry.owed:
            entry.lost += sure - entry.owed
            entry.problems.append(f"{sure} targets were made to fail, {entry.owed} tripped")


async def _wrong(vault: Vault, known: PacketEntry) -> list[str]:
    data = await vault.read(known.id)
    wrong = [f"{known.id}: {it.file} {it.kind}" for it in (*render.verify(data), *await vault.problems(known.id))]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = next(it for it in archive.namelist() if it.endswith("packet.json"))
        document: dict[str, Any] = orjson.loads(archive.read(name))
    if document["packet_id"] != known.id:
        wrong.append(f"{known.id} says that it is {document['packet_id']}")
    if known.trigger == "threshold":
        kinds = Counter(it["kind"] for _, it in await vault.addenda(known.id))
        if kinds["recovery"] != 1 or kinds["confirmation"] > 1:
            wrong.append(f"{known.id}: {kinds['recovery']} recoveries, {kinds['confirmation']} confirmations")
    return wrong


def _row(number: int, data: bytes) -> Row:
    result = stored.load(data)
    due_ms = round(result.due_at.timestamp() * 1000)
    judged = result.judgement
    return Row(
        number, result.probe_id, result.target, result.kind, due_ms, result.verdict, judged.reason, judged.words or ""
    )


def _is_tick(row: Row) -> bool:
    return row.kind == RequestKind.SCHEDULED


def _count(entry: Entry, row: Row) -> None:
    entry.recorded += 1
    entry.ok += row.verdict == "ok"
    entry.missed += row.verdict == "missed"
    entry.ours += row.verdict == "probe_fault"
    entry.failing += row.verdict in FAILING
