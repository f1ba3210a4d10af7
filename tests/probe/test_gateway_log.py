"""The provider's own log beside our measurements: when it is read, what is said of it, and who may see what."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from probe.client import Auth
from probe.contract import Sourced
from probe.corroboration import LogRead, Row, rows, sought
from probe.packet import addenda_for_support, draft, for_support, gateway_log, merged
from probe.packet.case import Case
from probe.packet.gateway_log import corroboration, sentence, told, wanted
from probe.records import Event, Fetched, Json, Reading, RequestId, Result, Timings, Unfetched, UnpaidSent
from probe.redact import Policy, Redactor
from probe.render.export import Original, export
from probe.watch import GatewayLogs, Means, TokenUnavailable
from tests.probe.evidence import SOURCE, START, case, contract, cut_off, good, overloaded, target
from tests.probe.test_log_rows import LOG
from tests.servers.gateway_log import PRIVATE, page, row

TOKEN = "fake-access-token-0123456789"
OURS = target(contract=contract(gateway_log=Sourced(LOG, SOURCE)))


def ended(result: Result, first_byte_s: float | None, total_s: float) -> Result:
    assert result.sealed is not None
    seen = replace(result.sealed.value, timings=Timings(total_s, first_byte_s=first_byte_s))
    return replace(result, sealed=type(result.sealed)(seen, (), _seal()))


def _seal() -> object:
    from probe.records.sealed import _SEAL

    return _SEAL


SLOW = [ended(overloaded(n), 9.8, 9.9) for n in (3, 4, 5)]
OUTAGE = case(good(1), *SLOW, target=OURS)
IDS = [one.request_ids[0] for one in sought(SLOW)]
GOOD_ID = "good1"


def in_log(*given: Json) -> tuple[Row, ...]:
    found = rows(page(list(given))[1], LOG)
    assert found is not None
    return found


def read(*known: Row, **changes: Any) -> LogRead:
    return replace(LogRead(known, 40, START + timedelta(seconds=200), 1, None), **changes)


def made(known: LogRead, of: Case = OUTAGE) -> Json:
    return corroboration(of, known, START + timedelta(seconds=201))


# ---------------------------------------------------------------- what is said


@pytest.mark.parametrize(
    ("changes", "total_s", "first_byte_s", "said"),
    [
        (
            {},
            9.9,
            9.8,
            "The gateway's own log gives 0.41 s to its first response for this request; we waited 9.80 s: 9.39 s passed"
            " outside what the gateway counted. In total the gateway's own log counts 0.50 of our 9.90 s.",
        ),
        (
            {"first_response_s": None, "total_s": 9.0, "total_is_coarse": True},
            9.9,
            9.8,
            "In total the gateway's own log counts 9.00 (in whole seconds) of our 9.90 s.",
        ),
        (
            {"first_response_s": None, "total_s": 10.0, "total_is_coarse": True},
            9.9,
            9.8,
            "In total the gateway's own log counts 10.00 s (in whole seconds), more than the 9.90 s we waited.",
        ),
        (
            {"total_s": None},
            25.0,
            None,
            "The gateway's own log gives 0.41 s to its first response for this request; we received no byte of an"
            " answer in 25.00 s.",
        ),
        (
            {"total_s": None},
            None,
            None,
            "The gateway's own log gives 0.41 s to its first response for this request; we received no byte of an"
            " answer.",
        ),
        (
            {"total_s": None},
            0.5,
            0.3,
            "The gateway's own log gives 0.41 s to its first response for this request; we had the first byte after"
            " 0.30 s, which is less than it counted.",
        ),
        (
            {"total_s": None, "first_response_s": None},
            9.9,
            9.8,
            "The gateway's own log holds this request and states no time that could be compared.",
        ),
    ],
)
def test_the_sentence_states_two_counts_and_no_cause(
    changes: dict[str, Any], total_s: float | None, first_byte_s: float | None, said: str
) -> None:
    [known] = in_log(row(IDS[0]))
    assert sentence(replace(known, **changes), 1, total_s, first_byte_s) == said


def test_both_measurements_stand_side_by_side_with_their_difference() -> None:
    document = made(
        read(*in_log(row(IDS[0]), row(IDS[2], total_ms=9700), row(GOOD_ID, type=2, total_ms=None, frt=None)))
    )
    assert document["kind"] == "gateway_log"
    assert [attempt["probe_id"] for attempt in document["attempts"]] == ["p0003", "p0005", "p0001"]
    first, newest, last_good = document["attempts"]
    assert first["ours"] == {"total_s": 9.9, "first_byte_s": 9.8, "first_token_s": None}
    assert first["gateway"] == {
        "created_at": "2026-11-24T03:00:00.000Z",
        "type": "error",
        "model": "busy",
        "stream": False,
        "prompt_tokens": 9,
        "completion_tokens": 1,
        "total_s": 0.5,
        "total_in_whole_seconds": False,
        "first_response_s": 0.41,
    }
    assert first["difference"] == {"total_s": 9.4, "first_response_s": 9.39}
    assert first["request_ids"] == [IDS[0]]
    assert (first["matched_by"], first["rows"], first["failed"]) == ("request ID", 1, True)
    assert newest["difference"]["total_s"] == 0.2
    assert last_good["failed"] is False
    assert last_good["gateway"]["type"] == "consume"
    assert last_good["gateway"]["total_in_whole_seconds"] is True
    assert document["not_found"] == [IDS[1]]
    assert f"(request ID {IDS[2]}): The gateway's own log gives 0.41 s" in document["words"]
    assert "2 of 3 failing attempts have a row in it." in document["words"]
    assert (
        f"{IDS[1]}: not found in the newest 40 rows read at 2026-11-24T03:03:20.123Z. A request that never reached the"
        " gateway would look like this." in document["words"]
    )
    assert document["source"]["documented"].startswith("read from a stored copy of ")


def test_of_several_rows_the_one_with_the_largest_total_is_told_of() -> None:
    [attempt] = made(read(*in_log(row(IDS[0], total_ms=100), row(IDS[0], total_ms=9000))))["attempts"]
    assert (attempt["rows"], attempt["gateway"]["total_s"]) == (2, 9.0)
    assert attempt["sentence"].endswith(
        "The log holds 2 rows of this request; the one with the largest total is told of here."
    )


def test_nothing_of_what_is_private_is_in_it() -> None:
    text = json.dumps(made(read(*in_log(*(row(one) for one in IDS)))))
    assert not [secret for secret in (*PRIVATE, "4711", "4712", "1234567", "model_price") if secret in text]


def test_what_could_not_be_read_is_said_in_words() -> None:
    document = made(read(rows_read=None, requests=3, problem="HTTP 500"))
    assert document["words"] == "The gateway's own log could not be read (3 requests): HTTP 500."
    assert made(read(rows_read=None, problem="HTTP 401"))["words"].endswith("(1 request): HTTP 401.")
    half = made(read(*in_log(row(IDS[0])), rows_read=None, problem="HTTP 500"))
    assert "not found before the log could no longer be read (HTTP 500)" in half["words"]


def test_many_that_are_missing_are_counted() -> None:
    outage = case(*[overloaded(n) for n in range(1, 8)], target=OURS)
    words = made(read(), outage)["words"]
    assert words.startswith("0 of 7 failing attempts have a row in it.")
    assert " and 3 more: not found in the newest 40 rows" in words


def test_an_attempt_known_by_its_completion_only_is_named_by_it() -> None:
    nameless = replace(overloaded(1), reading=Reading(completion_id="chatcmpl-7"))
    outage = case(nameless, replace(overloaded(2), reading=Reading(completion_id="chatcmpl-8")), target=OURS)
    document = made(read(*in_log(row("x-1", response_id="chatcmpl-7"))), outage)
    assert document["attempts"][0]["matched_by"] == "response ID"
    assert "(request ID chatcmpl-7)" in document["words"]
    assert document["not_found"] == ["chatcmpl-8"]


def test_without_measured_times_there_is_no_difference() -> None:
    untimed = replace(overloaded(1), sealed=None)
    [attempt] = made(read(*in_log(row("20261124030001gJBlzjtp"))), case(untimed, target=OURS))["attempts"]
    assert attempt["ours"] == {"total_s": None, "first_byte_s": None, "first_token_s": None}
    assert attempt["difference"] == {"total_s": None, "first_response_s": None}


def test_attempts_without_any_id_are_not_looked_for() -> None:
    assert wanted(case(cut_off(1), cut_off(2), target=OURS)) == ((), ())


# ---------------------------------------------------------------- where it is shown

DOCUMENT = made(read(*in_log(*(row(one) for one in IDS), row(GOOD_ID))))
NAMED = ((f"{OUTAGE.packet_id}.002.json", DOCUMENT),)


def test_it_is_told_in_the_message_and_stands_in_a_table() -> None:
    now = merged(draft(OUTAGE), NAMED)
    assert any("9.39 s passed outside what the gateway counted" in line for line in now["message"])
    assert now["since_freeze"]["gateway_log"]["table"][0] == [
        "failing",
        DOCUMENT["attempts"][0]["started_at"],
        IDS[0],
        "error",
        "9.900 s",
        "0.500 s",
        "9.800 s",
        "0.410 s",
    ]
    assert now["since_freeze"]["gateway_log"]["table"][-1][0] == "last good"
    for audience in ("support", "internal"):
        files = export(draft(OUTAGE), NAMED, audience, Original("0" * 64))
        for name in ("summary.md", "packet.html"):
            assert b"own log beside our measurements" in files[name], (audience, name)
            assert b"0.410 s" in files[name], (audience, name)


def test_support_gets_measured_fields_only() -> None:
    """A field that is added later is not for support until somebody says so here."""
    grown = DOCUMENT | {"requests": 3, "problem": "x", "username": "u"}
    grown["attempts"] = [
        attempt | {"ip": "198.51.100.7", "gateway": attempt["gateway"] | {"quota": 5}}
        for attempt in DOCUMENT["attempts"]
    ]
    [(_, document)] = addenda_for_support((("x.001.json", grown),))
    assert document.keys() == {
        *("schema_version", "kind", "at", "packet_id", "target", "words"),
        *("source", "read_at", "rows_read", "attempts", "not_found"),
    }
    for attempt in document["attempts"]:
        assert attempt.keys() == {
            *("probe_id", "started_at", "failed", "request_ids", "completion_id", "matched_by", "rows"),
            *("ours", "gateway", "difference", "sentence"),
        }
        assert attempt["gateway"].keys() == {
            *("created_at", "type", "model", "stream", "total_s", "total_in_whole_seconds", "first_response_s"),
        }
    [(_, odd)] = addenda_for_support((("x", {"kind": "gateway_log", "attempts": [3, {"gateway": 4}]}),))
    assert odd["attempts"] == [{"gateway": None}]
    assert addenda_for_support((("x", {"kind": "gateway_log", "attempts": 3}),))[0][1]["attempts"] == 3
    assert for_support(merged(draft(OUTAGE), NAMED))["since_freeze"]["addenda"][0]["kind"] == "gateway_log"


@pytest.mark.parametrize(
    ("document", "table"),
    [
        ({"words": "w"}, []),
        ({"words": "w", "attempts": [1, {"ours": 3, "gateway": None, "request_ids": "x"}]}, [["-"] * 8]),
        (
            {"words": "w", "attempts": [{"started_at": "t", "request_ids": [1, "id"], "ours": {"total_s": True}}]},
            [["-", "t", "id", "-", "-", "-", "-", "-"]],
        ),
    ],
)
def test_a_document_of_anyone_is_read_leniently(document: Json, table: list[list[str]]) -> None:
    shown = told(document)
    assert shown is not None
    assert shown["table"] == table


def test_one_without_words_says_nothing() -> None:
    assert told({}) is None
    assert told({"words": " "}) is None


# ---------------------------------------------------------------- when it is read


class Account:
    """A log that says what the test lets it; nothing waits."""

    def __init__(self, *answers: Fetched | Unfetched, token: Callable[[str], SecretStr | None] | None = None) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []
        self.waited: list[float] = []
        self.events: list[Event] = []
        redactor = Redactor([SecretStr(TOKEN)], [], Policy(), b"k" * 32)
        self.logs = GatewayLogs(
            Means(
                self.get,
                token or (lambda _: SecretStr(TOKEN)),
                lambda: redactor,
                self.events.append,
                self.sleep,
                lambda: START,
            )
        )

    async def get(
        self, url: str, *, timeout_s: float, limit_bytes: int, auth: Auth | None = None, accept: str = "*/*"
    ) -> Fetched | Unfetched:
        assert auth is not None
        assert (timeout_s, limit_bytes) == (10.0, 2 << 20)
        self.asked.append((url, f"{auth.header}: {auth.value.get_secret_value()}"))
        return self.answers.pop(0)

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)

    async def read(self, ours: Any = OURS, of: Case = OUTAGE) -> LogRead | None:
        failing, others = wanted(of)
        return await self.logs.read(ours, failing, others)


def says(*given: Json, status: int = 200) -> Fetched:
    return Fetched(LOG.url, status, "application/json", page(list(given))[1], START, "0" * 64)


async def test_it_is_read_once_where_every_row_is_there() -> None:
    account = Account(says(*(row(one) for one in IDS), row("somebody-elses"), row(GOOD_ID)))
    found = await account.read()
    assert found is not None
    assert (len(found.rows), found.rows_read, found.requests, found.problem) == (4, 5, 1, None)
    assert account.asked == [(LOG.url, f"Authorization: Bearer {TOKEN}")]
    assert (account.waited, account.events) == ([2.0], [UnpaidSent("gateway_log")])


async def test_rows_that_come_late_are_waited_for_three_times_at_most() -> None:
    account = Account(says(), says(row(IDS[0])), says(row(IDS[1])))
    found = await account.read()
    assert found is not None
    assert {known.request_id for known in found.rows} == set(IDS[:2])
    assert found.requests == 3
    assert account.waited == [2.0, 8.0, 20.0]


async def test_targets_of_one_account_that_trip_at_once_ask_once() -> None:
    account = Account(says(*(row(one) for one in IDS)))
    both = await asyncio.gather(account.read(), account.read(replace(OURS, name="another")))
    assert [len(found.rows) for found in both if found] == [3, 3]
    assert len(account.asked) == 1


@pytest.mark.parametrize(
    ("answers", "requests", "problem"),
    [
        ([says(status=401)], 1, "HTTP 401"),
        ([says(status=500)] * 3, 3, "HTTP 500"),
        ([Unfetched("longer than 2097152 bytes")] * 3, 3, "longer than 2097152 bytes"),
        (
            [Fetched(LOG.url, 200, "text/html", b"<html>", START, "")] * 3,
            3,
            "the answer holds no list of rows where the contract says",
        ),
    ],
)
async def test_what_goes_wrong_becomes_words(
    answers: Sequence[Fetched | Unfetched], requests: int, problem: str
) -> None:
    found = await Account(*answers).read()
    assert found is not None
    assert (found.rows, found.rows_read, found.requests, found.problem) == ((), None, requests, problem)


async def test_nothing_is_asked_where_nothing_is_documented_configured_or_known() -> None:
    account = Account()
    assert await account.read(target()) is None
    assert await account.read(of=case(cut_off(1), target=OURS)) is None
    assert account.waited == []
    assert await Account(token=lambda _: None).read() is None
    assert account.asked == []


async def test_a_token_that_goes_away_ends_it() -> None:
    def unreadable(_: str) -> SecretStr:
        raise TokenUnavailable("credentials.team-a.gateway_log.file: expected a file that can be read, found none")

    found = await Account(token=unreadable).read()
    assert found is not None
    assert (found.requests, found.problem) == (0, "its access token could not be read")
    tokens: list[SecretStr | None] = [SecretStr(TOKEN), None]
    removed = await Account(says(row(IDS[0])), token=lambda _: tokens.pop(0)).read()
    assert removed is not None
    assert (len(removed.rows), removed.requests) == (1, 1)

    def once_then_unreadable(name: str) -> SecretStr:
        return SecretStr(TOKEN) if not account.asked else unreadable(name)

    account = Account(says(row(IDS[0])), token=once_then_unreadable)
    half = await account.read()
    assert half is not None
    assert (len(half.rows), half.requests) == (1, 1)


async def test_a_model_name_that_holds_a_secret_is_not_taken() -> None:
    found = await Account(says(*(row(one, model_name=TOKEN) for one in IDS))).read()
    assert found is not None
    assert {known.model for known in found.rows} == {None}


def test_ids_in_two_places_are_one() -> None:
    twice = replace(
        overloaded(1), reading=Reading(request_ids=(RequestId("a", "r-000001"), RequestId("b", "r-000001")))
    )
    [attempt] = made(read(*in_log(row("r-000001"))), case(twice, target=OURS))["attempts"]
    assert attempt["request_ids"] == ["r-000001"]
    assert gateway_log.KIND == "gateway_log"
