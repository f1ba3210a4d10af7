"""Which traffic is affected: what separates the failing targets from the healthy ones, in the seed article's words.

Only what the matrix of targets shows is claimed: a value (of model, mode, credential, label or instance) separates when
all the failing targets have it and no healthy one does. Where two separate alike, the targets cannot tell them apart,
and the sentence says so. Never a root cause.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations

from probe.packet.case import Scope
from probe.pong import Target


class State(StrEnum):
    FAILING = "failing"
    HEALTHY = "healthy"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one target: `failures` of the `probes` in its window. `instance` is None for this prober; the
    `address` of another one stays with us."""

    target: str
    contract: str
    model: str
    stream: bool
    credential: str
    labels: Mapping[str, str]
    state: State
    failures: int | None = None
    probes: int | None = None
    instance: str | None = None
    address: str | None = None

    @classmethod
    def of(cls, target: Target, state: State, failures: int, probes: int) -> "Seen":
        """A target of this prober, by its own window."""
        return cls(
            target=target.name,
            contract=target.contract.name,
            model=target.model,
            stream=target.stream,
            credential=target.credential,
            labels=target.labels,
            state=state,
            failures=failures,
            probes=probes,
        )

    @property
    def mode(self) -> str:
        return "streaming" if self.stream else "non-streaming"

    @property
    def name(self) -> str:
        return self.target if self.instance is None else f"{self.target} at {self.instance}"


_LABEL_WORDS = {"region": "region", "tenant": "tenant", "service": "workflow", "workflow": "workflow"}
_Value = tuple[str, str]  # dimension, value


def work_out(
    seen: Sequence[Seen], target: str, as_of: datetime, *, others_unknown: bool = False, unseen: int = 0
) -> Scope:
    """The scope of a failure of `target`, from what is known of every target of its contract; `others_unknown` where
    other instances should have been looked at and could not be, `unseen` targets of it are probed by other shards and
    nothing is known of them."""
    sentence = _sentence(seen, target)
    if unseen:
        sentence = sentence.replace(_ALL, _ALL_KNOWN, 1)
        sentence += f" Not known: {unseen} more targets of this contract, which other shards probe."
    if others_unknown:
        sentence += " Not known: what other instances see; Prometheus did not answer."
    instances = {it.instance: it.address for it in seen if it.instance and it.address}
    return Scope(
        sentence,
        tuple(_row(known) for known in seen),
        as_of,
        instances=tuple(instances.items()),
        is_well_elsewhere=_is_well_elsewhere(seen, target),
    )


_ALL = "All traffic of this contract that is probed:"
_ALL_KNOWN = "All that is known of this contract:"


def _is_well_elsewhere(seen: Sequence[Seen], target: str) -> bool:
    """Whether the same request from the same account fails here alone: other instances are known, and all are well."""
    ours = next((it for it in seen if it.instance is None and it.target == target), None)
    if ours is None:
        return False
    same = [
        it.state
        for it in seen
        if it.instance is not None
        and (it.model, it.stream, it.credential) == (ours.model, ours.stream, ours.credential)
        and it.state is not State.NOT_KNOWN
    ]
    return bool(same) and all(state is State.HEALTHY for state in same)


def _sentence(seen: Sequence[Seen], target: str) -> str:
    failing = [known for known in seen if known.state is State.FAILING]
    healthy = [known for known in seen if known.state is State.HEALTHY]
    unknown = [known for known in seen if known.state is State.NOT_KNOWN]
    left_out = f" Not known: {_names(unknown)}." if unknown else ""
    if not failing:
        return f"Not known: no target of this contract is failing at that moment, {target} included.{left_out}"
    if not healthy:
        if len(failing) == 1:
            return (
                f"Not known: of the targets of this contract only {failing[0].name} is known, and it fails.{left_out}"
            )
        return f"{_ALL} {len(failing)} of {len(failing)} targets fail.{left_out}"
    counts = (
        f"{len(failing)} of {len(failing) + len(healthy)} targets fail ({_names(failing)}; healthy: {_names(healthy)})."
    )
    common, well = _common(failing), [frozenset(_values(known)) for known in healthy]
    single = [(value,) for value in common if not any(value in values for values in well)]
    pairs = [pair for pair in combinations(common, 2) if not any(values.issuperset(pair) for values in well)]
    found = single or pairs
    if not found:
        return (
            f"No model, mode, credential, label or instance separates what fails from what does not: {counts}{left_out}"
        )
    words = [" and ".join(_word(value) for value in values) for values in found]
    if len(words) == 1:
        return f"Only {words[0]}: {counts}{left_out}"
    return f"Only {' or '.join(words)}, which the probed targets cannot tell apart: {counts}{left_out}"


def _values(seen: Seen) -> tuple[_Value, ...]:
    labels = tuple((f"label {name}", value) for name, value in sorted(seen.labels.items()))
    instance = ("instance", seen.instance or "this instance")
    return (("mode", seen.mode), ("model", seen.model), ("credential", seen.credential), *labels, instance)


def _common(failing: Sequence[Seen]) -> list[_Value]:
    """What all of them share."""
    shared = frozenset.intersection(*(frozenset(_values(known)) for known in failing))
    return [value for value in _values(failing[0]) if value in shared]


def _word(value: _Value) -> str:
    dimension, text = value
    if dimension == "mode":
        return f"{text} requests"
    if dimension == "instance":
        return text
    name = dimension.removeprefix("label ")
    if name == dimension:
        return f"the {dimension} {text}"
    return f"the {_LABEL_WORDS.get(name, 'label ' + name)} {text}"


def _names(seen: Iterable[Seen]) -> str:
    return ", ".join(known.name for known in seen)


def _row(seen: Seen) -> tuple[str, ...]:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(seen.labels.items()))
    window = "not known"
    if seen.failures is not None:
        window = f"{seen.failures} failed" if seen.probes is None else f"{seen.failures} of {seen.probes} failed"
    return seen.name, seen.model, seen.mode, seen.credential, labels or "none", window, seen.state.value
