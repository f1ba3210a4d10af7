"""The controls: cheap looks at addresses that tell "us" from "them".

A control answers when any HTTP status comes back: it asks whether the way there works, not whether the page is fine.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from probe.records import ControlSeen, Listener

CADENCE_S = 30.0
TIMEOUT_S = 5.0
AT_TRIP_S = 3.0  # a packet must not wait longer for them


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

    def replace(self, controls: Sequence[Control]) -> None:
        """What a newly loaded configuration looks at; what is known of a control that stays is kept."""
        known = {control: self._seen[control.name] for control in self._controls}
        self._controls = tuple(controls)
        self._seen = {control.name: known.get(control) for control in controls}

    async def ask_now(self) -> Mapping[str, bool]:
        """Look at all of them once more, `AT_TRIP_S` at most; the answer of each by name."""
        controls = self._controls
        answers = await asyncio.gather(*(self._ask(control, AT_TRIP_S) for control in controls))
        return {control.name: answer for control, answer in zip(controls, answers, strict=True)}

    def outside_is_gone(self, answers: Mapping[str, bool]) -> bool:
        """Whether nothing at all answered, neither the provider's edge nor at least one independent address."""
        asked = [control for control in self._controls if control.name in answers]
        independent = any(control.role == "independent" for control in asked)
        return independent and not any(answers[control.name] for control in asked)

    async def run(self) -> None:
        """Look at all of them, then again each `CADENCE_S`; runs until cancelled."""
        while True:
            await asyncio.gather(*(self._ask(control, TIMEOUT_S) for control in self._controls))
            await asyncio.sleep(CADENCE_S)

    async def _ask(self, control: Control, timeout_s: float) -> bool:
        began = time.monotonic()
        reachable = await self._look(control.url, timeout_s)
        if control.name in self._seen:  # else a reload took it away meanwhile
            self._seen[control.name] = reachable
            self._publish(ControlSeen(control.name, reachable, time.monotonic() - began))
        return reachable
