"""The minimal request: what is asked of a target, built from its contract and checked against it before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from probe.contract import Contract
from probe.records import FreezePolicy, Json

PROMPT = "Return the word pong. This is a sanitized incident reproduction."


@dataclass(frozen=True, slots=True)
class Target:
    """One line of `targets` with the defaults applied."""

    name: str
    contract: Contract
    model: str
    stream: bool
    credential: str
    labels: Mapping[str, str]
    cadence_s: float
    timeout_s: float
    slow_s: float
    reuse_connection: bool
    freeze: FreezePolicy
    request: Json
