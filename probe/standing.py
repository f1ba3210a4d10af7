"""What stands: the window of each target, and which incident the packets of a contract belong to. Remembered over
restarts; the decisions are made in `window`, `incidents` and `scope`, which are pure."""

from collections.abc import Mapping, Sequence

from probe.incidents import Incidents, opened, pruned, reopened
from probe.pong import Target
from probe.records import Result, Verdict
from probe.remembered import Remembered
from probe.scope import Seen, State
from probe.window import Window


class Standing:
    """The targets that are probed now, their windows, and the incidents of their contracts."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self._targets: dict[str, Target] = {}
        self._windows: dict[str, Window] = {}
        self._incidents: dict[str, Incidents] = {}  # by contract

    def adopt(self, targets: Sequence[Target]) -> tuple[str, ...]:
        """What a newly loaded configuration probes: the windows of targets that stay go on; the names that are gone."""
        self._targets = {target.name: target for target in targets}
        gone = tuple(self._windows.keys() - self._targets.keys())
        for name in gone:
            del self._windows[name]
            self._remembered.keep_window(name, None)
        for target in targets:
            if target.name not in self._windows:
                self._windows[target.name] = self._remembered.window(target.name)
            contract = target.contract.name
            if contract not in self._incidents:
                self._incidents[contract] = self._remembered.incidents(contract)
        return gone

    @property
    def targets(self) -> Mapping[str, Target]:
        return self._targets

    @property
    def windows(self) -> Mapping[str, Window]:
        return self._windows

    def keep(self, target: str, window: Window) -> None:
        """The window of a target from now on."""
        if window != self._windows[target]:
            self._windows[target] = window
            self._remembered.keep_window(target, window)

    def incident_of(self, contract: str, packet: str) -> str:
        """The incident that a packet is known to be part of, else the open one of its contract, else its own."""
        return self._with(contract, packet).of[packet]

    def join(self, contract: str, packet: str) -> str:
        """The incident of a packet that stands for an open failure; what trips meanwhile joins it."""
        incidents = self._with(contract, packet)
        self._keep_incidents(contract, incidents)
        return incidents.of[packet]

    def rejoin(self, contract: str, packet: str) -> None:
        """A packet goes on."""
        others = self._open_packets(contract, packet)
        self._keep_incidents(contract, reopened(self._incidents[contract], packet, others))

    def siblings(self, target: Target) -> tuple[Target, ...]:
        """The other targets of this contract that are not known to fail."""
        return tuple(
            known
            for known in self._of_contract(target.contract.name)
            if known.name != target.name and self._windows[known.name].incident is None
        )

    def seen(self, contract: str, asked_after: Mapping[str, Result]) -> tuple[Seen, ...]:
        """What is known of each target of a contract at this moment: its window, or the probe made since."""
        return tuple(
            _seen(known, self._windows[known.name], asked_after.get(known.name))
            for known in self._of_contract(contract)
        )

    def _with(self, contract: str, packet: str) -> Incidents:
        incidents = self._incidents[contract]
        if packet in incidents.of:
            return incidents
        return opened(incidents, packet, self._open_packets(contract, but=packet))

    def _of_contract(self, contract: str) -> list[Target]:
        return [known for known in self._targets.values() if known.contract.name == contract]

    def _open_packets(self, contract: str, but: str) -> set[str]:
        incidents = [self._windows[known.name].incident for known in self._of_contract(contract)]
        return {packet.packet_id for incident in incidents if incident for packet in incident.packets} - {but}

    def _keep_incidents(self, contract: str, incidents: Incidents) -> None:
        windows = [self._windows[known.name] for known in self._of_contract(contract)]
        ended = {it.signature.packet_id for window in windows for it in window.ended}
        self._incidents[contract] = pruned(incidents, ended | self._open_packets(contract, but=""))
        self._remembered.keep_incidents(contract, self._incidents[contract])


def _seen(target: Target, window: Window, after: Result | None) -> Seen:
    newest = after.verdict if after else window.entries[-1].verdict if window.entries else None
    state = State.NOT_KNOWN
    if window.incident is not None or (newest is not None and newest.is_failure):
        state = State.FAILING
    elif newest is Verdict.OK:
        state = State.HEALTHY
    return Seen.of(target, state, len(window.failing), len(window.entries))
