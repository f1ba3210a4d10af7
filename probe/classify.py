"""Observation -> Judgement: the order of decision, walked over the table in `probe.rules`. Pure and total.

What is decided here is only which group of rules is asked, and with which texts; what the words mean is in the table.

1. Nothing was answered, or a 2xx answer broke off: the fault decides.
2. A 2xx answer: its facts are put into one line (`answer_line`) and the rules for answers decide. The words of an error
   under 200 do not: the 200 is what misleads.
3. A stream with an error in it: as an error, since the status was spent before it.
4. Any other status: words and codes first, the status last.

A body longer than the read limit was not cut by the server, we stopped reading; a pong answer of that size is no
documented answer, so it is `wrong_shape` (uncertain: endless output can be a broken upstream), never `ok`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import re2

from probe.answer import answer_line, terminal
from probe.body import (
    DONE,
    Body,
    ErrorText,
    bounded,
    error_of,
    error_text,
    first_choice,
    reply_error_text,
    take_apart,
)
from probe.contract import Contract
from probe.findings import ABOUT_THE_MODEL, absence, finding, findings
from probe.records import Finding, Judgement, Listing, Observation, Reply, Timings, Verdict
from probe.records.sealed import TOKEN
from probe.rules import ANSWERS, ERRORS, FAULTS, Place, Rule

_WORDS_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is known beside the exchange: the contract, and a snapshot of the controls and the catalogue."""

    contract: Contract | None = None
    slow_s: float | None = None
    outside_reachable: bool | None = None
    listing: Listing | None = None


def classify(observation: Observation, expectation: Expectation) -> Judgement:
    """One label for any observation. It never raises."""
    reply = observation.reply
    if reply is None:
        return _without_answer(observation, expectation)
    body = take_apart(reply, terminal(expectation.contract) or DONE)
    if not 200 <= reply.status < 300:
        judgement = _error(str(reply.status), reply, body, reply_error_text(reply, body))
    elif observation.request.stream and _error_event(body) is not None:
        judgement = _in_stream(reply, body)
    elif observation.fault is not None:
        return _without_answer(observation, expectation)
    else:
        judgement = _answer(observation, reply, body, expectation.contract)
    judgement, not_listed = _against_catalogue(judgement, expectation.listing)
    if judgement.verdict is Verdict.OK and (took := _slowness(observation.timings, expectation.slow_s)):
        judgement = Judgement(Verdict.DEGRADATION, "slow", "slow", words=took)
    found = (*not_listed, *findings(judgement, observation, body, expectation.contract))
    return replace(judgement, findings=found) if found else judgement


def _first(
    rules: Sequence[Rule], texts: Mapping[Place, str], shown: Mapping[Place, str] | None = None
) -> Judgement | None:
    for rule in rules:
        words = rule.excerpt(texts[rule.where], shown[rule.where] if shown else None)
        if words is not None:
            return Judgement(rule.verdict, rule.reason, rule.name, rule.certain, rule.runner_up, words or None)
    return None


# ---------------------------------------------------------------- 1. no answer


def _without_answer(observation: Observation, expectation: Expectation) -> Judgement:
    fault = observation.fault
    text = bounded(f"{fault.kind.rpartition('.')[2]}: {fault.message}") if fault else ""
    judgement = _first(FAULTS, {Place.FAULT: _said(text)}, {Place.FAULT: text}) or Judgement(
        Verdict.PROBE_FAULT, "local_resource", "nothing observed", certain=False, runner_up=Verdict.DEGRADATION
    )
    outside = expectation.outside_reachable
    if judgement.reason in ("dns_failure", "no_route") and outside:
        # Another site answers: our resolver and route work, so no connection to this one is the provider's affair.
        judgement = replace(
            judgement, verdict=Verdict.DEGRADATION, reason="connect_timeout", runner_up=Verdict.PROBE_FAULT
        )
    elif judgement.verdict is Verdict.DEGRADATION and outside is False and observation.reply is None:
        judgement = replace(judgement, certain=False, runner_up=Verdict.PROBE_FAULT)
    if judgement.verdict is not Verdict.CONTRACT_MISMATCH:
        return judgement
    observed = judgement.words or ""
    return replace(judgement, findings=(finding(judgement, observed, expectation.contract),))


# ---------------------------------------------------------------- 2. a 2xx answer


def _answer(observation: Observation, reply: Reply, body: Body, contract: Contract | None) -> Judgement:
    line = answer_line(observation.request, reply, body, contract)
    judgement = _by_line(line)
    if judgement.verdict is Verdict.OK:
        return judgement
    error = reply_error_text(reply, body)
    if judgement.reason == "error_in_200":
        # The status is what is wrong; a second engineer could name what the words say.
        told = _error(str(reply.status), reply, body, error).verdict
        doubted = told is not judgement.verdict
        judgement = replace(judgement, certain=not doubted, runner_up=told if doubted else None)
    words = (error.words or error.codes)[:_WORDS_CHARS]
    if not words:  # a stream is decided at its end, any other body at its beginning
        words = reply.body[-_WORDS_CHARS:] if body.kind == "sse" else reply.body.lstrip()[:_WORDS_CHARS]
    return replace(judgement, words=" ".join(words.split()) or None)


@lru_cache(maxsize=256)
def _by_line(line: str) -> Judgement:
    """What a line of facts means. It holds kinds and counts only, so that a healthy target's is the same each time."""
    judgement = _first(ANSWERS, {Place.ANSWER: line})
    assert judgement is not None  # the last row takes every line
    return replace(judgement, words=None) if judgement.verdict is Verdict.OK else judgement


def _slowness(timings: Timings, slow_s: float | None) -> str | None:
    """In words, where it was slow; and the one silence inside a stream without which it would not have been."""
    if slow_s is None or not timings.total_s > slow_s:
        return None
    took, gap_s = f"took {timings.total_s:.3f} s", timings.longest_gap_s
    if gap_s is not None and timings.total_s - gap_s <= slow_s:
        took += f", of which {gap_s:.3f} s were one silence between two events"
    return f"{took}, slow is more than {slow_s:g} s"


# ---------------------------------------------------------------- 3. and 4. errors

_TAGS: Final = re2.compile(r"<[^>]{0,500}>")
_SHOWN_KIND: Final = {"cut": "json", "invalid": "json", "sse": "json"}
# What says only "it failed" outside a stream is, inside one, the event itself.
_PLAIN_FAILURES: Final = frozenset(
    {
        *("upstream_5xx", "upstream_error", "upstream_overloaded", "request_timeout"),
        *("gateway_5xx", "gateway_timeout", "gateway_internal"),
    }
)


# A link, with the words that lead to it: "you can find your API key at https://..."
_LINK: Final = re2.compile(
    r"(?i)(\b(check|view|see|manage|find|monitor|visit) (your|the|our) [^.\n]{0,80} (at|on|in) )?https?://[^\s\"'<>，。]+"
)


def _said(text: str) -> str:
    """The server's words: links (where help stands is not what failed) and our tokens are blank, at the same length."""
    text = TOKEN.sub(_blank, text) if "<" in text else text
    return _LINK.sub(_blank, text) if "://" in text else text


def _blank(found: Any) -> str:
    return "·" * len(found.group())


def _texts(status: str, reply: Reply, body: Body, error: ErrorText) -> dict[Place, str]:
    server = " ".join((reply.header("server") or "").lower().split())[:40]
    code = error.codes
    if error_type := reply.header("x-amzn-errortype"):
        code = bounded(f"{code}\ntype: {error_type}".strip())
    texts = {
        Place.STATUS: bounded(f"{status} {_SHOWN_KIND.get(body.kind, body.kind)} {server}").rstrip(),
        Place.CODE: code,
        Place.WORDS: error.words,
        Place.TEXT: bounded(f"{code}\n{error.words}".strip()),
        Place.PAGE: _TAGS.sub(" ", bounded(reply.body)) if body.kind == "html" else "",
    }
    parts = (texts[place] for place in (Place.STATUS, Place.CODE, Place.WORDS, Place.PAGE))
    texts[Place.SHEET] = bounded("\n".join(part for part in parts if part))
    return texts


def _error(status: str, reply: Reply, body: Body, error: ErrorText) -> Judgement:
    shown = _texts(status, reply, body, error)
    said = replace(error, codes=_said(error.codes), words=_said(error.words))
    texts = shown if said == error else _texts(status, reply, body, said)
    judgement = _first(ERRORS, texts, shown)
    assert judgement is not None  # the last row takes every status
    if judgement.words == " ".join(shown[Place.STATUS].split()):  # decided by the status alone: quote what came with it
        told = shown[Place.WORDS] or shown[Place.PAGE]
        judgement = replace(
            judgement, words=" ".join(told[: 2 * _WORDS_CHARS].split())[:_WORDS_CHARS] or judgement.words
        )
    return judgement


def _error_event(body: Body) -> Any:
    """The first error inside a stream: an error object, or a choice that ended by `error`."""
    if body.kind != "sse":
        return None
    for chunk in body.objects:
        error = error_of(chunk)
        if error is not None:
            return error
        if first_choice(chunk).get("finish_reason") == "error":
            return first_choice(chunk)
    return None


def _in_stream(reply: Reply, body: Body) -> Judgement:
    error = _error_event(body)
    stated = error.get("code", error.get("status")) if isinstance(error, dict) else None
    is_status = str(stated).isascii() and str(stated).isdigit() and 400 <= int(str(stated)[:9]) < 600
    judgement = _error(str(stated) if is_status else "stream", reply, body, error_text({"error": error}))
    if judgement.verdict is Verdict.DEGRADATION and judgement.reason in _PLAIN_FAILURES:
        return replace(judgement, reason="stream_error_event")
    return judgement


def _against_catalogue(judgement: Judgement, listing: Listing | None) -> tuple[Judgement, tuple[Finding, ...]]:
    """No channel for a model that the provider's own list no longer names: withdrawn, not down. One that we never saw
    there may as well be misspelt by us, which the list alone does not tell: that is a finding only."""
    if listing is None or listing.listed or judgement.reason not in ABOUT_THE_MODEL:
        return judgement, ()
    if listing.last_listed_at is None or judgement.reason == "model_retired":
        return judgement, (absence(listing),)
    agreed = judgement.reason == "model_not_found"  # the words and the list say the same
    retired = replace(
        judgement,
        verdict=Verdict.CONTRACT_MISMATCH,
        reason="model_retired",
        rule=f"{judgement.rule}, no longer listed",
        certain=agreed,
        runner_up=None if agreed else Verdict.DEGRADATION,
    )
    return retired, (absence(listing),)
