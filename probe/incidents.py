"""Which packets are one incident: those of one contract that are open at the same time share the ID of the first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Incidents:
    """Of one contract: `latest` is the incident opened or reopened last, `of` gives the incident of each packet."""

    latest: str | None = None
    of: Mapping[str, str] = field(default_factory=dict)


def opened(incidents: Incidents, packet: str, open_packets: Collection[str]) -> Incidents:
    """With a new packet: in the latest incident where another packet of it is open, else in one of its own."""
    joins = incidents.latest is not None and any(incidents.of.get(other) == incidents.latest for other in open_packets)
    incident = incidents.latest if joins and incidents.latest is not None else packet
    return Incidents(incident, {**incidents.of, packet: incident})


def reopened(incidents: Incidents, packet: str, open_packets: Collection[str]) -> Incidents:
    """A packet goes on in its own incident; what trips next joins it, unless another one is open already."""
    joined = opened(incidents, packet, open_packets).latest
    own = incidents.of.get(packet, packet)
    return Incidents(own if joined == packet else joined, {**incidents.of, packet: own})


def pruned(incidents: Incidents, packets: Collection[str]) -> Incidents:
    """Only what is still open or may be reopened."""
    return Incidents(incidents.latest, {packet: it for packet, it in incidents.of.items() if packet in packets})
