"""The law that lets a packet be replayed: an exchange is judged alike before and after it was sealed."""

import importlib.util
import json
import random
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from probe.classify import Expectation, classify
from probe.corpus import observation
from probe.records import Fault, Json, Judgement, Observation
from probe.redact import Policy, Redactor
from tests.probe.exchanges import RECORDED, contract

CONFIGURED = "fake-configured-Qz7wkey9LmXyZ0123456789"
REDACTOR = Redactor([SecretStr(CONFIGURED)], (), Policy(), b"k" * 32)
STRICT = Redactor([SecretStr(CONFIGURED)], (), Policy(request_ids="drop"), b"k" * 32)
EXPECTATIONS = (Expectation(), Expectation(contract(), slow_s=10.0, outside_reachable=True))


def _generator() -> ModuleType:
    """The script that makes exchanges with planted secrets; it is no package."""
    file = Path(__file__).parent.parent / "redaction" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _generator()
MAKERS = {
    **{name: make for name, (_, make) in GENERATE.ALLCRED.items()},
    **{
        name: getattr(GENERATE, name)
        for name in ("email", "card", "iban", "phone", "ipv4", "ipv6", "person", "company")
    },
    **{name: getattr(GENERATE, name) for name in ("uuid_", "privpath", "userid", "orgid", "projid", "prompt")},
    "configured": lambda _: CONFIGURED,
}


def told(judgement: Judgement) -> tuple[object, ...]:
    """All of a judgement but the words, which may hold tokens."""
    return judgement.verdict, judgement.reason, judgement.rule, judgement.certain, judgement.runner_up


def holds(seen: Observation, redactor: Redactor = REDACTOR) -> None:
    sealed = redactor.seal(seen).value
    for expectation in EXPECTATIONS:
        assert told(classify(sealed, expectation)) == told(classify(seen, expectation))


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["id"])
def test_a_recorded_exchange_is_judged_alike_before_and_after_sealing(case: Json) -> None:
    holds(observation(case))


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["id"])
def test_a_recorded_exchange_is_judged_alike_where_request_ids_are_taken_out(case: Json) -> None:
    holds(observation(case), STRICT)


def test_a_text_that_begins_with_a_secret_is_text_after_sealing_as_well() -> None:
    case = {"id": "x", "kind": "stream", "status": 200, "headers": {"content-type": "text/event-stream"}}
    holds(observation(case | {"body": f"{CONFIGURED} is not a key"}))


def test_the_name_of_a_token_is_no_word_of_the_server() -> None:
    said = f"Note {GENERATE.CRED['anthropic_key'][1](random.Random(0))}. Invalid URL (POST /v1/v1/chat/completions)"
    body = json.dumps({"error": {"message": said, "type": "invalid_request_error", "code": None}})
    holds(observation({"id": "x", "kind": "http", "status": 404, "body": body}))


# ---------------------------------------------------------------- planted secrets


def _in_body(body: str, secret: str, place: str, lead: str) -> str:
    """The body with the secret in a text of it: of its error, of a stream's chunk, or of itself."""
    said = f"{lead} {secret}".replace("%", "%%")
    planted = {"before": f"Note {said}. %s", "after": f"%s {said}"}[place]
    lines = body.split("\n")
    at = next((number for number, line in enumerate(lines) if line.startswith("data:")), None)
    if at is not None:
        delta = {"choices": [{"index": 0, "delta": {"content": planted % "x"}, "finish_reason": None}]}
        return "\n".join([*lines[:at], f"data: {json.dumps(delta)}", "", *lines[at:]])
    try:
        value = json.loads(body)
    except ValueError:
        return planted % body if body else body
    return json.dumps(_in_json(value, planted))


def _in_json(value: Any, planted: str) -> Any:
    """With the secret in the first text that a person would read."""
    if isinstance(value, dict):
        for name in ("message", "msg", "detail", "error", "content"):
            inner = value.get(name)
            if isinstance(inner, str):
                return value | {name: planted % inner}
            if isinstance(inner, dict | list) and inner:
                return value | {name: _in_json(inner, planted)}
        for name, inner in value.items():
            if isinstance(inner, dict | list) and inner:
                return value | {name: _in_json(inner, planted)}
    if isinstance(value, list) and value:
        return [_in_json(value[0], planted), *value[1:]]
    return value


@settings(max_examples=200)
@given(
    case=st.sampled_from(RECORDED),
    kind=st.sampled_from(sorted(MAKERS)),
    seed=st.integers(0, 10_000),
    # What a rule looks for near a key is not put between it and the message: how near it stands is what is taken out.
    placed=st.sampled_from(
        [("before", lead) for lead in ("", "for", "contact", "account", "用户")]
        + [("after", lead) for lead in ("", "for", "key", "api_key=", "Authorization: Bearer", "contact")]
    ),
    header=st.sampled_from((None, "set-cookie", "x-internal", "www-authenticate", "server")),
)
def test_a_planted_secret_changes_no_judgement_by_being_taken_out(
    case: Json, kind: str, seed: int, placed: tuple[str, str], header: str | None
) -> None:
    secret, (place, lead) = str(MAKERS[kind](random.Random(seed))), placed
    seen = observation(case)
    if seen.fault is not None:
        seen = replace(seen, fault=Fault(seen.fault.kind, f"{seen.fault.message} {lead} {secret}"))
    if seen.reply is not None:
        headers = (*seen.reply.headers, *(((header, secret),) if header else ()))
        seen = replace(
            seen, reply=replace(seen.reply, headers=headers, body=_in_body(seen.reply.body, secret, place, lead))
        )
    holds(seen)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_generators_exchanges_are_judged_alike_before_and_after_sealing(seed: int) -> None:
    for number in range(150):
        case = GENERATE.make(seed, number)
        given_, answer = case["input"], case["input"].get("response")
        if answer is not None and "messages" in answer["body"] and "role" in answer["body"]:
            continue  # it quotes someone's prompt, whose words a rule may take for the provider's as long as they stand
        line: Json = {"id": case["id"], "provider": "p", "kind": "http", "exception": None}
        if answer is not None:
            headers = dict(answer["headers"])
            is_stream = "event-stream" in headers.get("Content-Type", headers.get("content-type", ""))
            line |= {"kind": "stream" if is_stream else "http", "status": answer["status"], "headers": headers}
            holds(observation(line | {"body": answer.get("body") or ""}))
        if given_.get("error"):
            broken = {"kind": "exception", "status": None, "exception": "ConnectError", "body": given_["error"]}
            holds(observation(line | broken))
