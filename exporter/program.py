"""The program: everything that runs, and what pages, alerts and a reload want of it; `main` lets it run."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from exporter import parts
from exporter.alerts import Candidate
from exporter.around import MOST_AFTER
from exporter.inbox import Inbox
from exporter.keyring import Keyring
from exporter.log import say
from exporter.metrics import Metrics
from exporter.noticed import Noticed, Notices
from exporter.reload import Reloaded, Reloader
from exporter.web import WindowView
from probe import gate
from probe.budget import BudgetSpent
from probe.client import Client
from probe.cycle import Prober
from probe.freezer import Freezer, PacketWaits
from probe.history import History
from probe.notes import Note, addendum
from probe.peers import Peers
from probe.pong import Target
from probe.records import Json, Listing, Result, Trigger, TwinsSeen
from probe.replay import answered, same_target
from probe.schedule import LagMeter, Schedule
from probe.settings import Loaded
from probe.vault import Vault
from probe.watch import AreaSeen, Catalogues, Controls, SourceWatch


@dataclass(slots=True)
class Program:
    """Everything that runs, wired once; `loaded` changes with a reload. It is also what the pages show
    (`exporter.web.Board`)."""

    loaded: Loaded
    client: Client
    prober: Prober
    history: History
    freezer: Freezer
    vault: Vault
    metrics: Metrics
    controls_watch: Controls
    catalogues: Catalogues
    lag: LagMeter
    keyring: Keyring
    schedule: Schedule
    peers: Peers | None
    sources: SourceWatch
    twins: tuple[tuple[str, str], ...] = ()
    reloader: Reloader = field(init=False)
    inbox: Inbox = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self, self.vault, Notices(self.history))
        self.reloader = Reloader(self.loaded, self.adopt, self.metrics.set_reloaded)
        _try_canary(self.keyring, self.freezer, self.metrics)

    def adopt(self, loaded: Loaded) -> None:
        """A configuration that holds: windows, counters, incidents and probes in flight go on."""
        self.keyring.adopt(loaded)
        _try_canary(self.keyring, self.freezer, self.metrics)
        self.loaded = loaded
        self.metrics.set_budget(parts.budget(loaded))
        self.metrics.set_targets(loaded.targets, loaded.contracts)
        self.metrics.set_controls(control.name for control in loaded.settings.controls)
        self.controls_watch.replace(parts.controls(loaded))
        self.catalogues.adopt(loaded.targets)
        self.sources.adopt(loaded.contracts.values(), loaded.settings.sources.recheck)
        self.prober.adopt(loaded.targets, parts.surroundings(loaded))
        self.schedule.replace(loaded.targets)

    async def note(self, packet_id: str, note: Note) -> str:
        document, _ = addendum(packet_id, note, datetime.now(UTC), self.keyring.redactor(), self.keyring.secrets())
        name = await self.vault.add(packet_id, document)
        say("note added", packet=packet_id, addendum=name)
        return name

    async def watch_twins(self) -> None:
        """Warn where another prober probes a target of ours with the same credential; runs until cancelled."""
        assert self.peers is not None
        await self.peers.watch(lambda: self.targets, self._on_twins)

    def _on_twins(self, seen: TwinsSeen) -> None:
        self.twins = seen.twins
        self.prober.publish(seen)

    async def reload(self) -> Reloaded:
        return await self.reloader.reload("http")

    @property
    def targets(self) -> tuple[Target, ...]:
        return self.loaded.targets

    @property
    def alerts(self) -> tuple[Noticed, ...]:
        return self.inbox.notices.latest()

    @property
    def shard_words(self) -> str | None:
        return self.loaded.shard_words

    @property
    def ready(self) -> bool:
        return True

    @property
    def controls(self) -> dict[str, bool | None]:
        return dict(self.controls_watch.seen)

    @property
    def outside_reachable(self) -> bool | None:
        return self.controls_watch.outside_reachable()

    @property
    def listings(self) -> Mapping[tuple[str, str], Listing]:
        return self.catalogues.listings

    @property
    def areas(self) -> Mapping[tuple[str, str], AreaSeen]:
        return self.sources.areas()

    def results(self, target: str) -> tuple[Result, ...]:
        return self.history.recent(target)

    async def results_since(self, target: str, due_at: datetime) -> tuple[Result, ...]:
        return await self.history.since(target, due_at, 2 * MOST_AFTER)

    def last_failed(self, target: str) -> Result | None:
        return self.history.last_failed(target)

    def window(self, target: str) -> WindowView:
        policy = self.prober.targets[target].freeze
        window = self.prober.windows[target]
        incident = window.incident
        packets = () if incident is None else tuple(known.packet_id for known in incident.packets)
        since = None if incident is None else incident.first_failed_at
        return WindowView(len(window.failing), policy.window, policy.failures, window.active, packets, since)

    async def freeze_now(self, target: str) -> str:
        return await self.prober.freeze_now(target)

    async def freeze_for_alert(self, target: str) -> str:
        try:
            return await self.prober.freeze_now(target, Trigger.ALERT)
        except PacketWaits as waits:
            return waits.packet_id

    def open_packets(self, target: str) -> tuple[Candidate, ...]:
        known = next(known for known in self.loaded.targets if known.name == target)
        incident = self.prober.windows[target].incident
        if incident is None:
            return ()
        return tuple(
            Candidate(
                packet_id=packet.packet_id,
                target=target,
                verdict=packet.verdict,
                frozen_at=incident.first_failed_at,
                incident=self.prober.incident_of(known, packet.packet_id),
                is_open=True,
            )
            for packet in incident.packets
        )

    def append(self, packet: str, target: str, document: Json) -> None:
        self.prober.append(packet, target, document)

    def sealed(self, text: str, place: str) -> str:
        return self.keyring.redactor().seal_text(text, place).value

    async def replay(self, document: Json) -> Json:
        target = same_target(document, {known.name: known for known in self.targets})
        result = await self.prober.replay(target)
        if result is None:
            raise BudgetSpent
        say("replayed", packet=document["packet_id"], target=target.name, verdict=result.verdict)
        seen, _ = gate.drop(answered(result, document), self.keyring.secrets())
        return seen


def _try_canary(keyring: Keyring, freezer: Freezer, metrics: Metrics) -> None:
    """Nothing is frozen while planted secrets survive redaction or gate."""
    freezer.canary_failure = keyring.redactor().canary_failure(gate.inspect)
    metrics.set_canary(freezer.canary_failure is None)
    if freezer.canary_failure is not None:
        say("redaction canary failed: nothing is frozen", level=logging.ERROR, failed=freezer.canary_failure)
