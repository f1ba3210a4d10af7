"""What is kept of a result, and its stored form: JSON of the frozen records. Only what was sealed before is read back
as sealed.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from pydantic import TypeAdapter

from probe.records import (
    Judgement,
    Listing,
    Observation,
    QuotaReading,
    Reading,
    Removal,
    RequestKind,
    Result,
    Usage,
    Verdict,
)
from probe.redact import bare, restored


@dataclass(frozen=True, slots=True)
class _Row:
    probe_id: str
    target: str
    kind: RequestKind
    due_at: datetime
    ended_at: datetime
    judgement: Judgement
    lateness_s: float
    loop_lag_s: float
    observation: Observation | None
    removals: tuple[Removal, ...]
    reading: Reading
    outside_reachable: bool | None = None  # a row of the first version has neither
    listing: Listing | None = None


_ROW: Final = TypeAdapter(_Row)


def dump(result: Result) -> bytes:
    """The bytes of a result. A server's half surrogates become question marks, as in a packet."""
    row = _Row(
        result.probe_id,
        result.target,
        result.kind,
        result.due_at,
        result.ended_at,
        result.judgement,
        result.lateness_s,
        result.loop_lag_s,
        None if result.sealed is None else result.sealed.value,
        () if result.sealed is None else result.sealed.removals,
        result.reading,
        result.outside_reachable,
        result.listing,
    )
    try:
        return _ROW.dump_json(row)
    except ValueError:  # a half surrogate cannot be UTF-8
        return _ROW.dump_json(_ROW.validate_python(_clean(_ROW.dump_python(row))))


def load(data: bytes) -> Result:
    """The result of `dump`. ValueError where the bytes are none of ours."""
    row = _ROW.validate_json(data)
    return Result(
        probe_id=row.probe_id,
        target=row.target,
        kind=row.kind,
        due_at=row.due_at,
        ended_at=row.ended_at,
        judgement=row.judgement,
        lateness_s=row.lateness_s,
        loop_lag_s=row.loop_lag_s,
        sealed=None if row.observation is None else restored(row.observation, row.removals),
        reading=row.reading,
        outside_reachable=row.outside_reachable,
        listing=row.listing,
    )


def _clean(value: object) -> object:
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    if type(value) is str:
        return value.encode("utf-8", "replace").decode()
    return value


def lasting(result: Result) -> Result:
    """What stays of a result whose texts are not kept."""
    if result.sealed is None:
        return result
    if result.verdict is not Verdict.OK:
        return replace(result, sealed=bare(result.sealed))
    # Healthy: numbers and enums. What was said, and the words found in it, go.
    judgement, reading = _without_words(result.judgement), _numbers(result.reading.usage, result.reading.quota)
    return replace(result, sealed=bare(result.sealed), judgement=judgement, reading=reading)


# Of what all is well with there are many that are alike: one object for all.


@lru_cache(maxsize=256)
def _without_words(judgement: Judgement) -> Judgement:
    return replace(judgement, words=None, findings=())


@lru_cache(maxsize=256)
def _numbers(usage: Usage | None, quota: tuple[QuotaReading, ...]) -> Reading:
    return Reading(usage=usage, quota=quota)
