"""Parameters of /packets, and the pages they select."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from exporter_facts import START

from exporter.listing import BadParameter, Query, instant, latest, parse, parse_latest, row, select
from probe.index import PacketEntry
from probe.records import Verdict


def _packet(packet_id: str, **changes: Any) -> PacketEntry:
    packet = PacketEntry(
        id=packet_id,
        target="small",
        verdict="degradation",
        reason="upstream_5xx",
        trigger="threshold",
        frozen_at=START,
        incident="p0",
        state="open",
        zip_sha256="00",
        size_bytes=1,
    )
    return replace(packet, **changes)


def _packets(number: int) -> tuple[PacketEntry, ...]:
    return tuple(_packet(f"p{index}", frozen_at=START + timedelta(minutes=index)) for index in range(number))


def _ids(entries: tuple[PacketEntry, ...]) -> list[str]:
    return [entry.id for entry in entries]


def test_pages_follow_each_other_without_gap_or_overlap_while_packets_are_frozen() -> None:
    packets = _packets(5)
    first, following = select(packets, Query(limit=2))
    assert (_ids(first), following) == (["p4", "p3"], "p3")
    grown = (*packets, _packet("p9", frozen_at=START + timedelta(hours=1)))
    second, following = select(grown, Query(limit=2, before=following))
    assert (_ids(second), following) == (["p2", "p1"], "p1")
    assert select(grown, Query(limit=2, before=following)) == ((packets[0],), None)


def test_packets_of_the_same_instant_are_paged_by_id() -> None:
    packets = [_packet("a"), _packet("c"), _packet("b")]
    assert _ids(select(packets, Query())[0]) == ["c", "b", "a"]
    assert _ids(select(packets, Query(before="b"))[0]) == ["a"]


def test_filters_hold_together() -> None:
    packets = (*_packets(4), _packet("x", target="large", frozen_at=START), _packet("y", verdict="auth_or_account"))
    assert _ids(select(packets, Query(target="large"))[0]) == ["x"]
    assert _ids(select(packets, Query(verdict=Verdict.AUTH_OR_ACCOUNT))[0]) == ["y"]
    assert _ids(select((*packets, _packet("z", state="recovered")), parse({"state": "recovered"}))[0]) == ["z"]
    between = Query(since=START + timedelta(minutes=1), until=START + timedelta(minutes=2))
    assert _ids(select(packets, between)[0]) == ["p2", "p1"]


def test_a_packet_that_is_gone_cannot_continue_a_list() -> None:
    with pytest.raises(BadParameter, match="not there any more"):
        select(_packets(1), Query(before="gone"))


def test_the_latest_packet_is_the_newest_at_or_before_the_instant() -> None:
    packets = (*_packets(3), _packet("x", target="large", frozen_at=START + timedelta(hours=1)))
    packets = (*packets, _packet("y", verdict="auth_or_account", frozen_at=START + timedelta(minutes=3)))

    def found(**given: str) -> str | None:
        entry = latest(packets, parse_latest(given), {"small": "example", "large": "example", "other": "another"})
        return None if entry is None else entry.id

    assert found(target="small") == "y"
    assert found(target="small", verdict="degradation") == "p2"
    assert found(target="small", at="2026-11-24T12:01:00Z") == "p1"
    assert found(target="small", at="2026-11-24T11:59:59Z") is None
    assert found(target="unknown") is None
    assert found(contract="example") == "p0"  # it leads the incident of the newest
    assert found(contract="another") is None
    with pytest.raises(BadParameter, match="target"):
        parse_latest({"at": "2026-11-24T12:00:00Z", "target": ""})


def test_a_packet_whose_leading_one_is_gone_leads_itself() -> None:
    packets = (_packet("p5", incident="expired"),)
    assert latest(packets, parse_latest({"contract": "example"}), {"small": "example"}) == packets[0]


def test_the_packets_of_a_contract_are_those_of_its_targets() -> None:
    packets = (_packet("p1"), _packet("x", target="large"), _packet("z", target="gone"))
    query = parse({"contract": "example"})
    assert _ids(select(packets, query, {"small": "example", "large": "other"})[0]) == ["p1"]
    assert select(packets, query) == ((), None)


def test_parameters_are_read() -> None:
    given = {"target": "small", "verdict": "degradation", "since": "2026-11-24T12:00:00Z", "until": "1795600000.5"}
    query = parse({**given, "limit": "7", "before": "p1"})
    until = datetime.fromtimestamp(1795600000.5, UTC)
    assert query == Query("small", Verdict.DEGRADATION, START, until, 7, "p1")
    assert parse({}) == Query()


def test_an_empty_field_of_a_form_asks_for_nothing() -> None:
    assert parse(dict.fromkeys(("target", "verdict", "since", "until", "limit", "before"), "")) == Query()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("verdict", "down"),
        ("state", "closed"),
        ("since", "yesterday"),
        ("since", "2026-11-24T12:00:00"),
        ("until", "9" * 400),
        ("until", "-5"),
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "٣"),
        ("limit", "ten"),
        ("before", "../../etc/passwd"),
    ],
)
def test_a_bad_value_names_its_parameter(name: str, text: str) -> None:
    with pytest.raises(BadParameter) as caught:
        parse({name: text})
    assert caught.value.name == name
    assert str(caught.value).startswith(f"{name}: expected ")


def test_until_before_since_is_refused() -> None:
    with pytest.raises(BadParameter, match="until"):
        parse({"since": "2026-11-24T12:00:00Z", "until": "2026-11-24T11:00:00Z"})


def test_an_offset_is_understood() -> None:
    assert instant({"at": "2026-11-24T13:00:00+01:00"}, "at") == START


def test_a_row_is_plain_text_and_numbers() -> None:
    packet = replace(_packet("p1"), frozen_at=START + timedelta(microseconds=1999))
    assert row(packet) == {
        "id": "p1",
        "target": "small",
        "verdict": "degradation",
        "reason": "upstream_5xx",
        "trigger": "threshold",
        "frozen_at": "2026-11-24T12:00:00.001Z",
        "incident": "p0",
        "state": "open",
        "zip_sha256": "00",
        "size_bytes": 1,
    }
