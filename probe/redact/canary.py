"""The self-test at start and reload: redaction and gate are tried on planted fakes, and none may survive.

Three things are proven, each by itself: a configured secret is taken out in every spelling; a key that nobody
configured is taken out by its form; the gate finds both where they were left in, and nothing where nothing is.
"""

import base64
import html
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from pydantic import SecretStr

from probe import literals
from probe.records import Fault, Observation, Phase, ProbeRequest, Reply, RequestKind, Sealed, Timings

_PROBE: Final = "canary"
Seal = Callable[[Observation], Sealed[Observation]]
Inspect = Callable[[Mapping[str, bytes], Sequence[SecretStr]], Sequence[object]]
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
    """A self-test exchange that carries the spelling in its address, headers, body and fault, and in the name of a
    header and of a field."""
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
        (f"x-{spelling}", spelling),
    )
    reply = Reply(401, headers, body, len(body))
    fault = Fault(_PROBE, f"{_KEPT}: {fake[:9]}\n{spelling}")
    return Observation(request, datetime(2026, 1, 1, tzinfo=UTC), reply, fault, Timings(0.1), None, Phase.TRANSFER)


def unconfigured(fake: str) -> str:
    """A key that no configuration knows: only its form gives it away."""
    # By chance alone two in a thousand would look made up: a part of it is random for certain.
    return f"sk-proj-Zk7Qw2Lp9Rt4Xv8Nm3Bs6Hd1{fake[::-1]}"


def failure(fake: str, by_literal: Seal, by_form: Seal, inspect: Inspect) -> str | None:
    """What did not hold, and where (never the fake itself); None where everything did. `by_literal` knows the fake as
    a configured secret, `by_form` knows none."""
    unknown = unconfigured(fake)
    place = survivor(fake, by_literal, spellings(fake))
    if place is not None:
        return f"redaction of configured secrets: {place}"
    place = survivor(unknown, by_form, (unknown,))
    if place is not None:
        return f"redaction by form: {place}"
    missed = _missed(fake, unknown, inspect)
    return None if missed is None else f"gate: {missed}"


def survivor(fake: str, seal: Seal, written: Sequence[str]) -> str | None:
    """Where a spelling can be read in what the sealing leaves, or that what must stay did not; None where all is
    well."""
    for spelling in written:
        for stream in (False, True):
            sealed = seal(exchange(fake, spelling, stream=stream)).value
            if sealed.reply is None or sealed.fault is None or _KEPT not in sealed.reply.body:
                return "what must stay was taken out"
            for place, shown in _places(sealed, sealed.reply, sealed.fault).items():
                if any(form in shown for form in _forms(fake, spelling)):
                    return f"a planted key can still be read in the {place}{' of a stream' if stream else ''}"
    return None


def _missed(fake: str, unknown: str, inspect: Inspect) -> str | None:
    for number, spelling in enumerate(spellings(fake), start=1):
        if not inspect({"canary": f"{_KEPT}: {spelling}".encode()}, [SecretStr(fake)]):
            return f"a configured secret was not found in spelling {number}"
    halves = unknown[:11], unknown[11:]
    stream = "".join(f"data: {json.dumps({'choices': [{'delta': {'content': half}}]})}\n\n" for half in halves)
    for place, text in (
        ("a header", f"Authorization: Bearer {unknown}"),
        ("JSON", json.dumps({"body": json.dumps({"k": unknown})})),
        ("an event stream", json.dumps({"body": stream})),
        ("text", f"{_KEPT}: {unknown}"),
    ):
        if not inspect({"canary": text.encode()}, ()):
            return f"a key that is not configured was not found in {place}"
    return "what holds no secret was refused" if inspect({"canary": _KEPT.encode()}, [SecretStr(fake)]) else None


def _places(sealed: Observation, reply: Reply, fault: Fault) -> dict[str, str]:
    events = [json.loads(line[5:]) for line in reply.body.splitlines() if line.startswith("data:")]
    spoken = "".join(event["choices"][0]["delta"]["content"] for event in events)
    return {
        "address": sealed.request.url,
        "request headers": repr(sealed.request.headers),
        "request body": sealed.request.body,
        "model": sealed.request.model,
        "response headers": repr(reply.headers),
        "response body": f"{reply.body}\n{spoken}",
        "error text": fault.message,
    }


def _forms(fake: str, spelling: str) -> frozenset[str]:
    return literals.spellings(fake) | literals.base64_cores(fake) | {spelling, json.dumps(spelling)[1:-1]}
