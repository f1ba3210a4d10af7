"""The evidence packet as one document: pure. Facts in (`Case`), packet.json out (`draft`), and what is added later.

Instants in the document are RFC 3339 UTC with milliseconds, durations are seconds (``_s``), what is not known is null.
`internal` holds what is ours alone; everything else may go to the provider's support.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from probe.packet import documented, facts, frozen, removed, wording
from probe.packet.audience import Audience, addenda_for_support, for_support
from probe.packet.case import SCOPE_COLUMNS, Case, Problem, Scope
from probe.packet.facts import utc
from probe.packet.later import Addenda
from probe.packet.merged import merged
from probe.packet.wording import VERDICT_WORDS
from probe.records import Json, Recovered, Reopened, RequestKind

__all__ = [
    "SCHEMA_VERSION",
    "Addenda",
    "Audience",
    "Case",
    "Problem",
    "Scope",
    "addenda_for_support",
    "draft",
    "for_support",
    "merged",
    "recovery",
    "reopening",
    "summary_line",
    "with_dropped",
]

SCHEMA_VERSION: Final = "1"
SCHEMA: Final = f"urn:freezeframe:packet-{SCHEMA_VERSION}"  # a name and no address: `packets schema` prints it


def draft(case: Case) -> Json:
    """The whole packet document."""
    target, contract, judgement = case.target, case.target.contract, case.subject.judgement
    findings, statuses = documented.findings(case), documented.statuses(case)
    expectation = wording.expected(case, findings, statuses)
    shown = (*case.failing, case.subject, *([case.last_good] if case.last_good else []))
    document: Json = {
        "$schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "generator": {"name": "freezeframe", "version": case.version},
        "packet_id": case.packet_id,
        "incident": case.incident,
        "trigger": case.trigger,
        "frozen_at": utc(case.frozen_at),
        "title": wording.title(case),
        "verdict": case.verdict,
        "verdict_words": VERDICT_WORDS[case.verdict],
        "reason": case.reason,
        "provider": documented.provider(contract),
        "target": {
            "name": target.name,
            "contract": contract.name,
            "model": target.model,
            "stream": target.stream,
            "credential": target.credential,
            "labels": dict(target.labels),
            "cadence_s": target.cadence_s,
            "timeout_s": target.timeout_s,
            "slow_s": target.slow_s,
            "connection": "reuse" if target.reuse_connection else "fresh",
            "freeze": asdict(target.freeze),
        },
        "message": wording.message(case, expectation),
        "documented": {
            "cited": documented.read_from(contract.chat_path.source),
            "verified_live": all(source.is_verified for source in documented.relied_on(contract)),
            "areas": documented.areas(contract),
            "frozen_sources": frozen.rows(case),
        },
        "request": facts.request_sent(case),
        "happened": {
            "first_failed_at": facts.started(case.failing[0]) if case.failing else None,
            "last_failed_at": facts.started(case.failing[-1]) if case.failing else None,
            "repetition": facts.repetition(case),
            "retries": {
                "count": 0,
                "words": "The probe makes no retries: every attempt is one request on the wire.",
                "confirmations": sum(result.kind is RequestKind.CONFIRM for result in case.failing),
            },
            "observed": wording.observed(case),
            "attempts": [facts.attempt(result) for result in case.failing],
            "counts": [
                {"verdict": verdict, "reason": reason, "count": count}
                for verdict, reason, count in (case.trip.counts if case.trip else ())
            ],
        },
        "subject": facts.attempt(case.subject),
        "expected": {
            "words": expectation,
            "findings": findings,
            "documented_statuses": statuses,
            "last_good": facts.attempt(case.last_good) if case.last_good else None,
        },
        "judgement": {
            "verdict": judgement.verdict,
            "reason": judgement.reason,
            "rule": judgement.rule,
            "certain": judgement.certain,
            "runner_up": judgement.runner_up,
            "words": judgement.words,
        },
        "impact": {"declared": case.impact, "words": wording.impact(case)},
        "scope": {
            "sentence": case.scope.sentence,
            "columns": SCOPE_COLUMNS,
            "table": case.scope.table,
            "as_of": utc(case.scope.as_of),
        },
        "escalation": documented.routes(contract),
        "own_share": facts.own_share(case),
        "history": [facts.tick(result) for result in case.history],
        "redaction": {
            "request_ids": case.request_ids_policy,
            "egress_ip": case.egress_ip_policy,
        }
        | removed.report(removed.rows((*shown, *case.history)), ()),
        "exchanges": {result.probe_id: facts.exchange(result.sealed.value) for result in shown if result.sealed},
    }
    document["internal"] = {
        "owner": case.owner,
        "posts": case.posts,
        "earlier_packets": case.earlier,
        "template": wording.template(case, document),
        "recommendation": documented.recommendation(case, None),
        "notes": [],
    }
    whole: Json = facts.plain(document)
    return whole


def with_dropped(document: Json, dropped: Iterable[str]) -> Json:
    """The document that says which of its fields were dropped because they looked like a live secret."""
    redaction = document["redaction"]
    return document | {
        "redaction": redaction | removed.report(redaction["removals"], (*redaction["dropped"], *dropped))
    }


def recovery(recovered: Recovered) -> Json:
    """The addendum that ends an incident."""
    share = recovered.failures / recovered.probes if recovered.probes else None
    first, last, end = recovered.first_failed_at, recovered.last_reproduced_at, recovered.recovered_at
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "recovery",
        "at": utc(end),
        "target": recovered.target,
        "packets": list(recovered.packets),
        "first_failed_at": utc(first),
        "last_reproduced_at": utc(last),
        "recovered_at": utc(end),
        "failures": recovered.failures,
        "probes": recovered.probes,
        "failure_share": share,
        "words": f"First failed {utc(first)}, last reproduced {utc(last)}, recovered {utc(end)}; "
        f"{recovered.failures} of {recovered.probes} probes failed{'' if share is None else f' ({share:.1%})'}.",
    }


def reopening(reopened: Reopened) -> Json:
    """The addendum that says that the same failure is back."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "reopening",
        "at": utc(reopened.at),
        "target": reopened.target,
        "packet_id": reopened.packet_id,
        "verdict": reopened.verdict.value,
        "reason": reopened.reason,
        "probe_id": reopened.probe_id,
        "words": f"The same failure ({VERDICT_WORDS[reopened.verdict]}: {reopened.reason}) met the threshold again at "
        f"{utc(reopened.at)}, probe {reopened.probe_id}.",
    }


def summary_line(document: Json) -> str:
    """One line for a log or a terminal."""
    counted, first = document["happened"]["repetition"], document["happened"]["first_failed_at"]
    return (
        f"packet {document['packet_id']}: target {document['target']['name']}, "
        f"{document['verdict']}/{document['reason']}, {counted['kind']}, "
        f"{counted['failed']} of {counted['attempts']} failed, first {first or wording.NOT_KNOWN}, "
        f"trigger {document['trigger']}, incident {document['incident']}"
    )
