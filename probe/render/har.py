"""The exchanges as HAR 1.2: what a browser's network panel opens."""

import urllib.parse
from typing import Any, Final

from probe.records import Json

# HAR's phases, and which of ours each holds (`ssl` is put into `connect` as well).
_PHASES: Final = {
    "dns": "resolve_s",
    "connect": "connect_s",
    "ssl": "tls_s",
    "send": "send_s",
    "wait": "processing_s",
    "receive": "transfer_s",
}
# What had begun when an exchange broke off, by what was completed last.
_BROKE_OFF_IN: Final = {
    "none": "dns",
    "resolve": "connect",
    "connect": "ssl",
    "tls": "send",
    "request_sent": "wait",
    "first_byte": "receive",
    "first_event": "receive",
    "first_token": "receive",
    "transfer": "receive",
}
_NO_MEDIA: Final = "x-unknown"  # what browsers write where no type was stated


def har(document: Json) -> Json:
    """The failing and the last good exchange, oldest first, as a browser's network panel opens them."""
    good = document["expected"]["last_good"]
    attempts = {
        attempt["probe_id"]: attempt
        for attempt in (*([good] if good else []), *document["happened"]["attempts"], document["subject"])
        if attempt["probe_id"] in document["exchanges"]
    }
    entries = [_entry(attempt, document["exchanges"][probe_id]) for probe_id, attempt in attempts.items()]
    return {
        "log": {
            "version": "1.2",
            "creator": document["generator"],
            "comment": f"{document['title']}; packet {document['packet_id']}; redacted",
            "entries": sorted(entries, key=lambda entry: str(entry["startedDateTime"])),
        }
    }


def _entry(attempt: Json, exchange: Json) -> Json:
    request, reply = exchange["request"], exchange["reply"] or {}
    version = attempt["http_version"] or "unknown"
    query = urllib.parse.parse_qsl(urllib.parse.urlsplit(request["url"]).query, keep_blank_values=True)
    host, _, port = (attempt["peer"] or "").rpartition(":")
    timings = _timings(attempt, request["url"].startswith("https:"))
    fault = attempt["fault"]
    headers = reply.get("headers", [])
    body = reply.get("body", "")
    entry: Json = {
        "startedDateTime": attempt["started_at"],
        "time": _time(timings),
        "request": {
            "method": request["method"],
            "url": request["url"],
            "httpVersion": version,
            "cookies": [],
            "headers": _pairs(request["headers"]),
            "queryString": _pairs(query),
            "postData": {"mimeType": _header(request["headers"], "content-type"), "text": request["body"]},
            "headersSize": -1,
            "bodySize": len(request["body"].encode()),
        },
        "response": {
            "status": reply.get("status", 0),
            "statusText": "" if reply or not fault else fault["kind"],
            "httpVersion": version,
            "cookies": [],
            "headers": _pairs(headers),
            "content": {
                "size": len(body.encode()),
                "mimeType": _media(headers),
                "text": body,
            },
            "redirectURL": _header(headers, "location"),
            "headersSize": -1,
            "bodySize": reply.get("body_bytes", -1),
            "_transferSize": reply.get("body_bytes", 0),
        },
        "cache": {},
        "timings": timings,
        "_resourceType": "fetch",
        "comment": f"probe {attempt['probe_id']}: {attempt['verdict']}/{attempt['reason']}; "
        f"last completed phase {attempt['last_phase']}",
    }
    if host:
        entry |= {"serverIPAddress": host.strip("[]"), "connection": port}
    if fault:
        entry["response"]["_error"] = f"{fault['kind']}: {fault['message']}"
    return entry


def _timings(attempt: Json, is_tls: bool) -> Json:
    """Milliseconds that add up to `time`, as HAR asks for. What did not happen is -1, or 0 where HAR knows no -1 (send,
    wait, receive); `connect` holds the TLS handshake as well. What no phase of ours holds was spent in the phase that
    broke off, else before it all began.
    """
    phases = attempt["phases"] or {}
    spent = {name: _us(phases.get(phase)) for name, phase in _PHASES.items()}
    rest = max(0, (_us(attempt["total_s"]) or 0) - sum(us or 0 for us in spent.values()))
    within = "blocked"
    if attempt["fault"]:
        within = _BROKE_OFF_IN.get(attempt["last_phase"], "blocked")
    if within == "ssl" and not is_tls:
        within = "send"
    if rest:
        spent[within] = (spent.get(within) or 0) + rest
    handshake = spent["ssl"]
    if handshake is not None:
        spent["connect"] = (spent["connect"] or 0) + handshake
    required = {"send": spent["send"] or 0, "wait": spent["wait"] or 0, "receive": spent["receive"] or 0}
    shown = {name: spent.get(name) for name in ("blocked", "dns", "connect", "ssl")} | required
    return {name: -1 if us is None else us / 1000 for name, us in shown.items()}


def _time(timings: Json) -> float:
    """The sum of what happened; the handshake is in `connect` already."""
    spent_us: int = sum(round(ms * 1000) for name, ms in timings.items() if name != "ssl" and ms > 0)
    return spent_us / 1000


def _us(seconds: float | None) -> int | None:
    """Whole microseconds, which add up exactly."""
    return None if seconds is None else round(seconds * 1_000_000)


def _pairs(pairs: Any) -> list[Json]:
    return [{"name": name, "value": value} for name, value in pairs]


def _media(headers: Any) -> str:
    """As stated. A stream without a parameter is one that Chromium's panel wants to fetch again instead of showing what
    the file holds; a stream is UTF-8 by its definition, so that is said."""
    stated = _header(headers, "content-type")
    return f"{stated}; charset=utf-8" if stated.lower() == "text/event-stream" else stated or _NO_MEDIA


def _header(pairs: Any, name: str) -> str:
    return next((value for key, value in pairs if key.lower() == name), "")
