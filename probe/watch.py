"""Unpaid requests. For now the controls: cheap looks at addresses that tell "us" from "them".

A control answers when any HTTP status comes back: it asks whether the way there works, not whether the page is fine.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from probe.records import ControlSeen, Listener

CADENCE_S = 30.0
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Control:
    """An address to look at. `role` is ``provider`` (the API's own edge) or ``independent`` (anything else)."""

    name: str
    url: str
    role: str


class Controls:
    """Looks at every control on a cadence of its own and remembers the last answers."""

    def __init__(
        self, controls: Sequence[Control], look: Callable[[str, float], Awaitable[bool]], publish: Listener
    ) -> None:
        self._controls = tuple(controls)
        self._look = look
        self._publish = publish
        self._seen: dict[str, bool | None] = {control.name: None for control in controls}

    @property
    def seen(self) -> Mapping[str, bool | None]:
        """The last answer of each control; None before the first."""
        return self._seen

    def outside_reachable(self) -> bool | None:
        """Whether an independent control answered last time; None where none is configured or asked yet."""
        answers = [self._seen[control.name] for control in self._controls if control.role == "independent"]
        known = [answer for answer in answers if answer is not None]
        return any(known) if known else None

    async def run(self) -> None:
        """Look at all of them, then again each `CADENCE_S`; runs until cancelled."""
        while True:
            await asyncio.gather(*(self._ask(control) for control in self._controls))
            await asyncio.sleep(CADENCE_S)

    async def _ask(self, control: Control) -> None:
        began = time.monotonic()
        reachable = await self._look(control.url, TIMEOUT_S)
        self._seen[control.name] = reachable
        self._publish(ControlSeen(control.name, reachable, time.monotonic() - began))
