"""One exchange: what was asked for, and what was seen."""

from dataclasses import dataclass
from datetime import datetime

from probe.records.verdicts import Phase, RequestKind

Headers = tuple[tuple[str, str], ...]


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


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations of one exchange in seconds, taken at the socket. A phase that did not happen is ``None``.

    `resolve_s, connect_s, tls_s, send_s` are the lengths of those phases; `processing_s` is request sent to first
    byte; `transfer_s` first byte to last byte. `first_byte_s, first_event_s, first_token_s, total_s` are counted from
    the start of the probe (before DNS). `longest_gap_s` is the longest silence between two events of a stream, up to
    its terminal frame; keep-alive comments do not break it.
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
    longest_gap_s: float | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection that carried the exchange. `tcp_rtt_s` (smoothed round trip) and `tcp_retransmits` (segments of
    this exchange that we had to send again) are the kernel's; None where it does not say."""

    peer_ip: str
    peer_port: int
    reused: bool
    tls_version: str | None = None
    cert_expires_at: datetime | None = None
    http_version: str | None = None
    tcp_rtt_s: float | None = None
    tcp_retransmits: int | None = None


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
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None


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
