"""What came after the outage of a packet, as the program itself writes it down. All values are fake."""

from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from probe.notes import addendum, parse
from probe.packet import Addenda, Scope, recovery, reopening
from probe.packet.confirmation import Confirmed, confirmation
from probe.records import Json, Recovered, Reopened, RequestKind, Verdict
from probe.redact import Policy, Redactor
from tests.probe.evidence import START, case, good, overloaded

KEY = "sk-fake-later-0123456789abcdef"
REDACTOR = Redactor([SecretStr(KEY)], [], Policy(), b"k" * 32)
OUTAGE = case(good(1), good(2), overloaded(3), overloaded(4), overloaded(5))
PACKET = OUTAGE.packet_id
FINAL = "Only the model example-small: 1 of 3 targets fail (small; healthy: large, stream)."

CONFIRMED = confirmation(
    Confirmed(
        packet_id=PACKET,
        target="small",
        at=START + timedelta(seconds=170),
        attempts=tuple(replace(overloaded(n), kind=RequestKind.CONFIRM, probe_id=f"p0005-c{n}") for n in (6, 7)),
        stopped=None,
        siblings=(replace(good(6, kept=True), target="large", kind=RequestKind.SIBLING, probe_id="p0005-s1"),),
        window=(5, 5),
        scope=Scope(
            FINAL,
            (
                ("small", "example-small", "non-streaming", "team-a", "region=eu", "3 of 5 failed", "failing"),
                ("large", "example-large", "non-streaming", "team-a", "region=eu", "0 of 5 failed", "healthy"),
            ),
            START + timedelta(seconds=170),
        ),
        controls={"outside": True},
    ),
    OUTAGE,
)
RECOVERED = recovery(
    Recovered(
        "small",
        (PACKET, "small-p0004"),
        START + timedelta(seconds=90),
        START + timedelta(seconds=360),
        START + timedelta(seconds=450),
        10,
        13,
    )
)
AGAIN = reopening(
    Reopened("small", Verdict.DEGRADATION, "upstream_overloaded", PACKET, "p0040", START + timedelta(minutes=20))
)


def noted(minutes: float, **given: object) -> Json:
    document, _ = addendum(PACKET, parse(given), START + timedelta(minutes=minutes), REDACTOR, [SecretStr(KEY)])
    return document


FIRST_NOTE = noted(
    5,
    escalation_id="CASE-4711",
    submitted_at="2026-11-24T04:04:00+01:00",
    route="https://example.test/support",
    owner="zoe of the night shift",
    next_review="2026-11-25",
    mitigation="paused the queue",
)
SECOND_NOTE = noted(
    30,
    mitigation="traffic goes to the fallback model",
    impact="checkout was down for 6 min, 212 orders",
    text="told the sales desk",
    request_ids=["theirs-1", "theirs-2"],
)


def named(*documents: Json) -> Addenda:
    """As the vault gives them."""
    return tuple((f"{PACKET}.{number:03d}.json", document) for number, document in enumerate(documents, 1))


STORY = named(CONFIRMED, FIRST_NOTE, RECOVERED, SECOND_NOTE)
