"""What became of the alerts that were posted: a ring of the latest, kept in `state`, so that a restart knows them.

Every alert has a slot of the ring for its name in the history, so that neither memory nor disk grows with what is
posted, also while the disk does not take it.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from exporter.alerts import Alert, Why
from probe.history import History

MOST_KNOWN: Final = 1000
_PREFIX: Final = "alert/"

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Noticed:
    """One alert. `name` is sealed; `target` is the configured one that the packet is of. Without a `packet` it says
    why; `added` counts what it added to its packet."""

    fingerprint: str
    starts_at: str
    name: str
    is_firing: bool
    at: datetime
    target: str | None = None
    packet: str | None = None
    why: Why | None = None
    added: int = 0

    @property
    def key(self) -> Key:
        return self.fingerprint, self.starts_at


_NOTICED: Final = TypeAdapter(Noticed)


class Notices:
    """The latest alerts by fingerprint and start, oldest first."""

    def __init__(self, history: History, most: int = MOST_KNOWN) -> None:
        self._history = history
        self._most = most
        self._known: OrderedDict[Key, tuple[int, Noticed]] = OrderedDict()
        read = [(key, _read(value)) for key, value in history.recalled(_PREFIX).items()]
        kept = [(int(key.removeprefix(_PREFIX)), noticed) for key, noticed in read if noticed is not None]
        for slot, noticed in sorted(kept, key=lambda it: it[1].at):
            self._known[noticed.key] = (slot, noticed)

    def latest(self) -> tuple[Noticed, ...]:
        """Newest first."""
        return tuple(noticed for _, noticed in reversed(self._known.values()))

    def get(self, alert: Alert) -> Noticed | None:
        held = self._known.get(alert.key)
        return None if held is None else held[1]

    def knows(self, alert: Alert) -> bool:
        """Whether this alert was noticed in this status, or is known to be over already."""
        noticed = self.get(alert)
        return noticed is not None and (alert.is_firing or not noticed.is_firing)

    def added_to(self, packet: str) -> int:
        return sum(noticed.added for _, noticed in self._known.values() if noticed.packet == packet)

    def keep(self, noticed: Noticed) -> None:
        """From now on this is known of that alert; the oldest one makes room."""
        held = self._known.get(noticed.key)
        if held is not None:
            slot = held[0]
        elif len(self._known) < self._most:
            slot = len(self._known)
        else:
            _, (slot, _) = self._known.popitem(last=False)
        self._known[noticed.key] = (slot, noticed)
        self._history.remember(f"{_PREFIX}{slot:04d}", _NOTICED.dump_json(noticed))


def _read(value: bytes) -> Noticed | None:
    try:
        return _NOTICED.validate_json(value)
    except ValidationError:
        return None
