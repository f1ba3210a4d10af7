"""JSON, to any depth and inside strings: values go by the names they stand under and by what is found in them."""

from typing import Any, Final

import orjson
import re2

from probe.patterns import SYNTHETIC_PROMPTS
from probe.records.sealed import TOKEN
from probe.redact import chance
from probe.redact.allowed import ALLOWED
from probe.redact.finding import About
from probe.redact.headers import sealed_headers
from probe.redact.names import Meaning, meaning
from probe.redact.pairs import goes, ordinary
from probe.redact.work import HIDDEN, Work

MAX_DEPTH: Final = 60
_NAMED_PLACES_DEPTH: Final = 3
_PLAIN_KEY: Final = re2.compile(r"[A-Za-z_$@][A-Za-z0-9_.$:/@-]{0,31}")
_PLAIN_WORD: Final = re2.compile(r"[a-z][a-z0-9_.:/-]{0,31}")
_PONG: Final = re2.compile(r"(?i)[^\pL\pN]*pong[^\pL\pN]*")
_DATA_URL: Final = re2.compile(r"(?i)^data:[a-z0-9.+/;=-]*,")
_FILE_DATA: Final = frozenset(
    ("data", "file_data", "bytes", "b64_json", "image_data", "audio_data", "content_base64", "blob", "image")
)
# What our own request may say in words; everything else in a request is somebody's until known otherwise.
_REQUEST_WORDS: Final = frozenset(
    (
        *(
            "model",
            "role",
            "type",
            "object",
            "stream",
            "tool_choice",
            "service_tier",
            "reasoning_effort",
            "effort",
            "verbosity",
        ),
        *(
            "format",
            "encoding_format",
            "detail",
            "truncation",
            "modalities",
            "include",
            "voice",
            "quality",
            "size",
            "language",
        ),
        *(
            "anthropic_version",
            "api_version",
            "finish_reason",
            "stop_reason",
            "request_id",
            "trace_id",
            "tool_call_id",
            "id",
        ),
        *("seed", "mode", "summary"),
    )
)
_STATES: Final = frozenset(
    ("type", "status", "object", "role", "code", "plan", "tier", "currency", "kind", "state", "region", "index")
)
_ROLES: Final = ("user", "system", "developer", "tool", "function", "human")
_HOLDERS: Final = frozenset(("personal", "secret"))


def parsed(text: str) -> Any:
    """The JSON object or list in a text; None where there is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def sealed_json(work: Work, place: str, raw: str, opened: Any) -> str:
    """The same text where nothing had to go, to the letter; else the JSON written anew."""
    return _Walk(work, request=place.startswith("request")).document(place, raw, opened, 0)


def _strings(value: Any) -> int:
    """How many strings a document has, names included: more quotes than that hide a repeated name."""
    count = 0
    todo = [value]
    while todo:
        now = todo.pop()
        if isinstance(now, dict):
            count += len(now)
            todo += now.values()
        elif isinstance(now, list):
            todo += now
        elif isinstance(now, str):
            count += 1 + now.count('"') + now.count("\\")
    return count


def pong(text: str) -> bool:
    """The answer that our own prompt asks for, or nothing at all."""
    return text == "pong" or not text.strip() or _PONG.fullmatch(text) is not None


def _states(holder: Meaning) -> frozenset[str]:
    """Below a credential a code or a state is a part of it."""
    return _STATES - {"code", "state"} if holder.sort == "secret" else _STATES


class _Walk:
    """`holder` is what a field said of all that stands below it."""

    __slots__ = ("request", "work")

    def __init__(self, work: Work, *, request: bool) -> None:
        self.work = work
        self.request = request

    def document(self, place: str, raw: str, opened: Any, depth: int) -> str:
        before = self.work.noted()
        value = self.value(place, opened, depth, None)
        if self.work.noted() == before and raw.count('"') <= 2 * _strings(opened):
            # Nothing was taken out of a value: the text stays byte for byte, unless a secret stands across values.
            return self.work.literal(place, raw)
        if self.work.noted() == before:
            self.work.note("dropped_repeated_names", place)
        return orjson.dumps(value).decode()

    def value(self, place: str, value: Any, depth: int, holder: Meaning | None, about: About = "") -> Any:
        if depth > MAX_DEPTH:
            self.work.note("dropped_too_deep", place)
            return HIDDEN
        if isinstance(value, dict):
            named = [(self._key(place, key), key, inner) for key, inner in value.items()]
            return {
                name: self._field(f"{place} {name}", place, key, inner, depth, value, holder)
                for name, key, inner in named
            }
        if isinstance(value, list):
            return [self.value(place, inner, depth + 1, holder, about) for inner in value]
        if isinstance(value, str):
            return self._string(place, value, depth, holder, about)
        if (
            holder is not None
            and holder.sort != "prompt"
            and type(value) in (int, float)
            and (abs(value) >= 10**6 or value != int(value))
        ):
            return self.work.whole(f"{holder.kind}_field", holder.kind, place, str(value))
        return value

    def _key(self, place: str, key: str) -> str:
        if ("key", key) in self.work.clean:
            return key
        sealed = self._looked_at(place, key)
        if sealed == key:
            self.work.clean.add(("key", key))
        return sealed

    def _looked_at(self, place: str, key: str) -> str:
        if (
            _PLAIN_KEY.fullmatch(key)
            and "@" not in key[1:]
            and not (len(key) >= chance.SHORTEST_RUN and chance.random(key))
        ):
            return self.work.literal(place, key)
        return self.work.text(place, key)

    def _field(
        self, where: str, place: str, key: str, value: Any, depth: int, beside: dict[str, Any], holder: Meaning | None
    ) -> Any:
        at = where if depth < _NAMED_PLACES_DEPTH else place
        if value is None or isinstance(value, bool) or value == "":
            return value
        said = Meaning("", "") if "<" in key and TOKEN.search(key) else meaning(key)
        if isinstance(value, dict | list):
            return self._below(at, key, value, depth, beside, holder, said)
        if isinstance(value, str):
            if value.startswith("<") and TOKEN.fullmatch(value):
                return value
            if key in ("content", "text", "parts", "message") and self._spoken(key, beside, holder):
                return self._prompt(at, value)
            if holder is not None and said.sort == "digest" and chance.digest(value):
                return value
            if holder is not None and holder.sort == "prompt" and key not in _STATES:
                return (
                    self._prompt(at, value)
                    if said.sort != "secret"
                    else self.work.whole("credential_field", "credential", at, value)
                )
            if said.sort == "prompt" and (" " in value or not value.isascii() or self.request):
                opened = parsed(value)
                if opened is None:
                    return self._prompt(at, value)
            if (
                self.work.strange
                and not self.request
                and key in ("content", "text", "output_text", "reasoning", "reasoning_content", "refusal")
            ):
                return value if pong(value) else self.work.whole("answer_to_a_strange_request", "completion", at, value)
            if (value[:5].lower() == "data:" and _DATA_URL.match(value)) or (
                key in _FILE_DATA and len(value) >= 16 and (self.request or chance.base64_text(value))
            ):
                return self.work.whole("file_data", "file_data", at, value)
            if holder is not None and not (key in _states(holder) and _PLAIN_WORD.fullmatch(value)):
                return self.work.whole(f"{holder.kind}_field", holder.kind, at, value)
            if said.sort != "prompt" and goes(said, value, written=False) and not self._masked(value):
                return self.work.whole(f"{said.kind}_field", said.kind, at, value)
            if self.work.keeper.request_ids != "keep" and said.kind == "request_id":
                return self.work.request_id(value, at)
            if self.request and key not in _REQUEST_WORDS and value not in SYNTHETIC_PROMPTS and not pong(value):
                return self._unknown(at, value, depth)
            about: About = "id" if said.sort == "id" else "digest" if said.sort == "digest" else ""
            return self._string(at, value, depth, None, about)
        if said.sort in ("code", "personal") or (said.sort == "secret" and abs(value) >= 10**5):
            return self.work.whole(f"{said.kind}_field", said.kind, at, str(value))
        return self.value(at, value, depth + 1, holder)

    def _below(
        self, at: str, key: str, value: Any, depth: int, beside: dict[str, Any], holder: Meaning | None, said: Meaning
    ) -> Any:
        if self._spoken(key, beside, holder) and key in ("content", "parts"):
            return (
                [self._part(at, part, depth) for part in value]
                if isinstance(value, list)
                else self.value(at, value, depth + 1, _PROMPT)
            )
        if key == "messages" and isinstance(value, list):
            return [self._message(at, message, depth) for message in value]
        if key.lower().endswith("headers") and isinstance(value, dict):
            return self._headers(at, value)
        if holder is None and said.sort in _HOLDERS and key != "error":
            holder = said
        elif said.sort == "prompt" or (self.request and key in ("metadata", "user", "extra_body", "context")):
            holder = _PROMPT if said.sort == "prompt" else _METADATA
        if said.sort == "weak" and isinstance(value, list):
            return [
                self.work.whole(f"{said.kind}_field", said.kind, at, each)
                if isinstance(each, str) and goes(said, each, written=False)
                else self.value(at, each, depth + 1, holder)
                for each in value
            ]
        about: About = "id" if said.sort == "id" else "digest" if said.sort == "digest" else ""
        return self.value(at, value, depth + 1, holder, about)

    def _headers(self, place: str, value: dict[str, Any]) -> dict[str, Any]:
        """Headers that somebody wrote into a document are headers."""
        pairs = tuple(
            (name, inner if isinstance(inner, str) else str(inner))
            for name, inner in value.items()
            if inner is not None
        )
        sealed = dict(zip((name for name, _ in pairs), sealed_headers(self.work, place, pairs, ALLOWED), strict=True))
        return {
            sealed[name][0] if name in sealed else name: inner
            if name not in sealed or sealed[name][1] == str(inner)
            else sealed[name][1]
            for name, inner in value.items()
        }

    def _spoken(self, key: str, beside: dict[str, Any], holder: Meaning | None) -> bool:
        """The words of a message that somebody else sent; our own request's are checked against our prompts
        anyway."""
        return key in ("content", "parts") and (beside.get("role") in _ROLES or (self.request and "role" in beside))

    def _message(self, place: str, message: Any, depth: int) -> Any:
        if not isinstance(message, dict):
            return self.value(place, message, depth + 2, _PROMPT)
        return self.value(
            place, {**message, "role": message["role"]} if "role" in message else message, depth + 1, _MESSAGE
        )

    def _part(self, place: str, part: Any, depth: int) -> Any:
        return self._prompt(place, part) if isinstance(part, str) else self.value(place, part, depth + 2, _PROMPT)

    def _prompt(self, place: str, value: str) -> str:
        if value in SYNTHETIC_PROMPTS or pong(value) or TOKEN.fullmatch(value):
            return value
        return self.work.whole("prompt_not_our_own", "prompt", place, value)

    def _unknown(self, place: str, value: str, depth: int) -> str:
        """A word that a request of ours would not say: it goes, being somebody's until known otherwise."""
        if ordinary(value):
            return self.work.text(place, value)
        opened = parsed(value)
        if opened is not None:
            return self.document(place, value, opened, depth + 1)
        return self.work.whole("dropped_unknown_request_field", "unknown", place, value)

    def _masked(self, value: str) -> bool:
        return "***" in value

    def _string(self, place: str, value: str, depth: int, holder: Meaning | None, about: About) -> str:
        if holder is not None:
            if holder.sort == "prompt":
                return self._prompt(place, value) if " " in value or not _PLAIN_WORD.fullmatch(value) else value
            return self.work.whole(f"{holder.kind}_field", holder.kind, place, value)
        opened = parsed(value) if len(value) > 1 else None
        if opened is not None:
            return self.document(place, value, opened, depth + 1)
        return self.work.text(place, value, "" if " " in value else about)


_PROMPT: Final = Meaning("prompt", "prompt")
_MESSAGE: Final = Meaning("prompt", "message")
_METADATA: Final = Meaning("personal", "metadata")
