"""Redaction: the only maker of `Sealed`. Allow what is known to be safe, replace the rest, fail closed.

Values become stable tokens ``<kind:3f9a2c>`` (keyed HMAC): equal stays equal, nothing is revealed. JSON stays JSON with
the same keys, an event stream keeps its events. A field whose redaction fails is dropped and the report says so.
"""

import copy
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import re2
from pydantic import SecretStr

from probe.records import Fault, Headers, Observation, ProbeRequest, Removal, Reply, Sealed
from probe.records.sealed import _SEAL
from probe.redact import canary
from probe.redact.allowed import ALLOWED, OWN_HEADERS, REPLY_HEADERS, TRACE_HEADERS
from probe.redact.beside import Beside, in_body, in_headers
from probe.redact.events import is_stream, sealed_events
from probe.redact.headers import sealed_headers
from probe.redact.secrets import Secrets
from probe.redact.urls import sealed_url
from probe.redact.walk import parsed, sealed_json
from probe.redact.work import Clean, Work

Handling = Literal["keep", "hash", "drop"]
_SHORTEST_KNOWN_CHARS: Final = 8
_MOST_CIRCUMSTANCES: Final = 256
# How nearly every answer begins. In its ID and its time it differs from the last one, most often in nothing else.
_ID_FIRST: Final = '{"id":"'
_ID: Final = re2.compile(r"[A-Za-z0-9_-]{1,128}")
_TIME: Final = '"created":'
_TIME_DIGITS: Final = 10
_SECONDS: Final = re2.compile(r"[1-9][0-9]{9}")


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
        self._harmless = Clean()  # request bodies that carry nothing that their answers may not repeat
        self._clean: dict[tuple[Beside, tuple[str, ...]], Clean] = {}  # by what belongs to the exchange
        secrets = {secret.get_secret_value() for secret in literals_} - {""}
        self._secrets = Secrets(frozenset(secrets))
        # And looked for in every reading of a text, however its escapes are mixed.
        self._known = tuple((secret, "configured") for secret in secrets if len(secret) >= _SHORTEST_KNOWN_CHARS)

    def knowing(self, headers: Headers, body: str) -> "Redactor":
        """The same, for what belongs to this request: what it carried is also taken out where it is repeated."""
        knowing = copy.copy(self)
        knowing._beside = self._carried(headers, body)
        return knowing

    def _carried(self, headers: Headers, body: str) -> Beside:
        return in_headers(headers).and_(self._in_body(body))

    def _in_body(self, body: str) -> Beside:
        if ("request", body) in self._harmless:
            return Beside()
        found = in_body(body)
        if found == Beside():
            self._harmless.add(("request", body))
        return found

    def seal(self, observation: Observation) -> Sealed[Observation]:
        """The observation without what must not be shown."""
        request = observation.request
        peer = () if observation.connection is None else (observation.connection.peer_ip,)
        work = self._work(self._carried(request.headers, request.body), peer, request.client_request_id)
        sealed = Observation(
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
            started_at=observation.started_at,
            reply=None if observation.reply is None else _reply(observation.reply, work),
            fault=None
            if observation.fault is None
            else Fault(observation.fault.kind, work.guarded("error", observation.fault.message, work.text)),
            timings=observation.timings,
            connection=observation.connection,
            last_phase=observation.last_phase,
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
        return self._secrets.taken_out(text, note)

    def _work(self, carried: Beside | None = None, peer: Sequence[str] = (), own: str = "") -> Work:
        carried = self._beside if carried is None else carried
        known = (*self._known, *carried.values)
        around = (carried, tuple(peer))
        clean = self._clean.get(around)
        if clean is None:
            if len(self._clean) >= _MOST_CIRCUMSTANCES:
                self._clean.clear()
            clean = self._clean[around] = Clean()
        return Work(self, Counter(), (*self._trusted, *peer), known, carried.strange, clean, own)


def bare(sealed: Sealed[Observation]) -> Sealed[Observation]:
    """The same with its numbers and enums only: no texts of the reply, neither headers nor body of the request."""
    value, asked = sealed.value, sealed.value.request
    numbers = Observation(
        request=ProbeRequest(
            probe_id=asked.probe_id,
            target=asked.target,
            kind=asked.kind,
            method=asked.method,
            url=asked.url,
            headers=(),
            body="",
            model=asked.model,
            stream=asked.stream,
            client_request_id=asked.client_request_id,
        ),
        started_at=value.started_at,
        reply=None if value.reply is None else _numbers(value.reply),
        fault=value.fault,
        timings=value.timings,
        connection=value.connection,
        last_phase=value.last_phase,
    )
    return Sealed(numbers, (), _SEAL)


def _numbers(reply: Reply) -> Reply:
    return _same(reply.status, reply.body_bytes, reply.complete, reply.truncated, reply.valid_utf8)


@lru_cache(maxsize=64)
def _same(status: int, body_bytes: int, complete: bool, truncated: bool, valid_utf8: bool) -> Reply:
    """Healthy replies without their text are nearly all equal: one object for all."""
    return Reply(status, (), "", body_bytes, complete, truncated, valid_utf8)


def restored(value: Observation, removals: tuple[Removal, ...]) -> Sealed[Observation]:
    """What the history kept on disk: it had been sealed before it was written, and only the history calls this."""
    return Sealed(value, removals, _SEAL)


def _reply(reply: Reply, work: Work) -> Reply:
    return Reply(
        status=reply.status,
        headers=sealed_headers(work, "response.headers", reply.headers, REPLY_HEADERS),
        body=work.guarded("response.body", reply.body, lambda place, text: _body(work, place, text)),
        body_bytes=reply.body_bytes,
        complete=reply.complete,
        truncated=reply.truncated,
        valid_utf8=reply.valid_utf8,
    )


class _Answer(NamedTuple):
    """An answer that begins with a plain ID, and what it shares with the others of its kind."""

    id: str
    rest: str

    @classmethod
    def of(cls, body: str) -> "_Answer | None":
        if not body.startswith(_ID_FIRST):
            return None
        known, _, rest = body[len(_ID_FIRST) :].partition('"')
        if _ID.fullmatch(known) is None:
            return None
        before, mark, after = rest.partition(_TIME)
        time, following = after[:_TIME_DIGITS], after[_TIME_DIGITS : _TIME_DIGITS + 1]
        # A number that is as long goes or stays alike, wherever it stands.
        if _SECONDS.fullmatch(time) is not None and following in (",", "}"):
            rest = f"{before}{mark}{after[_TIME_DIGITS:]}"
        return cls(known, rest)

    def is_known(self, work: Work, place: str) -> bool:
        """One like it was looked at whole and is shown as it is; the ID of this one is looked at here."""
        if ("but for its id", place, self.rest) not in work.clean:
            return False
        before = work.removals.copy()
        if work.text(place, self.id, "id") == self.id:
            return True
        work.removals.clear()  # it is counted where the whole document is looked at
        work.removals.update(before)
        return False


def _body(work: Work, place: str, body: str) -> str:
    if is_stream(body):
        return sealed_events(work, place, body)
    answer = _Answer.of(body) if work.keeper.request_ids == "keep" else None
    if answer is not None and answer.is_known(work, place):
        return work.literal(place, body)
    opened = parsed(body)
    if opened is not None:
        before = work.noted()
        sealed = sealed_json(work, place, body, opened)
        if answer is not None and sealed == body and work.noted() == before:
            work.clean.add(("but for its id", place, answer.rest))
        return sealed
    sealed = work.text(place, body)
    if place.startswith("request") and sealed.strip():
        return work.whole("dropped_request_body_of_unknown_form", "unknown", place, sealed)
    return sealed
