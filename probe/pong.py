"""The minimal request: what is asked of a target, built from its contract and checked against it before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from probe.contract import Contract
from probe.records import Finding, FreezePolicy, Headers, Json, ProbeRequest, RequestKind

PROMPT = "Return the word pong. This is a sanitized incident reproduction."
REDACTED: Final = "<REDACTED>"
OWN_FIELDS: Final = frozenset({"model", "messages", "stream"})  # what the probe itself says; never an extra


@dataclass(frozen=True, slots=True)
class Target:
    """One line of `targets` with the defaults applied."""

    name: str
    contract: Contract
    model: str
    stream: bool
    credential: str
    labels: Mapping[str, str]
    cadence_s: float
    timeout_s: float
    slow_s: float
    reuse_connection: bool
    freeze: FreezePolicy
    request: Json


def build(target: Target, *, probe_id: str, kind: RequestKind, client_request_id: str, version: str) -> ProbeRequest:
    """The request for one attempt, with the *shape* of the credential where the key will stand."""
    auth = target.contract.auth.value
    headers: Headers = (
        ("Content-Type", "application/json"),
        ("Accept", "text/event-stream" if target.stream else "application/json"),
        ("Accept-Encoding", "identity"),
        ("User-Agent", f"freezeframe/{version}"),
        ("X-Client-Request-Id", client_request_id),
        (auth.header, auth.format.replace("{key}", REDACTED)),
    )
    return ProbeRequest(
        probe_id=probe_id,
        target=target.name,
        kind=kind,
        method="POST",
        url=target.contract.chat_url,
        headers=headers,
        body=orjson.dumps(_body(target)).decode(),
        model=target.model,
        stream=target.stream,
        client_request_id=client_request_id,
    )


def _body(target: Target) -> Json:
    pong: Json = {"model": target.model, "messages": [{"role": "user", "content": PROMPT}]}
    return pong | ({"stream": True} if target.stream else {}) | target.request


def problems(target: Target) -> tuple[Finding, ...]:
    """Where our own request disagrees with its contract: our fault, found before anything is sent.

    What is sent is checked each time, against a schema that its contract compiled once: some microseconds.
    """
    shape = target.contract.request
    return tuple(
        Finding(
            rule="request_schema",
            place=f"request body {violation.place}".rstrip(),
            expected=violation.expected,
            observed=violation.observed,
            source=shape.source.url,
            accessed=shape.source.accessed,
        )
        for violation in shape.violations(_body(target))
    )
