"""The self-test: a fake key is planted in every place and spelling of an exchange, and none may survive the
sealing."""

import base64
import html
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from probe import literals
from probe.records import Fault, Observation, Phase, ProbeRequest, Reply, RequestKind, Sealed, Timings

_PROBE: Final = "canary"
_KEPT: Final = "this key is wrong"  # what must still be readable, or the test proves nothing


def spellings(fake: str) -> tuple[str, ...]:
    """Every way in which the self-test writes the key."""
    return (
        fake,
        "".join(f"%{byte:02X}" for byte in fake.encode()),
        "".join(f"\\u{ord(sign):04x}" for sign in fake),
        "".join(f"&#{ord(sign)};" for sign in fake),
        html.escape(json.dumps({"k": fake})),
        base64.b64encode(f"user:{fake}".encode()).decode(),
        base64.urlsafe_b64encode(f"u:{fake}".encode()).decode(),
        fake.encode().hex(),
        quote(json.dumps({"k": fake})),
    )


def exchange(fake: str, spelling: str, *, stream: bool) -> Observation:
    """A self-test exchange that carries the spelling in its address, headers, body and fault."""
    cut = len(spelling) // 3
    if stream:
        parts = (spelling[:cut], spelling[cut : 2 * cut], spelling[2 * cut :])
        body = f": {_KEPT}\n\n" + "".join(
            f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': part}}]})}\n\n" for part in parts
        )
    else:
        deep = {
            "error": {"message": f"{_KEPT}: {spelling}", "again": [{"x": json.dumps({"y": spelling})}], spelling: 1}
        }
        body = json.dumps(deep)
    request = ProbeRequest(
        probe_id=_PROBE,
        target=_PROBE,
        kind=RequestKind.SCHEDULED,
        method="POST",
        url=f"https://api.example.test/v1/chat/completions?key={spelling}",
        headers=(("Authorization", f"Bearer {spelling}"), ("User-Agent", f"x {spelling}")),
        body=json.dumps({"model": spelling, "messages": [{"role": "user", "content": spelling}]}),
        model=_PROBE,
        stream=stream,
        client_request_id=_PROBE,
    )
    headers = (
        ("server", f"x {spelling}"),
        ("x-request-id", spelling),
        ("set-cookie", f"a={spelling}"),
        (f"x-{spelling}", "1"),
    )
    reply = Reply(401, headers, body, len(body))
    fault = Fault(_PROBE, f"{_KEPT}: {fake[:9]}\n{spelling}")
    return Observation(request, datetime(2026, 1, 1, tzinfo=UTC), reply, fault, Timings(0.1), None, Phase.TRANSFER)


def holds(fake: str, seal: Callable[[Observation], Sealed[Observation]]) -> bool:
    """Whether no spelling can be read in what the sealing leaves, and whether it leaves what must stay."""
    for spelling in spellings(fake):
        for stream in (False, True):
            sealed = seal(exchange(fake, spelling, stream=stream)).value
            if sealed.reply is None or sealed.fault is None or _KEPT not in sealed.reply.body:
                return False
            shown = "\n".join(_texts(sealed))
            if any(form in shown for form in _forms(fake, spelling)):
                return False
    return True


def _texts(sealed: Observation) -> list[str]:
    reply = sealed.reply
    request = sealed.request
    texts = [request.url, repr(request.headers), request.body, request.model]
    if reply is not None:
        texts += [repr(reply.headers), reply.body]
        events = [json.loads(line[5:]) for line in reply.body.splitlines() if line.startswith("data:")]
        texts.append("".join(event["choices"][0]["delta"]["content"] for event in events))
    return [*texts, "" if sealed.fault is None else sealed.fault.message]


def _forms(fake: str, spelling: str) -> frozenset[str]:
    return literals.spellings(fake) | literals.base64_cores(fake) | {spelling, json.dumps(spelling)[1:-1]}
