"""The last probes of a target as bars: a good answer is as high as it was slow, a failure takes it all. Pure."""

from collections.abc import Sequence
from typing import Final

from probe.records import Json, Result, Verdict

BAR_HEIGHT: Final = 22
BAR_STEP: Final = 8
_LEAST: Final = 5  # of a good answer
_ROOM: Final = 4  # between the slowest good answer and a failure


def bars(ticks: Sequence[Result], slow_s: float) -> tuple[Json, ...]:
    """Where each bar stands, oldest first, with its tick."""
    return tuple(_bar(place, tick, slow_s) for place, tick in enumerate(ticks))


def _bar(place: int, tick: Result, slow_s: float) -> Json:
    height = float(BAR_HEIGHT)
    if tick.verdict is Verdict.OK:
        share = 0.0 if tick.timings is None else min(1.0, tick.timings.total_s / slow_s)
        height = _LEAST + share * (BAR_HEIGHT - _LEAST - _ROOM)
    elif tick.verdict is Verdict.MISSED:
        height = 3.0
    return {"x": place * BAR_STEP, "y": round(BAR_HEIGHT - height, 1), "height": round(height, 1), "tick": tick}
