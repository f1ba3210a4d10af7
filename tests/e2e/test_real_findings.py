"""What gateways that nobody here wrote really answer, against a contract that documents other shapes.

Each row of expected and observed in the frozen packet cites field, source and access time."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Process, aimock, litellm, until
from tests.servers.freezeframe import READ_AT, Freezeframe, Packet, Start, configure, contract, verify

pytestmark = pytest.mark.real

SEEN_WITHIN_S = 40.0
CHAT = "https://docs.example.test/chat"
ERRORS = "https://docs.example.test/errors"
ACCESSED = "2026-11-20T09:00:00.000Z"
CONVENTION = "OpenAI-compatible convention; no document of the contract states it"

BEHAVIOUR: dict[str, dict[str, object]] = {
    "plain": {"response": {"content": "pong"}},
    "malformed": {"response": {"content": "x"}, "chaos": {"malformedRate": 1.0}},
    "empty": {"response": {"content": ""}},
    "codeless": {"response": {"error": {"message": aimock.OVERLOADED_MESSAGE, "type": "server_error"}, "status": 503}},
}

# What the documents of the test say beside what every contract of these tests says: neither gateway keeps to it.
RESPONSE_SAYS = {"required": ["id", "object", "choices", "system_fingerprint"]}
CHUNK_SAYS = {"required": ["choices", "service_tier"]}
ERROR_SAYS = {
    "type": "object",
    "required": ["message", "type", "request_id"],
    "properties": {"message": {"type": "string"}, "code": {"type": "integer"}},
}

Row = tuple[str, str, str, str, str | None]
MISSING = ("present (required)", "missing")

# gateway, target -> verdict, the reasons that are fair, rows: rule, place, expected, observed, source
EXPECTED: dict[tuple[str, str], tuple[str, set[str], list[Row]]] = {
    ("aimock", "plain"): (
        "contract_mismatch",
        {"wrong_shape"},
        [("response_schema", "system_fingerprint", *MISSING, CHAT)],
    ),
    ("aimock", "stream"): (
        "contract_mismatch",
        {"wrong_shape"},
        [("chunk_schema", "service_tier", *MISSING, CHAT)],
    ),
    ("aimock", "malformed"): (
        "contract_mismatch",
        {"invalid_json"},
        [
            (
                "broken JSON",
                "response body",
                "a chat completion as one JSON object",
                "HTTP 200, application/json, invalid body",
                CHAT,
            )
        ],
    ),
    ("aimock", "empty"): (
        "contract_mismatch",
        {"content_null"},
        [
            (
                "no content",
                "choices[0].message.content",
                f"text, since the answer ended normally ({CONVENTION})",
                "HTTP 200, application/json, json body",
                None,
            ),
            ("response_schema", "system_fingerprint", *MISSING, CHAT),
        ],
    ),
    ("aimock", "codeless"): (
        "degradation",
        {"upstream_overloaded"},
        [
            ("error_schema", "error.request_id", *MISSING, ERRORS),
            ("error_schema", "error.code", "an integer", "null", ERRORS),
        ],
    ),
    ("litellm", "broken"): (
        "degradation",
        {"upstream_5xx", "upstream_error", "gateway_internal"},
        [
            ("error_schema", "error.request_id", *MISSING, ERRORS),
            ("error_schema", "error.code", "an integer", "a string", ERRORS),
        ],
    ),
}


def documented(base_url: str) -> dict[str, Any]:
    """The contract of the other tests, with what its documents say here of answers, chunks and errors."""
    known = contract(base_url)
    known["response"]["schema"] |= RESPONSE_SAYS
    known["stream_chunk"]["schema"] |= CHUNK_SAYS
    known["error"]["schema"]["properties"] = {"error": ERROR_SAYS}
    statuses = {"500": "retry with backoff", "503": "the engine is overloaded: retry later"}
    known["error"]["statuses"] = {"value": statuses, "source": ERRORS, "accessed": READ_AT}
    return known


@pytest.fixture(scope="module")
def probes(
    tmp_path_factory: pytest.TempPathFactory,
    keep: Callable[[Process], Process],
    run: Start,
    real_litellm: tuple[Process, str],
) -> Iterator[dict[str, Freezeframe]]:
    process, origin = aimock.start(tmp_path_factory.mktemp("aimock-findings"), models=BEHAVIOUR)
    keep(process)
    gateways = {"aimock": (f"{origin}/v1", aimock.KEY), "litellm": (real_litellm[1], litellm.KEY)}
    running = {}
    for gateway, (base_url, key) in gateways.items():
        names = [target for named, target in EXPECTED if named == gateway]
        targets = [
            {
                "name": name,
                "model": "plain" if name == "stream" else name,
                "stream": name == "stream",
                "credential": "it",
            }
            for name in names
        ]
        folder: Path = tmp_path_factory.mktemp(f"findings-{gateway}")
        file = configure(folder, base_url, targets, ["it"])
        (folder / "contract.yaml").write_text(json.dumps(documented(base_url)))
        running[gateway] = run(f"findings-{gateway}", file, {"KEY_OF_IT": key})
    yield running
    for probe in running.values():
        probe.stop()


def packet_of(probes: dict[str, Freezeframe], gateway: str, target: str) -> Packet:
    """The packet of what the gateway does; another may have been frozen for its slow start."""
    verdict, reasons, _ = EXPECTED[gateway, target]
    probe = probes[gateway]

    def look() -> set[str]:
        return {listed["reason"] for listed in probe.packets(target) if listed["verdict"] == verdict} & reasons

    (reason,) = until(f"a packet of {target}", look, SEEN_WITHIN_S)
    return probe.first_packet(target, reason=reason)


@pytest.mark.parametrize(("gateway", "target"), EXPECTED)
def test_each_row_of_the_packet_cites_field_source_and_access_time(
    gateway: str, target: str, probes: dict[str, Freezeframe]
) -> None:
    packet = packet_of(probes, gateway, target)
    verify(packet)
    rows = [
        (
            row["rule"],
            row["place"],
            row["expected"],
            row["observed"],
            row["source"],
            row["accessed"],
            row["verified_live"],
        )
        for row in packet.document["expected"]["findings"]
    ]
    assert rows == [(*row, *((ACCESSED, False) if row[-1] else (None, None))) for row in EXPECTED[gateway, target][2]]


@pytest.mark.parametrize(("gateway", "target"), EXPECTED)
def test_the_summary_shows_the_same_rows(gateway: str, target: str, probes: dict[str, Freezeframe]) -> None:
    packet = packet_of(probes, gateway, target)
    section = (packet.folder / "summary.md").read_text().partition("\n## Expected and observed\n\n")[2]
    shown = [line for line in section.partition("\n## ")[0].splitlines() if line]
    assert shown == [
        f"- `{place}`: expected `{expected}`, observed `{observed}`"
        + (f" (read from a stored copy of {source} at {ACCESSED})" if source else "")
        for _, place, expected, observed, source in EXPECTED[gateway, target][2]
    ]


def test_what_is_documented_of_a_seen_status_is_no_disagreement(probes: dict[str, Freezeframe]) -> None:
    packet = packet_of(probes, "aimock", "codeless")
    (said,) = packet.document["expected"]["documented_statuses"]
    assert (said["status"], said["words"], said["source"], said["accessed"]) == (
        "503",
        "the engine is overloaded: retry later",
        ERRORS,
        ACCESSED,
    )
    summary = (packet.folder / "summary.md").read_text()
    assert (
        "- Status 503: `the engine is overloaded: retry later` "
        f"(read from a stored copy of {ERRORS} at {ACCESSED})" in summary
    )
    page = (packet.folder / "packet.html").read_text()
    assert "<h2>What the documents say of the statuses seen</h2>" in page


def test_an_answer_without_a_documented_field_is_uncertain_and_says_what_else_it_could_be(
    probes: dict[str, Freezeframe],
) -> None:
    judgement = packet_of(probes, "aimock", "plain").document["judgement"]
    assert (judgement["rule"], judgement["certain"], judgement["runner_up"]) == (
        "documented field missing",
        False,
        "ok",
    )
