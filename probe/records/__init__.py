"""Facts: the frozen records that flow through freezeframe, and the closed lists they draw on.

Everything here is a plain value. Instants are aware UTC datetimes, durations are monotonic seconds (``_s``), sizes are
bytes (``_bytes``), and what was not measured or not known is ``None``, never 0 or "".
"""

from probe.records.events import (
    BudgetChanged,
    BudgetStopped,
    ControlSeen,
    Event,
    Frozen,
    Json,
    Listener,
    Recovered,
    Refused,
    Reopened,
    Result,
    Sent,
    Spooled,
    StoreFailed,
    Trip,
    TwinsSeen,
    Vetoed,
    WindowChanged,
)
from probe.records.exchange import Connection, Fault, FreezePolicy, Headers, Observation, ProbeRequest, Reply, Timings
from probe.records.judgement import Finding, Judgement
from probe.records.reading import ErrorBody, QuotaReading, Reading, RequestId, Usage
from probe.records.sealed import Removal, Sealed
from probe.records.verdicts import PACKET_VERDICTS, REASONS, Phase, RequestKind, Trigger, Verdict

__all__ = [
    "PACKET_VERDICTS",
    "REASONS",
    "BudgetChanged",
    "BudgetStopped",
    "Connection",
    "ControlSeen",
    "ErrorBody",
    "Event",
    "Fault",
    "Finding",
    "FreezePolicy",
    "Frozen",
    "Headers",
    "Json",
    "Judgement",
    "Listener",
    "Observation",
    "Phase",
    "ProbeRequest",
    "QuotaReading",
    "Reading",
    "Recovered",
    "Refused",
    "Removal",
    "Reopened",
    "Reply",
    "RequestId",
    "RequestKind",
    "Result",
    "Sealed",
    "Sent",
    "Spooled",
    "StoreFailed",
    "Timings",
    "Trigger",
    "Trip",
    "TwinsSeen",
    "Usage",
    "Verdict",
    "Vetoed",
    "WindowChanged",
]
