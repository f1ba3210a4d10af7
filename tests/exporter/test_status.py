"""The status page's facts: the answer first, and whether to believe it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest
from exporter_facts import CONTRACT, START, result, target

from exporter import answers
from exporter.alerts import Why
from exporter.latest import Latest, LatestPacket
from exporter.noticed import Noticed
from exporter.own import budget, health
from exporter.sparkline import BAR_HEIGHT
from exporter.status import Board, Snapshot, WindowView, status
from probe.pong import Target
from probe.records import BudgetChanged, RequestKind, Result, Timings, Verdict

CALM = WindowView(0, 5, 3, frozenset(), ())


@dataclass
class Shown:
    """A board of targets, each with its results and, where one is open, its incident."""

    seen: Mapping[str, Sequence[Result]]
    open: Mapping[str, WindowView] = field(default_factory=dict)
    outside_reachable: bool | None = None
    labels: Mapping[str, dict[str, str]] = field(default_factory=dict)
    controls: Mapping[str, bool | None] = field(default_factory=dict)
    ready: bool = True
    twins: tuple[tuple[str, str], ...] = ()
    listings: Mapping[Any, Any] = field(default_factory=dict)
    areas: Mapping[Any, Any] = field(default_factory=dict)
    shard_words: str | None = None
    alerts: tuple[Noticed, ...] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(target(name, labels=self.labels.get(name)) for name in self.seen)

    def results(self, target: str) -> tuple[Result, ...]:
        return tuple(self.seen[target])

    def last_failed(self, target: str) -> Result | None:
        failing = (it for it in reversed(self.results(target)) if it.verdict.is_failure and it.sealed is not None)
        return next(failing, None)

    def window(self, target: str) -> WindowView:
        return self.open.get(target, CALM)


def _latest(**facts: Any) -> Latest:
    return replace(Latest("0.1", {"probes": 100, "tokens": 1000}), **facts)


def _facts(shown: Shown, latest: Latest | None = None) -> dict[str, Any]:
    async def facts() -> dict[str, Any]:
        return await status(await Snapshot.of(cast("Board", shown)), latest or _latest(), START)

    return asyncio.run(facts())


def _page(shown: Shown, latest: Latest | None = None) -> str:
    return answers.html("status.html", renews=False, **_facts(shown, latest))


def _run(*verdicts: Verdict, name: str = "small") -> list[Result]:
    """Ticks half a minute apart, the last one just now."""
    count = len(verdicts)
    return [result(name, it, ended_at=START - timedelta(seconds=30 * (count - n - 1))) for n, it in enumerate(verdicts)]


OK, BAD, OURS, MISSED = Verdict.OK, Verdict.DEGRADATION, Verdict.PROBE_FAULT, Verdict.MISSED


@pytest.mark.parametrize(
    ("seen", "headline"),
    [
        ({"a": [OK]}, "The target answers"),
        ({"a": [OK], "b": [BAD, OK]}, "All 2 targets answer"),
        ({"a": []}, "Not known yet: no fresh probe"),
        ({"a": [MISSED], "b": [MISSED]}, "Not known yet: no fresh probe"),
        ({"a": [OK], "b": []}, "No open incident, but not every target answers"),
        ({"a": [OK], "b": [OK, BAD]}, "No open incident, but not every target answers"),
        ({"a": [OK], "b": [OURS]}, "No open incident, but not every target answers"),
    ],
)
def test_without_an_incident_the_first_line_says_whether_all_answer(
    seen: dict[str, list[Verdict]], headline: str
) -> None:
    page = _page(Shown({name: _run(*verdicts, name=name) for name, verdicts in seen.items()}))
    assert f'<h1 id="answer">{headline}</h1>' in page
    assert "No open incident" in page


def test_an_incident_says_for_whom_since_when_and_where_the_packet_is() -> None:
    since = START - timedelta(minutes=7)
    window = WindowView(3, 5, 3, frozenset({BAD}), ("p1",), since)
    shown = Shown(
        {"a": _run(BAD, name="a"), "b": _run(OK, name="b")},
        {"a": window},
        labels={"a": {"region": "eu"}, "b": {"region": "us"}},
    )
    page = _page(shown)
    assert '<h1 id="answer">1 of 2 targets fails</h1>' in page
    assert "Only the region eu: 1 of 2 targets fail (a; healthy: b)." in page
    assert "<dt>Since</dt><dd>" in page and "(7 min ago)" in page
    assert '<a href="/packets/p1">p1</a>' in page
    assert "<title>1 failing" in page


def test_where_all_fail_it_says_all() -> None:
    window = WindowView(3, 5, 3, frozenset({BAD}), (), START)
    page = _page(Shown({"a": _run(BAD, name="a"), "b": _run(BAD, name="b")}, {"a": window, "b": window}))
    assert '<h1 id="answer">All 2 targets fail</h1>' in page
    assert "All traffic of this contract that is probed" in page and "No packet yet." in page


@pytest.mark.parametrize(
    ("outside", "controls", "words"),
    [
        (True, {"x": True}, "An independent control answers: our own network reaches the outside."),
        (False, {"x": False}, "No independent control answers: it may be our own network."),
        (None, {"x": None}, "no independent control has answered yet"),
        (None, {}, "no control is configured"),
    ],
)
def test_us_or_them_is_what_the_controls_tell(
    outside: bool | None, controls: dict[str, bool | None], words: str
) -> None:
    assert words in _page(Shown({"a": _run(OK, name="a")}, outside_reachable=outside, controls=controls))


def test_since_when_is_the_beginning_of_the_run_of_equal_verdicts() -> None:
    (view,) = _facts(Shown({"a": _run(OK, BAD, BAD, name="a")}))["targets"]
    assert (view.since, view.is_since_whole) == (START - timedelta(seconds=31), True)
    (view,) = _facts(Shown({"a": _run(OK, OK, name="a")}))["targets"]
    assert view.is_since_whole is False, "it may have begun before what we still have"


def test_only_ticks_are_shown_and_an_old_one_says_nothing_of_now() -> None:
    extra = result("a", BAD, kind=RequestKind.CONFIRM)
    (view,) = _facts(Shown({"a": [*_run(OK, name="a"), extra]}))["targets"]
    assert (view.state, len(view.bars)) == ("answers", 1)
    old = result("a", ended_at=START - timedelta(seconds=61))
    (view,) = _facts(Shown({"a": [old]}))["targets"]
    assert view.state == "unknown"


def test_a_bar_is_as_high_as_the_answer_was_slow_and_a_failure_takes_it_all() -> None:
    slow = result("a", timings=Timings(total_s=99.0))
    ticks = [*_run(OK, BAD, MISSED, name="a"), slow, result("a", timings=None)]
    (view,) = _facts(Shown({"a": ticks}))["targets"]
    quick, failed, missed, slowest, _ = (bar["height"] for bar in view.bars)
    assert missed < quick < slowest < failed == BAR_HEIGHT
    assert all(bar["y"] + bar["height"] == pytest.approx(BAR_HEIGHT) for bar in view.bars)


def test_only_what_has_failed_can_be_frozen_now() -> None:
    unsealed = replace(result("c", BAD), sealed=None)
    page = _page(Shown({"a": _run(BAD, OK, name="a"), "b": _run(OK, name="b"), "c": [unsealed]}))
    assert 'aria-label="Freeze a now"' in page
    assert "Freeze b now" not in page and "Freeze c now" not in page


def test_the_newest_packet_of_an_ended_incident_is_linked_and_that_of_an_open_one_once() -> None:
    window = WindowView(3, 5, 3, frozenset({BAD}), ("p1",), START)
    packets = {
        "a": LatestPacket("p1", BAD, START),
        "b": LatestPacket("p2", BAD, START - timedelta(hours=1)),
    }
    shown = Shown({"a": _run(BAD, name="a"), "b": _run(OK, name="b")}, {"a": window})
    assert [packet.packet_id for _, packet in _facts(shown, _latest(packets=packets))["recent"]] == ["p2"]
    page = _page(shown, _latest(packets=packets))
    assert page.count('href="/packets/p1"') == 1 and '<a href="/packets/p2">b, 1 h ago</a>' in page


# ---------------------------------------------------------------- ourselves


def _health(latest: Latest, *results: Result) -> dict[str, tuple[str, bool | None]]:
    late = max((it.lateness_s for it in results), default=None)
    lag = max((it.loop_lag_s for it in results), default=None)
    return {fact.name: (fact.words, fact.is_good) for fact in health(latest, late, lag, START)}


def test_before_anything_happened_it_is_not_known() -> None:
    told = _health(_latest())
    assert told["Probes start"] == told["Own delay"] == told["Spool"] == told["Redaction"] == ("not known yet", None)
    assert told["Store"] == ("no failure since the start", True)
    assert told["Version"] == ("0.1", None)


def test_what_makes_us_doubtful_asks_for_attention() -> None:
    trouble = _latest(
        spooled=2,
        canary_holds=False,
        reload_succeeded=False,
        config_loaded_at=START,
        store_failed=(START - timedelta(minutes=5), "freeze"),
    )
    told = _health(trouble, result(late_s=3.0), result())
    assert told["Probes start"] == ("at most 3.000 s late", False)
    assert told["Own delay"] == ("at most 0.001 s in a probe", True)
    assert told["Store"] == ("freeze last failed 5 min ago", False)
    assert told["Spool"] == ("2 wait for the store", False)
    assert told["Redaction"] == ("failed: no packet is written", False)
    assert told["Configuration"][1] is False and "in use since 2026-11-24T12:00:00.000Z" in told["Configuration"][0]
    assert _page(Shown({"a": _run(OK, name="a")}), trouble).count("<strong>attention:</strong>") == 4


def test_trouble_of_the_store_that_is_long_over_is_told_and_asks_for_nothing() -> None:
    told = _health(_latest(store_failed=(START - timedelta(hours=2), "read"), spooled=0, canary_holds=True))
    assert told["Store"] == ("read last failed 2 h ago", True)
    assert told["Spool"] == ("nothing waits", True)


def test_the_budget_is_what_was_used_of_the_day() -> None:
    rows, refills_in = budget(_latest(budget_left=BudgetChanged(40, 1000)), START)
    assert [(row.kind, row.used, row.limit, row.share) for row in rows] == [
        ("probes", 60, 100, 0.6),
        ("tokens", 0, 1000, 0.0),
    ]
    assert refills_in == "12 h"
    assert [row.used for row in budget(_latest(), START)[0]] == [None, None]
    page = _page(Shown({"a": []}), _latest(budget_left=BudgetChanged(0, 1000)))
    assert "100 of 100" in page and "<strong>spent</strong>" in page


def test_the_contract_tells_how_old_each_area_is() -> None:
    page = _page(Shown({"a": _run(OK, name="a")}))
    assert CONTRACT.name in page and "from a stored copy" in page and "(34 d ago)" in page


def test_the_latest_alerts_stand_with_their_packet_or_with_why_there_is_none() -> None:
    began = "2026-11-24T03:00:00.000Z"
    found = Noticed("f1", began, "FreezeframeDegradation", True, START, "small", "p-1")
    without = Noticed("f2", began, "Foreign <b>", False, START, why=Why.UNKNOWN)
    page = _page(Shown({"small": _run(OK)}, alerts=(found, without)))
    assert '<a href="/packets/p-1">p-1</a>' in page
    assert "Foreign &lt;b&gt;</strong>, resolved, began" in page
    assert f"no packet, {Why.UNKNOWN}" in page
    assert "Latest alerts" not in _page(Shown({"small": _run(OK)}))


def test_a_shard_says_which_part_it_is() -> None:
    page = _page(Shown({"small": _run(OK)}, shard_words="shard 1 (of 3, counted from 0): 4 of 12 targets"))
    assert "This is shard 1 (of 3, counted from 0): 4 of 12 targets." in page
