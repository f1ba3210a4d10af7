"""The page's two pictures as plain geometry: when the probes before the trip ran, and where their time went."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from probe.records import Json

WIDTH: Final = 760
_LEFT: Final = 12
_RIGHT: Final = 12
_TOP: Final = 26
_FLOOR: Final = 120
_ROW: Final = 26
_LABEL: Final = 190  # of a waterfall's row
_TAKES: Final = 70  # room for a row's total

_MARKS: Final = {"ok": "ok", "probe_fault": "ours", "missed": "missed"}  # every other verdict is a failure
_PHASES: Final = (
    ("resolve_s", "resolve"),
    ("connect_s", "connect"),
    ("tls_s", "tls"),
    ("send_s", "send"),
    ("processing_s", "processing"),
    ("transfer_s", "transfer"),
)


def timeline(document: Json, moments: Sequence[tuple[datetime, str]] = ()) -> Json | None:
    """One mark for each tick of the history: across by due time, up by latency; None without a history. Of `moments`
    (what happened when) those that it spans."""
    ticks = document["history"]
    if not ticks:
        return None
    due = [datetime.fromisoformat(tick["due_at"]) for tick in ticks]
    span_s = (due[-1] - due[0]).total_seconds()
    slow_s = document["target"]["slow_s"]
    took = [tick["total_s"] for tick in ticks]
    top_s = max(seconds or 0 for seconds in took)
    failing = {attempt["probe_id"] for attempt in document["happened"]["attempts"]}
    marks = []
    for tick, at, seconds in zip(ticks, due, took, strict=True):
        share = (at - due[0]).total_seconds() / span_s if span_s else 0.5
        latency = "no latency" if seconds is None else f"{seconds:.3f} s"
        status = "no status" if tick["status"] is None else f"HTTP {tick['status']}"
        marks.append(
            {
                "x": _across(share),
                "y": _height(seconds or 0, top_s),
                "kind": _MARKS.get(tick["verdict"], "failing"),
                "counted": tick["probe_id"] in failing,
                "title": f"{tick['due_at']} {tick['verdict']}/{tick['reason']}, {status}, {latency}",
            }
        )
    return {
        "width": WIDTH,
        "floor": _FLOOR,
        "marks": marks,
        "slow_y": _height(slow_s, top_s) if slow_s <= top_s else None,
        "slow_s": slow_s,
        "top_s": top_s,
        "moments": [
            {"x": _across((at - due[0]).total_seconds() / span_s), "words": words}
            for at, words in moments
            if due[0] <= at <= due[-1] and span_s
        ],
        "first": ticks[0]["due_at"],
        "last": ticks[-1]["due_at"],
        "kinds": [kind for kind in ("ok", "failing", "ours", "missed") if any(mark["kind"] == kind for mark in marks)],
    }


def waterfall(document: Json) -> Json | None:
    """Phases end to end for every failing attempt and the last good one; what broke off is drawn to its end."""
    good = document["expected"]["last_good"]
    shown = [("last good", good)] if good else []
    shown += [(f"failing {number}", seen) for number, seen in enumerate(document["happened"]["attempts"], 1)]
    shown = [(name, seen) for name, seen in shown if seen["phases"]]
    if not shown:
        return None
    longest_s = max(seen["total_s"] for _, seen in shown) or 1.0
    scale = (WIDTH - _LABEL - _TAKES) / longest_s
    rows = []
    for number, (name, seen) in enumerate(shown):
        bars, at_s = [], 0.0
        for key, phase in _PHASES:
            took_s = seen["phases"][key]
            if took_s is not None:
                bars.append(_bar(phase, at_s, took_s, scale))
                at_s += took_s
        if seen["fault"] and seen["total_s"] > at_s:
            bars.append(_bar("unfinished", at_s, seen["total_s"] - at_s, scale))
        rows.append(
            {
                "y": _TOP + number * _ROW,
                "label": f"{name}, {seen['started_at'][11:23]}",
                "bars": bars,
                "end": round(_LABEL + max(at_s, seen["total_s"]) * scale + 6, 1),
                "total": f"{seen['total_s']:.3f} s",
            }
        )
    used = {bar["phase"] for row in rows for bar in row["bars"]}
    return {
        "width": WIDTH,
        "height": _TOP + len(rows) * _ROW + 4,
        "rows": rows,
        "phases": [phase for phase in (*(name for _, name in _PHASES), "unfinished") if phase in used],
    }


def _across(share: float) -> float:
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


def _height(value_s: float, top_s: float) -> float:
    return round(_FLOOR - (value_s / top_s if top_s else 0) * (_FLOOR - _TOP), 1)


def _bar(phase: str, at_s: float, took_s: float, scale: float) -> Json:
    return {
        "phase": phase,
        "x": round(_LABEL + at_s * scale, 2),
        "width": round(max(took_s * scale, 0.75), 2),
        "title": f"{phase} {took_s:.4f} s",
    }
