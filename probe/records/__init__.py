"""Facts: the frozen records that flow through freezeframe, and the closed lists they draw on.

Everything here is a plain value. Instants are aware UTC datetimes, durations are monotonic seconds (``_s``), sizes are
bytes (``_bytes``), and what was not measured or not known is ``None``, never 0 or "".
"""

from probe.records.events import (
    BudgetChanged,
    BudgetStopped,
    CatalogueSeen,
    ControlSeen,
    Event,
    Frozen,
    GatewayLogRead,
    Json,
    Listener,
    Recovered,
    Refused,
    Reopened,
    Result,
    Sent,
    SourceSeen,
    Spooled,
    StoreFailed,
    Trip,
    TwinsSeen,
    UnpaidSent,
    Vetoed,
    WindowChanged,
)
from probe.records.exchange import Connection, Fault, FreezePolicy, Headers, Observation, ProbeRequest, Reply, Timings
from probe.records.fetched import Fetched, Unfetched
from probe.records.judgement import Finding, Judgement, Listing
from probe.records.reading import ErrorBody, QuotaReading, Reading, RequestId, Usage
from probe.records.sealed import Removal, Sealed
from probe.records.verdicts import PACKET_VERDICTS, REASONS, Phase, RequestKind, Trigger, Verdict

__all__ = [
    "PACKET_VERDICTS",
    "REASONS",
    "BudgetChanged",
    "BudgetStopped",
    "CatalogueSeen",
    "Connection",
    "ControlSeen",
    "ErrorBody",
    "Event",
    "Fault",
    "Fetched",
    "Finding",
    "FreezePolicy",
    "Frozen",
    "GatewayLogRead",
    "Headers",
    "Json",
    "Judgement",
    "Listener",
    "Listing",
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
    "SourceSeen",
    "Spooled",
    "StoreFailed",
    "Timings",
    "Trigger",
    "Trip",
    "TwinsSeen",
    "Unfetched",
    "UnpaidSent",
    "Usage",
    "Verdict",
    "Vetoed",
    "WindowChanged",
]
