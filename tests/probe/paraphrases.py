"""The same exchange, said otherwise: transformations of a recorded case that change no fact, each deterministic.

A transformation takes a case and gives the changed one, or the same where it has nothing to change.
"""

import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from probe.records import Json

VENDORS = (
    *(
        "openai",
        "anthropic",
        "claude",
        "gemini",
        "google",
        "mistral",
        "groq",
        "deepseek",
        "moonshot",
        "kimi",
        "together",
    ),
    *("openrouter", "cometapi", "comet", "one_api", "new_api", "oneapi", "newapi", "siliconflow", "aihubmix", "zhipu"),
    *("volcengine", "qianfan", "baidu", "pangu", "huawei", "ucloud", "xai", "nvidia", "fireworks", "databricks"),
    *("workersai", "vercel", "perplexity", "lmstudio", "ollama", "vllm", "fastchat", "tensorzero", "tencent", "spark"),
    *("yandex", "huggingface", "cerebras", "cohere", "azure", "microsoft", "amazon", "bedrock", "portkey", "apigee"),
    *("tyk", "kong", "apisix", "fastly", "akamai", "cloudflare", "cloudfront", "replicate", "sambanova", "minimax"),
    *("nginx", "openresty", "envoy", "haproxy", "awselb", "aws", "varnish", "squid", "litellm", "istio", "traefik"),
    *("llama", "gpt", "qwen", "glm", "doubao", "czloapi", "longcat", "opencode", "github", "dashscope"),
)
_VENDOR = re.compile(rf"(?<![A-Za-z])({'|'.join(sorted(set(VENDORS), key=len, reverse=True))})(?![a-z])", re.IGNORECASE)
_DATE = re.compile(r"\b20\d\d-\d\d-\d\d\b")
_IP = re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b")
_KEY = re.compile(r"\bsk-[\w*.-]{4,}")
_NUMBER = re.compile(r"\d{5,}")
_HEX = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_SENTENCE_END = re.compile(r"(?<=[.!?]) +(?=[A-Z])|(?<=[。！？])(?=.)")
_CLAUSE_END = re.compile(r"(?:, |; |，|；)")
_MESSAGE_KEYS = ("message", "msg", "detail", "error", "error_msg", "status_msg", "faultstring", "title")
PREFIX = "Sorry, this did not work: "


def with_body(case: Json, body: str) -> Json:
    """With another body; what its announced length was short of, it stays short of."""
    headers = dict(case["headers"])
    for name, value in case["headers"].items():
        if name.lower() == "content-length" and value.isdigit():
            headers[name] = str(int(value) + len(body.encode()) - len(case["body"].encode()))
    return case | {"body": body, "headers": headers}


def in_text(case: Json, change: Callable[[str], str]) -> Json:
    return with_body(case, change(case["body"]))


def _strict(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def in_json(case: Json, change: Callable[[Any], Any], **form: Any) -> Json:
    """Change the body's JSON, or that of each event of a stream; a body that is neither stays as it is."""

    def changed(text: str) -> str:
        value = _strict(text)
        new = change(value)
        return text if new == value and not form and _order(new) == _order(value) else _dump(new, **form)

    if case["kind"] == "exception":
        return case
    try:
        return with_body(case, changed(case["body"]))
    except ValueError:
        pass
    if case["kind"] != "stream" or "indent" in form:
        return case
    lines = []
    for line in case["body"].split("\n"):
        head, data = line[: line.find("{")], line[line.find("{") :]
        if head.strip() == "data:":
            with suppress(ValueError):
                line = head + changed(data)
        lines.append(line)
    return with_body(case, "\n".join(lines))


def _dump(value: Any, **form: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **form)


def _order(value: Any) -> str:
    return _dump(value)


def everywhere(value: Any, change: Callable[[Json], Json]) -> Any:
    """The same with every object changed, from the inside out."""
    match value:
        case dict():
            return change({key: everywhere(child, change) for key, child in value.items()})
        case list():
            return [everywhere(child, change) for child in value]
    return value


# ---------------------------------------------------------------- the transformations


def other_vendor(case: Json) -> Json:
    def rename(text: str) -> str:
        return _VENDOR.sub(lambda found: "ACME" if found.group().isupper() else "acme", text)

    headers = {rename(name): rename(value) for name, value in case["headers"].items()}
    return in_text(case | {"headers": headers}, rename)


def other_ids(case: Json) -> Json:
    def change(text: str) -> str:
        text = _HEX.sub("12345678-9abc-def1-2345-6789abcdef12", text)
        text = _KEY.sub("sk-****wxyz", _DATE.sub("2031-02-03", _IP.sub("192.0.2.99", text)))
        return _NUMBER.sub(lambda digits: "".join(str(int(digit) % 9 + 1) for digit in digits.group()), text)

    return in_text(case, change) if case["kind"] != "exception" else case


def in_messages(case: Json, change: Callable[[str], str]) -> Json:
    """Change what a person reads of an error."""

    def reword(fields: Json) -> Json:
        is_message = {key: key.lower() in _MESSAGE_KEYS and isinstance(value, str) for key, value in fields.items()}
        return {key: change(value) if is_message[key] else value for key, value in fields.items()}

    return in_json(case, lambda value: everywhere(value, reword)) if case["label"] != "ok" else case


def _turned(text: str, at: re.Pattern[str], joint: str) -> str:
    """The parts in reverse; an ID at the end stays at the end."""
    text, bracket, tail = text.partition(" (request id:")
    return joint.join(reversed(at.split(text))) + bracket + tail


def other_order_of_sentences(case: Json) -> Json:
    return in_messages(case, lambda text: _turned(text, _SENTENCE_END, " "))


def other_order_of_clauses(case: Json) -> Json:
    return in_messages(case, lambda text: _turned(text, _CLAUSE_END, ", "))


def typographic(case: Json) -> Json:
    return in_messages(case, lambda text: text.replace("'", "’").replace("`", "‘"))


def reversed_keys(case: Json) -> Json:
    return in_json(case, lambda value: everywhere(value, lambda fields: dict(reversed(fields.items()))))


def shuffled_keys(case: Json) -> Json:
    def shuffle(fields: Json) -> Json:
        items = list(fields.items())
        random.Random(len(items)).shuffle(items)
        return dict(items)

    return in_json(case, lambda value: everywhere(value, shuffle))


def unknown_fields(case: Json) -> Json:
    more = {"x_new": {"nested": [1, {"deep": None}]}, "x_flag": True, "x_ratio": 0.5, "x_node": "edge-7"}
    return in_json(case, lambda value: everywhere(value, lambda fields: more | fields if fields else fields))


def pretty(case: Json) -> Json:
    return in_json(case, lambda value: value, indent=4)


def compact(case: Json) -> Json:
    return in_json(case, lambda value: value, separators=(",", ":"))


def escaped(case: Json) -> Json:
    """All that is not ASCII as escapes, as many JSON writers do."""

    def change(body: str) -> str:
        return "".join(letter if ord(letter) < 128 else json.dumps(letter)[1:-1] for letter in body)

    try:
        _strict(case["body"])
    except ValueError:
        return case
    return in_text(case, change)


def prefixed(case: Json) -> Json:
    """A harmless sentence before the message."""
    return in_messages(case, lambda text: PREFIX + text)


def suffixed(case: Json) -> Json:
    return in_messages(case, lambda text: f"{text.rstrip('.。 ')}. Thank you for your patience.")


def other_headers(case: Json) -> Json:
    """Header names in another case and order, between headers that nobody knows."""
    items = [(name.title(), value) for name, value in reversed(case["headers"].items())]
    return case | {"headers": dict([("X-Unknown-Before", "1"), *items, ("X-UNKNOWN-AFTER", "<redacted>")])}


def shouted_headers(case: Json) -> Json:
    return case | {"headers": {name.upper(): value for name, value in case["headers"].items()}}


def _is_events(case: Json) -> bool:
    return case["kind"] == "stream" and "data:" in case["body"]


def crlf(case: Json) -> Json:
    return in_text(case, lambda body: body.replace("\r\n", "\n").replace("\n", "\r\n")) if _is_events(case) else case


def comments(case: Json) -> Json:
    return (
        in_text(case, lambda body: ": hi\n\n" + body.replace("\ndata:", "\n: ping\n\ndata:"))
        if _is_events(case)
        else case
    )


def no_space(case: Json) -> Json:
    return in_text(case, lambda body: body.replace("data: ", "data:")) if _is_events(case) else case


def smaller_chunks(case: Json) -> Json:
    """The text of the answer in events of one character each."""

    def split(line: str) -> str:
        try:
            chunk = _strict(line.removeprefix("data:"))
            choice = chunk["choices"][0]
            text = choice["delta"]["content"]
        except (ValueError, KeyError, IndexError, TypeError):
            return line
        if not isinstance(text, str) or len(text) < 2 or choice.get("finish_reason"):
            return line
        chunks = [chunk | {"choices": [choice | {"delta": {"content": letter}}]} for letter in text]
        return "\n\n".join(f"data: {_dump(one)}" for one in chunks)

    if not _is_events(case):
        return case
    return with_body(
        case, "\n".join(split(line) if line.startswith("data:") else line for line in case["body"].split("\n"))
    )


TRANSFORMATIONS: tuple[Callable[[Json], Json], ...] = (
    *(other_vendor, other_ids, other_order_of_sentences, other_order_of_clauses, typographic, prefixed, suffixed),
    *(reversed_keys, shuffled_keys, unknown_fields, pretty, compact, escaped, other_headers, shouted_headers),
    *(crlf, comments, no_space, smaller_chunks),
)
