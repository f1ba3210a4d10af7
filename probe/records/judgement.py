"""What an exchange means."""

from dataclasses import dataclass
from datetime import datetime

from probe.records.verdicts import REASONS, Verdict


@dataclass(frozen=True, slots=True)
class Listing:
    """What the provider's public model list, read by us at `looked_at`, says of one model. `last_listed_at` is our
    newest look that saw it there; None: it was never seen there."""

    url: str
    looked_at: datetime
    listed: bool
    last_listed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement with a documented expectation, and where that expectation was read."""

    rule: str
    place: str
    expected: str
    observed: str
    source: str | None = None
    accessed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason, the rule that decided, the words it decided by, and all findings.

    `certain` is False where a fair second engineer could choose `runner_up` instead.
    """

    verdict: Verdict
    reason: str
    rule: str
    certain: bool = True
    runner_up: Verdict | None = None
    words: str | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.reason not in REASONS[self.verdict]:
            raise ValueError(f"reason {self.reason!r} does not belong to verdict {self.verdict!r}")
