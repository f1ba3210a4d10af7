"""The headers whose values may stay: all others go."""

from typing import Final

from probe.reading import SAFE_HEADERS

OWN_HEADERS: Final = frozenset(
    (
        "content-type",
        "accept",
        "accept-encoding",
        "accept-language",
        "user-agent",
        "x-client-request-id",
        "host",
        "content-length",
    )
)
# Kept as they identify a version or a trace, not a person; their values still meet every pattern.
TRACE_HEADERS: Final = frozenset(
    (
        *("etag", "content-md5", "digest", "content-digest", "repr-digest", "last-modified", "content-language"),
        *("traceparent", "tracestate", "x-amzn-trace-id", "x-cloud-trace-context", "x-b3-traceid", "x-b3-spanid"),
        *("x-trace-id", "x-datadog-trace-id", "x-build", "x-version", "x-runtime", "x-response-time", "b3"),
        *("x-b3-sampled", "x-b3-parentspanid", "sentry-trace", "idempotency-key"),
    )
)
REPLY_HEADERS: Final = SAFE_HEADERS | TRACE_HEADERS
ALLOWED: Final = REPLY_HEADERS | OWN_HEADERS
