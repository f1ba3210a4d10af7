"""Makes the packets of a release: `python -m tests.packets.make FOLDER`. The same program makes the same bytes.

The answers are the demo gateway's, the judgement, redaction and files are the program's; only the clock and what is
random elsewhere are fixed. All values are fake.
"""

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import orjson
from pydantic import SecretStr

from exporter.gateway_answers import Call, answer
from exporter.gateway_docs import MARK, MODELS, contract, documents
from exporter.gateway_script import Behaviour
from probe import __version__
from probe.classify import Expectation, classify
from probe.contract import Contract, Sourced, parse
from probe.contract.document import Copy, Document, examine, looks
from probe.corroboration import LogRead, rows, sought
from probe.gated import build as _build
from probe.notes import Note
from probe.notes import addendum as noted
from probe.packet import Case, Scope, recovery, reopening
from probe.packet.addendum import addendum_name, encode
from probe.packet.confirmation import Confirmed, confirmation
from probe.packet.gateway_log import corroboration
from probe.pong import Target, build
from probe.reading import read
from probe.records import (
    Connection,
    Fault,
    FreezePolicy,
    Json,
    Observation,
    Phase,
    Recovered,
    Reopened,
    Reply,
    RequestKind,
    Result,
    Timings,
    Trigger,
    Trip,
    Verdict,
)
from probe.redact import Policy, Redactor, bare
from tests.probe.test_log_rows import LOG
from tests.servers.gateway_log import page, row

START: Final = datetime(2026, 11, 24, 3, 0, 0, 123000, tzinfo=UTC)
ORIGIN: Final = "https://gateway.example.test"
KEY: Final = SecretStr("sk-fake-fixture-0123456789abcdef")
REDACTOR: Final = Redactor([KEY], (), Policy(), b"f" * 32)
FAULTS: Final = {
    "small": ("demo-small", Behaviour.OVERLOADED),
    "stream": ("demo-stream", Behaviour.CUT),
    "account": ("demo-account", Behaviour.REVOKED),
    "large": ("demo-large", Behaviour.EXHAUSTED),
    "shape": ("demo-shape", Behaviour.MISSING_CHOICES),
}


def read_documents() -> tuple[Contract, tuple[Document, ...]]:
    """The demo gateway's contract, and copies of its documents as they were fetched."""
    stated = parse(orjson.dumps(contract(ORIGIN, START - timedelta(days=1))).decode(), "demo-gateway")
    known = []
    at = START - timedelta(hours=1)
    for path, (media, text) in sorted(documents(ORIGIN, MODELS).items()):
        url, body = ORIGIN + path, text.encode()
        said = examine([stated], url, body, media).by_contract.get(stated.name, ())
        copy = Copy(url, at, at, 200, media, hashlib.sha256(body).hexdigest(), "0" * 64, len(body))
        known.append(Document(url=url, copy=copy, body=body, occurrences=said, is_changed=False))
    return stated.looked(looks(known)), tuple(known)


def target(name: str, stated: Contract) -> Target:
    model, _ = FAULTS.get(name, ("demo-small", None))
    freeze = FreezePolicy(2, 3, 3, 1800, 1, 2)
    return Target(name, stated, model, name == "stream", "demo", {"region": "eu"}, 30, 25, 10, False, freeze, {})


def probe(to: Target, number: int, behaviour: Behaviour, kind: RequestKind = RequestKind.SCHEDULED) -> Result:
    """The tick that was due `number` cadences after START, as the program judges and seals it."""
    due = START + timedelta(seconds=30 * number)
    name = f"{due:%Y%m%dT%H%M%S}{due.microsecond // 1000:03d}Z-{number:08x}"
    request = build(to, probe_id=name, kind=kind, client_request_id=f"freezeframe-{name}", version=__version__)
    server_id = f"{due:%Y%m%d%H%M%S%f}{number:08x}"
    said = answer(behaviour, Call(to.model, to.stream), server_id, due)
    body = re.sub(rb"chatcmpl-[0-9a-f]+", f"chatcmpl-{number:016x}".encode(), b"".join(said.parts)).decode()
    headers = (
        ("date", f"{due:%a, %d %b %Y %H:%M:%S} GMT"),
        ("x-demo", MARK),
        ("x-request-id", server_id),
        *said.headers,
    )
    fault = None if said.whole else Fault("RemoteProtocolError", "peer closed connection (incomplete chunked read)")
    first_s = 0.2 + number / 1000
    seen = Observation(
        request=request,
        started_at=due + timedelta(milliseconds=4),
        reply=Reply(said.status, headers, body, len(body), complete=said.whole),
        fault=fault,
        timings=Timings(first_s + 0.06, 0.002, 0.02, 0.03, 0.001, 0.147, 0.06, first_s, first_s if to.stream else None),
        connection=Connection("192.0.2.10", 443, False, "TLSv1.3", START + timedelta(days=60), "HTTP/1.1"),
        last_phase=Phase.TRANSFER if said.whole else Phase.FIRST_TOKEN,
    )
    sealed = REDACTOR.seal(seen)
    judgement = classify(sealed.value, Expectation(to.contract, to.slow_s))
    reading = read(sealed.value, to.contract)
    ended_at = due + timedelta(seconds=first_s + 0.06)
    return Result(name, to.name, kind, due, ended_at, judgement, 0.004, 0.002, sealed, reading)


def case(to: Target, known: tuple[Document, ...], history: Sequence[Result], trigger: Trigger) -> Case:
    """What a trip on the newest of these probes makes, or a freeze by hand."""
    newest = history[-1]
    failing = tuple(result for result in history if result.verdict.is_failure)
    good = next((result for result in reversed(history) if result.verdict is Verdict.OK), None)
    kept = tuple(
        replace(result, sealed=bare(result.sealed)) if result.sealed and result.verdict is Verdict.OK else result
        for result in history
    )
    trip = None
    if failing:
        judged = newest.judgement
        ids = tuple(result.probe_id for result in failing)
        counts = ((judged.verdict, judged.reason, len(failing)),)
        trip = Trip(to.name, judged.verdict, judged.reason, newest.probe_id, newest.due_at, ids, counts)
    frozen_at = newest.ended_at + timedelta(milliseconds=50)
    mode = "streaming" if to.stream else "non-streaming"
    share = f"{len(failing)} of {len(history)} failed"
    return Case(
        packet_id=f"{newest.due_at:%Y%m%dT%H%M%SZ}-{to.name}-{hashlib.sha256(to.name.encode()).hexdigest()[:8]}",
        incident=f"20261124T030200Z-small-{hashlib.sha256(b'small').hexdigest()[:8]}",
        trigger=trigger,
        frozen_at=frozen_at,
        target=to,
        verdict=newest.verdict,
        reason=newest.judgement.reason,
        subject=newest,
        failing=failing,
        history=kept,
        last_good=good,
        trip=trip,
        scope=Scope(
            f"Failing at that moment: {to.name} ({share})." if failing else "No target fails.",
            ((to.name, to.model, mode, "demo", "region=eu", share, "failing" if failing else "healthy"),),
            frozen_at,
        ),
        impact="Nobody is affected: all values are fake.",
        owner="fixture on-call",
        posts=None,
        earlier=(),
        request_ids_policy="keep",
        egress_ip_policy="drop",
        version=__version__,
        documents=known,
    )


def addenda(of: Case) -> list[Json]:
    """A story of each kind of addendum, spread over the packets."""
    to, at = of.target, of.frozen_at
    behaviour = FAULTS[to.name][1]
    again = probe(to, 6, behaviour, RequestKind.CONFIRM)
    after = Scope(f"Only {to.name} fails.", of.scope.table, at + timedelta(seconds=20))
    confirmed = Confirmed(of.packet_id, to.name, after.as_of, (again,), None, (), (2, 2), after, {"outside": True})
    documents = [confirmation(confirmed, of)]
    if to.name == "large":
        logged = replace(
            of, target=replace(to, contract=replace(to.contract, gateway_log=Sourced(LOG, to.contract.auth.source)))
        )
        found = rows(page([row(one.request_ids[0]) for one in sought(of.failing)])[1], LOG)
        assert found is not None
        documents.append(corroboration(logged, LogRead(found, 40, at, 1, None), at + timedelta(seconds=30)))
    if to.name in ("small", "shape"):
        note = Note(escalation_id="CASE-4711", owner="fixture night shift", mitigation="paused the queue")
        documents.append(noted(of.packet_id, note, at + timedelta(minutes=5), REDACTOR, [KEY])[0])
    if to.name in ("small", "stream"):
        ended = Recovered(to.name, (of.packet_id,), of.failing[0].due_at, again.due_at, at + timedelta(minutes=6), 3, 6)
        documents.append(recovery(ended))
    if to.name == "stream":
        back = Reopened(to.name, of.verdict, of.reason, of.packet_id, "p-back", at + timedelta(minutes=20))
        documents.append(reopening(back))
    return documents


def objects() -> dict[str, bytes]:
    """Every object of the store by name."""
    stated, known = read_documents()
    made: dict[str, bytes] = {}
    for name in (*FAULTS, "healthy"):
        to = target(name, stated)
        behaviour = FAULTS[name][1] if name in FAULTS else Behaviour.HEALTHY
        history = [
            *(probe(to, number, Behaviour.HEALTHY) for number in (1, 2)),
            *(probe(to, n, behaviour) for n in (3, 4)),
        ]
        of = case(to, known, history, Trigger.THRESHOLD if name in FAULTS else Trigger.MANUAL)
        data, hits = _build(of, [KEY])
        assert data is not None, hits
        made[f"{of.packet_id}.zip"] = before = data
        for number, document in enumerate(addenda(of) if name in FAULTS else [], 1):
            made[addendum_name(of.packet_id, number)] = before = encode(document, before)
    return made


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for name, data in objects().items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
