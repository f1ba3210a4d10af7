"""What Alertmanager posts, read; and which packet an alert is about, as a table."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from exporter_facts import START
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.alert_json import MOST_ALERTS, BadAlert, parse
from exporter.alerts import (
    Alert,
    Candidate,
    Decision,
    Found,
    Freeze,
    Known,
    Why,
    addendum,
    candidate,
    decide,
    says_so,
)
from probe.index import PacketEntry
from probe.packet import draft, merged
from probe.packet.audience import addenda_for_support, for_support
from tests.probe.evidence import case, overloaded
from tests.servers import ROOT

WEBHOOKS: Final = Path(__file__).parent / "webhooks"
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
SECRET: Final = "sk-fake-in-an-alert"
POSTED: Final[dict[str, Any]] = {
    "status": "firing",
    "labels": {"alertname": "FreezeframeDegradation", "target": "small", "scope": "target"},
    "annotations": {"summary": "small: valid requests fail"},
    "startsAt": "2026-11-24T12:00:00.000Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example.test:9090/graph",
    "fingerprint": "f351e8ee4452ee55",
}


def webhook(*alerts: Mapping[str, Any], **changes: Any) -> bytes:
    whole = {"receiver": "freezeframe", "status": "firing", "alerts": alerts, "version": "4", "truncatedAlerts": 0}
    return json.dumps(whole | changes).encode()


def alert(name: str = "FreezeframeDegradation", **changes: Any) -> Alert:
    """One of ours that began at START; `changes` are labels, or fields of the alert."""
    fields = {key: changes.pop(key) for key in ("is_firing", "starts_at", "ends_at") if key in changes}
    labels = {"alertname": name, "scope": "target", "target": "small", "verdict": "degradation"} | changes
    told = Alert(True, {key: value for key, value in labels.items() if value}, "f351e8ee4452ee55", START)
    return replace(told, **fields)


# ---------------------------------------------------------------- reading


def test_a_webhook_of_a_real_alertmanager_is_read() -> None:
    alerts, left_out = parse((WEBHOOKS / "another-rule.json").read_bytes())
    assert left_out == 0
    assert [(it.is_firing, it.name, it.fingerprint) for it in alerts] == [
        (True, "DemoDown", "f351e8ee4452ee55"),
        (True, "DemoDown", "838d5eda3b834ea8"),
    ]
    assert (alerts[0].ends_at, alerts[0].key) == (None, ("f351e8ee4452ee55", "2026-11-23T20:14:38.568Z"))


@pytest.mark.parametrize("file", sorted(WEBHOOKS.glob("freezeframe-*.json")), ids=lambda file: file.stem)
def test_a_webhook_of_our_own_rules_is_read(file: Path) -> None:
    alerts, _ = parse(file.read_bytes())
    assert [(it.name, it.target, it.contract) for it in alerts] == [("FreezeframeDegradation", "stream", "example")]
    assert all(it.is_firing == (it.ends_at is None) for it in alerts)


def test_what_is_too_much_is_left_out_and_counted() -> None:
    alerts, left_out = parse(webhook(*[POSTED] * (MOST_ALERTS + 3), truncatedAlerts=4))
    assert (len(alerts), left_out) == (MOST_ALERTS, 7)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", "$"),
        (b'{"version": "4", "alerts": [', "$"),
        (b"\xff\xfe", "$"),
        (b"[" * 100_000, "$"),
        (b"[]", "$"),
        (b"null", "$"),
        (webhook(version="3"), "$.version"),
        (b'{"version": "4"}', "$.alerts"),
        (b'{"version": "4", "alerts": {}}', "$.alerts"),
        (b'{"version": "4", "alerts": ["x"]}', "$.alerts[0]"),
        (webhook(POSTED, POSTED | {"status": SECRET}), "$.alerts[1].status"),
        (webhook(POSTED | {"labels": {"a": {SECRET: 1}}}), "$.alerts[0].labels.*"),
        (webhook(POSTED | {"labels": {SECRET: 5}}), "$.alerts[0].labels.*"),
        (webhook({key: POSTED[key] for key in POSTED if key != "labels"}), "$.alerts[0].labels"),
        (webhook(POSTED | {"startsAt": SECRET}), "$.alerts[0].startsAt"),
        (webhook(POSTED | {"startsAt": "2026-11-24T12:00:00"}), "$.alerts[0].startsAt"),
        (webhook(POSTED | {"startsAt": "0001-01-01T00:00:00+05:00"}), "$.alerts[0].startsAt"),
        (webhook(POSTED | {"fingerprint": f"../{SECRET}"}), "$.alerts[0].fingerprint"),
        (webhook(POSTED | {"fingerprint": "a" * 65}), "$.alerts[0].fingerprint"),
        (webhook(POSTED, truncatedAlerts=-1), "$.truncatedAlerts"),
        (webhook(POSTED, truncatedAlerts=2**64), "$.truncatedAlerts"),
    ],
)
def test_a_malformed_webhook_names_the_path_and_repeats_nothing_of_it(body: bytes, path: str) -> None:
    with pytest.raises(BadAlert) as caught:
        parse(body)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")
    assert SECRET not in str(caught.value)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=100)
def test_no_bytes_are_more_than_a_bad_alert(body: bytes) -> None:
    with pytest.raises(BadAlert):
        parse(body)


# ---------------------------------------------------------------- which packet


def packet(name: str, at: datetime, target: str = "small", **changes: Any) -> Candidate:
    return replace(Candidate(name, target, "degradation", at, name, is_open=False), **changes)


OPEN = packet("open", START - MINUTE, is_open=True)
ENDED = packet("ended", START - 20 * MINUTE)
OF_LAST_NIGHT = packet("of-last-night", START - 9 * HOUR)
OLD_AND_OPEN = packet("old-and-open", START - 9 * HOUR, is_open=True)
OTHER_VERDICT = packet("other-verdict", START - timedelta(seconds=5), verdict="auth_or_account", is_open=True)
BY_HAND = packet("by-hand", START - timedelta(seconds=3))
AFTER = packet("after", START + 10 * MINUTE)
LONG_AFTER = packet("long-after", START + 30 * MINUTE)
FIRST_OF_MANY = packet("first-of-many", START - 2 * MINUTE, "large", is_open=True)
JOINED = packet("joined", START - MINUTE, incident="first-of-many", is_open=True)
NOT_OURS = packet("elsewhere", START, "other")

WHOLE = alert("FreezeframeContractFailing", scope="contract", target="", verdict="", contract="example")
BURN = alert("FreezeframeErrorBudgetAtRisk", verdict="")
RESOLVED = alert(is_firing=False, ends_at=START + 5 * MINUTE)

CASES: Final[dict[str, tuple[Alert, list[Candidate], dict[str, datetime], Decision]]] = {
    "the open packet of its target": (alert(), [ENDED, OPEN, NOT_OURS], {}, Found("open", "small")),
    "not a packet of last night's": (alert(), [OF_LAST_NIGHT], {}, Why.NOTHING_FAILED),
    "an incident that has been open since last night": (alert(), [OLD_AND_OPEN], {}, Found("old-and-open", "small")),
    "one that ended just before": (alert(), [OF_LAST_NIGHT, ENDED], {}, Found("ended", "small")),
    "its own verdict before a newer one": (alert(), [OPEN, OTHER_VERDICT], {}, Found("open", "small")),
    "the newest where it names no verdict": (BURN, [OPEN, OTHER_VERDICT], {}, Found("other-verdict", "small")),
    "another verdict where its own has none": (alert(), [OTHER_VERDICT], {}, Found("other-verdict", "small")),
    "the incident's before one frozen by hand": (alert(), [OPEN, BY_HAND], {}, Found("open", "small")),
    "the first after it where none was there": (alert(), [LONG_AFTER, AFTER], {}, Found("after", "small")),
    "what was there before what came after": (alert(), [AFTER, ENDED], {}, Found("ended", "small")),
    "the leading packet of a contract": (WHOLE, [JOINED, FIRST_OF_MANY], {}, Found("first-of-many", "large")),
    "a leading packet whose own target recovered long ago": (
        WHOLE,
        [JOINED, replace(FIRST_OF_MANY, frozen_at=START - 9 * HOUR, is_open=False)],
        {},
        Found("first-of-many", "large"),
    ),
    "a contract whose leading packet is gone": (WHOLE, [JOINED], {}, Found("joined", "small")),
    "no packet of another contract": (WHOLE, [NOT_OURS], {}, Why.NOTHING_FAILED),
    "freezes what failed a moment ago": (alert(), [], {"small": START - MINUTE}, Freeze("small")),
    "nothing that failed last night": (alert(), [], {"small": START - 9 * HOUR}, Why.NOTHING_FAILED),
    "nothing of another target": (alert(), [], {"large": START}, Why.NOTHING_FAILED),
    "freezes the latest failure of a contract": (
        WHOLE,
        [],
        {"small": START - MINUTE, "large": START, "other": START},
        Freeze("large"),
    ),
    "a resolved alert freezes nothing": (RESOLVED, [], {"small": START}, Why.NOTHING_FAILED),
    "a resolved alert finds its packet": (RESOLVED, [OPEN], {}, Found("open", "small")),
    "not what was frozen after its end": (RESOLVED, [AFTER, LONG_AFTER], {}, Why.NOTHING_FAILED),
    "an unknown target": (alert(target="gone"), [OPEN], {"small": START}, Why.UNKNOWN),
    "an unknown contract": (alert(target="", contract="gone", scope="contract"), [OPEN], {}, Why.UNKNOWN),
    "our own fault": (alert("MyRule", verdict="probe_fault", scope=""), [OPEN], {}, Why.OUR_FAULT),
    "a missed tick": (alert("MyRule", verdict="missed", scope=""), [OPEN], {}, Why.OUR_FAULT),
    "our own health": (alert("FreezeframeProbesStale", scope=""), [OPEN], {}, Why.ABOUT_US),
    "our own health without a target": (alert("FreezeframeDown", scope="", target=""), [OPEN], {}, Why.ABOUT_US),
    "neither target nor contract": (alert("NodeDown", target="", scope=""), [OPEN], {}, Why.NAMES_NOTHING),
    "somebody's own rule about a target": (alert("MyRule", scope="", verdict=""), [OPEN], {}, Found("open", "small")),
    "a beginning before time": (alert(starts_at=datetime.min.replace(tzinfo=START.tzinfo)), [], {}, Why.NOTHING_FAILED),
    "a beginning after time": (
        alert(starts_at=datetime.max.replace(tzinfo=START.tzinfo)),
        [ENDED],
        {"small": START},
        Why.NOTHING_FAILED,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_alert_is_about(case: str) -> None:
    told, packets, failed_at, expected = CASES[case]
    by_target: dict[str, list[Candidate]] = {}
    for it in packets:
        by_target.setdefault(it.target, []).append(it)
    contracts = {"small": "example", "large": "example", "other": "another"}
    assert decide(told, Known(contracts, by_target, failed_at)) == expected


def test_the_shipped_rules_say_by_their_scope_which_of_them_are_about_an_exchange() -> None:
    """The route of dashboards/alertmanager.yml and this decision go by the same label."""
    rules = [
        rule
        for file in (ROOT / "dashboards/rules").glob("*.yaml")
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    scoped = {rule["alert"] for rule in rules if rule["labels"].get("scope") in ("target", "contract")}
    known = Known({"small": "example"}, {"small": [OPEN]}, {})
    told = {
        rule["alert"]: decide(alert(rule["alert"], **{"scope": "", "verdict": ""} | rule["labels"]), known)
        for rule in rules
    }
    assert {name for name, decision in told.items() if decision == Found("open", "small")} == scoped
    assert {decision for name, decision in told.items() if name not in scoped} == {Why.ABOUT_US}
    assert "FreezeframeContractFailing" in scoped and len(scoped) == 9


def test_a_store_alone_says_that_only_a_tripped_threshold_is_open() -> None:
    entry = PacketEntry("p1", "small", "degradation", "upstream_5xx", "threshold", START, "p1", "open", "00", 1)
    assert candidate(entry).is_open
    assert not candidate(replace(entry, trigger="manual")).is_open
    assert not candidate(replace(entry, state="recovered")).is_open


# ---------------------------------------------------------------- what is written down


def test_an_addendum_says_which_alert_and_since_when() -> None:
    document = addendum(alert(), "FreezeframeDegradation", Found("p1", "small"), START + MINUTE)
    assert document == {
        "schema_version": "1",
        "kind": "alert",
        "at": "2026-11-24T12:01:00.000Z",
        "packet_id": "p1",
        "target": "small",
        "alertname": "FreezeframeDegradation",
        "fingerprint": "f351e8ee4452ee55",
        "status": "firing",
        "starts_at": "2026-11-24T12:00:00.000Z",
        "ends_at": None,
        "words": "alert FreezeframeDegradation fires since 2026-11-24T12:00:00.000Z",
    }


@pytest.mark.parametrize(("ends_at", "words"), [(START + HOUR, " at 2026-11-24T13:00:00.000Z"), (None, "")])
def test_a_resolved_one_says_when_it_ended_where_that_is_known(ends_at: datetime | None, words: str) -> None:
    told = alert(is_firing=False, ends_at=ends_at)
    document = addendum(told, "X", Found("p1", "small"), START)
    assert document["words"] == f"alert X, which began at 2026-11-24T12:00:00.000Z, has resolved{words}"
    assert document["status"] == "resolved"


def test_a_packet_lists_the_alert_and_support_does_not_read_of_it() -> None:
    about = case(overloaded(1), overloaded(2))
    addenda = (("x.001.json", addendum(alert(), "X", Found(about.packet_id, "small"), START)),)
    frozen = draft(about)
    now = merged(frozen, addenda)
    assert [(it["kind"], it["words"]) for it in now["since_freeze"]["addenda"]] == [("alert", addenda[0][1]["words"])]
    assert now["message"] == frozen["message"]
    assert addenda_for_support(addenda) == ()
    assert for_support(now)["since_freeze"]["addenda"] == []


def test_an_addendum_is_known_again_by_fingerprint_start_and_status() -> None:
    told = alert()
    document = addendum(told, "X", Found("p1", "small"), START)
    assert says_so(document, told)
    assert says_so(document, alert("AnotherName"))
    assert not says_so(document, replace(told, is_firing=False))
    assert not says_so(document, replace(told, starts_at=START + MINUTE))
    assert not says_so(document, replace(told, fingerprint="00"))
    for foreign in (None, "alert", {"kind": "note"}, {"kind": "alert"}):
        assert not says_so(foreign, told)


def test_a_name_is_one_short_line() -> None:
    assert alert("a\nb`c\u202e" + "d" * 500).name == "a b'c " + "d" * 114
    assert Alert(True, {}, "00", START).name == "without a name"
