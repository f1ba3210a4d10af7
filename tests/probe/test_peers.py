"""What other instances see: Prometheus' answers, whole and broken, into rows of the scope."""

import asyncio
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.peers import OWN_NUMBER, Peers, Sample, others, samples, twins
from probe.records import TwinsSeen
from probe.scope import Seen, State
from tests.probe.evidence import target

OURS, THEIRS, MORE = ({"job": "freezeframe", "instance": it} for it in ("10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"))
INFO = {"target": "small", "contract": "example", "model": "example-small", "stream": "false", "credential": "team-a"}
NUMBERS = [Sample(OURS, 1.5), Sample(THEIRS, 2.5), Sample(MORE, 3.5)]


def info(scraped: dict[str, str], **changes: str) -> Sample:
    return Sample({"__name__": "freezeframe_target_info", **scraped, **INFO, **changes}, 1.0)


def value(name: str, scraped: dict[str, str], number: float, name_of_target: str = "small") -> Sample:
    return Sample({"__name__": name, "target": name_of_target, **scraped}, number)


def vector(found: list[Sample]) -> bytes:
    rows = [{"metric": dict(it.labels), "value": [1764000000.1, str(it.value)]} for it in found]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": rows}}).encode()


def test_every_other_instance_is_a_row_and_our_own_is_not() -> None:
    found = others(
        [
            info(OURS),
            value("probe_success", OURS, 0),
            info(THEIRS, label_region="us"),
            value("probe_success", THEIRS, 1),
            value("freezeframe_window_failures", THEIRS, 2),
            info(MORE, stream="true"),
            value("probe_success", MORE, 0),
            info(MORE, target="idle"),
            value("probe_success", {"job": "blackbox", "instance": "b"}, 1),
        ],
        NUMBERS,
        1.5,
    )
    assert [(it.target, it.instance, it.address, it.state, it.failures, it.stream) for it in found] == [
        ("small", "instance 2", "10.0.0.2:1", State.HEALTHY, 2, False),
        ("idle", "instance 3", "10.0.0.3:1", State.NOT_KNOWN, None, False),
        ("small", "instance 3", "10.0.0.3:1", State.FAILING, None, True),
    ]
    assert found[0].labels == {"region": "us"}
    assert (found[0].contract, found[0].model, found[0].credential) == ("example", "example-small", "team-a")


def test_an_answer_of_prometheus_is_read_as_it_comes() -> None:
    given = [info(THEIRS), value("probe_success", THEIRS, 1.0)]
    assert samples(vector(given)) == tuple(given)


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"<html>Sign in</html>",
        b'{"status":"error","error":"query timed out"}',
        b'{"data":{"result":[{"metric":[],"value":[1,"1"]}]}}',
        b'{"data":{"result":[{"metric":{},"value":[1]}]}}',
        b'{"data":{"result":[{"metric":{},"value":[1,"x"]}]}}',
        b'{"data":{"result":7}}',
        b"[" * 5000,
    ],
)
def test_what_is_no_answer_is_not_known(body: bytes | None) -> None:
    assert samples(body) is None


@given(st.recursive(st.none() | st.floats() | st.text(max_size=9), lambda it: st.lists(it) | st.dictionaries(
    st.sampled_from(["data", "result", "metric", "value", "x"]), it
)))  # fmt: skip
def test_no_answer_raises(answer: Any) -> None:
    samples(json.dumps(answer).encode())


def test_a_twin_is_the_same_request_from_the_same_account_under_the_same_labels() -> None:
    ours = target()
    same = Seen(
        target=ours.name,
        contract=ours.contract.name,
        model=ours.model,
        stream=ours.stream,
        credential=ours.credential,
        labels=ours.labels,
        state=State.HEALTHY,
        instance="instance 2",
        address="10.0.0.2:1",
    )
    assert twins([ours], [same]) == (("small", "10.0.0.2:1"),)
    for other in (
        replace(same, labels={"region": "us"}),
        replace(same, credential="team-b"),
        replace(same, stream=True),
        replace(same, model="other"),
        replace(same, target="large"),
    ):
        assert twins([ours], [other]) == ()


class Answers:
    """Prometheus, as bytes by the query that was asked."""

    def __init__(self, targets: bytes | None, numbers: bytes | None) -> None:
        self.targets, self.numbers = targets, numbers
        self.unanswered = asyncio.Event()

    async def fetch(self, url: str, timeout_s: float, limit_bytes: int) -> bytes | None:
        assert url.startswith("http://prometheus.example.test/base/api/v1/query?")
        [expression] = parse_qs(urlsplit(url).query)["query"]
        answer = self.numbers if expression == OWN_NUMBER else self.targets
        if answer is None:
            self.unanswered.set()
        return answer


@pytest.mark.parametrize("missing", ["targets", "numbers"])
async def test_half_an_answer_is_none(missing: str) -> None:
    """Without the numbers our own targets would be taken for another instance's."""
    answers = Answers(vector([info(THEIRS)]), vector(NUMBERS))
    peers = Peers("http://prometheus.example.test/base/", answers.fetch, 1.5)
    assert [it.address for it in await peers.look() or ()] == ["10.0.0.2:1"]
    setattr(answers, missing, None)
    assert await peers.look() is None


async def test_twins_are_told_of_when_they_come_and_when_they_go() -> None:
    region = {f"label_{name}": text for name, text in target().labels.items()}
    answers = Answers(vector([info(OURS, **region), info(THEIRS, **region)]), vector(NUMBERS))
    told: list[TwinsSeen] = []
    heard = asyncio.Event()

    def listen(seen: TwinsSeen) -> None:
        told.append(seen)
        heard.set()

    peers = Peers("http://prometheus.example.test/base", answers.fetch, 1.5, look_every_s=0.01)
    watching = asyncio.create_task(peers.watch(lambda: [target()], listen))
    await asyncio.wait_for(heard.wait(), 5)
    heard.clear()
    answers.targets = None  # not known now: nothing is told
    answers.unanswered.clear()
    await asyncio.wait_for(answers.unanswered.wait(), 5)
    assert len(told) == 1
    answers.targets = vector([info(OURS, **region)])
    await asyncio.wait_for(heard.wait(), 5)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert told == [TwinsSeen((("small", "10.0.0.2:1"),)), TwinsSeen(())]
