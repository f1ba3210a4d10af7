"""The exchanges as HAR 1.2: what a browser's network panel opens."""

import urllib.parse
from typing import Any

from probe.records import Json


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
    headers = reply.get("headers", [])
    body = reply.get("body", "")
    entry: Json = {
        "startedDateTime": attempt["started_at"],
        "time": _ms(attempt["total_s"]),
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
            "statusText": "",
            "httpVersion": version,
            "cookies": [],
            "headers": _pairs(headers),
            "content": {"size": len(body.encode()), "mimeType": _header(headers, "content-type"), "text": body},
            "redirectURL": _header(headers, "location"),
            "headersSize": -1,
            "bodySize": reply.get("body_bytes", -1),
        },
        "cache": {},
        "timings": _timings(attempt["phases"] or {}),
        "comment": f"probe {attempt['probe_id']}: {attempt['verdict']}/{attempt['reason']}; "
        f"last completed phase {attempt['last_phase']}",
    }
    if host:
        entry |= {"serverIPAddress": host.strip("[]"), "connection": port}
    if fault := attempt["fault"]:
        entry["response"]["_error"] = f"{fault['kind']}: {fault['message']}"
    return entry


def _timings(phases: Json) -> Json:
    """Milliseconds, -1 where not measured. In HAR the TLS handshake is also part of connect."""
    connect = phases.get("connect_s")
    whole = None if connect is None else connect + (phases.get("tls_s") or 0)
    return {
        "blocked": -1,
        "dns": _ms(phases.get("resolve_s")),
        "connect": _ms(whole),
        "ssl": _ms(phases.get("tls_s")),
        "send": _ms(phases.get("send_s")),
        "wait": _ms(phases.get("processing_s")),
        "receive": _ms(phases.get("transfer_s")),
    }


def _ms(seconds: float | None) -> float:
    return -1 if seconds is None else round(seconds * 1000, 3)


def _pairs(pairs: Any) -> list[Json]:
    return [{"name": name, "value": value} for name, value in pairs]


def _header(pairs: Any, name: str) -> str:
    return next((value for key, value in pairs if key.lower() == name), "")
