"""The public model list: which answers are believed, what follows for our models, and the watch over restarts."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from probe import stored
from probe.catalogue import Known, Listed, Member, distrust, moved, read, taken
from probe.classify import Expectation, classify
from probe.client import Auth
from probe.contract import Catalogue, Sourced
from probe.findings import absence
from probe.history import History
from probe.packet import draft
from probe.pong import Target
from probe.records import (
    CatalogueSeen,
    Event,
    Fetched,
    Judgement,
    Listing,
    Result,
    Unfetched,
    UnpaidSent,
    Verdict,
)
from probe.redact import Policy, Redactor
from probe.remembered import Remembered
from probe.watch.catalogue import SHORT_LOOKS, Catalogues
from tests.probe.evidence import SOURCE, case, contract, overloaded, target
from tests.probe.exchanges import error, observed, reply

LIST = Catalogue("https://api.example.test/api/models", "data[].id")
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)


def answer(body: Any, status: int = 200) -> Fetched:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Fetched(LIST.url, status, "application/json", raw, START, "0" * 64)


def listing(*ids: Any, **more: Any) -> Fetched:
    return answer({"success": True, "data": [{"id": one} for one in ids]} | more)


# ---------------------------------------------------------------- what an answer lists


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Unfetched("no answer within 20 s"), "no answer within 20 s"),
        (answer({"data": []}, 503), "HTTP 503"),
        (answer(b"<html>"), "the answer is not JSON"),
        (answer({"models": []}), "the answer holds no list at data[].id"),
        (answer([1]), "the answer holds no list at data[].id"),
        (listing(), "the list is empty"),
        (listing(None, 3, ""), "the list is empty"),
    ],
)
def test_an_answer_that_lists_nothing_says_why(given: Fetched | Unfetched, words: str) -> None:
    assert read(given, LIST) == words


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        (listing("a", "b"), True),
        (listing("a", "b", total=2, page=0, page_size=20), True),
        (listing("a", "b", total=301, page=1, page_size=2), False),
        (listing("a", "b", has_more=True), False),
        (listing("a", "b", total="many"), True),
        (listing("a", None), False),
    ],
)
def test_a_list_that_says_that_there_is_more_is_not_whole(given: Fetched, whole: bool) -> None:
    found = read(given, LIST)
    assert isinstance(found, Listed)
    assert (found.whole, "a" in found.ids, found.rows) == (whole, True, 2)


def test_a_list_of_plain_texts_is_a_list() -> None:
    assert read(answer(["a", "b"]), Catalogue(LIST.url, "[]")) == Listed(frozenset({"a", "b"}), 2, whole=True)


# ---------------------------------------------------------------- what follows


def known(**models: Member) -> Known:
    return Known(LIST, START, 10, models)


def test_less_than_half_of_the_list_before_is_not_believed() -> None:
    def rows(count: int) -> Listed:
        return Listed(frozenset({"a"}), count, whole=True)

    assert distrust(rows(4), known()) == "4 rows, less than half of the 10 before"
    assert distrust(rows(5), known()) is None
    assert distrust(rows(1), None) is None


def test_absence_is_concluded_from_a_whole_list_only() -> None:
    before = known(a=Member(True, START), b=Member(True, START), old=Member(True, START))
    whole = taken(Listed(frozenset({"a"}), 1, whole=True), LIST, LATER, {"a", "b", "new"}, before)
    assert whole.models == {
        "a": Member(True, LATER),
        "b": Member(False, START),
        "new": Member(False, None),
        "old": Member(False, START),
    }
    part = taken(Listed(frozenset({"a"}), 1, whole=False), LIST, LATER, {"a", "b"}, before)
    assert part.models["a"] == Member(True, LATER)
    assert part.models["b"] == Member(None, START)


def test_leaving_and_entering_is_told_between_lists_that_knew() -> None:
    before = known(
        left=Member(True, START), back=Member(False, START), same=Member(True, START), part=Member(None, START)
    )
    after = known(
        left=Member(False, START),
        back=Member(True, LATER),
        same=Member(True, LATER),
        part=Member(False, START),
        first=Member(True, LATER),
        never=Member(False, None),
    )
    everyone = {"left", "back", "same", "part", "first", "never", "not-there"}
    assert moved(before, after, everyone) == (("left", "part"), ("back",))
    assert moved(None, after, everyone) == ((), ())
    assert moved(after, after, everyone) == ((), ())


# ---------------------------------------------------------------- the watch


class Site:
    """A list that says what the test lets it, over a history that outlives the watch."""

    def __init__(self) -> None:
        self.history = History()
        self.events: list[Event] = []
        self.answers: list[Fetched | Unfetched] = []
        self.asked: list[tuple[str, Auth | None, float, int]] = []
        self.now = START
        self.meanwhile: Callable[[], None] = lambda: None

    async def get(
        self, url: str, *, timeout_s: float, limit_bytes: int, auth: Auth | None = None, accept: str = "*/*"
    ) -> Fetched | Unfetched:
        self.asked.append((url, auth, timeout_s, limit_bytes))
        self.meanwhile()
        return self.answers.pop(0)

    def watch(self, *targets: Target) -> Catalogues:
        return Catalogues(targets, self.get, Remembered(self.history), self.events.append, lambda: self.now)

    def of(self, kind: type) -> Sequence[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def probing(model: str, name: str = "example", catalogue: Catalogue | None = LIST) -> Target:
    stated = None if catalogue is None else Sourced(catalogue, SOURCE)
    return target(name=f"{name}-{model}", model=model, contract=contract(name=name, catalogue=stated))


async def test_a_look_says_which_models_are_listed_and_carries_no_key() -> None:
    site = Site()
    watch = site.watch(probing("a"), probing("b"))
    assert watch.listing(probing("a")) is None, "not known yet"
    site.answers = [listing("a", "c")]
    await watch.look()
    assert watch.listings == {
        ("example", "a"): Listing(LIST.url, START, True, START),
        ("example", "b"): Listing(LIST.url, START, False, None),
    }
    assert site.asked == [(LIST.url, None, 20.0, 8 << 20)]
    assert site.events == [UnpaidSent("catalogue"), CatalogueSeen("example", LIST.url, None)]


async def test_a_list_that_is_not_believed_changes_nothing_and_is_told() -> None:
    site = Site()
    watch = site.watch(probing("a"))
    site.answers = [listing("a", "b", "c"), listing("x"), answer(b"", 500)]
    await watch.look()
    believed = watch.listings
    await watch.look()
    await watch.look()
    assert watch.listings == believed
    assert [seen.problem for seen in site.of(CatalogueSeen) if isinstance(seen, CatalogueSeen)] == [
        None,
        "1 rows, less than half of the 3 before",
        "HTTP 500",
    ]


async def test_a_list_that_stays_short_for_a_day_of_looks_is_what_it_is_now() -> None:
    site = Site()
    watch = site.watch(probing("a"))
    site.answers = [listing("a", "b", "c"), *[listing("x")] * SHORT_LOOKS]
    for _ in range(SHORT_LOOKS):
        await watch.look()
        assert watch.listings["example", "a"].listed
    await watch.look()
    assert not watch.listings["example", "a"].listed


async def test_what_was_seen_is_known_over_a_restart_at_once() -> None:
    site = Site()
    site.answers = [listing("a", "b")]
    await site.watch(probing("a")).look()
    site.now = LATER
    again = site.watch(probing("a"))
    assert again.listing(probing("a")) == Listing(LIST.url, START, True, START)
    site.answers = [listing("b")]
    await again.look()
    assert again.listing(probing("a")) == Listing(LIST.url, LATER, False, START)
    assert site.events[-1] == CatalogueSeen("example", LIST.url, None, left=("a",))
    third = site.watch(probing("a"))
    site.answers = [listing("b", "a")]
    await third.look()
    assert site.events[-1] == CatalogueSeen("example", LIST.url, None, entered=("a",))


async def test_a_reload_changes_what_is_watched() -> None:
    site = Site()
    watch = site.watch(probing("a"))
    site.answers = [listing("a", "b")]
    await watch.look()
    watch.adopt([probing("b"), probing("z")])
    assert watch.listings == {
        ("example", "b"): Listing(LIST.url, START, True, START),
        ("example", "z"): Listing(LIST.url, START, False, None),
    }, "the list is known, so a new model is too"
    elsewhere = replace(LIST, url="https://other.example.test/models")
    watch.adopt([probing("b", catalogue=elsewhere)])
    assert watch.listings == {}, "of another list nothing is known"
    watch.adopt([probing("b", catalogue=None), probing("c", "second", catalogue=None)])
    await watch.look()
    assert len(site.asked) == 1, "no contract names a list"
    site.answers = [listing("b")]
    watch.adopt([probing("b")])
    await watch.look()
    assert ("example", "b") in watch.listings
    watch.adopt([])
    assert watch.listings == {}


async def test_what_a_reload_took_away_during_a_look_is_not_shown() -> None:
    site = Site()
    watch = site.watch(probing("a"))
    site.answers = [listing("a")]
    site.meanwhile = lambda: watch.adopt([probing("a", catalogue=None)])
    await watch.look()
    assert watch.listings == {}


async def test_the_watch_looks_soon_and_again_after_a_reload() -> None:
    site = Site()
    looked = asyncio.Event()
    site.meanwhile = looked.set
    site.answers = [listing("a"), listing("b")]
    watch = Catalogues(
        [probing("a")], site.get, Remembered(site.history), site.events.append, lambda: site.now, first_s=0.0
    )
    running = asyncio.create_task(watch.run())
    await asyncio.wait_for(looked.wait(), 5)
    looked.clear()
    await asyncio.sleep(0.05)
    assert not looked.is_set(), "then it waits an hour"
    watch.adopt([probing("b", "second", replace(LIST, url="https://second.example.test/models"))])
    await asyncio.wait_for(looked.wait(), 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [url for url, *_ in site.asked] == [LIST.url, "https://second.example.test/models"]


# ---------------------------------------------------------------- what a packet says of it


def no_channel(number: int, known: Listing | None) -> Result:
    judgement = Judgement(Verdict.DEGRADATION, "no_channel", "no channel")
    if known is not None and not known.listed:
        judgement = replace(judgement, findings=(absence(known),))
    return replace(overloaded(number), judgement=judgement, listing=known)


def test_a_packet_says_that_the_list_names_the_model_that_has_no_channel() -> None:
    there = Listing(LIST.url, START, True, START)
    document = draft(case(no_channel(1, there), no_channel(2, there), no_channel(3, there)))
    said = f"The model is in the provider's public list ({LIST.url}) as read at 2026-11-24T03:00:00.000Z."
    assert document["happened"]["observed"].endswith(said)
    assert document["subject"]["listing"] == {
        "url": LIST.url,
        "looked_at": "2026-11-24T03:00:00.000Z",
        "listed": True,
        "last_listed_at": "2026-11-24T03:00:00.000Z",
    }
    assert not document["expected"]["findings"]


@pytest.mark.parametrize("known", [None, Listing(LIST.url, START, False, None)])
def test_it_does_not_say_so_where_that_is_not_known_or_not_so(known: Listing | None) -> None:
    assert "public list (" not in draft(case(no_channel(1, known)))["happened"]["observed"]


def test_it_does_not_say_so_of_another_failure() -> None:
    there = Listing(LIST.url, START, True, START)
    assert "public list" not in draft(case(replace(overloaded(1), listing=there)))["happened"]["observed"]


def test_the_finding_is_cited_as_read_live_and_is_no_disagreement_with_the_documents() -> None:
    gone = Listing(LIST.url, LATER, False, None)
    document = draft(case(no_channel(1, gone)))
    [found] = document["expected"]["findings"]
    assert (found["source"], found["accessed"], found["verified_live"]) == (LIST.url, "2026-11-24T04:00:00.000Z", True)
    assert f"verified against {LIST.url} at 2026-11-24T04:00:00.000Z" in document["expected"]["words"]
    assert not [reason for reason in document["internal"]["recommendation"]["reasons"] if "inconsistent" in reason]


def test_a_result_remembers_its_listing_over_a_restart() -> None:
    known = no_channel(1, Listing(LIST.url, START, False, START - timedelta(days=1)))
    assert stored.load(stored.dump(known)).listing == known.listing


@pytest.mark.parametrize("last_listed_at", [None, START])
def test_redaction_does_not_change_what_the_list_bears_on(last_listed_at: datetime | None) -> None:
    key = "sk-fake-model-list-0123456789abcdef"
    words = f"no available channel for group default and model m, key {key}, ask jane.doe@example.test"
    seen = observed(reply(503, error(words, code="model_not_found")))
    known = Expectation(contract(), listing=Listing(LIST.url, LATER, False, last_listed_at))
    sealed = Redactor([SecretStr(key)], [], Policy(), b"k" * 32).seal(seen).value
    plain, again = classify(seen, known), classify(sealed, known)
    assert key not in repr(again)
    assert (plain.verdict, plain.reason, plain.rule, plain.certain) == (
        again.verdict,
        again.reason,
        again.rule,
        again.certain,
    )
    assert plain.findings == again.findings
