"""Redaction as the judge sees it: seeded exchanges with planted values, of the given generator and of our own."""

import json
import random
import re
import string
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from probe import exchange
from probe.records import Observation, Sealed
from probe.redact import Policy, Redactor
from probe.redact.canary import exchange as canary_exchange
from probe.redact.canary import spellings, survivor

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tests/redaction"
TOKEN = re.compile(r"<[a-z_]+:[0-9a-f]{6}>")
CASES = 400


def redactor() -> Redactor:
    return Redactor((), (), Policy(), b"k" * 32)


@pytest.mark.parametrize(
    ("generator", "seed", "bounds"),
    [
        ("generate", 21, ["--max-leak", ".005", "--min-keep", ".99", "--min-kind-keep", ".97"]),
        ("generate", 22, ["--max-leak", ".005", "--min-keep", ".99", "--min-kind-keep", ".97"]),
        ("elsewhere", 21, ["--max-leak", ".01", "--min-keep", ".99", "--min-kind-keep", ".97"]),
        ("elsewhere", 22, ["--max-leak", ".01", "--min-keep", ".99", "--min-kind-keep", ".97"]),
    ],
)
def test_the_judge_finds_next_to_nothing_leaked_and_the_evidence_kept(
    generator: str, seed: int, bounds: list[str], tmp_path: Path
) -> None:
    made = [sys.executable, TOOLS / f"{generator}.py", "--seed", str(seed), "--n", str(CASES), "--out", tmp_path]
    subprocess.run(made, check=True, capture_output=True)
    cases, out = tmp_path / "cases.jsonl", tmp_path / "out.jsonl"
    given = [json.loads(line) for line in cases.read_text().splitlines()]
    sealed = [exchange.redact_line({"id": case["id"], "input": case["input"]}, redactor()) for case in given]
    for line in sealed:
        again = exchange.redact_line({"id": line["id"], "input": line["output"]}, redactor())
        assert again["output"] == line["output"], f"{line['id']}: sealing twice is not sealing once"
    out.write_text("".join(json.dumps(line) + "\n" for line in sealed))
    judge = [sys.executable, TOOLS / "judge.py", cases, out, "--quiet", "--show", "20", "--min-structure", ".999"]
    judged = subprocess.run([*judge, *bounds], capture_output=True, text=True)
    assert judged.returncode == 0, judged.stdout


HOSTILE = {
    "prose": "Rate limit reached for gpt-4o on tokens per min. ",
    "assignments": "key=value;",
    "open quotes": 'password="',
    "open prompts": 'prompt:"a b c d ',
    "percent": "%41",
    "escapes": "\\u0041",
    "backslashes": "\\",
    "cells": "<td>Name</td><td>Jane Doe</td>\n",
    "open tags": "<a ",
    "markup of fields": '<x id="user">',
    "cards": "4111 1111 1111 1111 ",
    "keys without an end": "-----BEGIN PRIVATE KEY-----",
    "colons": "1:",
    "names": "Jane Doe, Dear Jane ",
    "labels": "user: user: ",
    "folds": "Ab1Cd2Ef3Gh4Ij5Kl6Mn\n> ",
    "events": 'data: {"choices":[{"delta":{"content":"a@b"}}]}\n\n',
    "json": None,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_cost_grows_with_the_length_and_no_faster(kind: str) -> None:
    def cost_s(size: int) -> float:
        unit = HOSTILE[kind]
        body = (
            json.dumps([{"user": "jane", "message": "a b"}] * (size // 36))
            if unit is None
            else unit * (size // len(unit))
        )
        began = time.process_time()
        redactor().seal_body(body, "response.body")
        return time.process_time() - began

    cost_s(1 << 10)
    small, large = cost_s(1 << 15), cost_s(1 << 17)
    assert large < 10 * small + 0.05


def test_encodings_nested_without_end_go_whole() -> None:
    nested = "jane@example.test"
    for _ in range(9):
        nested = nested.replace("%", "%25").replace("@", "%40")
    sealed = redactor().seal_text(f"x {nested}", "notes")
    assert sealed.value == "<dropped: redaction failed>"
    assert [removal.rule for removal in sealed.removals] == ["dropped_encoded_too_deep"]


def test_equal_values_have_equal_tokens_wherever_they_stand() -> None:
    key = "sk-proj-Ab1Cd2Ef3Gh4Ij5Kl6Mn"
    body = json.dumps({"error": {"message": f"bad key {key}"}, "debug": {"k": json.dumps({"again": key})}})
    tokens = TOKEN.findall(redactor().seal_body(body, "response.body").value)
    tokens += TOKEN.findall(redactor().seal_text(f"?key={key}", "notes").value)
    assert len(tokens) == 3
    assert len(set(tokens)) == 1


def test_a_value_of_the_request_is_taken_out_where_the_answer_and_the_notes_repeat_it() -> None:
    words = "the harbour ward asks for the results of the second patient"
    given = {
        "request": {
            "method": "POST",
            "url": "https://a.test/",
            "headers": [["X-Odd", "1"]],
            "body": json.dumps({"messages": [{"role": "user", "content": words}]}),
        },
        "response": {"status": 400, "headers": [], "body": json.dumps({"error": {"message": f"flagged: {words}"}})},
        "error": f"while sending {words[10:50]}",
        "notes": None,
    }
    output = json.dumps(exchange.redact_line({"id": 1, "input": given}, redactor())["output"])
    assert words[10:40] not in output
    assert "flagged: " in output


def test_of_a_repeated_name_none_of_the_values_stays() -> None:
    sealed = redactor().seal_body('{"password":"hunter2hunter2","password":null}', "response.body")
    assert "hunter2" not in sealed.value
    assert [removal.rule for removal in sealed.removals] == ["dropped_repeated_names"]


FAKE = "ffcanary0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("spelling", spellings(FAKE), ids=range(len(spellings(FAKE))))
@pytest.mark.parametrize("stream", [False, True])
def test_the_self_test_fails_when_one_spelling_survives(spelling: str, stream: bool) -> None:
    strict = Redactor([SecretStr(FAKE)], (), Policy(), b"k")
    lenient = Redactor((), (spelling, FAKE, f"user:{FAKE}"), Policy(), b"k")
    leaky = canary_exchange(FAKE, spelling, stream=stream)

    def seal(seen: Observation) -> Sealed[Observation]:
        return (lenient if seen == leaky else strict).seal(seen)

    assert survivor(FAKE, strict.seal, spellings(FAKE)) is None
    assert survivor(FAKE, seal, spellings(FAKE)) is not None


@pytest.mark.parametrize("seed", range(40))
def test_no_random_secret_is_left_in_any_place_that_speaks_of_it(seed: int) -> None:
    chance = random.Random(seed)
    value = "".join(chance.choices(string.ascii_letters + string.digits, k=chance.randint(24, 60)))
    places = [
        f"the key is {value} now",
        f"token={value}&x=1",
        json.dumps({"auth": {"value": value}}),
        f"<code>{value}</code>",
        f"vendor_{value}",
        f"https://api.test/v1/{value}/x",
        json.dumps({"a": json.dumps({"b": json.dumps({"apiKey": value})})}),
        "".join(
            f"data: {json.dumps({'choices': [{'delta': {'content': part}}]})}\n\n" for part in (value[:9], value[9:])
        ),
    ]
    for place in places:
        sealed = redactor().seal_body(place, "response.body").value
        assert value[:12] not in sealed
        assert value[-12:] not in sealed
