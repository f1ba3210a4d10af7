"""The documented behaviour that was relied on, each value with where and when it was read."""

from collections.abc import Sequence
from dataclasses import asdict

from probe.advice import Known, recommend
from probe.contract import Contract, Look, RequestIdPlaces, Shape, Source, Sourced
from probe.findings import CATALOGUE
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
    return tuple(_weakest([it for it in found if it.url == url]) for url in dict.fromkeys(it.url for it in found))


def how_read(source: Source) -> str:
    """Only a source that was fetched live, and in which the stated value was found, was verified against."""
    if source.look is not None and not source.look.found:
        return f"not found in {source.url} as fetched at {utc(source.look.at)}"
    if source.look is not None:
        return f"verified against {source.url} at {utc(source.look.at)}"
    if source.verified_live:
        return f"read live from {source.url} at {utc(source.accessed)}, as the contract file states"
    return f"read from a stored copy of {source.url} at {utc(source.accessed)}"


def _read(source: Source) -> str:
    """The same beside the address."""
    if source.look is not None:
        return f"{'verified' if source.look.found else 'not found as fetched'} {utc(source.look.at)}"
    return (
        f"{'read live, says the contract file,' if source.verified_live else 'stored copy read'} {utc(source.accessed)}"
    )


def _weakest(read: Sequence[Source]) -> Source:
    """Of several statements that cite one document, the one that is known least."""
    return min(read, key=lambda it: (it.is_verified, it.look is None))


def read_from(source: Source | None) -> Json:
    return {
        "source": source.url if source else None,
        "accessed": utc(source.read_at) if source else None,
        "section": source.section if source else None,
        "verified_live": source.is_verified if source else None,
        "read": _read(source) if source else None,
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
    """Every disagreement with what was expected, once."""
    contract = case.target.contract
    cited = {source.url: source for source in sources(contract)}
    failing = case.failing or (case.subject,)
    distinct: dict[Finding, None] = {found: None for result in failing for found in result.judgement.findings}
    return [asdict(found) | _how_found(found, cited.get(found.source or "")) for found in distinct]


def statuses(case: Case) -> list[Json]:
    """What the documents say of the statuses that were seen: no disagreement, but what to do about them."""
    documented = case.target.contract.error_statuses
    if documented is None:
        return []
    seen = {str(result.status) for result in case.failing or (case.subject,)}
    return [
        {"status": status, "words": documented.value[status]} | read_from(documented.source)
        for status in sorted(seen & documented.value.keys())
    ]


def _how_found(found: Finding, source: Source | None) -> Json:
    """How the source of a finding was read; the model list always was fetched, by us, at the time that is cited."""
    if found.source is None or found.accessed is None:
        return {"accessed": utc_or_none(found.accessed), "verified_live": None, "read": None, "how": None}
    own = Look(found.accessed, True) if found.rule == CATALOGUE else source.look if source else None
    cited = Source(found.source, found.accessed, None, source is not None and source.verified_live, look=own)
    return {name: value for name, value in read_from(cited).items() if name not in ("source", "section")}


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
        inconsistent=any(found.source and found.rule != CATALOGUE for found in case.subject.judgement.findings),
        verified_live=all(source.is_verified for source in relied_on(case.target.contract)),
        worked=case.last_good is not None,
        well_elsewhere=(scope or case.scope).is_well_elsewhere,
    )
    advised = recommend(known)
    return {"advice": advised.advice.value, "words": advised.words, "reasons": list(advised.reasons)}
