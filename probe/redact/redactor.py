"""Redaction: the only maker of `Sealed`. Allow what is known to be safe, replace the rest, fail closed.

Values become stable tokens ``<kind:3f9a2c>`` (keyed HMAC): equal stays equal, nothing is revealed. JSON stays JSON with
the same keys, an event stream keeps its events. A field whose redaction fails is dropped and the report says so.
"""

import copy
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

import re2
from pydantic import SecretStr

from probe import literals
from probe.records import Fault, Headers, Observation, ProbeRequest, Removal, Reply, Sealed
from probe.records.sealed import _SEAL
from probe.redact import canary
from probe.redact.allowed import ALLOWED, OWN_HEADERS, REPLY_HEADERS, TRACE_HEADERS
from probe.redact.beside import Beside, beside
from probe.redact.events import is_stream, sealed_events
from probe.redact.headers import sealed_headers
from probe.redact.urls import sealed_url
from probe.redact.walk import parsed, sealed_json
from probe.redact.work import Clean, Work

Handling = Literal["keep", "hash", "drop"]
_SHORTEST_KNOWN_CHARS: Final = 8
_MOST_CIRCUMSTANCES: Final = 256


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do with request IDs and with our own egress address."""

    request_ids: Handling = "keep"
    egress_ip: Handling = "drop"


class Redactor:
    """Seals observations and texts. `literals` are every configured secret, `trusted` texts stay as they are, `key`
    makes the tokens."""

    def __init__(self, literals_: Sequence[SecretStr], trusted: Sequence[str], policy: Policy, key: bytes) -> None:
        self._policy = policy
        self._key = key
        self._trusted = tuple(text for text in trusted if text)
        self._beside = Beside()
        self._clean: dict[tuple[Beside, tuple[str, ...]], Clean] = {}  # by what belongs to the exchange
        secrets = {secret.get_secret_value() for secret in literals_} - {""}
        options = re2.Options()
        options.max_mem = 64 << 20
        options.log_errors = False
        # Secrets are taken out by literal before any pattern could split one.
        self._secrets = [re2.compile(literals.finder(secret), options) for secret in sorted(secrets, key=len)[::-1]]
        # And looked for in every reading of a text, however its escapes are mixed.
        self._known = tuple((secret, "configured") for secret in secrets if len(secret) >= _SHORTEST_KNOWN_CHARS)

    def knowing(self, headers: Headers, body: str) -> "Redactor":
        """The same, for what belongs to this request: what it carried is also taken out where it is repeated."""
        knowing = copy.copy(self)
        knowing._beside = beside(headers, body)
        return knowing

    def seal(self, observation: Observation) -> Sealed[Observation]:
        """The observation without what must not be shown."""
        request = observation.request
        peer = () if observation.connection is None else (observation.connection.peer_ip,)
        work = self.knowing(request.headers, request.body)._work(peer)
        sealed = replace(
            observation,
            request=ProbeRequest(
                probe_id=request.probe_id,
                target=request.target,
                kind=request.kind,
                method=request.method,
                url=work.once("request.url", request.url, lambda place, text: sealed_url(work, place, text)),
                headers=sealed_headers(work, "request.headers", request.headers, OWN_HEADERS | TRACE_HEADERS),
                body=work.once("request.body", request.body, lambda place, text: _body(work, place, text)),
                model=work.once("request.model", request.model, work.text),
                stream=request.stream,
                client_request_id=request.client_request_id,
            ),
            reply=None if observation.reply is None else _reply(observation.reply, work),
            fault=None
            if observation.fault is None
            else Fault(observation.fault.kind, work.guarded("error", observation.fault.message, work.text)),
        )
        return Sealed(sealed, work.report(), _SEAL)

    def seal_text(self, text: str, place: str) -> Sealed[str]:
        """A text of our own or of a person, without what must not be shown."""
        work = self._work()
        return Sealed(work.guarded(place, text, work.text), work.report(), _SEAL)

    def seal_url(self, url: str, place: str) -> Sealed[str]:
        """The address of a request, without what must not be shown."""
        work = self._work()
        return Sealed(work.guarded(place, url, lambda at, text: sealed_url(work, at, text)), work.report(), _SEAL)

    def seal_body(self, body: str, place: str) -> Sealed[str]:
        """A body (JSON, event stream, HTML, text) without what must not be shown."""
        work = self._work()
        return Sealed(work.guarded(place, body, lambda at, text: _body(work, at, text)), work.report(), _SEAL)

    def seal_headers(self, headers: Headers, place: str) -> Sealed[Headers]:
        work = self._work()
        return Sealed(sealed_headers(work, place, headers, ALLOWED), work.report(), _SEAL)

    def canary_failure(self, inspect: canary.Inspect) -> str | None:
        """What of the self-test did not hold, and where; None where planted fakes are taken out, and found by the
        gate."""
        fake = "ffcanary" + hashlib.sha256(self._key).hexdigest()[:32]
        knowing = Redactor([SecretStr(fake)], (), self._policy, self._key)
        unaware = Redactor((), (), self._policy, self._key)
        return canary.failure(fake, knowing.seal, unaware.seal, inspect)

    def token(self, kind: str, value: str) -> str:
        """Stable for equal values under one key."""
        return f"<{kind}:{hmac.new(self._key, value.encode(), hashlib.sha256).hexdigest()[:6]}>"

    @property
    def request_ids(self) -> Handling:
        return self._policy.request_ids

    @property
    def egress_ip(self) -> Handling:
        return self._policy.egress_ip

    def without_literals(self, text: str, note: Callable[[str, int], None]) -> str:
        for secret in self._secrets:
            if secret.search(text) is not None:
                text, count = secret.subn("<configured_secret>", text)
                note("configured_secret", count)
        return text

    def _work(self, peer: Sequence[str] = ()) -> Work:
        known = (*self._known, *self._beside.values)
        around = (self._beside, tuple(peer))
        clean = self._clean.get(around)
        if clean is None:
            if len(self._clean) >= _MOST_CIRCUMSTANCES:
                self._clean.clear()
            clean = self._clean[around] = Clean()
        return Work(self, Counter(), (*self._trusted, *peer), known, self._beside.strange, clean)


def bare(sealed: Sealed[Observation]) -> Sealed[Observation]:
    """The same with its numbers and enums only: no texts of the reply, neither headers nor body of the request."""
    value = sealed.value
    reply = None if value.reply is None else _same(replace(value.reply, headers=(), body=""))
    return Sealed(replace(value, reply=reply, request=replace(value.request, headers=(), body="")), (), _SEAL)


@lru_cache(maxsize=64)
def _same(reply: Reply) -> Reply:
    """Healthy replies without their text are nearly all equal: one object for all."""
    return reply


def restored(value: Observation, removals: tuple[Removal, ...]) -> Sealed[Observation]:
    """What the history kept on disk: it had been sealed before it was written, and only the history calls this."""
    return Sealed(value, removals, _SEAL)


def _reply(reply: Reply, work: Work) -> Reply:
    return replace(
        reply,
        headers=sealed_headers(work, "response.headers", reply.headers, REPLY_HEADERS),
        body=work.guarded("response.body", reply.body, lambda place, text: _body(work, place, text)),
    )


def _body(work: Work, place: str, body: str) -> str:
    if is_stream(body):
        return sealed_events(work, place, body)
    opened = parsed(body)
    if opened is not None:
        return sealed_json(work, place, body, opened)
    sealed = work.text(place, body)
    if place.startswith("request") and sealed.strip():
        return work.whole("dropped_request_body_of_unknown_form", "unknown", place, sealed)
    return sealed
