"""A packet's exchanges judged again: packet.json -> Observation -> today's judgement beside the frozen one. Pure.

What was known beside an exchange when it was judged (our own limit for slow, whether anything outside answered, whether
the model was listed) is frozen with it and used again; the rules and the contract are those of today. So what differs
is what changed in them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from probe.classify import Expectation, classify
from probe.contract import Contract
from probe.findings import CLOCK_DRIFT
from probe.pong import Target, build
from probe.records import (
    Fault,
    Finding,
    Json,
    Judgement,
    Listing,
    Observation,
    Phase,
    ProbeRequest,
    Reply,
    RequestKind,
    Result,
    Timings,
)

COMPARED: Final = ("verdict", "reason", "rule", "certain", "runner_up")
NOT_KEPT: Final = "not judged again: only its numbers were kept"
# What is added to findings elsewhere than by the rules: from a table of the contract, and from our own clock.
_BESIDE_THE_RULES: Final = frozenset({"documented_status", CLOCK_DRIFT})
_FINDING: Final = ("rule", "place", "expected", "observed", "source")

_REPLY: Final = TypeAdapter(Reply | None)
_FAULT: Final = TypeAdapter(Fault | None)
_LISTING: Final = TypeAdapter(Listing | None)
_TIMINGS: Final = TypeAdapter(Timings)
_INSTANT: Final = TypeAdapter(datetime)


class ReplayError(ValueError):
    """A document that holds no exchange as this version reads them; says where, never what."""


class Unlike(ValueError):
    """The configuration has no target that sends the frozen request: what is missing or differs."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One frozen exchange: as it was judged and as it is now. `today` is None where it could not be judged again,
    `changed` names what differs."""

    probe_id: str
    part: str
    status: int | None
    frozen: Json
    today: Judgement | None

    @property
    def changed(self) -> tuple[str, ...]:
        if self.today is None:
            return ()
        return tuple(name for name in COMPARED if getattr(self.today, name) != self.frozen[name])


@dataclass(frozen=True, slots=True)
class Replay:
    """All of a packet. `appeared` and `vanished` are findings; without a contract, or without every text, they are not
    compared (`findings_compared`)."""

    exchanges: tuple[Replayed, ...]
    findings_compared: bool
    appeared: tuple[Json, ...]
    vanished: tuple[Json, ...]

    @property
    def changed(self) -> bool:
        return any(known.changed for known in self.exchanges) or bool(self.appeared or self.vanished)


def replay(document: Json, contract: Contract | None) -> Replay:
    """Every exchange of a packet under today's rules. ReplayError where the document is none."""
    try:
        replayed = tuple(
            _again(document, attempt, part, contract)
            for part, attempt in _attempts(document)
            if attempt["probe_id"] in document["exchanges"]
        )
        comparable = contract is not None and all(known.today for known in replayed)
        before, after = (_frozen_findings(document), _findings(replayed)) if comparable else ({}, {})
    except ValidationError as error:
        raise ReplayError(f"exchanges: {error.errors(include_input=False, include_url=False)[0]['msg']}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReplayError(f"packet.json: a field is missing or of another kind ({type(error).__name__})") from None
    return Replay(
        exchanges=replayed,
        findings_compared=comparable,
        appeared=tuple(row for key, row in after.items() if key not in before),
        vanished=tuple(row for key, row in before.items() if key not in after),
    )


def _attempts(document: Json) -> Iterator[tuple[str, Json]]:
    """Each attempt once, in the order of time."""
    found: dict[str, tuple[str, Json]] = {}
    good = document["expected"]["last_good"]
    for part, attempt in (
        *((("last good", good),) if good else ()),
        *(("failing", attempt) for attempt in document["happened"]["attempts"]),
        ("newest", document["subject"]),
    ):
        found.setdefault(attempt["probe_id"], (part, attempt))
    return iter(sorted(found.values(), key=lambda it: str(it[1]["started_at"])))


def _again(document: Json, attempt: Json, part: str, contract: Contract | None) -> Replayed:
    seen = observation(document, attempt)
    frozen = {name: attempt[name] for name in (*COMPARED, "words")}
    today = None
    if _has_texts(seen):
        expectation = Expectation(
            contract,
            document["target"]["slow_s"],
            attempt.get("outside_reachable"),
            _LISTING.validate_python(attempt.get("listing")),
        )
        today = classify(seen, expectation)
    return Replayed(attempt["probe_id"], part, attempt["status"], frozen, today)


def observation(document: Json, attempt: Json) -> Observation:
    """A frozen exchange as the probe had observed it, sealed."""
    exchange = document["exchanges"][attempt["probe_id"]]
    request, target = exchange["request"], document["target"]
    return Observation(
        request=ProbeRequest(
            probe_id=attempt["probe_id"],
            target=target["name"],
            kind=RequestKind(attempt["kind"]),
            method=request["method"],
            url=request["url"],
            headers=tuple((name, value) for name, value in request["headers"]),
            body=request["body"],
            model=request.get("model", target["model"]),  # packets of the first version state them for the target only
            stream=request.get("stream", target["stream"]),
            client_request_id=attempt["client_request_id"] or "",
        ),
        started_at=_INSTANT.validate_python(exchange["started_at"]),
        reply=_REPLY.validate_python(exchange["reply"]),
        fault=_FAULT.validate_python(attempt["fault"]),
        timings=_TIMINGS.validate_python(attempt["phases"]),
        connection=None,
        last_phase=Phase(attempt["last_phase"]),
    )


def _has_texts(seen: Observation) -> bool:
    """Of many failures of a target only the newest keep their texts. A request of ours always has a body."""
    return bool(seen.request.body) or seen.reply is None


def _frozen_findings(document: Json) -> dict[tuple[Any, ...], Json]:
    rows = ({name: row[name] for name in _FINDING} for row in document["expected"]["findings"])
    return {tuple(row.values()): row for row in rows if row["rule"] not in _BESIDE_THE_RULES}


def _findings(replayed: tuple[Replayed, ...]) -> dict[tuple[Any, ...], Json]:
    """Of what failed; of a packet in which nothing did, of its newest exchange."""
    failing = [known for known in replayed if known.part == "failing"]
    shown = failing or [known for known in replayed if known.part == "newest"]
    found: list[Finding] = [it for known in shown if known.today for it in known.today.findings]
    rows = ({name: getattr(it, name) for name in _FINDING} for it in found)
    return {tuple(row.values()): row for row in rows}


# ---------------------------------------------------------------- the same request, live


def same_target(document: Json, targets: Mapping[str, Target]) -> Target:
    """The configured target that sends the request of this packet. Unlike says what is missing or differs."""
    frozen = document["target"]
    target = targets.get(frozen["name"])
    if target is None:
        raise Unlike(f"no target {frozen['name']} is configured")
    request = build(target, probe_id="", kind=RequestKind.REPLAY, client_request_id="", version="")
    today = {
        "contract": target.contract.name,
        "model": target.model,
        "stream": target.stream,
        "request fields": sorted(orjson.loads(request.body)),
    }
    asked = {name: frozen[name] for name in ("contract", "model", "stream")}
    if document["request"] is not None:
        asked["request fields"] = _fields(document["request"]["body"])
    differing = [name for name, value in asked.items() if value is not None and today[name] != value]
    if differing:
        raise Unlike(f"target {frozen['name']} is configured with another " + ", ".join(differing))
    return target


def _fields(body: str) -> list[str] | None:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return sorted(sent) if isinstance(sent, dict) else None


def answered(result: Result, document: Json) -> Json:
    """What a live replay saw, beside what the packet holds."""
    verdict, reason = result.verdict.value, result.judgement.reason
    return {
        "target": result.target,
        "probe_id": result.probe_id,
        "verdict": verdict,
        "reason": reason,
        "words": result.judgement.words,
        "status": result.status,
        "total_s": None if result.timings is None else result.timings.total_s,
        "frozen": {"verdict": document["verdict"], "reason": document["reason"]},
        "same": (verdict, reason) == (document["verdict"], document["reason"]),
        "at": result.ended_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
