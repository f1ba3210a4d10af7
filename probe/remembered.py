"""What a restart must not forget beside the results: each target's window, which incident a packet belongs to, what is
owed to the store, and what a public model list said. Small named facts in the history, written in one transaction with
the results they follow from.

An unreadable fact (written by another version) is treated as absent: probing starts afresh rather than not at all.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from probe.budget import Spent
from probe.catalogue import Known
from probe.history import History
from probe.incidents import Incidents
from probe.records import Json, Trip
from probe.window import Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OwedPacket:
    """A trip whose packet is not in the store yet."""

    trip: Trip
    incident: str


@dataclass(frozen=True, slots=True)
class OwedAddendum:
    packet_id: str
    target: str
    document: Json


_WINDOW: Final = TypeAdapter(Window)
_PACKET: Final = TypeAdapter(OwedPacket)
_SPENT: Final = TypeAdapter(Spent)
_ADDENDUM: Final = TypeAdapter(OwedAddendum)
_INCIDENTS: Final = TypeAdapter(Incidents)
_CATALOGUE: Final = TypeAdapter(Known)


class Remembered:
    """Typed facts over `History.remember` and `History.recalled`."""

    def __init__(self, history: History) -> None:
        self._history = history

    def window(self, target: str) -> Window:
        return _read(_WINDOW, self._history.recalled(f"window/{target}").get(f"window/{target}")) or Window()

    def keep_window(self, target: str, window: Window | None) -> None:
        self._history.remember(f"window/{target}", None if window is None else partial(_WINDOW.dump_json, window))

    def incidents(self, contract: str) -> Incidents:
        key = f"incidents/{contract}"
        return _read(_INCIDENTS, self._history.recalled(key).get(key)) or Incidents()

    def keep_incidents(self, contract: str, incidents: Incidents) -> None:
        self._history.remember(f"incidents/{contract}", _INCIDENTS.dump_json(incidents))

    def spent(self, now: datetime) -> Spent:
        """What was sent and used today, over restarts."""
        stored = self._history.recalled("budget").get("budget")
        return _read(_SPENT, stored) or Spent(now.date(), 0, 0)

    def keep_spent(self, spent: Spent) -> None:
        self._history.remember("budget", partial(_SPENT.dump_json, spent))

    def catalogue(self, contract: str) -> Known | None:
        """What a contract's public model list said when it was last believed."""
        key = f"catalogue/{contract}"
        return _read(_CATALOGUE, self._history.recalled(key).get(key))

    def keep_catalogue(self, contract: str, known: Known) -> None:
        self._history.remember(f"catalogue/{contract}", _CATALOGUE.dump_json(known))

    def state_since_s(self, now: datetime) -> float:
        """When this state was made (Unix time): a number of its own by which a prober is told from others."""
        stored = self._history.recalled("created").get("created")
        if stored is None:
            self._history.remember("created", stored := repr(now.timestamp()).encode())
        return float(stored)

    def owe_packet(self, packet_id: str, owed: OwedPacket) -> None:
        self._history.remember(f"owed-packet/{packet_id}", _PACKET.dump_json(owed))

    def owe_addendum(self, owed: OwedAddendum) -> None:
        self._history.remember(_addendum_key(owed.packet_id, owed.document), _ADDENDUM.dump_json(owed))

    def packet_is_kept(self, packet_id: str) -> None:
        """It is durable in the store or the spool, or was refused: no longer owed."""
        self._history.remember(f"owed-packet/{packet_id}", None)

    def addendum_is_kept(self, packet_id: str, document: Json) -> None:
        self._history.remember(_addendum_key(packet_id, document), None)

    def owed_packets(self) -> tuple[tuple[str, OwedPacket], ...]:
        """ID and trip of every owed packet, oldest first (an ID begins with its time)."""
        found = self._history.recalled("owed-packet/")
        read = [(key.removeprefix("owed-packet/"), _read(_PACKET, value)) for key, value in sorted(found.items())]
        return tuple((packet_id, owed) for packet_id, owed in read if owed is not None)

    def owed_addenda(self) -> tuple[OwedAddendum, ...]:
        found = self._history.recalled("owed-addendum/")
        read = [_read(_ADDENDUM, value) for _, value in sorted(found.items())]
        return tuple(sorted((it for it in read if it is not None), key=lambda it: str(it.document.get("at"))))


def _addendum_key(packet_id: str, document: Json) -> str:
    """Several alerts may be told of in one moment, each in an addendum of its own."""
    alert = f"/{document['fingerprint']}" if document.get("kind") == "alert" else ""
    return f"owed-addendum/{packet_id}/{document.get('at')}/{document.get('kind')}{alert}"


def _read(kind: TypeAdapter[T], value: bytes | None) -> T | None:
    if value is None:
        return None
    try:
        return kind.validate_json(value)
    except ValidationError:
        return None
