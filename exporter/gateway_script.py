"""What the demo gateway plays: how a model can behave, and a table of which one does so when."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Behaviour(StrEnum):
    """How the gateway answers a valid request for a model."""

    HEALTHY = "healthy"
    OVERLOADED = "overloaded"
    CUT = "cut"
    REVOKED = "revoked"
    EXHAUSTED = "exhausted"
    MISSING_CHOICES = "missing_choices"
    CONTENT_NULL = "content_null"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Scene:
    """One model behaves in one way from a fraction of the playing time to another, the end not included."""

    from_fraction: float
    to_fraction: float
    model: str
    behaviour: Behaviour

    def __post_init__(self) -> None:
        if not 0 <= self.from_fraction < self.to_fraction <= 1:
            raise ValueError(f"a scene of {self.model!r} must lie within 0 and 1 and end after it begins")


@dataclass(frozen=True, slots=True)
class Script:
    """Which model fails when. A model is healthy wherever no scene says otherwise; where two do, the later counts."""

    scenes: tuple[Scene, ...]

    def behaviour_at(self, model: str, fraction: float) -> Behaviour:
        """A scene that lasts to the end (1) goes on beyond it."""
        behaviour = Behaviour.HEALTHY
        for scene in self.scenes:
            reached = scene.from_fraction <= fraction
            over = fraction >= scene.to_fraction and scene.to_fraction < 1
            if scene.model == model and reached and not over:
                behaviour = scene.behaviour
        return behaviour

    @property
    def switches(self) -> tuple[float, ...]:
        """The fractions, ascending from 0, at which some model may change."""
        edges = {edge for scene in self.scenes for edge in (scene.from_fraction, scene.to_fraction)}
        return tuple(sorted({0.0} | {edge for edge in edges if edge < 1}))


DEMO_SCRIPT: Final = Script(
    (
        Scene(0.15, 0.40, "demo-small", Behaviour.OVERLOADED),  # and recovered after it
        Scene(0.30, 0.55, "demo-stream", Behaviour.CUT),
        Scene(0.40, 1.00, "demo-account", Behaviour.REVOKED),
        Scene(0.50, 1.00, "demo-large", Behaviour.EXHAUSTED),
        Scene(0.60, 1.00, "demo-shape", Behaviour.MISSING_CHOICES),
    )
)
