"""The log: one line a verdict change, trip, freeze, recovery, refusal, store failure. Never a body, never a secret.

Lines are built from configured names, enums, IDs, numbers and sealed words only.
"""

import logging
import sys
from datetime import UTC, datetime

import orjson

from exporter.neutral import escaped
from probe.findings import CLOCK_DRIFT
from probe.records import (
    BudgetChanged,
    BudgetStopped,
    CatalogueSeen,
    Event,
    Frozen,
    GatewayLogRead,
    Recovered,
    Refused,
    Reopened,
    RequestKind,
    Result,
    Sent,
    SourceSeen,
    Spooled,
    StoreFailed,
    Trip,
    TwinsSeen,
    Verdict,
    Vetoed,
    WindowChanged,
)

log = logging.getLogger("freezeframe")


class _Line(logging.Formatter):
    def __init__(self, json: bool) -> None:
        super().__init__()
        self._json = json

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        level = record.levelname.lower()
        facts: dict[str, object] = getattr(record, "facts", {})
        if self._json:
            return escaped(orjson.dumps({"at": at, "level": level, "event": record.getMessage(), **facts}).decode())
        event = escaped(record.getMessage().strip())
        return " ".join([at, f"{level:7}", event, *(f"{k}={_quoted(v)}" for k, v in facts.items())])


def _quoted(value: object) -> str:
    text = str(value)
    if text and text.isprintable() and not any(c in ' "=' for c in text):
        return text
    return escaped(orjson.dumps(text).decode())


def configure(level: str, format: str) -> None:
    """Send our lines to standard error in `format` (``console`` or ``json``); other libraries only when in trouble."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(json=format == "json"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(level.upper())


def say(event: str, *, level: int = logging.INFO, **facts: object) -> None:
    """One structured line. The caller vouches that every fact is configured, enumerated, numeric or sealed."""
    log.log(level, event, extra={"facts": facts})


class EventLog:
    """A listener: turns events into lines, and repeats neither an unchanged verdict nor an unchanged store failure."""

    def __init__(self) -> None:
        self._verdicts: dict[str, tuple[Verdict, str]] = {}
        self._store_failure: str | None = None
        self._spooled = 0
        self._stopped: set[str] = set()
        self._drifting: set[str] = set()
        self._unbelieved: set[str] = set()
        self._sources: dict[str, SourceSeen] = {}

    def on_event(self, event: Event) -> None:
        match event:
            case Result() if event.kind is RequestKind.SCHEDULED:
                self._stopped.discard(event.target)
                self._on_result(event)
            case Sent() | WindowChanged() | BudgetChanged():  # with every probe, and in metrics
                pass
            case Trip():
                say("trip", target=event.target, verdict=event.verdict, reason=event.reason, probe=event.probe_id)
            case Frozen():
                self._store_failure = None
                say(
                    "packet frozen",
                    packet=event.packet_id,
                    target=event.target,
                    verdict=event.verdict,
                    reason=event.reason,
                    trigger=event.trigger,
                    incident=event.incident,
                    sha256=event.zip_sha256,
                    took_ms=round(event.took_s * 1000),
                )
            case Reopened():
                say("packet reopened", packet=event.packet_id, target=event.target, verdict=event.verdict)
            case Recovered():
                share = f"{event.failures} of {event.probes}"
                say("recovered", target=event.target, packets=",".join(event.packets), failed=share)
            case Refused():
                say(
                    "packet refused: a secret would have gone with it; nothing was written",
                    level=logging.ERROR,
                    packet=event.packet_id,
                    target=event.target,
                    where="; ".join(event.where),
                )
            case Vetoed():
                say(
                    "trip vetoed: nothing outside answers, the fault is ours; no packet",
                    level=logging.WARNING,
                    target=event.target,
                    verdict=event.verdict,
                    reason=event.reason,
                    packet=event.packet_id,
                )
            case CatalogueSeen():
                self._on_catalogue(event)
            case SourceSeen():
                self._on_source(event)
            case GatewayLogRead():
                say(
                    "gateway log read" if event.problem is None else "gateway log could not be read",
                    level=logging.INFO if event.problem is None else logging.WARNING,
                    packet=event.packet_id,
                    target=event.target,
                    found=f"{event.found} of {event.sought}",
                    **({"problem": event.problem} if event.problem else {}),
                )
            case TwinsSeen(twins=()):
                say("no other prober probes our targets any more")
            case TwinsSeen():
                say(
                    "another prober probes the same targets with the same credential: each probe is paid for twice, and"
                    " neither budget knows of the other; stop one of them, or give each a label of its own",
                    level=logging.WARNING,
                    targets=",".join(sorted({target for target, _ in event.twins})),
                    instances=",".join(sorted({address for _, address in event.twins})),
                )
            case BudgetStopped() if event.target not in self._stopped:
                self._stopped.add(event.target)
                say(
                    "budget spent: not probed until 00:00 UTC; raise budget or cadence",
                    level=logging.WARNING,
                    target=event.target,
                    kind=event.kind,
                )
            case Spooled() if event.waiting != self._spooled:
                if event.waiting == 0 and self._spooled:
                    say("the store took everything that waited")
                self._spooled = event.waiting
            case StoreFailed() if event.error != self._store_failure:
                self._store_failure = event.error
                say(
                    "store failed: free space, make it writable or bring it back; probing goes on, what is owed waits",
                    level=logging.ERROR,
                    operation=event.operation,
                    packet=event.packet_id,
                    error=event.error,
                )

    def _on_catalogue(self, seen: CatalogueSeen) -> None:
        """A list that is not believed is told of once; a model that leaves or enters a list, each time."""
        if seen.problem is not None:
            if seen.contract not in self._unbelieved:
                self._unbelieved.add(seen.contract)
                say(
                    "model list not believed: the one before it stays",
                    level=logging.WARNING,
                    contract=seen.contract,
                    url=seen.url,
                    problem=seen.problem,
                )
            return
        if seen.contract in self._unbelieved:
            self._unbelieved.discard(seen.contract)
            say("model list believed again", contract=seen.contract)
        for model in seen.left:
            say("model left the public list", level=logging.WARNING, contract=seen.contract, model=model, url=seen.url)
        for model in seen.entered:
            say("model entered the public list", contract=seen.contract, model=model, url=seen.url)

    def _on_source(self, seen: SourceSeen) -> None:
        """One line for each change of a document: of its text, of what is found in it, of whether it is there. What is
        only read from `state` after a start was told of before."""
        before = self._sources.get(seen.url)
        self._sources[seen.url] = seen
        if before is None:
            if not seen.asked:
                return
            before = SourceSeen(seen.url, True, None, None, ())
        if seen.failed is not None and before.failed is None:
            say("source document not reached", level=logging.WARNING, url=seen.url, why=seen.failed)
        elif seen.failed is None and before.failed is not None:
            say("source document reached again", url=seen.url)
        if seen.changed_to is not None and seen.changed_to != before.changed_to:
            say("source document changed: see `contract diff`", level=logging.WARNING, url=seen.url)
        elif seen.changed_to is None and before.changed_to is not None:
            say("source document is as it was when a person looked", url=seen.url)
        if lost := [place for place in seen.missing if place not in before.missing]:
            say(
                "stated values are not found in their source: see `contract verify`",
                level=logging.WARNING,
                url=seen.url,
                statements=", ".join(lost),
            )
        if back := [place for place in before.missing if place not in seen.missing]:
            say("stated values are found in their source again", url=seen.url, statements=", ".join(back))

    def _on_result(self, result: Result) -> None:
        self._on_drift(result)
        now = (result.verdict, result.judgement.reason)
        before = self._verdicts.get(result.target)
        self._verdicts[result.target] = now
        if now == before:
            return
        say(
            "verdict",
            level=logging.INFO if result.verdict is Verdict.OK else logging.WARNING,
            target=result.target,
            verdict=result.verdict,
            reason=result.judgement.reason,
            **({"was": before[0]} if before else {}),
            **({"status": result.status} if result.status is not None else {}),
            probe=result.probe_id,
        )

    def _on_drift(self, result: Result) -> None:
        """One line when clocks begin to differ and one when they agree again; an answer without a date says nothing."""
        if result.reading.clock_offset_s is None:
            return
        drift = next((it for it in result.judgement.findings if it.rule == CLOCK_DRIFT), None)
        drifted = bool(self._drifting)
        (self._drifting.discard if drift is None else self._drifting.add)(result.target)
        if drift is not None and not drifted:
            say("clocks differ", level=logging.WARNING, target=result.target, observed=drift.observed)
        elif drifted and not self._drifting:
            say("clocks agree again", target=result.target)
