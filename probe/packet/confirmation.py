"""The first addendum of a packet: what the attempts right after the trip showed, and the scope they left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from probe.packet import documented, facts
from probe.packet.case import SCOPE_COLUMNS, Case, Scope
from probe.packet.facts import utc
from probe.records import Json, Result


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What was tried after a trip. `attempts` are confirmations that could run to their end, oldest first; `stopped`
    says in words why there were not more of them; `siblings` are one probe each of the contract's other targets;
    `window` is how many of the probes since the first failing one failed, and how many they were."""

    packet_id: str
    target: str
    at: datetime
    attempts: tuple[Result, ...]
    stopped: str | None
    siblings: tuple[Result, ...]
    window: tuple[int, int]
    scope: Scope
    controls: Mapping[str, bool]


def outcome(confirmed: Confirmed) -> str:
    """``deterministic``, ``intermittent`` or ``isolated`` as counted; ``not known`` without a whole confirmation."""
    if not confirmed.attempts:
        return "not known"
    failed = sum(result.verdict.is_failure for result in confirmed.attempts)
    before_failed, before = confirmed.window
    if failed == len(confirmed.attempts) and before_failed == before:
        return "deterministic"
    if failed == 0 and not any(result.verdict.is_failure for result in confirmed.siblings):
        return "isolated"
    return "intermittent"


def confirmation(confirmed: Confirmed, case: Case) -> Json:
    """The addendum's document (kind ``confirmation``); `case` is what the packet was drafted from."""
    scope = confirmed.scope
    document: Json = {
        "schema_version": "1",
        "kind": "confirmation",
        "at": utc(confirmed.at),
        "packet_id": confirmed.packet_id,
        "target": confirmed.target,
        "outcome": outcome(confirmed),
        "words": _words(confirmed),
        "confirmations": [_row(result) for result in confirmed.attempts],
        "stopped": confirmed.stopped,
        "siblings": [_row(result) for result in confirmed.siblings],
        "controls": dict(confirmed.controls),
        "scope": {
            "sentence": scope.sentence,
            "columns": list(SCOPE_COLUMNS),
            "table": [list(row) for row in scope.table],
            "as_of": utc(scope.as_of),
        },
        "instances": dict(scope.instances),
        "recommendation": documented.recommendation(case, outcome(confirmed), scope),
    }
    whole: Json = facts.plain(document)
    return whole


def _row(result: Result) -> Json:
    return facts.attempt(result) | {"target": result.target}


def _words(confirmed: Confirmed) -> str:
    failed, probes = confirmed.window
    attempts = confirmed.attempts
    again = sum(result.verdict.is_failure for result in attempts)
    sentences = [f"{failed} of {probes} probes since the first failing one had failed."]
    if attempts:
        sentences.append(f"Asked again right after: {again} of {len(attempts)} failed, so it is {outcome(confirmed)}.")
    else:
        sentences.append(f"It was not asked again: {confirmed.stopped or 'no confirmation is configured'}.")
    if confirmed.siblings:
        wrong = [result.target for result in confirmed.siblings if result.verdict.is_failure]
        others = "1 other target" if len(confirmed.siblings) == 1 else f"{len(confirmed.siblings)} other targets"
        sentences.append(
            f"Asked at that moment: {others} of this contract, of which "
            + (f"{len(wrong)} failed: {', '.join(wrong)}." if wrong else "none failed.")
        )
    return " ".join(sentences)
