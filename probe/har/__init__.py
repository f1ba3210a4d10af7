"""A browser's HAR of a failing call: HAR 1.2 as Chromium, Firefox and Safari write it -> exchanges. Pure.

What is not a call to a chat API and did not fail is passed over. A browser may leave a body out: then it is not empty
but not known, and the status alone decides.
"""

from dataclasses import replace
from typing import Final

from probe.classify import Expectation
from probe.corpus import CorpusError, judged, label
from probe.exchange import redact_line
from probe.har.entry import MOST_BODY_BYTES, Call, call_of, wrong
from probe.records import Json, Judgement, Observation, Verdict
from probe.redact import Redactor

__all__ = ["MOST_BODY_BYTES", "MOST_BYTES", "NOT_RECORDED", "Call", "calls", "classify_call", "is_har", "redact_call"]

MOST_BYTES: Final = 64 << 20
MOST_ENTRIES: Final = 5_000
NOT_RECORDED: Final = "the body is not in the HAR: judged by the status alone"


def is_har(value: object) -> bool:
    """Whether a JSON value is a HAR, by content."""
    return isinstance(value, dict) and isinstance(value.get("log"), dict) and "entries" in value["log"]


def calls(har: Json, *, everything: bool = False) -> tuple[tuple[Call, ...], int]:
    """The entries that failed or are calls to a chat API (all of them with `everything`), and how many were passed
    over. CorpusError names the place, never its content."""
    entries = har["log"]["entries"]
    if not isinstance(entries, list):
        raise wrong("log.entries", "a list", entries)
    if len(entries) > MOST_ENTRIES:
        raise CorpusError("har: log.entries", f"at most {MOST_ENTRIES}", str(len(entries)))
    taken = tuple(
        call for n, entry in enumerate(entries) if (call := call_of(n, entry, everything=everything)) is not None
    )
    return taken, len(entries) - len(taken)


def classify_call(call: Call, redactor: Redactor) -> Json:
    """The label of one entry, as of a recorded line: the words that are quoted may be shown."""
    judgement = judged(call.observation, Expectation(), redactor)
    if not call.body_is_recorded:
        judgement = _by_status(judgement, call.observation)
    line = label(redactor.seal_text(call.name, "id").value, judgement)
    return line if call.body_is_recorded else line | {"note": NOT_RECORDED}


def redact_call(call: Call, redactor: Redactor) -> Json:
    """One entry redacted, as of a line; cookies and the like, which say the headers again, are left out."""
    request, reply = call.observation.request, call.observation.reply
    given: Json = {
        "request": {
            "method": request.method,
            "url": call.url,
            "headers": request.headers,
            "body": request.body or None,
        }
    }
    if reply is not None:
        body = reply.body if call.body_is_recorded else None
        given["response"] = {"status": reply.status, "headers": reply.headers, "body": body}
    if call.error:
        given["error"] = call.error
    name = redactor.seal_text(call.name, "id").value
    return redact_line({"id": name, "input": given}, redactor)


def _by_status(judgement: Judgement, seen: Observation) -> Judgement:
    if judgement.verdict is Verdict.PROBE_FAULT or seen.reply is None or seen.fault is not None:
        return judgement
    if 200 <= seen.reply.status < 300:
        good = "ok_stream" if seen.request.stream else "ok"
        return Judgement(Verdict.OK, good, "body not recorded", certain=False, runner_up=Verdict.CONTRACT_MISMATCH)
    return replace(judgement, certain=False, words=None, findings=())
