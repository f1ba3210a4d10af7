"""One entry of a HAR as the probe would have observed it. CorpusError names the place of what is none."""

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import re2

from probe.corpus import RECORDED_AT, CorpusError
from probe.har.address import shown
from probe.har.faults import UNKNOWN, fault
from probe.records import Fault, Headers, Json, Observation, Phase, ProbeRequest, Reply, RequestKind, Timings

MOST_BODY_BYTES: Final = 1 << 20  # as much as our own client reads
_METHOD: Final = re2.compile(r"[A-Z]{1,10}")
_NO_MEDIA: Final = ("", "x-unknown")


@dataclass(frozen=True, slots=True)
class Call:
    """One entry. `name` is its number and its address without what could be a secret; redact it all the same."""

    name: str
    url: str
    observation: Observation = field(repr=False)  # not sealed
    error: str = field(repr=False)
    body_is_recorded: bool


def call_of(number: int, entry: Any, *, everything: bool) -> Call | None:
    """None: it is no call to a chat API and did not fail (`everything` takes it all the same)."""
    where = f"log.entries[{number}]"
    if not isinstance(entry, dict):
        raise wrong(where, "an object", entry)
    request = _object(entry, "request", where)
    url, method = _text(request, "url", f"{where}.request"), _text(request, "method", f"{where}.request")
    response = _object(entry, "response", where) if entry.get("response") is not None else {}
    status = _status(response, f"{where}.response")
    sent = _sent(request, f"{where}.request")
    asked = _json(sent)
    headers = _headers(response, f"{where}.response")
    headers = _with_media(headers, response)
    is_stream = asked.get("stream") is True or _media(headers) == "text/event-stream"
    error = _error(entry, response)
    is_chat = method == "POST" and "messages" in asked
    if not (everything or is_chat or error or is_stream or status is None or status >= 400):
        return None
    address = shown(url)
    reply, is_recorded = (None, True) if status is None else _reply(status, headers, response, where)
    broken = fault(error) if error else UNKNOWN if reply is None else None
    if reply is not None and broken is not None:
        reply = replace(reply, complete=False)
    model = asked.get("model")
    return Call(
        name=f"{number + 1}:{address.partition('://')[2].partition('?')[0]}",
        url=address,
        observation=Observation(
            request=ProbeRequest(
                probe_id=str(number + 1),
                target="",
                kind=RequestKind.SCHEDULED,
                method=method if _METHOD.fullmatch(method) else "",
                url=address,
                headers=_headers(request, f"{where}.request"),
                body=sent,
                model=model if isinstance(model, str) else "",
                stream=is_stream,
                client_request_id="",
            ),
            started_at=_instant(entry.get("startedDateTime")),
            reply=reply,
            fault=broken,
            timings=_timings(entry),
            connection=None,
            last_phase=_last_phase(reply, broken),
        ),
        error=error,
        body_is_recorded=is_recorded,
    )


def _last_phase(reply: Reply | None, broken: Fault | None) -> Phase:
    if reply is None:
        return Phase.NONE
    return Phase.TRANSFER if broken is None else Phase.FIRST_BYTE


def _status(response: Mapping[str, Any], where: str) -> int | None:
    """The status; browsers write 0 (one writes -1) where none arrived."""
    status = response.get("status", 0)
    if type(status) is not int:
        raise wrong(f"{where}.status", "an int", status)
    return status if status > 0 else None


def _error(entry: Mapping[str, Any], response: Mapping[str, Any]) -> str:
    stated = (response.get("_error"), entry.get("_error"), response.get("_failureText"))
    return next((text for text in stated if isinstance(text, str) and text), "")


def _reply(status: int, headers: Headers, response: Mapping[str, Any], where: str) -> tuple[Reply, bool]:
    """What was answered, and whether its body was recorded."""
    content = response.get("content")
    content = content if isinstance(content, dict) else {}
    text = content.get("text")
    if text is not None and not isinstance(text, str):
        raise wrong(f"{where}.response.content.text", "a str", text)
    if text is None and content.get("size") != 0:
        # Neither empty nor of a known kind: the rules for a status are asked with what the headers say of it.
        stand_in = "<html></html>" if _media(headers) == "text/html" else "{}"
        return Reply(status, headers, stand_in, len(stand_in)), False
    data = (text or "").encode("utf-8", "replace")
    if content.get("encoding") == "base64":
        try:
            data = base64.b64decode(data, validate=False)
        except binascii.Error:
            raise CorpusError(f"har: {where}.response.content.text", "base64, as its encoding says", "none") from None
    cut = data[:MOST_BODY_BYTES]
    names = {name.lower(): value for name, value in headers}
    received = len(data)
    if "content-encoding" in names and names.get("content-length", "").isascii():  # it announced the encoded bytes
        announced = names.get("content-length", "")
        received = max(received, int(announced[:15])) if announced.isdigit() else received
    body, is_cut = cut.decode("utf-8", "replace"), len(data) > len(cut)
    return Reply(status, headers, body, received, truncated=is_cut, valid_utf8=_is_utf8(data)), True


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _headers(message: Mapping[str, Any], where: str) -> Headers:
    """Without the pseudo-headers of HTTP/2, which say URL and status again."""
    headers = message.get("headers") or []
    if not isinstance(headers, list):
        raise wrong(f"{where}.headers", "a list", headers)
    pairs = []
    for number, header in enumerate(headers):
        name, value = (header.get("name"), header.get("value")) if isinstance(header, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(value, str):
            raise wrong(f"{where}.headers[{number}]", "an object with name and value", header)
        if not name.startswith(":"):
            pairs.append((name, value))
    return tuple(pairs)


def _with_media(headers: Headers, response: Mapping[str, Any]) -> Headers:
    """With the content's type where the browser left the header out."""
    content = response.get("content")
    media = content.get("mimeType") if isinstance(content, dict) else None
    if _media(headers) or not isinstance(media, str) or media in _NO_MEDIA:
        return headers
    return (*headers, ("content-type", media))


def _media(headers: Headers) -> str:
    stated = next((value for name, value in headers if name.lower() == "content-type"), "")
    return stated.partition(";")[0].strip().lower()


def _sent(request: Mapping[str, Any], where: str) -> str:
    posted = request.get("postData")
    if posted is None:
        return ""
    if not isinstance(posted, dict):
        raise wrong(f"{where}.postData", "an object", posted)
    text = posted.get("text")
    return text[:MOST_BODY_BYTES] if isinstance(text, str) else ""


def _json(text: str) -> Json:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _timings(entry: Mapping[str, Any]) -> Timings:
    """From milliseconds; what is absent or -1 was not measured. HAR counts the TLS handshake as part of connect."""
    stated = entry.get("timings")
    stated = stated if isinstance(stated, dict) else {}
    resolve_s, connect_s, tls_s, send_s, wait_s, receive_s = (
        _seconds(stated.get(name)) for name in ("dns", "connect", "ssl", "send", "wait", "receive")
    )
    before = (_seconds(stated.get("blocked")), resolve_s, connect_s, send_s, wait_s)
    first_byte_s = sum(known for known in before if known is not None)
    total_s = _seconds(entry.get("time"))
    return Timings(
        total_s=first_byte_s + (receive_s or 0.0) if total_s is None else total_s,
        resolve_s=resolve_s,
        connect_s=None if connect_s is None else max(0.0, connect_s - (tls_s or 0.0)),
        tls_s=tls_s,
        send_s=send_s,
        processing_s=wait_s,
        transfer_s=receive_s,
        first_byte_s=None if wait_s is None else first_byte_s,
    )


def _seconds(ms: object) -> float | None:
    if isinstance(ms, bool) or not isinstance(ms, int | float) or not math.isfinite(ms) or ms < 0:
        return None
    return ms / 1000


def _instant(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else RECORDED_AT
    except ValueError:
        return RECORDED_AT
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _object(parent: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise wrong(f"{where}.{key}", "an object", value)
    return value


def _text(parent: Mapping[str, Any], key: str, where: str) -> str:
    value = parent.get(key)
    if not isinstance(value, str):
        raise wrong(f"{where}.{key}", "a str", value)
    return value


def wrong(where: str, expected: str, found: object) -> CorpusError:
    return CorpusError(f"har: {where}", expected, type(found).__name__)
