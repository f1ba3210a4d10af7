"""How often the gate finds what redaction would have left in, and how often it refuses what redaction has cleaned.

Planted are the seeded exchanges of the two generators in tests/redaction, one credential at a time: the others of its
exchange are taken out, so that each one is found by itself.
"""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from probe import exchange, gate, render
from probe.classify import Expectation
from probe.gated import build as _build
from probe.redact import Policy, Redactor
from tests.probe.evidence import case, good, overloaded, target
from tests.probe.exchanges import RECORDED
from tests.probe.test_frozen_sources import BOTH, document, frozen_case
from tests.probe.test_replay import probed

TOOLS = Path(__file__).parents[2] / "tests/redaction"
REDACTOR = Redactor((), (), Policy(), b"k" * 32)


@pytest.fixture(params=[("generate", 41), ("elsewhere", 42)], ids=["generate", "elsewhere"], scope="module")
def exchanges(request, tmp_path_factory) -> list[Any]:
    generator, seed = request.param
    out = tmp_path_factory.mktemp(generator)
    made = [sys.executable, TOOLS / f"{generator}.py", "--seed", str(seed), "--n", "300", "--out", out]
    subprocess.run(made, check=True, capture_output=True)
    return [json.loads(line) for line in (out / "cases.jsonl").read_text().splitlines()]


def file(exchanged: Any) -> dict[str, bytes]:
    return {"packet.json": render.json_bytes({"exchanges": exchanged})}


def with_one(known: Any, secret: str) -> Any:
    """The exchange as it was sent, with this one of its secrets and no other in the clear."""
    text = json.dumps(known["input"])
    for other in (planted["value"] for planted in known["secrets"]):
        if other not in secret and secret not in other:
            once = json.dumps(other)[1:-1]
            for form in (json.dumps(once)[1:-1], once):
                text = text.replace(form, "[out]")
    return json.loads(text)


def test_at_least_95_percent_of_credentials_are_found(exchanges: list[Any]) -> None:
    planted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for known in exchanges:
        for secret in known["secrets"]:
            if secret["group"] == "cred":
                planted[secret["kind"]] += 1
                found[secret["kind"]] += bool(gate.inspect(file(with_one(known, secret["value"])), ()))
    missed = {kind: f"{found[kind]} of {number}" for kind, number in planted.items() if found[kind] < number}
    assert planted.total() > 150
    assert found.total() >= 0.95 * planted.total(), missed


def test_nothing_that_redaction_has_cleaned_is_refused(exchanges: list[Any]) -> None:
    """Nor what the generators hold to be clean."""
    for known in exchanges:
        sealed = exchange.redact_line({"id": known["id"], "input": known["input"]}, REDACTOR)
        assert gate.inspect(file(sealed["output"]), ()) == (), known["id"]
        assert gate.inspect(file(known["oracle"]), ()) == (), known["id"]


@pytest.mark.parametrize("start", range(5))
def test_no_packet_of_a_recorded_exchange_loses_anything(start: int) -> None:
    """Through the path of a real one: sealed, judged, drafted, rendered, looked at, packed."""
    expectation = Expectation(target().contract, target().slow_s)
    for line in RECORDED[start::20]:
        data, hits = _build(case(good(1), probed(3, line, expectation), packet_id="small-p0003"), ())
        assert hits == (), line["id"]
        assert data is not None, line["id"]
        redaction = json.loads(render.unpack(data)["redaction.json"])
        assert redaction["dropped"] == [], line["id"]
        assert b"<dropped" not in data, line["id"]


KEY = "sk-proj-Zk7Qw2Lp9Rt4Xv8Nm3Bs"


def built(**changes: Any) -> tuple[dict[str, bytes], tuple[str, ...]]:
    data, hits = _build(case(good(1), overloaded(3), overloaded(4), overloaded(5), **changes), ())
    return ({} if data is None else render.unpack(data)), hits


def test_what_looks_like_a_live_key_is_dropped_and_the_packet_says_where() -> None:
    files, hits = built(impact=f"our key is {KEY}", owner="on-call")
    assert hits == ()
    assert not any(KEY[:12].encode() in content for content in files.values())
    dropped = json.loads(files["redaction.json"])["dropped"]
    assert "impact.declared" in dropped
    packet = json.loads(files["packet.json"])
    assert packet["impact"]["declared"] == gate.DROPPED_LOOK
    assert packet["internal"]["owner"] == "on-call", "the rest stays"
    assert gate.inspect(files, ()) == ()


def test_what_is_in_the_words_of_every_packet_refuses_it_whole() -> None:
    """No field of it can be dropped: nothing is written, and where is said."""
    data, hits = _build(case(good(1), overloaded(3)), [SecretStr("## Every failing attempt")])
    assert data is None
    assert hits
    assert all(": line " in hit for hit in hits)
    assert any(hit.startswith("summary.md: line ") for hit in hits)
    assert "failing attempt" not in str(hits)


def test_a_page_with_a_live_key_in_it_is_named_and_not_carried() -> None:
    first, second = BOTH
    leaky = document(first.url, f"{first.body.decode()}\nexport KEY={KEY}")
    data, hits = _build(frozen_case(leaky, second), ())
    assert hits == ()
    assert data is not None
    assert KEY[:12].encode() not in data
    rows = json.loads(render.unpack(data)["sources/index.json"])
    assert [row["file"] is None for row in rows] == [True, False]


@pytest.mark.parametrize("name", ["team-key", "slow-first-token", "password-reset", "auth-cookie", "secret", "t"])
def test_a_target_that_is_called_like_a_secret_gets_its_packet_and_nothing_is_dropped(name: str) -> None:
    """Its own packets, incidents and probes are named after it, with a time and eight signs by chance."""
    ids = [f"20261125T0448{n:02d}Z-{name}-c3{n:02d}2e97" for n in range(4)]
    given = case(overloaded(1), overloaded(2), overloaded(3))
    called = replace(given, packet_id=ids[0], incident=ids[1], earlier=tuple(ids[2:]))
    data, hits = _build(replace(called, target=replace(given.target, name=name)), [])
    assert hits == ()
    assert data is not None
    assert json.loads(render.unpack(data)["redaction.json"])["dropped"] == []
