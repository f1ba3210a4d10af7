"""The documented behaviour that was relied on, each value with where and when it was read."""

from dataclasses import asdict

from probe.advice import Known, recommend
from probe.contract import Contract, RequestIdPlaces, Shape, Source, Sourced
from probe.packet.case import Case, Scope
from probe.packet.facts import repetition, utc, utc_or_none
from probe.records import Finding, Json

_PROVIDER_NAMES = {"cometapi": "CometAPI"}

Area = tuple[str | None, Source | None]
_UNDOCUMENTED: Area = (None, None)


def provider(contract: Contract) -> str:
    """The provider's name as it writes it."""
    return _PROVIDER_NAMES.get(contract.provider.lower(), contract.provider)


def relied_on(contract: Contract) -> tuple[Source, ...]:
    """The sources of what every request is made of."""
    return contract.base_url.source, contract.chat_path.source, contract.auth.source, contract.request.source


def sources(contract: Contract) -> tuple[Source, ...]:
    """The sources of the request and of what is expected of the answer, each once."""
    optional = (contract.response, contract.stream_chunk, contract.error, contract.error_statuses, contract.error_retry)
    found = (*relied_on(contract), *(area.source for area in optional if area))
    return tuple({source.url: source for source in reversed(found)}.values())[::-1]


def how_read(source: Source) -> str:
    """Only a source that was fetched live was verified against."""
    if source.verified_live:
        return f"verified against {source.url} at {utc(source.accessed)}"
    return f"read from a stored copy of {source.url} at {utc(source.accessed)}"


def read_from(source: Source | None) -> Json:
    return {
        "source": source.url if source else None,
        "accessed": utc(source.accessed) if source else None,
        "section": source.section if source else None,
        "verified_live": source.verified_live if source else None,
        "how": how_read(source) if source else "not documented in the contract",
    }


def areas(contract: Contract) -> list[Json]:
    """Every contract area of the seed's table with value and source; an undocumented one says so."""
    rows: list[tuple[str, str, Area]] = [
        ("Endpoint paths", "base URL", _value(contract.base_url)),
        ("Endpoint paths", "chat path", _value(contract.chat_path)),
        ("Auth headers", "format", (auth(contract), contract.auth.source)),
        ("Request fields", "body", _shape(contract.request)),
        ("Response fields", "body", _shape(contract.response)),
        ("Response fields", "stream chunk", _shape(contract.stream_chunk)),
        ("Response fields", "request ID", _id_places(contract.request_id)),
        ("Error behavior", "body", _shape(contract.error)),
        ("Error behavior", "statuses", _statuses(contract)),
        ("Error behavior", "retry guidance", _value(contract.error_retry)),
        *(("Rate-limit or billing assumptions", "limit", _value(limit)) for limit in contract.limits or (None,)),
        *(("Escalation route", name, _value(route)) for name, route in sorted(contract.routes.items())),
    ]
    return [{"area": area, "item": item, "value": value} | read_from(source) for area, item, (value, source) in rows]


def routes(contract: Contract) -> list[Json]:
    """Where to escalate."""
    return [
        {"route": name, "value": route.value} | read_from(route.source)
        for name, route in sorted(contract.routes.items())
    ]


def auth(contract: Contract) -> str:
    shape = contract.auth.value
    return f"{shape.header}: {shape.format.replace('{key}', '<REDACTED>')}"


def fields(shape: Shape) -> str | None:
    """A shape in one line: its required and its other documented fields, and what ends a stream."""
    if shape.schema is None:
        return None
    required = [str(name) for name in shape.schema.get("required", ())]
    others = sorted(str(name) for name in shape.schema.get("properties", {}) if name not in required)
    parts = ["required: " + ", ".join(required)] if required else []
    parts += ["also documented: " + ", ".join(others)] if others else []
    parts += [f"ends with {shape.terminal}"] if shape.terminal else []
    return "; ".join(parts) or "a JSON value"


def findings(case: Case) -> list[Json]:
    """Every disagreement with the documents, once, then what they say of the statuses that were seen."""
    contract = case.target.contract
    live = {source.url for source in sources(contract) if source.verified_live}
    failing = case.failing or (case.subject,)
    distinct: dict[Finding, None] = {found: None for result in failing for found in result.judgement.findings}
    rows: list[Json] = [
        asdict(found)
        | {"accessed": utc_or_none(found.accessed), "verified_live": found.source in live if found.source else None}
        for found in distinct
    ]
    documented = contract.error_statuses
    if documented is None:
        return rows
    for status in sorted({str(result.status) for result in failing} & documented.value.keys()):
        rows.append(
            {
                "rule": "documented_status",
                "place": f"status {status}",
                "expected": documented.value[status],
                "observed": f"status {status}",
                "source": documented.source.url,
                "accessed": utc(documented.source.accessed),
                "verified_live": documented.source.verified_live,
            }
        )
    return rows


def _value(sourced: Sourced[str] | None) -> Area:
    return (sourced.value, sourced.source) if sourced else _UNDOCUMENTED


def _shape(shape: Shape | None) -> Area:
    return (fields(shape), shape.source) if shape else _UNDOCUMENTED


def _statuses(contract: Contract) -> Area:
    documented = contract.error_statuses
    if documented is None:
        return _UNDOCUMENTED
    return "; ".join(f"{status}: {text}" for status, text in sorted(documented.value.items())), documented.source


def _id_places(places: Sourced[RequestIdPlaces] | None) -> Area:
    if places is None:
        return _UNDOCUMENTED
    named = [f"header {name}" for name in places.value.headers]
    named += [f"text {places.value.text}"] if places.value.text else []
    return ", ".join(named) or None, places.source


def recommendation(case: Case, outcome: str | None, scope: Scope | None = None) -> Json:
    """Should I escalate? By what is known at the freeze, or after the confirmations (outcome and final scope)."""
    counted = repetition(case)
    known = Known(
        verdict=case.verdict,
        reason=case.reason,
        certain=case.subject.judgement.certain,
        failed=counted["failed"],
        attempts=counted["attempts"],
        outcome=outcome,
        impact=case.impact,
        inconsistent=any(
            found.source and found.rule != "documented_status" for found in case.subject.judgement.findings
        ),
        verified_live=all(source.verified_live for source in relied_on(case.target.contract)),
        worked=case.last_good is not None,
        well_elsewhere=(scope or case.scope).is_well_elsewhere,
    )
    advised = recommend(known)
    return {"advice": advised.advice.value, "words": advised.words, "reasons": list(advised.reasons)}
