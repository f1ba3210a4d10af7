"""The packet as it stands now: the frozen document, and what its addenda say. Pure; neither is changed.

What was frozen stays as it was, `scope` included; what came later stands in `since_freeze`. Only what is there to be
filled later is refilled: rows of the template, the recommendation, the notes. The message keeps its sentences and gets
what was *measured* since, never what a note says: it is the same for support and for us.
"""

from datetime import datetime
from typing import Any

from probe.advice import DECLARED_IMPACT
from probe.packet.facts import utc, utc_or_none
from probe.packet.later import NOTED, Addenda, Later, instant, read
from probe.packet.wording import NOT_KNOWN_YET, one_line, scope_entry
from probe.records import Json


def merged(document: Json, addenda: Addenda) -> Json:
    """The document with `since_freeze`; `addenda` are name and document, oldest first."""
    later = read(addenda)
    since = _since(document, later)
    whole = document | {"since_freeze": since}
    if (message := document.get("message")) and (sentences := _sentences(document, later, since)):
        whole["message"] = [*message[:-1], *sentences, message[-1]]  # the last one ends the letter
    if "impact" in document:
        whole["impact"] = document["impact"] | {"confirmed": since["confirmed_impact"]}
    if "internal" in document:
        whole["internal"] = _internal(document, later, since)
    return whole


def _since(document: Json, later: Later) -> Json:
    reproduced = _last_reproduced(document, later)
    share = later.failures / later.probes if later.probes and later.failures is not None else None
    impact = later.confirmed_impact
    return {
        "as_of": utc_or_none(later.as_of) or document.get("frozen_at"),
        "state": "recovered" if later.recovered else "open",
        "outcome": later.outcome,
        "recovered_at": utc_or_none(later.recovered_at),
        "last_reproduced_at": utc_or_none(reproduced),
        "failures": later.failures,
        "probes": later.probes,
        "failure_share": share,
        "reopened": [utc(at) for at in later.reopened],
        "scope": later.scope,
        "recommendation": _recommendation(document, later),
        "gateway_log": later.gateway_log,
        "confirmed_impact": impact and impact | {"words": _confirmed(impact)},
        "addenda": list(later.listed),
    }


def _recommendation(document: Json, later: Later) -> Json | None:
    """The newest one; its reasons know of an impact that was confirmed since, and of the end of the failure."""
    newest: Json | None = later.recommendation or document.get("internal", {}).get("recommendation")
    if newest is None:
        return None
    reasons = list(newest["reasons"])
    if later.confirmed_impact:
        noted = f"Impact was confirmed in a note at {later.confirmed_impact['at'] or 'a time that is not known'}."
        reasons = [noted, *(reason for reason in reasons if reason != DECLARED_IMPACT)]
    if later.recovered_at:
        reasons.append(f"It recovered at {utc(later.recovered_at)}: what is sent now tells of what has ended.")
    return newest | {"reasons": reasons}


def _last_reproduced(document: Json, later: Later) -> datetime | None:
    """The newest failure that is not the first one."""
    happened = document.get("happened", {})
    first = instant(happened.get("first_failed_at"))
    seen = [at for at in (instant(happened.get("last_failed_at")), *later.failed_again) if at]
    return max((at for at in seen if first is None or at > first), default=None)


def _confirmed(impact: Json) -> str:
    return (
        f"confirmed in a note at {impact['at'] or 'a time that is not known'}: {one_line(impact['text']).rstrip('. ')}."
    )


def _sentences(document: Json, later: Later, since: Json) -> list[str]:
    """What was measured since, in a line or two; nothing where nothing was."""
    if later.measured_at is None:
        return []
    failed, asked = later.asked_again
    clauses = []
    if asked:
        attempts = "1 attempt" if asked == 1 else f"{asked} attempts"
        counted = f"asked again right after the freeze, {failed} of {attempts} failed"
        clauses.append(f"{counted} ({later.outcome})." if later.outcome else f"{counted}.")
    elif later.outcome == "not known":
        clauses.append("it was not asked again right after the freeze.")
    if later.scope:
        frozen = document.get("scope", {}).get("sentence")
        sentence = "the same." if later.scope["sentence"] == frozen else _told(later.scope)
        clauses.append(f"{'Scope' if clauses else 'scope'} as of {later.scope['as_of']}: {sentence}")
    if later.gateway_log:
        clauses.append(one_line(later.gateway_log["words"]))
    how_it_is = _how_it_is(document, later, since)
    lines = [" ".join(clauses), how_it_is] if clauses else [how_it_is[0].lower() + how_it_is[1:]]
    return [f"Since then (as of {utc(later.measured_at)}): {lines[0]}", *lines[1:]]


def _told(scope: Json) -> str:
    return one_line(scope["sentence"])


def _how_it_is(document: Json, later: Later, since: Json) -> str:
    """Recovered or not, and when it was last seen failing."""
    back = since["reopened"]
    times = f"{len(back)} times, last " if len(back) > 1 else ""
    again = f"The same failure was back {times}at {back[-1]}. " if back else ""
    failing = since["last_reproduced_at"] or document.get("happened", {}).get("first_failed_at")
    if not later.recovered:
        return f"{again}No recovery is recorded" + (f"; last seen failing at {failing}." if failing else ".")
    words = f"{again}Recovered at {since['recovered_at'] or 'a time that is not known'}"
    words += f", last seen failing at {failing}" if failing else ""
    if since["failure_share"] is None:
        return f"{words}."
    over = "" if later.incidents == 1 else f", over {later.incidents} incidents"
    counted = f"{later.failures} of {later.probes} probes failed ({since['failure_share']:.1%})"
    return f"{words}; {counted} from the first failure to the recovery{over}."


def _internal(document: Json, later: Later, since: Json) -> Json:
    frozen: Json = document["internal"]
    follow_up = {field: later.noted(field) for field in NOTED if field not in ("impact", "text")}
    follow_up["owner"] = follow_up["owner"] or frozen.get("owner")
    return frozen | {
        "follow_up": follow_up,
        "notes": [*frozen.get("notes", []), *later.notes],
        "recommendation": since["recommendation"],
        "template": _template(document, since, follow_up),
    }


def _template(document: Json, since: Json, follow_up: dict[str, str | None]) -> list[Any]:
    """The 14 fields with what is known now; each that nothing was said of stays as it was."""
    told = {field: one_line(value) for field, value in follow_up.items() if value}
    refilled: dict[str, str] = {}
    if since["last_reproduced_at"]:
        refilled["Last reproduced"] = since["last_reproduced_at"]
    if {"target", "scope", "impact"} <= document.keys() and (since["scope"] or since["confirmed_impact"]):
        scope = since["scope"] or document["scope"]
        impact = (since["confirmed_impact"] or document["impact"])["words"]
        refilled["Scope"] = scope_entry(document["target"], scope | {"sentence": _told(scope)}, impact)
    if "mitigation" in told:
        refilled["Mitigation"] = told["mitigation"]
    case = [told.get("escalation_id", NOT_KNOWN_YET)]
    case += [f"submitted {told['submitted_at']}"] if "submitted_at" in told else []
    case += [f"by route {told['route']}"] if "route" in told else []
    refilled["Escalation ID"] = ", ".join(case)
    review = told.get("next_review", NOT_KNOWN_YET)
    refilled["Follow-up owner"] = f"{told.get('owner', NOT_KNOWN_YET)}; next review {review}"
    rows: list[list[str]] = document["internal"].get("template", [])
    return [[field, refilled.get(field, entry)] for field, entry in rows]
