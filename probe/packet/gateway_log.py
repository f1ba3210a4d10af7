"""The addendum that puts the provider's own log beside our measurements: whose time was it? Pure, both ways: made here,
and read leniently where it is shown. It states two counts and their difference, and never a cause.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from probe.corroboration import LogRead, Row, Sought, of, sought
from probe.packet.case import Case
from probe.packet.documented import how_read
from probe.packet.facts import started, utc, utc_or_none
from probe.records import Json, Result

KIND: Final = "gateway_log"
COLUMNS: Final = (
    *("attempt", "started (UTC)", "request ID", "type", "our total", "its total"),
    *("our first byte", "its first response"),
)
MOST_ROWS: Final = 20  # that are shown of one addendum
_MOST_IDS: Final = 4
_COUNTED_FROM: Final = "Our times count from before the name was resolved; what the log counts from is not documented."


def wanted(case: Case) -> tuple[tuple[Sought, ...], tuple[Sought, ...]]:
    """The failing attempts that can be looked for in the log, and the last good one beside them."""
    return sought(case.failing), sought([case.last_good] if case.last_good else [])


def corroboration(case: Case, read: LogRead, at: datetime) -> Json:
    """The addendum's document (kind ``gateway_log``)."""
    stated = case.target.contract.gateway_log
    assert stated is not None  # it was read where the contract says
    failing, others = wanted(case)
    results = {result.probe_id: result for result in (*_others(case), *case.failing)}
    attempts = [_attempt(results[one.probe_id], one, read.rows) for one in (*failing, *others)]
    matched = [attempt for attempt in attempts if attempt is not None]
    missing = [one for one in failing if not of(one, read.rows)[0]]
    return {
        "schema_version": "1",
        "kind": KIND,
        "at": utc(at),
        "packet_id": case.packet_id,
        "target": case.target.name,
        "words": _words(case, read, matched, missing),
        "source": {"url": stated.value.url, "documented": how_read(stated.source), "section": stated.source.section},
        "read_at": utc(read.read_at),
        "rows_read": read.rows_read,
        "requests": read.requests,
        "problem": read.problem,
        "attempts": matched,
        "not_found": [_ids(one) for one in missing],
    }


def _others(case: Case) -> tuple[Result, ...]:
    return () if case.last_good is None else (case.last_good,)


def _attempt(result: Result, one: Sought, known: Sequence[Row]) -> Json | None:
    found, by = of(one, known)
    if not found:
        return None
    row = max(found, key=lambda it: (it.total_s or 0.0, it.first_response_s or 0.0))
    timings = result.timings
    total_s = timings.total_s if timings else None
    first_byte_s = timings.first_byte_s if timings else None
    return {
        "probe_id": result.probe_id,
        "started_at": started(result),
        "failed": result.verdict.is_failure,
        "request_ids": list(one.request_ids[:_MOST_IDS]),
        "completion_id": one.completion_id,
        "matched_by": by,
        "rows": len(found),
        "ours": {
            "total_s": total_s,
            "first_byte_s": first_byte_s,
            "first_token_s": timings.first_token_s if timings else None,
        },
        "gateway": {
            "created_at": utc_or_none(row.created_at),
            "type": row.type,
            "model": row.model,
            "stream": row.stream,
            "prompt_tokens": row.prompt_tokens,
            "completion_tokens": row.completion_tokens,
            "total_s": row.total_s,
            "total_in_whole_seconds": row.total_is_coarse,
            "first_response_s": row.first_response_s,
        },
        "difference": {
            "total_s": _less(total_s, row.total_s),
            "first_response_s": _less(first_byte_s, row.first_response_s),
        },
        "sentence": sentence(row, len(found), total_s, first_byte_s),
    }


def sentence(row: Row, rows: int, total_s: float | None, first_byte_s: float | None) -> str:
    """Whose time it was, as far as two counts tell."""
    clauses = []
    if row.first_response_s is not None:
        clauses.append(_first_response(row.first_response_s, total_s, first_byte_s))
    if row.total_s is not None and total_s is not None:
        clauses.append(_total(row, row.total_s, total_s))
    if not clauses:
        clauses.append("The gateway's own log holds this request and states no time that could be compared.")
    if rows > 1:
        clauses.append(f"The log holds {rows} rows of this request; the one with the largest total is told of here.")
    return " ".join(clauses)


def _first_response(theirs_s: float, total_s: float | None, first_byte_s: float | None) -> str:
    said = f"The gateway's own log gives {theirs_s:.2f} s to its first response for this request; we"
    if first_byte_s is None:
        waited = "" if total_s is None else f" in {total_s:.2f} s"
        return f"{said} received no byte of an answer{waited}."
    if first_byte_s < theirs_s:
        return f"{said} had the first byte after {first_byte_s:.2f} s, which is less than it counted."
    outside_s = first_byte_s - theirs_s
    return f"{said} waited {first_byte_s:.2f} s: {outside_s:.2f} s passed outside what the gateway counted."


def _total(row: Row, theirs_s: float, ours_s: float) -> str:
    coarse = " (in whole seconds)" if row.total_is_coarse else ""
    if theirs_s > ours_s:
        return (
            f"In total the gateway's own log counts {theirs_s:.2f} s{coarse}, more than the {ours_s:.2f} s we waited."
        )
    return f"In total the gateway's own log counts {theirs_s:.2f}{coarse} of our {ours_s:.2f} s."


def _words(case: Case, read: LogRead, matched: Sequence[Json], missing: Sequence[Sought]) -> str:
    if read.rows_read is None and not matched:
        asked = "1 request" if read.requests == 1 else f"{read.requests} requests"
        return f"The gateway's own log could not be read ({asked}): {read.problem}."
    sentences = []
    failed = [attempt for attempt in matched if attempt["failed"]]
    if failed:
        newest = failed[-1]
        named = newest["request_ids"][0] if newest["request_ids"] else newest["completion_id"]
        sentences.append(f"Newest failing attempt found there (request ID {named}): {newest['sentence']}")
        sentences.append(_COUNTED_FROM)
    sought_for = len(case.failing)
    sentences.append(f"{len(failed)} of {sought_for} failing attempts have a row in it.")
    if missing:
        named = ", ".join(_ids(one) for one in missing[:_MOST_IDS])
        more = f" and {len(missing) - _MOST_IDS} more" if len(missing) > _MOST_IDS else ""
        where = f"not found in the newest {read.rows_read} rows read at {utc(read.read_at)}"
        if read.rows_read is None:
            where = f"not found before the log could no longer be read ({read.problem})"
        sentences.append(f"{named}{more}: {where}. A request that never reached the gateway would look like this.")
    return " ".join(sentences)


def _ids(one: Sought) -> str:
    return one.request_ids[0] if one.request_ids else str(one.completion_id)


def _less(ours_s: float | None, theirs_s: float | None) -> float | None:
    return None if ours_s is None or theirs_s is None else round(ours_s - theirs_s, 3)


# ---------------------------------------------------------------- as it is shown


def told(document: Json) -> Json | None:
    """What an addendum of this kind says, whoever wrote it: its words, and a table of texts."""
    words = document.get("words")
    if not isinstance(words, str) or not words.strip():
        return None
    attempts = document.get("attempts")
    rows = [row for row in attempts if isinstance(row, dict)] if isinstance(attempts, list) else []
    return {"words": words, "columns": list(COLUMNS), "table": [_told(row) for row in rows[:MOST_ROWS]]}


def _told(row: Json) -> list[str]:
    ours, theirs = _part(row, "ours"), _part(row, "gateway")
    ids = row.get("request_ids")
    first = next((known for known in ids if isinstance(known, str)), None) if isinstance(ids, list) else None
    return [
        {True: "failing", False: "last good"}[failed] if isinstance(failed := row.get("failed"), bool) else "-",
        _shown(row.get("started_at")),
        _shown(first),
        _shown(theirs.get("type")),
        _seconds(ours.get("total_s")),
        _seconds(theirs.get("total_s")),
        _seconds(ours.get("first_byte_s")),
        _seconds(theirs.get("first_response_s")),
    ]


def _part(row: Json, name: str) -> Json:
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "-"


def _seconds(value: Any) -> str:
    return f"{value:.3f} s" if isinstance(value, int | float) and not isinstance(value, bool) else "-"
