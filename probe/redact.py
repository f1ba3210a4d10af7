"""Redaction: the only maker of `Sealed`. Allow what is known to be safe, replace the rest, fail closed.

Values become stable tokens ``<kind:3f9a2c>`` (keyed HMAC): equal stays equal, nothing is revealed. JSON stays JSON with
the same keys, an event stream keeps its events. A field whose redaction fails is dropped and the report says so.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import orjson
import re2
from pydantic import SecretStr

from probe import literals, patterns
from probe.reading import SAFE_HEADERS
from probe.records import Fault, Headers, Observation, ProbeRequest, Removal, Reply, Sealed
from probe.records.sealed import _SEAL, TOKEN

_Path = tuple[str | int, ...]
Handling = Literal["keep", "hash", "drop"]
DROPPED: Final = "<dropped: redaction failed>"
HIDDEN: Final = "<redacted>"
_MAX_DEPTH: Final = 60
_OWN_HEADERS: Final = frozenset(
    {"content-type", "accept", "accept-encoding", "user-agent", "x-client-request-id", "host", "content-length"}
)
# Kept as they identify a version or a trace, not a person; their values still meet every pattern.
_TRACE_HEADERS: Final = frozenset(
    (
        *("etag", "content-md5", "digest", "content-digest", "repr-digest", "last-modified", "content-language"),
        *("traceparent", "tracestate", "x-amzn-trace-id", "x-cloud-trace-context", "x-b3-traceid", "x-b3-spanid"),
        *("x-trace-id", "x-datadog-trace-id", "x-build", "x-version", "x-runtime", "x-response-time"),
    )
)
_REPLY_HEADERS: Final = SAFE_HEADERS | _TRACE_HEADERS
_REQUEST_ID_TEXT: Final = re2.compile(r"(?i)(request[ _-]?id[\"'=: ]+)([A-Za-z0-9_-]{8,})")


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
        secrets = {secret.get_secret_value() for secret in literals_} - {""}
        options = re2.Options()
        options.max_mem = 64 << 20
        options.log_errors = False
        # Secrets are taken out by literal before any pattern could split one.
        self._secrets = [re2.compile(literals.finder(secret), options) for secret in sorted(secrets, key=len)[::-1]]

    def seal(self, observation: Observation) -> Sealed[Observation]:
        """The observation without what must not be shown."""
        removals: Counter[tuple[str, str]] = Counter()
        peer = () if observation.connection is None else (observation.connection.peer_ip,)
        work = _Work(self, removals, (*self._trusted, *peer))
        request = observation.request
        sealed = replace(
            observation,
            request=ProbeRequest(
                probe_id=request.probe_id,
                target=request.target,
                kind=request.kind,
                method=request.method,
                url=work.guarded("request.url", request.url, work.text),
                headers=work.headers("request.headers", request.headers, _OWN_HEADERS),
                body=work.guarded("request.body", request.body, work.body),
                model=work.guarded("request.model", request.model, work.text),
                stream=request.stream,
                client_request_id=request.client_request_id,
            ),
            reply=None if observation.reply is None else self._reply(observation.reply, work),
            fault=None
            if observation.fault is None
            else Fault(observation.fault.kind, work.guarded("error", observation.fault.message, work.text)),
        )
        return Sealed(sealed, _report(removals), _SEAL)

    def _reply(self, reply: Reply, work: "_Work") -> Reply:
        return replace(
            reply,
            headers=work.headers("response.headers", reply.headers, _REPLY_HEADERS),
            body=work.guarded("response.body", reply.body, work.body),
        )

    def seal_text(self, text: str, place: str) -> Sealed[str]:
        """A text of our own or of a person, without what must not be shown."""
        removals: Counter[tuple[str, str]] = Counter()
        work = _Work(self, removals, self._trusted)
        return Sealed(work.guarded(place, text, work.text), _report(removals), _SEAL)

    def seal_body(self, body: str, place: str) -> Sealed[str]:
        """A body (JSON, event stream, HTML, text) without what must not be shown."""
        removals: Counter[tuple[str, str]] = Counter()
        work = _Work(self, removals, self._trusted)
        return Sealed(work.guarded(place, body, work.body), _report(removals), _SEAL)

    def seal_headers(self, headers: Headers, place: str) -> Sealed[Headers]:
        removals: Counter[tuple[str, str]] = Counter()
        work = _Work(self, removals, self._trusted)
        return Sealed(work.headers(place, headers, _REPLY_HEADERS | _OWN_HEADERS), _report(removals), _SEAL)

    def canary_holds(self) -> bool:
        """Whether a planted fake key, echoed in several forms, is taken out of a self-test exchange."""
        fake = "ffcanary" + hashlib.sha256(self._key).hexdigest()[:32]
        tested = Redactor([SecretStr(fake)], (), self._policy, self._key)
        body = orjson.dumps({"error": {"message": f"key {fake} is wrong", "k": [{"x": "%20" + fake}]}}).decode()
        sealed = tested.seal_body(body, "canary").value + tested.seal_text(f"x={fake.encode().hex()}", "canary").value
        return fake not in sealed and fake.encode().hex() not in sealed and "is wrong" in sealed

    def token(self, kind: str, value: str) -> str:
        """Stable for equal values under one key."""
        return f"<{kind}:{hmac.new(self._key, value.encode(), hashlib.sha256).hexdigest()[:6]}>"

    @property
    def policy(self) -> Policy:
        return self._policy

    def without_literals(self, text: str, note: Callable[[str, int], None]) -> str:
        for secret in self._secrets:
            text, count = secret.subn("<configured_secret>", text)
            if count:
                note("configured_secret", count)
        return text


def bare(sealed: Sealed[Observation]) -> Sealed[Observation]:
    """The same with its numbers and enums only: no texts of the reply, no body of the request."""
    value = sealed.value
    reply = None if value.reply is None else replace(value.reply, headers=(), body="")
    return Sealed(replace(value, reply=reply, request=replace(value.request, body="")), (), _SEAL)


def restored(value: Observation, removals: tuple[Removal, ...]) -> Sealed[Observation]:
    """What the history kept on disk: it had been sealed before it was written, and only the history calls this."""
    return Sealed(value, removals, _SEAL)


@dataclass(frozen=True, slots=True)
class _Work:
    """One sealing: what it removes is counted by rule and place."""

    redactor: Redactor
    removals: Counter[tuple[str, str]]
    trusted: tuple[str, ...]

    def guarded(self, place: str, value: str, seal: Callable[[str, str], str]) -> str:
        """Fails closed: a text whose redaction breaks is dropped whole."""
        try:
            return seal(place, value)
        except Exception:  # noqa: BLE001 - whatever breaks here, the raw text must not go on
            self.removals["dropped", place] += 1
            return DROPPED

    def headers(self, place: str, headers: Headers, safe: frozenset[str]) -> Headers:
        def one(name: str, value: str) -> tuple[str, str]:
            shown = self.guarded(place, name, self.text)  # a server may write a secret into the name as well
            where = f"{place} {shown.lower()}"
            if name.lower() in safe:
                return shown, self.guarded(where, value, self.text)
            if TOKEN.fullmatch(value) or value.endswith("<REDACTED>"):
                return shown, value
            self.removals["header_not_known_safe", where] += 1
            return shown, HIDDEN

        return tuple(one(name, value) for name, value in headers)

    def body(self, place: str, body: str) -> str:
        if body.lstrip("\ufeff").startswith(("data:", "event:", ":", "id:", "retry:")):
            return self._events(place, body)
        opened = _parse(body)
        return self.text(place, body) if opened is None else self._json_text(place, body, opened)

    def text(self, place: str, text: str) -> str:
        """Configured secrets first, then patterns, each outside of what is a token already or trusted."""
        text = self.redactor.without_literals(text, lambda rule, count: self._note(rule, place, count))
        if self.redactor.policy.request_ids != "keep":
            text = _REQUEST_ID_TEXT.sub(lambda found: found.group(1) + self._id(found.group(2), place), text)
        for pattern in patterns.PATTERNS:
            if pattern.compiled.search(text):
                text = self._replace(pattern, place, text)
        return text

    def _id(self, value: str, place: str) -> str:
        self._note("request_id", place, 1)
        return HIDDEN if self.redactor.policy.request_ids == "drop" else self.redactor.token("request_id", value)

    def _replace(self, pattern: patterns.Pattern, place: str, text: str) -> str:
        out, at = [], 0
        for found in pattern.compiled.finditer(text):
            group = 1 if pattern.compiled.groups else 0
            value = found.group(group)
            start, end = found.span(group)
            if value is None or start < at or self._stays(value, text, start, end):
                continue
            if pattern.holds is not None and not pattern.holds(value):
                continue
            self._note(pattern.name, place, 1)
            out += [text[at:start], self.redactor.token(pattern.name, value)]
            at = end
        return "".join([*out, text[at:]])

    def _stays(self, value: str, text: str, start: int, end: int) -> bool:
        if TOKEN.search(text[max(0, start - 1) : end + 1]) or value.startswith("<"):
            return True
        return any(value in trusted for trusted in self.trusted)

    def _note(self, rule: str, place: str, count: int) -> None:
        self.removals[rule, place] += count

    def _json_text(self, place: str, raw: str, opened: Any) -> str:
        before = sum(self.removals.values())
        value = self._json(place, opened, 0)
        if sum(self.removals.values()) == before:
            # Nothing was taken out of a value: the text stays byte for byte, unless a secret stands across values.
            return self.redactor.without_literals(raw, lambda rule, count: self._note(rule, place, count))
        return orjson.dumps(value).decode()

    def _json(self, place: str, value: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            self._note("too_deep", place, 1)
            return HIDDEN
        if isinstance(value, dict):
            named = [(self._key(place, key), key, inner) for key, inner in value.items()]
            return {name: self._field(f"{place} {name}", place, key, inner, depth, value) for name, key, inner in named}
        if isinstance(value, list):
            return [self._json(place, inner, depth + 1) for inner in value]
        if isinstance(value, str):
            return self._string(place, value, depth)
        return value

    def _key(self, place: str, key: str) -> str:
        return self.redactor.without_literals(key, lambda rule, count: self._note(rule, place, count))

    def _field(self, where: str, place: str, key: str, value: Any, depth: int, beside: dict[str, Any]) -> Any:
        if isinstance(value, str) and value and not TOKEN.fullmatch(value):
            kind = (
                "secret_field"
                if patterns.SECRET_FIELDS.search(key)
                else "personal_field"
                if patterns.PERSONAL_FIELDS.search(key)
                else None
            )
            if kind is not None:
                self._note(kind, where, 1)
                return self.redactor.token(kind, value)
            if key == "content" and beside.get("role") in ("user", "system", "developer", "tool"):
                return self._prompt(where, value)
        if key == "content" and isinstance(value, list) and beside.get("role") in ("user", "system", "developer"):
            return [self._part(where, part, depth) for part in value]
        return self._json(where if depth < 3 else place, value, depth + 1)

    def _part(self, place: str, part: Any, depth: int) -> Any:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            return {**self._json(place, part, depth + 1), "text": self._prompt(place, part["text"])}
        return self._json(place, part, depth + 1)

    def _prompt(self, place: str, value: str) -> str:
        if value in patterns.SYNTHETIC_PROMPTS or TOKEN.fullmatch(value):
            return value
        self._note("prompt", place, 1)
        return self.redactor.token("prompt", value)

    def _string(self, place: str, value: str, depth: int) -> str:
        if value[:1] in "{[" and len(value) > 1:
            opened = _parse(value)
            if isinstance(opened, dict | list):
                before = sum(self.removals.values())
                sealed = self._json(place, opened, depth + 1)
                if sum(self.removals.values()) != before:
                    return orjson.dumps(sealed).decode()
        return self.text(place, value)

    def _events(self, place: str, body: str) -> str:
        """Each data line by itself; then what the deltas say together, since a secret may be split over them."""
        lines = body.splitlines(keepends=True)
        sealed: list[str] = []
        events: list[tuple[int, Any]] = []
        for line in lines:
            text = line.rstrip("\r\n")
            end = line[len(text) :]
            head, data = ("data:", text[5:]) if text.startswith("data:") else ("", text)
            opened = _parse(data) if head else None
            if isinstance(opened, dict):
                space = data[: len(data) - len(data.lstrip(" "))]
                sealed.append(head + space + self._json_text(place, data[len(space) :], opened) + end)
                events.append((len(sealed) - 1, opened))
            else:
                sealed.append(head + self.text(place, data) + end)
        for path in dict.fromkeys(path for _, opened in events for path, _ in _leaves(opened)):
            self._unsplit(place, path, events, sealed)
        return "".join(sealed)

    def _unsplit(self, place: str, path: _Path, events: list[tuple[int, Any]], sealed: list[str]) -> None:
        """What the texts at one path say together; where that must go and the parts alone did not show it, the first
        event keeps the sealed whole and the others fall silent."""
        said = [(at, opened, text) for at, opened in events for found, text in _leaves(opened) if found == path]
        joined = "".join(text for _, _, text in said)
        if len(said) < 2 or self._quietly(joined) == "".join(self._quietly(text) for _, _, text in said):
            return
        self._note("split_over_events", place, 1)
        for number, (at, opened, _) in enumerate(said):
            line = sealed[at]
            end = line[len(line.rstrip("\r\n")) :]
            _put(opened, path, self._quietly(joined) if number == 0 else "")
            sealed[at] = "data: " + orjson.dumps(self._json(place, opened, 0)).decode() + end

    def _quietly(self, text: str) -> str:
        return replace(self, removals=Counter()).text("joined", text)


def _leaves(value: Any, path: _Path = (), depth: int = 0) -> Iterator[tuple[_Path, str]]:
    """The texts of an event that is streamed in pieces, by path."""
    if depth > 8:
        return
    if isinstance(value, str):
        if len(path) > 1:  # a top-level text (id, model) is repeated in each event, not continued
            yield path, value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, (*path, key), depth + 1)


def _put(value: Any, path: _Path, text: str) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = text


def _parse(text: str) -> Any:
    """The JSON object or list in a text; None where there is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _report(removals: Counter[tuple[str, str]]) -> tuple[Removal, ...]:
    return tuple(Removal(rule, place, count) for (rule, place), count in sorted(removals.items()))
