"""Each of the three proofs of the self-test fails by itself, and names what failed and where, never the fake."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from probe import gate
from probe.gate import CONFIGURED
from probe.redact import Policy, Redactor
from probe.redact.canary import exchange, failure, unconfigured

FAKE = "ffcanary0123456789abcdef0123456789abcdef"
UNKNOWN = unconfigured(FAKE)
KNOWING = Redactor([SecretStr(FAKE)], (), Policy(), b"k").seal
UNAWARE = Redactor((), (), Policy(), b"k").seal


def blind_to(text: str):
    """A redactor that takes this for something known to be harmless."""
    return Redactor((), (text,), Policy(), b"k").seal


def literals_only(files, secrets):
    return [hit for hit in gate.inspect(files, secrets) if hit.kind == CONFIGURED]


def looks_only(files, secrets):
    return [hit for hit in gate.inspect(files, secrets) if hit.kind != CONFIGURED]


def plain_only(files, secrets):
    return [hit for hit in gate.inspect(files, secrets) if "plain text" in hit.where]


def test_everything_holds_under_every_policy() -> None:
    for policy in (Policy(), Policy("hash", "hash"), Policy("drop", "keep")):
        assert Redactor((), (), policy, b"another").canary_failure(gate.inspect) is None


@pytest.mark.parametrize(
    ("by_literal", "by_form", "inspect", "named"),
    [
        (blind_to(FAKE), UNAWARE, gate.inspect, "redaction of configured secrets: a planted key can still be read in"),
        (KNOWING, blind_to(UNKNOWN), gate.inspect, "redaction by form: a planted key can still be read in"),
        (KNOWING, UNAWARE, lambda files, secrets: (), "gate: a configured secret was not found"),
        (KNOWING, UNAWARE, looks_only, "gate: a configured secret was not found in spelling 1"),
        (KNOWING, UNAWARE, literals_only, "gate: a key that is not configured was not found in a header"),
        (KNOWING, UNAWARE, plain_only, "gate: a configured secret was not found in spelling 2"),
        (KNOWING, UNAWARE, lambda files, secrets: ("all",), "gate: what holds no secret was refused"),
    ],
    ids=["literals", "forms", "blind gate", "no literals", "no looks", "no views", "refuses all"],
)
def test_what_is_broken_is_named(by_literal, by_form, inspect, named: str) -> None:
    told = failure(FAKE, by_literal, by_form, inspect)
    assert told is not None
    assert told.startswith(named)
    assert FAKE[:6] not in told
    assert UNKNOWN[8:14] not in told


@pytest.mark.parametrize("stream", [False, True])
def test_a_form_that_survives_in_one_place_only_is_named_by_the_place(stream: bool) -> None:
    leaky = exchange(UNKNOWN, UNKNOWN, stream=stream)
    lenient = blind_to(UNKNOWN)
    told = failure(FAKE, KNOWING, lambda seen: (lenient if seen == leaky else UNAWARE)(seen), gate.inspect)
    assert told is not None
    assert told.endswith(" of a stream") is stream


def test_a_redaction_that_takes_everything_proves_nothing() -> None:
    def all_gone(seen):
        return UNAWARE(replace(seen, reply=None))

    assert failure(FAKE, all_gone, UNAWARE, gate.inspect) == (
        "redaction of configured secrets: what must stay was taken out"
    )
