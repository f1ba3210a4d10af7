"""Facts: the frozen records that flow through freezeframe, and the closed lists they draw on.

Everything here is a plain value. Instants are aware UTC datetimes, durations are monotonic seconds (``_s``), sizes are
bytes (``_bytes``), and what was not measured or not known is ``None``, never 0 or "".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar, final

Headers = tuple[tuple[str, str], ...]


class Verdict(StrEnum):
    """What the on-call engineer should be told first. Four are the seed article's classes, three are ours."""

    OK = "ok"
    CONTRACT_MISMATCH = "contract_mismatch"
    DEGRADATION = "degradation"
    AUTH_OR_ACCOUNT = "auth_or_account"
    QUOTA_OR_BILLING = "quota_or_billing"
    PROBE_FAULT = "probe_fault"
    MISSED = "missed"

    @property
    def is_failure(self) -> bool:
        """Whether it counts against the window and may freeze a packet: the provider's side, not ours."""
        return self in PACKET_VERDICTS


PACKET_VERDICTS: Final = frozenset(
    {
        Verdict.CONTRACT_MISMATCH,
        Verdict.DEGRADATION,
        Verdict.AUTH_OR_ACCOUNT,
        Verdict.QUOTA_OR_BILLING,
    }
)

# The closed list. A reason belongs to exactly one verdict; the order is the one of the labelling rules.
REASONS: Final[Mapping[Verdict, tuple[str, ...]]] = {
    Verdict.OK: ("ok", "ok_stream"),
    Verdict.CONTRACT_MISMATCH: (
        "error_in_200",
        "missing_choices",
        "empty_choices",
        "content_null",
        "empty_body",
        "html_on_200",
        "invalid_json",
        "wrong_content_type",
        "wrong_shape",
        "truncated_stream",
        "missing_done",
        "missing_finish_reason",
        "stream_not_honoured",
        "invalid_sse",
        "unsupported_parameter",
        "request_rejected",
        "path_not_found",
        "method_not_allowed",
        "unsupported_media_type",
        "redirect",
        "payload_too_large",
        "context_length",
        "content_filtered",
        "model_not_found",
        "model_retired",
        "bad_content_encoding",
    ),
    Verdict.DEGRADATION: (
        "upstream_5xx",
        "upstream_error",
        "upstream_overloaded",
        "no_channel",
        "upstream_auth",
        "upstream_quota",
        "upstream_rate_limited",
        "gateway_5xx",
        "gateway_timeout",
        "gateway_internal",
        "html_error_page",
        "waf_block",
        "model_loading",
        "request_timeout",
        "connect_refused",
        "connect_timeout",
        "connection_reset",
        "read_timeout",
        "tls_failure",
        "truncated_body",
        "stream_error_event",
        "slow",
    ),
    Verdict.AUTH_OR_ACCOUNT: (
        "invalid_key",
        "missing_key",
        "expired_key",
        "account_disabled",
        "model_not_permitted",
        "permission_denied",
        "ip_not_allowed",
        "region_blocked",
    ),
    Verdict.QUOTA_OR_BILLING: (
        "rate_limited",
        "daily_limit",
        "insufficient_quota",
        "token_quota_exhausted",
        "budget_exceeded",
        "billing_inactive",
    ),
    Verdict.PROBE_FAULT: (
        "dns_failure",
        "no_route",
        "proxy_error",
        "local_trust_store",
        "clock_skew",
        "local_resource",
        "local_config",
        "starved",
    ),
    Verdict.MISSED: ("late", "overrun"),
}


class RequestKind(StrEnum):
    """Why a paid request was sent."""

    SCHEDULED = "scheduled"
    CONFIRM = "confirm"
    SIBLING = "sibling"
    REPLAY = "replay"


class Phase(StrEnum):
    """How far an exchange came; each member names something completed, in order."""

    NONE = "none"
    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    REQUEST_SENT = "request_sent"
    FIRST_BYTE = "first_byte"
    FIRST_EVENT = "first_event"
    FIRST_TOKEN = "first_token"  # noqa: S105 - a phase, not a credential
    TRANSFER = "transfer"


class Trigger(StrEnum):
    """What froze a packet."""

    THRESHOLD = "threshold"
    MANUAL = "manual"
    ALERT = "alert"


# ---------------------------------------------------------------- what is asked for


@dataclass(frozen=True, slots=True)
class FreezePolicy:
    """The threshold: `failures` of the last `window` probes trip; `recover` good ones in a row end the incident."""

    failures: int
    window: int
    recover: int
    reopen_s: float
    confirm_attempts: int
    confirm_backoff_s: float


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """One request as it is put on the wire, with the *shape* of the credential where the key stands.

    `headers` are complete and in wire order except that the auth header reads e.g. ``Bearer <REDACTED>``.
    """

    probe_id: str
    target: str
    kind: RequestKind
    method: str
    url: str
    headers: Headers
    body: str
    model: str
    stream: bool
    client_request_id: str


# ---------------------------------------------------------------- what was seen


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations of one exchange in seconds, taken at the socket. A phase that did not happen is ``None``.

    `resolve_s, connect_s, tls_s, send_s` are the lengths of those phases; `processing_s` is request sent to first
    byte; `transfer_s` first byte to last byte. `first_byte_s, first_event_s, first_token_s, total_s` are counted from
    the start of the probe (before DNS).
    """

    total_s: float
    resolve_s: float | None = None
    connect_s: float | None = None
    tls_s: float | None = None
    send_s: float | None = None
    processing_s: float | None = None
    transfer_s: float | None = None
    first_byte_s: float | None = None
    first_event_s: float | None = None
    first_token_s: float | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection that carried the exchange."""

    peer_ip: str
    peer_port: int
    reused: bool
    tls_version: str | None = None
    cert_expires_at: datetime | None = None
    http_version: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered, decoded to text.

    `body` is UTF-8 text, invalid bytes replaced (`valid_utf8` says so), at most the client's read limit; `truncated`
    says that we stopped reading there. `complete` is whether the framing of the message ended as it had announced.
    `body_bytes` counts the bytes received on the wire, before any decoding of a content-encoding.
    """

    status: int
    headers: Headers
    body: str
    body_bytes: int
    complete: bool = True
    truncated: bool = False
    valid_utf8: bool = True

    def header(self, name: str) -> str | None:
        """The first value of a header, by name in any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why no whole reply arrived. `kind` is the client's exception name in httpx vocabulary (ConnectError, ReadTimeout,
    RemoteProtocolError, DecodingError, LocalProtocolError, ProxyError, ...); `message` is its text."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One exchange, whole or broken. Either `fault` is None and `reply` is complete, or `fault` says what went wrong
    and `reply` is what had arrived before it (None when not even a status line)."""

    request: ProbeRequest
    started_at: datetime
    reply: Reply | None
    fault: Fault | None
    timings: Timings
    connection: Connection | None
    last_phase: Phase


@dataclass(frozen=True, slots=True)
class RequestId:
    """A server-side ID and where it stood, e.g. ``header x-request-id`` or ``error text``."""

    place: str
    value: str


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The error object of a reply as its documented fields; whatever type they had, as text."""

    message: str | None
    type: str | None
    code: str | None
    param: str | None


@dataclass(frozen=True, slots=True)
class QuotaReading:
    """Head-room as the server stated it in a rate-limit header. `kind` is ``requests`` or ``tokens``."""

    kind: str
    limit: int | None
    remaining: int | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as billed by the server's own `usage` object."""

    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply says, read from its sealed form: IDs, usage, model, quota, error fields, clock."""

    request_ids: tuple[RequestId, ...] = ()
    cf_ray: str | None = None
    completion_id: str | None = None
    model_answered: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    quota: tuple[QuotaReading, ...] = ()
    retry_after: str | None = None
    server_date: datetime | None = None
    clock_offset_s: float | None = None
    error: ErrorBody | None = None
    content: str | None = None


# ---------------------------------------------------------------- what it means


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement with a documented expectation, and where that expectation was read."""

    rule: str
    place: str
    expected: str
    observed: str
    source: str | None = None
    accessed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason, the rule that decided, the words it decided by, and all findings.

    `certain` is False where a fair second engineer could choose `runner_up` instead.
    """

    verdict: Verdict
    reason: str
    rule: str
    certain: bool = True
    runner_up: Verdict | None = None
    words: str | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.reason not in REASONS[self.verdict]:
            raise ValueError(f"reason {self.reason!r} does not belong to verdict {self.verdict!r}")


# ---------------------------------------------------------------- redaction as a type

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Removal:
    """One line of the redaction report: what kind of thing was taken out, where, how often; never the value."""

    rule: str
    place: str
    count: int


_SEAL: Final = object()  # only probe.redact may pass it (a test holds that)


@final
class Sealed(Generic[T]):
    """A value that went through redaction. History, vault, log and pages accept nothing else."""

    __slots__ = ("_removals", "_value")

    def __init__(self, value: T, removals: tuple[Removal, ...], seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only probe.redact makes a Sealed")
        self._value = value
        self._removals = removals

    @property
    def value(self) -> T:
        return self._value

    @property
    def removals(self) -> tuple[Removal, ...]:
        return self._removals

    def __repr__(self) -> str:
        return f"Sealed({type(self._value).__name__})"


# ---------------------------------------------------------------- what a tick leaves behind


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one due tick (or of a confirmation). A missed tick has no observation.

    `lateness_s` is how long after its due time the probe started; `loop_lag_s` the worst delay of our own event loop
    while it ran: how much of a latency could be our own.
    """

    probe_id: str
    target: str
    kind: RequestKind
    due_at: datetime
    ended_at: datetime
    judgement: Judgement
    lateness_s: float
    loop_lag_s: float
    sealed: Sealed[Observation] | None = None
    reading: Reading = field(default_factory=Reading)

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict

    @property
    def timings(self) -> Timings | None:
        return None if self.sealed is None else self.sealed.value.timings

    @property
    def status(self) -> int | None:
        """The HTTP status, where one arrived."""
        reply = None if self.sealed is None else self.sealed.value.reply
        return None if reply is None else reply.status


@dataclass(frozen=True, slots=True)
class Trip:
    """The threshold was met: freeze. `entries` are the probe IDs of the failing entries, oldest first."""

    target: str
    verdict: Verdict
    reason: str
    probe_id: str
    due_at: datetime
    entries: tuple[str, ...]
    counts: tuple[tuple[Verdict, str, int], ...]


@dataclass(frozen=True, slots=True)
class Recovered:
    """`recover` good probes in a row ended the incident that these packets were frozen for."""

    target: str
    packets: tuple[str, ...]
    first_failed_at: datetime
    last_reproduced_at: datetime
    recovered_at: datetime
    failures: int
    probes: int


@dataclass(frozen=True, slots=True)
class Reopened:
    """The signature of a recovered incident is back within the `reopen` time: the same packet goes on."""

    target: str
    verdict: Verdict
    reason: str
    packet_id: str
    probe_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A paid request was put on the wire."""

    target: str
    kind: RequestKind


@dataclass(frozen=True, slots=True)
class Frozen:
    """A packet is durable in the store."""

    packet_id: str
    incident: str
    target: str
    verdict: Verdict
    reason: str
    trigger: Trigger
    probe_id: str
    frozen_at: datetime
    zip_sha256: str
    took_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A packet or addendum was not written because what looked like a secret would have gone with it."""

    packet_id: str
    target: str
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """Writing or reading the store failed; `error` is our own words, never the provider's."""

    operation: str
    packet_id: str | None
    error: str


@dataclass(frozen=True, slots=True)
class WindowChanged:
    """The window of a target after a tick: for gauges."""

    target: str
    failures: int
    active: frozenset[Verdict]


@dataclass(frozen=True, slots=True)
class ControlSeen:
    """An unpaid control answered, or did not."""

    control: str
    reachable: bool
    took_s: float


@dataclass(frozen=True, slots=True)
class Vetoed:
    """A trip that turned out to be ours: the controls did not answer either. Nothing is frozen under this ID."""

    target: str
    verdict: Verdict
    reason: str
    packet_id: str
    probe_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TwinsSeen:
    """Which of our targets another prober probes as well, with the same credential: pairs of target and instance."""

    twins: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BudgetStopped:
    """A due tick that was not sent because the day's budget of `kind` (``probes`` or ``tokens``) is spent."""

    target: str
    probe_id: str
    due_at: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class BudgetChanged:
    """What is left of the day's budget."""

    probes: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Spooled:
    """How many packets and addenda wait in the spool for the store."""

    waiting: int


Event = (
    Sent
    | Result
    | WindowChanged
    | Trip
    | Recovered
    | Reopened
    | Vetoed
    | Frozen
    | Refused
    | StoreFailed
    | ControlSeen
    | TwinsSeen
    | BudgetStopped
    | BudgetChanged
    | Spooled
)
Listener = Callable[[Event], None]
Json = dict[str, Any]
