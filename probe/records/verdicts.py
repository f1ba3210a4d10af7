"""The closed lists: verdicts and their reasons, kinds of request, phases, triggers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


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
