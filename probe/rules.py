"""The classification table: every rule with what it means, what it looks at, and its own examples.

Groups stand in the order of decision (tests/corpus/README.md); inside a group the first rule that hits decides. To add
a rule, add one row where it belongs in that order: a name, verdict and reason, the place it looks at, a pattern, real
examples that it must hit and near misses that it must not. A row without examples cannot be written.

Places (all but `FAULT` are built by `probe.classify` from one reply, each cut to 64 KiB):

    FAULT   ``ConnectError: [Errno 111] Connection refused``    no HTTP answer, or one that broke off
    ANSWER  ``http json error:none choices:1 ...``              the facts of a 2xx answer's body, one line
    STATUS  ``503 html awselb/2.0``                             status, kind of body, server
    CODE    ``code: insufficient_quota`` a line each            code-like fields, wherever they stand in the body
    WORDS   the error's message texts
    TEXT    CODE, then WORDS
    PAGE    the text of an HTML page
    SHEET   STATUS, CODE, WORDS, PAGE: for a rule that needs several at once

Patterns are re2 (linear time), case-insensitive, ``^`` and ``$`` match at lines, ``.`` stays within its line.
Values may have been redacted before they are judged: a rule rests on words, codes and structure, never on a secret.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import re2

from probe.records import REASONS, Verdict

OK = Verdict.OK
MISMATCH = Verdict.CONTRACT_MISMATCH
DEGRADATION = Verdict.DEGRADATION
AUTH = Verdict.AUTH_OR_ACCOUNT
QUOTA = Verdict.QUOTA_OR_BILLING
OURS = Verdict.PROBE_FAULT

_EXCERPT_CHARS: Final = 200


class Place(StrEnum):
    FAULT = "fault"
    ANSWER = "answer"
    STATUS = "status"
    CODE = "code"
    WORDS = "words"
    TEXT = "text"
    PAGE = "page"
    SHEET = "sheet"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `runner_up` is what a fair second engineer could choose instead; the rule is certain without one."""

    name: str
    verdict: Verdict
    reason: str
    where: Place
    pattern: str
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    runner_up: Verdict | None = None
    _compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.hits or not self.misses:
            raise ValueError(f"rule {self.name!r} needs examples: hits and near misses")
        if self.reason not in REASONS[self.verdict]:
            raise ValueError(f"rule {self.name!r}: reason {self.reason!r} is not one of {self.verdict}")
        if self.runner_up == self.verdict:
            raise ValueError(f"rule {self.name!r} is its own runner-up")
        object.__setattr__(self, "_compiled", re2.compile(f"(?im){self.pattern}"))

    @property
    def certain(self) -> bool:
        return self.runner_up is None

    def excerpt(self, text: str) -> str | None:
        """The words that hit, with what stands around them (200 characters at most); None: no hit."""
        match = self._compiled.search(text)
        if match is None:
            return None
        start, end = match.span()
        room = _EXCERPT_CHARS - min(end - start, _EXCERPT_CHARS)
        start = max(0, start - room // 2)
        return " ".join(text[start : start + _EXCERPT_CHARS].split())


# ---------------------------------------------------------------- 1. no HTTP answer, or it broke off

FAULTS: Final = (
    Rule(
        *("undecodable", MISMATCH, "bad_content_encoding", Place.FAULT),
        r"^DecodingError|while decompressing|incorrect header check|(gzip|brotli|zstd|deflate) ?(error|decod)",
        hits=("DecodingError: Error -3 while decompressing data: incorrect header check",),
        misses=("ReadError: [Errno 104] Connection reset by peer",),
    ),
    Rule(
        *("own proxy", OURS, "proxy_error", Place.FAULT),
        r"^ProxyError|\bproxy\b|\bsocks\d?\b|tunnel connection failed|CONNECT tunnel",
        hits=("ProxyError: 407 Proxy Authentication Required", "ConnectError: Tunnel connection failed: 403"),
        misses=("ConnectError: [Errno 111] Connection refused",),
    ),
    Rule(
        *("request not sendable", OURS, "local_config", Place.FAULT),
        r"^(LocalProtocolError|UnsupportedProtocol|InvalidURL|InvalidHeader|UnicodeEncodeError)|invalid (header|url)"
        r"|missing an? 'https?|no scheme supplied|unknown url type",
        hits=(
            "LocalProtocolError: Illegal header value b'Bearer x\\n'",
            "UnsupportedProtocol: Request URL is missing an 'http://' or 'https://' protocol.",
        ),
        misses=("RemoteProtocolError: Server disconnected without sending a response.",),
    ),
    Rule(
        *("own sockets or memory", OURS, "local_resource", Place.FAULT),
        r"^(PoolTimeout|MemoryError)|too many open files|cannot assign requested address|no buffer space"
        r"|cannot allocate memory|can't start new thread|no space left|address already in use"
        r"|errno (12|23|24|28|98|99|105)\b|winerror 100(48|55)\b",
        hits=("ConnectError: [Errno 24] Too many open files", "PoolTimeout: "),
        misses=("ConnectTimeout: timed out", "ConnectError: [Errno 111] Connection refused"),
    ),
    Rule(
        *("no connection in time", DEGRADATION, "connect_timeout", Place.FAULT),
        r"^ConnectTimeout|^ConnectError: .*(timed out|timeout)|errno (60|110)\b|winerror 10060\b",
        hits=("ConnectTimeout: ", "ConnectError: [Errno 110] Connection timed out"),
        misses=("ReadTimeout: timed out",),
    ),
    Rule(
        *("certificate not yet valid", OURS, "clock_skew", Place.FAULT),
        r"certificate is not yet valid",
        hits=("ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate is not yet valid (_ssl.c:1000)",),
        misses=("ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired (_ssl.c:1000)",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("own trust store", OURS, "local_trust_store", Place.FAULT),
        r"unable to get (local )?issuer cert|self[- ]signed certificate in certificate chain"
        r"|unable to verify the first certificate|load_verify_locations|no_certificate_or_crl"
        r"|TLS CA certificate bundle|\bca[ _]?(file|bundle|certificates?)\b|no such file.*\.(pem|crt|cer)",
        hits=(
            "ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer certificate (_ssl.c:1002)",
            "OSError: Could not find a suitable TLS CA certificate bundle, invalid path: ca.pem",
        ),
        misses=("ConnectError: certificate verify failed: certificate has expired",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("wrong or expired certificate", DEGRADATION, "tls_failure", Place.FAULT),
        r"certificate (has )?(expired|verify failed|revoked)|hostname mismatch|doesn't match"
        r"|EOF occurred in violation",
        hits=("ConnectError: certificate verify failed: certificate has expired", "ConnectError: Hostname mismatch"),
        misses=("ConnectError: sslv3 alert handshake failure",),
        runner_up=OURS,
    ),
    Rule(
        *("TLS refused", DEGRADATION, "tls_failure", Place.FAULT),
        r"\b(ssl|tls|sslv\d|tlsv\d)\b|tlsv1|handshake|wrong.version.number|certificate",
        hits=("ConnectError: [SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:1000)",),
        misses=("ConnectError: [Errno 111] Connection refused",),
    ),
    Rule(
        *("name not resolved", OURS, "dns_failure", Place.FAULT),
        r"getaddrinfo|name or service not known|name resolution|nodename nor servname|no address associated"
        r"|name does not resolve|could not resolve|nxdomain|servfail|\bdns\b|errno (-[2-5]|1100[1-4])\b",
        hits=(
            "ConnectError: [Errno -3] Temporary failure in name resolution",
            "ConnectError: [Errno 8] nodename nor servname provided, or not known",
        ),
        misses=("ConnectError: [Errno 113] No route to host",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("no route", OURS, "no_route", Place.FAULT),
        r"network is (unreachable|down)|no route to host|host is (down|unreachable)|unreachable host"
        r"|errno (100|101|113|51|64|65)\b|winerror 100(50|51|65)\b",
        hits=("ConnectError: [Errno 101] Network is unreachable", "ConnectError: [Errno 113] No route to host"),
        misses=("ConnectError: [Errno 111] Connection refused", "ConnectError: [Errno -2] Name not known"),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("refused", DEGRADATION, "connect_refused", Place.FAULT),
        r"refused|errno (61|111)\b|winerror 10061\b",
        hits=("ConnectError: [Errno 111] Connection refused", "ConnectError: [WinError 10061] ..."),
        misses=("ConnectError: All connection attempts failed",),
    ),
    Rule(
        *("redirect loop", MISMATCH, "redirect", Place.FAULT),
        r"^TooManyRedirects",
        hits=("TooManyRedirects: Exceeded maximum allowed redirects.",),
        misses=("ReadTimeout: timed out",),
    ),
    Rule(
        *("no answer in time", DEGRADATION, "read_timeout", Place.FAULT),
        r"^\w*Timeout\b|timed out|timeout|deadline",
        hits=("ReadTimeout: ", "WriteTimeout: The write operation timed out"),
        misses=("ReadError: [Errno 104] Connection reset by peer",),
    ),
    Rule(
        *("body cut in transport", DEGRADATION, "truncated_body", Place.FAULT),
        r"without sending complete message|incomplete (chunked )?read|IncompleteRead|received \d+ bytes, expected"
        r"|ContentLength|response payload is not completed",
        hits=("RemoteProtocolError: peer closed connection without sending complete message body (incomplete read)",),
        misses=("RemoteProtocolError: Server disconnected without sending a response.",),
    ),
    Rule(
        *("connection cut", DEGRADATION, "connection_reset", Place.FAULT),
        r"reset|broken pipe|disconnected|aborted|errno (32|54|103|104)\b|winerror 1005[34]\b"
        r"|connection.*(closed|lost)|goaway|terminated|^(Read|Write|Close)Error",
        hits=("ReadError: [Errno 104] Connection reset by peer", "WriteError: [Errno 32] Broken pipe"),
        misses=("ReadTimeout: timed out", "ConnectError: All connection attempts failed"),
    ),
    Rule(
        *("no HTTP", DEGRADATION, "connection_reset", Place.FAULT),
        r"^RemoteProtocolError",
        hits=("RemoteProtocolError: illegal status line: bytearray(b'SSH-2.0-OpenSSH_9.2')",),
        misses=("LocalProtocolError: Illegal header value",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("not connected", DEGRADATION, "connect_refused", Place.FAULT),
        r"^(ConnectError|NetworkError|ConnectionError|OSError)",
        hits=("ConnectError: All connection attempts failed",),
        misses=("ReadError: ",),
        runner_up=OURS,
    ),
    Rule(
        *("unknown fault", DEGRADATION, "connection_reset", Place.FAULT),
        r"\S",
        hits=("SomethingNew: nobody has seen this yet",),
        misses=(" ",),
        runner_up=OURS,
    ),
)

# ---------------------------------------------------------------- 2. and 3. a 2xx answer

# The fields, in order: http|stream, kind of body, media, then those of `classify.answer_line`.
ANSWERS: Final = (
    Rule(
        *("error event: not enough resources", DEGRADATION, "upstream_overloaded", Place.ANSWER),
        r" finish:insufficient_system_resource\b",
        hits=("http json media:json whole:yes error:no choices:1 content:text finish:insufficient_system_resource",),
        misses=("http json media:json whole:yes error:no choices:1 content:text finish:stop",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("only blank lines", DEGRADATION, "truncated_body", Place.ANSWER),
        r"^\w+ blank |^stream sse .* events:0 done:no ",
        hits=("http blank media:json whole:yes", "stream sse media:sse whole:yes utf8:yes events:0 done:no error:no"),
        misses=(
            "http empty media:none whole:yes",
            "stream sse media:sse whole:yes utf8:yes events:0 done:yes error:no",
        ),
        runner_up=MISMATCH,
    ),
    Rule(
        *("fewer bytes than announced", DEGRADATION, "truncated_body", Place.ANSWER),
        r" whole:no ",
        hits=("http cut media:json whole:no utf8:yes",),
        misses=("http cut media:json whole:limit utf8:yes",),
    ),
    Rule(
        *("empty body", MISMATCH, "empty_body", Place.ANSWER),
        r"^\w+ empty ",
        hits=("http empty media:none whole:yes", "stream empty media:sse whole:yes"),
        misses=("http blank media:none whole:yes",),
    ),
    Rule(
        *("web page", MISMATCH, "html_on_200", Place.ANSWER),
        r"^\w+ html ",
        hits=("http html media:html whole:yes", "stream html media:html whole:yes"),
        misses=("http json media:html whole:yes",),
    ),
    Rule(
        *("error object under 200", MISMATCH, "error_in_200", Place.ANSWER),
        r"^\w+ json .* error:yes |^http .* finish:error\b",
        hits=(
            "http json media:json whole:yes utf8:yes error:yes choices:0",
            "stream json media:json x error:yes choices:-",
        ),
        misses=(
            "http json media:json whole:yes utf8:yes error:no choices:0",
            "stream sse media:sse x error:yes choices:0",
        ),
    ),
    Rule(
        *("not UTF-8", MISMATCH, "invalid_json", Place.ANSWER),
        r"^\w+ (json|cut|invalid|text) .* utf8:no ",
        hits=("http json media:json whole:yes utf8:no error:no",),
        misses=("http json media:json whole:yes utf8:yes error:no", "stream sse media:sse whole:yes utf8:no error:no"),
    ),
    Rule(
        *("longer than we read", MISMATCH, "wrong_shape", Place.ANSWER),
        r" whole:limit ",
        hits=("http cut media:json whole:limit utf8:yes", "stream sse media:sse whole:limit utf8:yes"),
        misses=("http cut media:json whole:no utf8:yes",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("body breaks off", DEGRADATION, "truncated_body", Place.ANSWER),
        r"^\w+ cut ",
        hits=("http cut media:json whole:yes utf8:yes",),
        misses=("http invalid media:json whole:yes utf8:yes",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("broken JSON, almost right", MISMATCH, "invalid_json", Place.ANSWER),
        r"^http invalid .* lenient:yes",
        hits=("http invalid media:json whole:yes utf8:yes lenient:yes",),
        misses=("http invalid media:json whole:yes utf8:yes lenient:no",),
        runner_up=OK,
    ),
    Rule(
        *("broken JSON", MISMATCH, "invalid_json", Place.ANSWER),
        r"^\w+ invalid |^http text media:json ",
        hits=("http invalid media:json whole:yes utf8:yes", "http text media:json whole:yes utf8:yes"),
        misses=("http text media:text whole:yes utf8:yes", "http json media:json whole:yes utf8:yes"),
    ),
    # -------- streams
    Rule(
        *("events not readable", MISMATCH, "invalid_sse", Place.ANSWER),
        r"^stream (text|xml) |^stream sse .* (utf8:no|broken:yes) ",
        hits=(
            "stream sse media:sse whole:yes utf8:yes events:2 done:yes broken:yes error:no",
            "stream text media:sse x",
        ),
        misses=("stream sse media:sse whole:yes utf8:yes events:2 done:yes broken:no error:no",),
    ),
    Rule(
        *("plain answer to a stream", MISMATCH, "stream_not_honoured", Place.ANSWER),
        r"^stream json ",
        hits=("stream json media:json whole:yes utf8:yes error:no choices:1",),
        misses=("http json media:json whole:yes utf8:yes error:no choices:1", "stream sse media:sse whole:yes"),
    ),
    Rule(
        *("content filter on the probe's own prompt", MISMATCH, "content_filtered", Place.ANSWER),
        r" finish:(content_filter|safety|sensitive|refusal)\b| content:refusal ",
        hits=("http json x error:no choices:1 content:none finish:content_filter",),
        misses=("http json x error:no choices:1 content:text finish:stop",),
    ),
    Rule(
        *("stream breaks off", MISMATCH, "truncated_stream", Place.ANSWER),
        r"^stream sse .* done:no .* finish:none\b",
        hits=("stream sse x events:2 done:no broken:no error:no choices:1 content:text finish:none",),
        misses=("stream sse x events:2 done:yes broken:no error:no choices:1 content:text finish:none",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("stream without terminal frame", MISMATCH, "missing_done", Place.ANSWER),
        r"^stream sse .* done:no ",
        hits=("stream sse x events:2 done:no broken:no error:no choices:1 content:text finish:stop",),
        misses=("stream sse x events:2 done:yes broken:no error:no choices:1 content:text finish:stop",),
        runner_up=OK,
    ),
    Rule(
        *("stream of nothing", MISMATCH, "content_null", Place.ANSWER),
        r"^stream sse .* choices:[0-] ",
        hits=("stream sse x events:0 done:yes broken:no error:no choices:0 content:none finish:none",),
        misses=("stream sse x events:2 done:yes broken:no error:no choices:1 content:text finish:stop",),
    ),
    Rule(
        *("stream without finish reason", MISMATCH, "missing_finish_reason", Place.ANSWER),
        r"^stream sse .* finish:none\b",
        hits=("stream sse x events:2 done:yes broken:no error:no choices:1 content:text finish:none",),
        misses=("http json x error:no choices:1 content:text finish:none",),
    ),
    # -------- plain answers
    Rule(
        *("no completion", MISMATCH, "wrong_shape", Place.ANSWER),
        r"^http (text|xml|sse) |^http json .* shape:(other|scalar) | choices:bad | content:bad ",
        hits=("http text media:text whole:yes", "http json x error:no shape:scalar choices:-", "http sse media:sse x"),
        misses=("http json x error:no shape:completion choices:- content:none",),
    ),
    Rule(
        *("no choices field", MISMATCH, "missing_choices", Place.ANSWER),
        r"^http json .* choices:- ",
        hits=("http json x error:no shape:completion choices:- content:none finish:none",),
        misses=("http json x error:no shape:completion choices:0 content:none finish:none",),
    ),
    Rule(
        *("no choice", MISMATCH, "empty_choices", Place.ANSWER),
        r"^http json .* choices:0 ",
        hits=("http json x error:no shape:completion choices:0 content:none finish:none",),
        misses=("http json x error:no shape:completion choices:1 content:none finish:none",),
    ),
    Rule(
        *("starved by our own limit", OURS, "starved", Place.ANSWER),
        r" content:(none|reasoning) finish:(length|max_tokens|max_output_tokens|model_length) limit:ours",
        hits=("http json x choices:1 content:reasoning finish:length limit:ours",),
        misses=("http json x choices:1 content:text finish:length limit:ours",),
    ),
    Rule(
        *("starved, limit not ours", OURS, "starved", Place.ANSWER),
        r" content:(none|reasoning) finish:(length|max_tokens|max_output_tokens|model_length) limit:none",
        hits=("http json x choices:1 content:none finish:length limit:none",),
        misses=("http json x choices:1 content:none finish:length limit:unknown",),
        runner_up=OK,
    ),
    Rule(
        *("ends at a limit nobody recorded", OK, "ok", Place.ANSWER),
        r"^http .* content:(none|reasoning) finish:(length|max_tokens|max_output_tokens|model_length) limit:unknown",
        hits=("http json x choices:1 content:none finish:length limit:unknown",),
        misses=("http json x choices:1 content:none finish:stop limit:unknown",),
        runner_up=OURS,
    ),
    Rule(
        *("stream ends at a limit nobody recorded", OK, "ok_stream", Place.ANSWER),
        r"^stream .* content:(none|reasoning) finish:(length|max_tokens|max_output_tokens|model_length) limit:unknown",
        hits=("stream sse x choices:1 content:none finish:length limit:unknown",),
        misses=("http json x choices:1 content:none finish:length limit:unknown",),
        runner_up=OURS,
    ),
    Rule(
        *("no finish reason", MISMATCH, "missing_finish_reason", Place.ANSWER),
        r"^http json .* content:(text|tools) finish:none\b",
        hits=("http json x choices:1 content:text finish:none",),
        misses=("http json x choices:1 content:text finish:stop",),
        runner_up=OK,
    ),
    Rule(
        *("no content, but reasoning", MISMATCH, "content_null", Place.ANSWER),
        r" content:reasoning ",
        hits=("http json x choices:1 content:reasoning finish:stop",),
        misses=("http json x choices:1 content:text finish:stop",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("no content", MISMATCH, "content_null", Place.ANSWER),
        r" content:none ",
        hits=("http json x choices:1 content:none finish:stop",),
        misses=("http json x choices:1 content:tools finish:tool_calls",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("right body, wrong label", MISMATCH, "wrong_content_type", Place.ANSWER),
        r"^http json media:(text|html|sse|other) |^stream sse media:(json|text|html|other) ",
        hits=("http json media:text whole:yes", "stream sse media:json whole:yes"),
        misses=("http json media:json whole:yes", "http json media:none whole:yes", "stream sse media:sse whole:yes"),
        runner_up=OK,
    ),
    Rule(
        *("ended by an unknown word", OK, "ok", Place.ANSWER),
        r"^http .* finish:other\b",
        hits=("http json media:json x choices:1 content:text finish:other",),
        misses=("http json media:json x choices:1 content:text finish:stop",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("answered", OK, "ok", Place.ANSWER),
        r"^http json .* choices:1 content:(text|tools) ",
        hits=("http json media:json whole:yes error:no shape:completion choices:1 content:text finish:stop",),
        misses=(
            "stream sse media:sse x choices:1 content:text finish:stop",
            "http json x choices:0 content:none finish:none",
        ),
    ),
    Rule(
        *("answered as a stream", OK, "ok_stream", Place.ANSWER),
        r"^stream sse .* choices:1 content:(text|tools) ",
        hits=("stream sse media:sse whole:yes done:yes error:no choices:1 content:text finish:stop",),
        misses=("http json media:json x choices:1 content:text finish:stop",),
    ),
    Rule(
        *("unforeseen answer", MISMATCH, "wrong_shape", Place.ANSWER),
        r"\S",
        hits=("http json media:json whole:yes nothing else is known",),
        misses=(" ",),
        runner_up=DEGRADATION,
    ),
)

# ---------------------------------------------------------------- 4. to 8. an error, by status or inside a stream

_OVERLOAD: Final = (
    r"overload|saturat|(over|at|out of|no|insufficient|limited) capacity|no .{0,15}capacity"
    r"|high (demand|traffic|load)"
    r"|capacity (is |has been |temporarily |currently )*(exceeded|constrain|limit|unavailable|reached)"
    r"|capacity_exceeded|(too|very|currently|is|are|server|system|service|engine|model)[ _]busy"
    r"|queue.{0,15}(full|exceeded|overflow)|pending requests exceeded|no slots? available|slot unavailable"
    r"|worker.{0,30}limit reached|all (endpoints|workers|instances|backends|providers)\b.{0,120}(unavailable|busy)"
    r"|饱和|负载|繁忙|过载|拥挤|访问量过大|资源(紧张|不足)|算力不足"
)
_FOREIGN_KEY: Final = (  # how the upstream APIs word a refused key: a gateway words its own refusals differently
    r"incorrect api key provided|invalid x-api-key|api key not valid|api[ _]key[ _](expired|invalid)\b.*google"
    r"|security token included in the request|account_deactivated|openai account has been deactivated"
    r"|organization (has been|is) (disabled|restricted)|consumer .{0,60}suspended|reported as leaked"
    r"|(country|region|territory|location).{0,40}not supported"
)

GATEWAY_ITSELF: Final = (
    Rule(
        *("gateway's own database or code", DEGRADATION, "gateway_internal", Place.TEXT),
        r"get_user_quota_failed|(query|update)_data_error|too many connections|no[_ ](connected[_ ]db|db_connection)"
        r"|no such table|database (is locked|error|connection)|sqlstate|deadlock found|数据库|_api_panic"
        r"|panic detected|redis.{0,30}(refused|timeout|failed|error)|(价格|倍率).{0,8}未配置|model_price_error"
        r"|price not (set|configured)",
        hits=("code: get_user_quota_failed\nError 1040: Too many connections", "数据库一致性已被破坏，请联系管理员"),
        misses=("code: insufficient_user_quota\nuser quota is not enough", "too many requests"),
        runner_up=QUOTA,
    ),
    Rule(
        *("upstream refused the gateway's key, relayed", DEGRADATION, "upstream_auth", Place.WORDS),
        rf"({_FOREIGN_KEY}).*\(request id:",
        hits=(
            "Incorrect API key provided: sk-proj-****9zQn. You can find your key at the site. (request id: 2026AbC)",
            "Incorrect API key provided: <masked_key:3f9a>. (request id: 2026AbC)",
            "Country, region, or territory not supported (request id: 20240725)",
        ),
        misses=(
            "Incorrect API key provided: sk-proj-****9zQn. You can find your API key at the site.",
            "无效的令牌 (request id: 2026AbC)",
        ),
        runner_up=AUTH,
    ),
    Rule(
        *("upstream refused the gateway's key, named", DEGRADATION, "upstream_auth", Place.SHEET),
        r"(?s:^provider_name: \w.*(unauthori[sz]ed|unauthenticated|authentication"
        r"|(invalid|incorrect).{0,15}api.?key))|^code: channel:(invalid_key|no_available_key)"
        r"|litellm\.(Authentication|PermissionDenied)Error|bad response status code 40[13]\b"
        r"|(?s:\A40[13] .*^(code|type): (upstream_error|bad_response_status_code)$)",
        hits=(
            "401 json\ncode: 401\nprovider_name: P\nProvider returned error\ninvalid x-api-key: authentication failed",
            "401 json\ntype: upstream_error\ncode: bad_response_status_code\nbad response status code 401",
        ),
        misses=(
            "401 json\ncode: 401\nNo auth credentials found",
            "400 json\nprovider_name: OpenAI\ninput must contain json",
        ),
        runner_up=AUTH,
    ),
    Rule(
        *("upstream account of the gateway is out of money", DEGRADATION, "upstream_quota", Place.SHEET),
        r"(exceeded your current quota|credit balance is too low|billing hard limit|your account is not active"
        r"|(plan|billing) (and|&) billing).*\(request id:|bad response status code 402\b"
        r"|(?s:^(code|type): insufficient_quota$.*饱和)"
        r"|(?s:^(type|code): upstream_error$.*(quota|balance|credits?)\b)|(?s:\A402 .*^provider_name: \w)",
        hits=(
            "429 json\ntype: insufficient_quota\ncode: insufficient_quota\n当前分组上游负载已饱和，请稍后再试",
            "429 json\ncode: insufficient_quota\nYou exceeded your current quota, check your plan (request id: 2026)",
        ),
        misses=(
            "429 json\ncode: insufficient_quota\nYou exceeded your current quota, please check your plan",
            "403 json\ncode: insufficient_user_quota\nuser quota is not enough (request id: 2026AbC)",
        ),
        runner_up=QUOTA,
    ),
    Rule(
        *("upstream limits the gateway", DEGRADATION, "upstream_rate_limited", Place.SHEET),
        r"rate[- ]limited upstream|^limit_source: upstream|(?s:\A429 .*^provider_name: \w)"
        r"|bad response status code 429\b|rate limit (reached for|exceeded for (model|org)).*\(request id:"
        r"|(?s:\A429 .*^(code|type): bad_response_status_code$)",
        hits=(
            "429 json\ncode: 429\nprovider_name: Chutes\nProvider returned error",
            "429 json\nRate limit reached for gpt-4 in organization org-1 on tokens per min. (request id: 2024)",
        ),
        misses=(
            "429 json\ncode: rate_limit_exceeded\nRate limit reached for model llama in organization org_1",
            "429 json\ncode: 429\nRate limit exceeded: free-models-per-day",
        ),
        runner_up=QUOTA,
    ),
    Rule(
        *("named provider of the gateway fails", DEGRADATION, "upstream_5xx", Place.SHEET),
        r"(?s:\A5\d\d .*^provider_name: \w)",
        hits=("503 json\ncode: 503\nprovider_name: Morph\nNo available workers",),
        misses=("503 json\ncode: 503\nNo available workers", "400 json\nprovider_name: OpenAI\nbad input"),
    ),
)

EDGE: Final = (
    Rule(
        *("edge limits our address", QUOTA, "rate_limited", Place.SHEET),
        r"error(?: code)?:? 1015\b|you are being rate limited",
        hits=("429 text cloudflare\nerror code: 1015",),
        misses=("403 text cloudflare\nerror code: 1010",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("edge code of a firewall", DEGRADATION, "waf_block", Place.SHEET),
        r"(?s:\A4\d\d .*error code: 10\d\d\b)",
        hits=("403 text cloudflare\nerror code: 1020",),
        misses=("530 text cloudflare\nerror code: 1033", "524 text cloudflare\nerror code: 524"),
        runner_up=OURS,
    ),
    Rule(
        *("challenge or block page", DEGRADATION, "waf_block", Place.SHEET),
        r"(?s:\A(403|405|406|429|503) (html|text|xml).*(just a moment|attention required"
        r"|checking (if the site|your browser)|cf-chl|challenge-platform|security check|you have been blocked"
        r"|request (was |has been )?(blocked|unsuccessful)|incapsula|edgesuite|reference #\d|administrative rules"
        r"|web application firewall|\bwaf\b|cookies to continue|captcha|verify (that )?you are (a )?human"
        r"|potential threats|ddos|request could not be satisfied.*block))",
        hits=(
            "503 html cloudflare\nJust a moment...\nChecking if the site connection is secure",
            "403 html haproxy\n403 Forbidden Request forbidden by administrative rules.",
        ),
        misses=("503 html nginx\n503 Service Temporarily Unavailable", "403 json\ncontent blocked by captcha policy"),
        runner_up=OURS,
    ),
    Rule(
        *("plain HTTP to a TLS port", OURS, "local_config", Place.PAGE),
        r"plain HTTP request was sent to HTTPS port|client sent an HTTP request to an HTTPS server",
        hits=("400 Bad Request The plain HTTP request was sent to HTTPS port nginx",),
        misses=("400 Bad Request Request Header Or Cookie Too Large nginx",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("nothing behind the balancer", DEGRADATION, "no_channel", Place.SHEET),
        r"\A503 html awselb|No server is available to handle|no live upstreams"
        r"|(?s:\A503 html.*no healthy (upstream|backend))",
        hits=("503 html awselb/2.0\n503 Service Temporarily Unavailable",),
        misses=("503 html nginx\n503 Service Temporarily Unavailable", "502 html awselb/2.0\n502 Bad Gateway"),
    ),
)

QUOTAS: Final = (
    Rule(
        *("daily or monthly allowance", QUOTA, "daily_limit", Place.TEXT),
        r"(limit|quota|allowance|allocation|allotment|requests|tokens|calls|exceeded|exhausted"
        r"|neurons).{0,80}((per[ _-]?|/ ?)(day|week|month)\b|perday|byday|\b(daily|weekly)\b|\b(tpd|rpd)\b"
        r"|per 86400s)"
        r"|(\b(daily|weekly)\b|per[ _-]day|\b(tpd|rpd)\b).{0,80}(limit|quota|allowance|allocation|requests|exceeded)"
        r"|(monthly|5[- ]hour|five[- ]hour) (usage |request |token )?(limit|quota|allowance)"
        r"|usage limits?\b.{0,60}(regain|reset|until)"
        r"|(每日|每天|每周|每月|当日|今日|单日|小时).{0,20}(限|额度|次数|上限)",
        hits=(
            "Rate limit reached for model `m` on tokens per day (TPD): Limit 100000, Used 97050",
            "Rate limit exceeded: free-models-per-day. Add 10 credits",
            "今日请求次数已达上限",
        ),
        misses=(
            "Rate limit reached on tokens per minute (TPM): Limit 5000",
            "have exceeded token rate limit of your tier. Please retry after 86400 seconds.",
        ),
    ),
    Rule(
        *("spend limit", QUOTA, "budget_exceeded", Place.TEXT),
        r"budget.{0,20}(exceed|reached|exhausted)|exceed\w*.{0,40}\bbudget|budget_exceeded|budgetexceeded"
        r"|spend(ing)?[ _](limit|cap).{0,30}(reached|exceeded|hit)"
        r"|(reached|exceeded|hit).{0,40}spend(ing)?[ _](limit|cap)|billing[ _]hard[ _]limit"
        r"|(预算|消费限额).{0,8}(超|用尽|上限)",
        hits=("Budget has been exceeded! Current cost: 5.0, Max budget: 1.0", "type: budget_exceeded\n"),
        misses=("thinking.budget_tokens must be at least 1024", "Unsupported parameter: reasoning_budget"),
    ),
    Rule(
        *("billing state", QUOTA, "billing_inactive", Place.TEXT),
        r"billing_not_active|not active.{0,40}billing|arrear|overdue|past[- ]due|past invoices|unpaid"
        r"|in good standing|payment (method|failed|declined)|(requires|enable|without|activate).{0,10}billing"
        r"|billing (to be |is not |is |account )*(enabled|disabled|closed|inactive)|valid credit card|card on file"
        r"|欠费|逾期|停服|未结清|套餐.{0,8}(到期|过期)",
        hits=("Your account is not active, please check your billing details", "code: Arrearage\n", "您的账户已欠费"),
        misses=("Insufficient credits. Add more at settings/credits", "please check your plan and billing details"),
    ),
    Rule(
        *("quota of this key", QUOTA, "token_quota_exhausted", Place.TEXT),
        r"pre_consume_token_quota_failed|tokenstatusexhausted|令牌.{0,6}(额度|用尽|耗尽|用完)"
        r"|\btoken (quota|balance)\b.{0,20}(exhausted|not enough|insufficient|exceeded)"
        r"|\btoken (has been|is) exhausted|\bkey\b.{0,12}\b(limit|quota)\b.{0,12}(exceeded|reached|exhausted)"
        r"|(quota|limit) (of|for) (this|the|your) (api )?key\b",
        hits=("该令牌额度已用尽 TokenStatusExhausted[sk-Qw3***7Yk]", "code: pre_consume_token_quota_failed\n服务繁忙"),
        misses=("code: token_quota_exceeded\nTokens per minute limit exceeded", "该令牌无权访问模型", "令牌已过期"),
    ),
    Rule(
        *("rate, with its unit", QUOTA, "rate_limited", Place.TEXT),
        r"(requests?|tokens?|calls?|queries|limit|quota).{0,40}( per |/ ?|per|each )(second|minute|min|hour)\b"
        r"|(?-i:\b(RPM|TPM|QPS|QPM|RPS|ITPM|OTPM)\b).{0,40}limit|limit.{0,40}(?-i:\b(RPM|TPM|QPS|QPM|ITPM|OTPM)\b)"
        r"|call rate limit|token rate limit|requests? in \d+ (second|minute|hour)|每?分钟内?.{0,10}(最多|请求|次)",
        hits=("Rate limit reached on tokens per minute (TPM): Limit 5000", "您已达到请求数限制：1分钟内最多请求20次"),
        misses=("Insufficient Balance", "Please try again in 5 minutes"),
    ),
    Rule(
        *("no money or quota left", QUOTA, "insufficient_quota", Place.TEXT),
        r"insufficient[ _](\w+[ _]){0,2}(balance|credits?|quota|funds?)\b|(balance|credits?|quota|funds?"
        r"|free (tier|trial|quota))\b.{0,60}(insufficient|not enough|too low|exhausted|depleted|used up|ran out"
        r"|run out|negative|expired|consumed)"
        r"|(not|n't) (have )?(enough|any|sufficient) (\w+ )?(balance|credits?|quota|funds)|(credit|usage)s? ?limit"
        r"|(exceeded|exhausted|used|reached|out of|more).{0,25}\b(credits|current quota|call volume quota"
        r"|free trial quota|balance)\b|no (more )?(credits|balance) (left|remain|available)"
        r"|check your plan and billing|(current|account|user) quota|insufficient_\w*(quota|balance|credit|fund)"
        r"|balance_?not_?enough|top[- ]up|recharge"
        r"|(额度|配额|余额|积分|资源包|点数).{0,12}(不足|用尽|耗尽|用完|为负|失败|已用|欠)|充值",
        hits=(
            "Insufficient Balance",
            "Your credit balance is too low to access the API",
            "user [3446] quota [-20847155]preConsumedQuota [743]is not enough",
            "预扣费额度失败, 用户剩余额度: 2.53",
        ),
        misses=(
            "Resource has been exhausted (e.g. check quota).",
            "You can find your API key at settings; no credit card needed",
            "Service tier capacity exceeded for this model.",
        ),
    ),
)

CAPACITY: Final = (
    Rule(
        *("account's data policy", AUTH, "permission_denied", Place.WORDS),
        r"data policy|privacy setting",
        hits=("No endpoints found matching your data policy (Free model publication).",),
        misses=("No endpoints found for this model.",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("overloaded, with the status of a limit", DEGRADATION, "upstream_overloaded", Place.SHEET),
        rf"(?s:\A4\d\d .*)({_OVERLOAD})",
        hits=(
            "429 json\ncode: 429\nNo capacity available for model m on the server",
            "429 json\n当前分组上游负载已饱和",
        ),
        misses=("429 json\nRate limit exceeded", "503 json\nThe model is overloaded"),
        runner_up=QUOTA,
    ),
    Rule(
        *("overloaded", DEGRADATION, "upstream_overloaded", Place.TEXT),
        _OVERLOAD,
        hits=(
            "The model is overloaded. Please try again later.",
            "m is currently over capacity",
            "request queue is full",
        ),
        misses=("128000 token capacity required", "Service temporarily unavailable", "model failed to load"),
    ),
    Rule(
        *("no channel", DEGRADATION, "no_channel", Place.TEXT),
        r"无可用|没有可用|暂无可用|渠道.{0,6}(禁用|不可用|不存在)"
        r"|(channel|deployment|upstream|backend)s? (is|are|has been) (disabled|unavailable)|\bno (allowed |healthy "
        r"|suitable |active )*(channel|deployment|worker|endpoint|provider|instance|server|backend|upstream|replica"
        r"|peer|node)s?\b(?: (is |are )?(currently )?(available|found|online|ready|configured|healthy))?"
        r"|no[_ ]available[_ ]\w+|no_healthy_upstream|get_channel_failed|cool ?down|ring-balancer|no models? loaded",
        hits=(
            "No available channels for model m in group default",
            "当前分组 default 下对于模型 m 无可用渠道",
            "No deployments available for selected model. Passed model=m",
            "该渠道已被禁用",
            "no healthy upstream",
        ),
        misses=("no Route matched with those values", "The model `m` does not exist.", "该令牌状态不可用"),
        runner_up=MISMATCH,
    ),
    Rule(
        *("rate limit", QUOTA, "rate_limited", Place.TEXT),
        r"rate[-_ ]?limit|too[ _]many[ _](requests|tokens|messages|concurrent)|throttl|resource (has been )?exhausted"
        r"|resource_exhausted|(request|concurren\w+)s? limit|max(imum)? (\w+ )?concurren|quota[ _]exceeded"
        r"|exceeded.{0,30}\bquota|limit[ _]exceeded|slow down|限流|限速|频率|速率|流量限制"
        r"|请求(数|次数)?.{0,4}(限|过多|过快|频繁)|并发.{0,8}(限|过高|超)|次数.{0,6}限",
        hits=("Requests rate limit exceeded", "Too many tokens, please wait before trying again.", "请求过于频繁"),
        misses=("This model's maximum context length is 4096 tokens", "Request body too large"),
    ),
)

CLOCK_AND_REQUEST: Final = (
    Rule(
        *("our clock", OURS, "clock_skew", Place.WORDS),
        r"signature expired|signature not yet current|request ?time.{0,15}too skewed|clock skew"
        r"|timestamp.{0,40}(window|skew)",
        hits=("Signature expired: 20260624T101400Z is now earlier than 20260624T102100Z",),
        misses=("The security token included in the request is expired",),
        runner_up=AUTH,
    ),
    Rule(
        *("wrong method", MISMATCH, "method_not_allowed", Place.TEXT),
        r"method[_ ]not[_ ](allowed|supported)|different HTTP method|not allowed to (get|post|put) on",
        hits=("Not allowed to GET on /v1/chat/completions. (HINT: Perhaps you meant a different HTTP method?)",),
        misses=("You are not allowed to sample from this model",),
    ),
    Rule(
        *("parameter refused", MISMATCH, "unsupported_parameter", Place.TEXT),
        r"(unsupported|unknown|unrecogni[sz]ed|unexpected|extra|additional|disallowed)[ _](\w+[ _]){0,2}(parameter"
        r"|argument|field|propert|input|option|variant|value|keyword|key\b)|extra_forbidden|unsupportedparams"
        r"|(parameter|argument|field|propert\w+|option)s?\b.{0,60}(not (supported|permitted|allowed|recogni[sz]ed)"
        r"|unsupported|deprecated)|not supported (with|by|for|on) this model"
        r"|does not support.{0,40}(parameter|streaming|tools|messages|system|`|')|不支持.{0,10}参数"
        r"|参数.{0,12}(不支持|不被支持)",
        hits=(
            "Extra inputs are not permitted",
            "Unsupported parameter: 'max_tokens' is not supported with this model.",
            "response_format: unknown variant `json_schema`, expected `text`",
        ),
        misses=("The model `m` does not exist.", "Missing required parameter: 'messages'."),
    ),
    Rule(
        *("too many tokens for the model", MISMATCH, "context_length", Place.TEXT),
        r"context[ _-]?(length|window|size)|contextwindow|maximum context|(prompt|input|messages) (is |are )?too long"
        r"|reduce the length|(inputs?`?|prompt) tokens.{0,60}(must be|exceed|<=|>)"
        r"|exceed\w*.{0,40}(token limit|maximum.{0,20}tokens|max_tokens)|max_new_tokens.{0,20}must be"
        r"|string_above_max_length|tokens_limit_reached|超长|上下文.{0,6}(长|超)|(输入|提示词).{0,6}过长",
        hits=(
            "This model's maximum context length is 4096 tokens. However, you requested 5000",
            "`inputs` tokens + `max_new_tokens` must be <= 4096",
        ),
        misses=("Rate limit reached on tokens per minute", "max_tokens: Field required"),
    ),
    Rule(
        *("body too large", MISMATCH, "payload_too_large", Place.TEXT),
        r"(payload|entity|body|request)[ _](is )?too[ _]large|(body|payload|request) size.{0,30}(exceed|limit)",
        hits=("Request body too large for the server",),
        misses=("prompt is too long: 210000 tokens > 200000 maximum",),
    ),
)

ACCOUNT: Final = (
    Rule(
        *("address not on the list", AUTH, "ip_not_allowed", Place.TEXT),
        r"\bIP\b.{0,60}(not (authori[sz]ed|allowed|permitted|in\b|on\b|whitelisted)|denied|forbidden|blocked|restrict"
        r"|violat)|ip_(not|block|restrict|deny)|not in.{0,20}(allow|white) ?-?list"
        r"|(ip|address).{0,20}(allow|white)-?list|virtual network|firewall rules|public (network )?access is disabled"
        r"|\bIP.{0,20}(不在|不允许|未授权|受限|限制|禁止)|白名单",
        hits=("Your IP is not authorized. (IP: <ip:1>)", "您的 IP 不在令牌允许访问的列表中"),
        misses=("User location is not supported for the API use.", "description of the tool is not allowed"),
    ),
    Rule(
        *("region", AUTH, "region_blocked", Place.TEXT),
        r"(country|region|territory|location)\b.{0,40}(not (supported|available|allowed|permitted|eligible)"
        r"|unsupported|restrict|block|forbid|prohibit)|unsupported_(country|region)"
        r"|not (available|supported|accessible) in your (country|region|location|area)|geo[-_ ]?(block|restrict|fenc)"
        r"|legal[ _]reasons|(地区|区域|国家|地域).{0,12}(不支持|不可用|限制|禁止|受限)|不支持.{0,8}(地区|区域|国家)",
        hits=("Country, region, or territory not supported", "User location is not supported for the API use."),
        misses=("use a correct regional API endpoint for your resource", "Invalid region in the request"),
    ),
    Rule(
        *("scope or role missing", AUTH, "permission_denied", Place.TEXT),
        r"(insufficient|missing|lacks?|not have|without|required?)\b.{0,25}\b(permissions?|scopes?|privileges?|roles?"
        r"|data action)\b|not (authori[sz]ed|permitted|entitled) to perform|authentication is disabled"
        r"|authenticationtypedisabled|has not been used in project|service_disabled|没有.{0,6}权限|权限不足",
        hits=("You have insufficient permissions for this operation. Missing scopes: api.write.",),
        misses=("Invalid API key", "does not have access to model `m`"),
    ),
    Rule(
        *("account closed", AUTH, "account_disabled", Place.TEXT),
        r"\b(account|organi[sz]ation|user|team|project|workspace|consumer|tenant"
        r"|subscription)s?\b[^.()\n]{0,40}\b(disabled|deactivated|suspended|restricted|banned|blocked|terminated"
        r"|locked|frozen|closed)\b|account_(deactivated|disabled|suspended)|organization_restricted"
        r"|consumer_suspended|invalidaccountstatus"
        r"|(用户|账号|账户|帐号|帐户).{0,10}(封禁|禁用|停用|冻结|注销|封停|锁定|非活动)",
        hits=("Organization has been restricted. Please reach out to support", "该用户已被封禁"),
        misses=("Your organization must be verified to use the model", "Key based authentication is disabled"),
    ),
    Rule(
        *("model: does not exist, or no access", AUTH, "model_not_permitted", Place.WORDS),
        r"\bmodel.{0,160}\b(or|and)\b.{0,60}(have access|permission denied|inaccessible|permission)"
        r"|not found.{0,80}\bor permission denied|\bmodel.{0,60}inaccessible"
        r"|(not exist|not found|不存在).{0,12}(或|或者).{0,12}(无权|没有权限)",
        hits=(
            "The model `m` does not exist or you do not have access to it.",
            "Not found the model m or Permission denied",
        ),
        misses=("The model `m` does not exist.", "This token has no access to model m"),
        runner_up=MISMATCH,
    ),
    Rule(
        *("model not for this account", AUTH, "model_not_permitted", Place.TEXT),
        r"access to (the |this |that |requested )*model|\bmodel\b.{0,120}(access (is )?denied|no access"
        r"|not have access|not (allowed|permitted|authori[sz]ed)|gated)|(not (allowed|permitted|authori[sz]ed)"
        r"|permission) to (access|use|call|invoke|sample from|run).{0,20}\bmodel|verified to use the model"
        r"|key_model_access_denied|not (activated|enabled|opened|subscribed).{0,20}\bmodel|modelnotopen"
        r"|gated (repo|model)|无权(访问|使用|调用).{0,12}模型|模型.{0,40}(无权|未开通|没有权限|未授权)"
        r"|未开放.{0,40}权限",
        hits=("This token has no access to model m", "该令牌无权访问模型 m", "model access denied"),
        misses=("Invalid model name passed in model=m. Call `/v1/models` to view available models for your key.",),
    ),
    Rule(
        *("key expired", AUTH, "expired_key", Place.TEXT),
        r"(key|token|credential|jwt|session|secret)s?\b.{0,40}expired|expired.{0,15}(key|token|credential|jwt)"
        r"|expiredtoken|(key|token)_expired|(令牌|密钥|token|key|凭证).{0,6}过期|已过期",
        hits=("The security token included in the request is expired", "该令牌已过期"),
        misses=("Deadline expired before operation could complete.", "Invalid API key"),
    ),
    Rule(
        *("key missing or invalid", AUTH, "invalid_key", Place.WORDS),
        r"(missing or invalid|invalid or missing|incorrect or missing)",
        hits=("The API key in the request is missing or invalid.",),
        misses=("No API key found in request",),
    ),
    Rule(
        *("key missing", AUTH, "missing_key", Place.TEXT),
        r"\b(no|missing|without|provide|supply|empty|requires?|expected|need)\b(?: \w+){0,4}?[ '\"`]+(api[-_ ]?keys?"
        r"|auth\w*[- ](header|credentials?|tokens?|key)|credentials?|bearer|access token|authorization|x-api-key)\b"
        r"|(api[-_ ]?key|authorization( header)?|credentials?|x-api-key( header)?|bearer( token)?"
        r"|jwt)\b.{0,12}\b(missing|required|not (found|provided|supplied|present|set)|empty|absent)"
        r"|missing[ _](api_?key|auth\w*|token)|api_key_missing|unregistered callers|please carry the api secret"
        r"|未(提供|携带|传入?).{0,8}(令牌|密钥|api|token|key)|缺少.{0,6}(令牌|密钥|key|认证|鉴权)"
        r"|未收到.{0,12}(auth|令牌|token)",
        hits=(
            "No API key found in request",
            "No auth credentials found",
            "You didn't provide an API key.",
            "code: invalid_api_key\nmissing_api_key",
            "未提供令牌",
        ),
        misses=(
            "Incorrect API key provided: sk-****9zQn.",
            "Missing required parameter: 'messages'.",
            "invalid api token",
        ),
    ),
    Rule(
        *("key refused", AUTH, "invalid_key", Place.TEXT),
        r"(invalid|incorrect|wrong|bad|malformed|unrecogni[sz]ed|illegal|leaked|revoked"
        r"|disabled)[ _-](\w+[ _-]){0,3}(api[-_ ]?key|\bkey\b|token\b|credential|authenti|authoriz|x-api-key"
        r"|subscription|password|secret|bearer)|(api[-_ ]?key|access key|x-api-key|\bkey\b|\btoken\b|credential"
        r"|signature|login)s?\b.{0,40}(invalid|incorrect|not valid|malformed|is wrong|not recogni[sz]ed|not exist"
        r"|revoked|leaked|unable to find)|\b(key|token)\b.{0,12}(is|been|was|currently) (disabled|blocked|deleted)"
        r"|authenti\w+ (error|fail|required|unsuccessful)|(authenti|authori[sz])\w+ failed|fail\w* to authenticate"
        r"|login fail|user not found|invalid_(api_?key|authentication|iam_token)|unauthori[sz]ed\b|unauthenticated"
        r"|not authenticated|bad credentials|(api_)?key_invalid|无效的? ?(令牌|密钥|api|token|key)"
        r"|(令牌|密钥|token|key).{0,8}(无效|错误|非法|不正确|不存在|状态不可用|已被?禁用)"
        r"|(身份|认证|鉴权|身份验证).{0,6}(失败|错误)|未授权",
        hits=(
            "Invalid API Key",
            "Authentication Fails, Your api key: ****ab12 is invalid",
            "Incorrect API key provided: <masked_key:3f9a>.",
            "User not found.",
            "无效的令牌",
        ),
        misses=(
            "Invalid 'max_completion_tokens': integer below minimum value",
            "Invalid JSON payload: unexpected character, expected a string key",
            "Key based authentication is disabled for this resource.",
            "model access denied",
        ),
    ),
)

MODEL: Final = (
    Rule(
        *("gateway could not convert the request", MISMATCH, "request_rejected", Place.CODE),
        r"^code: (convert_request_failed|invalid_request|missing_required_parameter)$",
        hits=("code: invalid_request", "type: comet_api_error\ncode: convert_request_failed"),
        misses=("code: invalid_request_error", "type: invalid_request"),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("model withdrawn", MISMATCH, "model_retired", Place.TEXT),
        r"decommission|model_(deprecated|retired)|(model|模型).{0,150}(retired|deprecated|discontinued|sunset"
        r"|no longer (supported|available|served|offered)|end[- ]of[- ](its )?life|end of (its )?life"
        r"|has been removed|下线|弃用|停用|停止服务)",
        hits=("The model `m` has been decommissioned and is no longer supported.", "该模型已下线"),
        misses=("The model `m` does not exist.", "The `functions` parameter is deprecated."),
    ),
    Rule(
        *("model unknown", MISMATCH, "model_not_found", Place.SHEET),
        r"(?s:\A4\d\d .*)\bmodel\b.{0,140}(not available|unavailable)|(model"
        r"|deployment)\b.{0,140}(not (found|exist|supported|valid|a valid|recogni[sz]ed|served|hosted|deployed)"
        r"|n't exist|is unknown|is invalid)"
        r"|(invalid|unknown|unsupported|unavailable|no such|unrecogni[sz]ed|not found)[ :_]{1,2}(the )?model"
        r"|model_not_(found|exist|supported)|models?/\S+ is not found|^model: \S+$|not a valid model"
        r"|模型.{0,60}(不存在|未找到|不支持|无效|错误)|不支持.{0,8}模型|model identifier is invalid",
        hits=(
            "Model Not Exist",
            "The model `m` does not exist.",
            "Invalid model name passed in model=m.",
            "模型不存在",
        ),
        misses=("model failed to load", "model is loading", "Invalid URL (POST /v1/v1/chat/completions)"),
        runner_up=AUTH,
    ),
    Rule(
        *("model loading", DEGRADATION, "model_loading", Place.TEXT),
        r"loading model|model.{0,80}\b(loading|warming|starting|not (yet )?ready|being loaded|cold)\b|still loading"
        r"|scaling[_ ]up|model_?not_?ready|模型.{0,8}(加载|启动|预热)",
        hits=("Loading model", "Model org/m is currently loading"),
        misses=("model failed to load", "The server is overloaded or not ready yet."),
    ),
    Rule(
        *("content filter", MISMATCH, "content_filtered", Place.TEXT),
        r"content[ _-]?(filter|policy|management|moderation|safety)|responsibleai|data_?inspection_?failed"
        r"|inappropriate content|was flagged|requires moderation|safety (system|setting|filter|polic)"
        r"|sensitive.?(word|content)|considered high risk|prompt_blocked|prohibited_content|敏感|违规|不安全|内容安全"
        r"|不当内容",
        hits=("The response was filtered due to the prompt triggering content management policy.", "检测到敏感词"),
        misses=("No endpoints found matching your data policy", "Rate limit policy"),
    ),
    Rule(
        *("path unknown", MISMATCH, "path_not_found", Place.SHEET),
        r"no route (matched|for|found)|(?s:\A4\d\d .*)(invalid url \(|unknown (request )?url|unrecognized request url"
        r"|cannot post /|no static resource"
        r"|(endpoint|route|path|url|page|file|resource)s?\b.{0,60}(not found|not exist|unknown)|api_not_implemented"
        r"|deployment_not_found)",
        hits=("404 json\nno Route matched with those values", "404 json\nInvalid URL (POST /v1/v1/chat/completions)"),
        misses=("503 json\nno endpoint found", "400 json\nThe model `m` does not exist."),
    ),
)

PERMISSION_AND_REQUEST: Final = (
    Rule(
        *("field missing or refused", MISMATCH, "request_rejected", Place.WORDS),
        r"missing (required )?(parameter|field|argument|propert|`|')"
        r"|(field|parameter|argument|propert\w+|messages|model|model name)\b.{0,30}\b(is )?required\b"
        r"|required (field|parameter|propert)|不能为空|未指定|缺少.{0,8}(参数|字段)"
        r"|参数.{0,8}(错误|有误|无效|不合法|非法)|on-demand throughput",
        hits=(
            "Missing required parameter: 'messages'.",
            "field messages is required",
            "未指定模型名称，模型名称不能为空",
        ),
        misses=("An API key is required", "Payment Required"),
        runner_up=OURS,
    ),
    Rule(
        *("not permitted", AUTH, "permission_denied", Place.TEXT),
        r"permission[_ -]?denied|access[_ ]?denied|\bforbidden\b|not (authori[sz]ed|permitted|allowed|entitled)\b"
        r"|not have (access|permission)|no (access|permission)|is not open\b|must be verified|\bauth_error"
        r"|authentication_error|authorization required|无权|禁止访问|拒绝访问",
        hits=("type: permission_denied_error\nThe API you are accessing is not open", "type: auth_error\nforbidden"),
        misses=("Insufficient Balance", "Internal Server Error"),
    ),
)

GATEWAY_AND_UPSTREAM: Final = (
    Rule(
        *("request timed out", DEGRADATION, "request_timeout", Place.STATUS),
        r"^408 ",
        hits=("408 json",),
        misses=("504 json", "400 json"),
    ),
    Rule(
        *("proxy gave up waiting", DEGRADATION, "gateway_timeout", Place.SHEET),
        r"\A(504|522|524) |\A\d{3} text.*\nerror code: 5(04|22|24)\b|gateway time-?out"
        r"|upstream.{0,30}(timed out|timing out|timeout)\b|endpoint request timed out|deadline (expired|exceeded)"
        r"|deadline_exceeded|function_invocation_timeout|response_time_exceeded",
        hits=(
            "504 html nginx\n504 Gateway Time-out",
            "524 text cloudflare\nerror code: 524",
            "500 json\nThe upstream server is timing out",
        ),
        misses=("502 html nginx\n502 Bad Gateway", "500 json\nnet/http: TLS handshake timeout"),
    ),
    Rule(
        *("gateway could not reach its upstream", DEGRADATION, "upstream_error", Place.TEXT),
        r"do_request_failed|read_response_body_failed|bad_response|upstream_error|empty_response|请求上游"
        r"|上游.{0,10}(错误|失败|异常|超时)|dial tcp|connection error|apiconnectionerror|provider disconnected"
        r"|upstream (provider )?(request )?(failed|error)|error from (upstream|provider)"
        r"|(failed|unable|could not) to? ?(reach|connect|contact|fetch)|connect: connection refused|no such host",
        hits=(
            'Post "https://host/v1": dial tcp <ip:1>:443: i/o timeout\ncode: do_request_failed',
            "OpenAIException - Connection error.",
        ),
        misses=("Upstream service temporarily unavailable (4028)", "An internal error has occurred"),
    ),
    Rule(
        *("timed out", DEGRADATION, "request_timeout", Place.TEXT),
        r"request(_| )?tim(ed|e)[-_ ]?out|litellm\.timeout|operation.{0,10}time(d )?out|\btimed out\b|超时",
        hits=("Request timed out.", "请求超时，请稍后再试"),
        misses=("Set `timeout` in the request to a number", "Internal Server Error"),
    ),
    Rule(
        *("gateway's 5xx", DEGRADATION, "gateway_5xx", Place.SHEET),
        r"\A(520|521|523|525|526|527|530) |\A502 (json|text|empty|xml|invalid)"
        r"|(?s:\A5\d\d .*)(invalid response was received from (the|an) upstream|upstream connect error"
        r"|reset before headers|bad gateway.*\n.*json|name resolution failed|failure to get a peer"
        r"|function_invocation_failed)",
        hits=(
            "526 html cloudflare\n526: Invalid SSL certificate",
            "530 text cloudflare\nerror code: 1033",
            "503 text envoy\nupstream connect error or disconnect/reset before headers",
        ),
        misses=("502 html nginx\n502 Bad Gateway", "500 json\nInternal Server Error"),
    ),
    Rule(
        *("error page of an edge", DEGRADATION, "html_error_page", Place.STATUS),
        r"^5\d\d (html|xml)",
        hits=("502 html awselb/2.0", "500 html nginx"),
        misses=("502 json", "404 html nginx"),
    ),
)

BY_STATUS: Final = (
    Rule(*("401", AUTH, "invalid_key", Place.STATUS), r"^401 ", hits=("401 empty",), misses=("402 json", "403 json")),
    Rule(*("402", QUOTA, "insufficient_quota", Place.STATUS), r"^402 ", hits=("402 json",), misses=("403 json",)),
    Rule(
        *("403 without an API's envelope", DEGRADATION, "waf_block", Place.STATUS),
        r"^403 (html|empty|blank|xml|text)",
        hits=("403 html nginx", "403 empty"),
        misses=("403 json", "401 html nginx"),
        runner_up=AUTH,
    ),
    Rule(
        *("403", AUTH, "permission_denied", Place.STATUS),
        r"^403 ",
        hits=("403 json",),
        misses=("401 json",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("404", MISMATCH, "path_not_found", Place.STATUS),
        r"^4(04|10) ",
        hits=("404 html nginx",),
        misses=("400 json",),
    ),
    Rule(
        *("405", MISMATCH, "method_not_allowed", Place.STATUS), r"^405 ", hits=("405 html nginx",), misses=("404 json",)
    ),
    Rule(
        *("407", OURS, "proxy_error", Place.STATUS), r"^(407|511) ", hits=("407 html",), misses=("401 html", "403 html")
    ),
    Rule(
        *("413", MISMATCH, "payload_too_large", Place.STATUS),
        r"^4(13|14|31) ",
        hits=("413 html nginx",),
        misses=("415 json",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("415", MISMATCH, "unsupported_media_type", Place.STATUS), r"^415 ", hits=("415 json",), misses=("413 json",)
    ),
    Rule(
        *("429 page", QUOTA, "rate_limited", Place.STATUS),
        r"^429 (html|empty)",
        hits=("429 html nginx",),
        misses=("429 json",),
        runner_up=DEGRADATION,
    ),
    Rule(*("429", QUOTA, "rate_limited", Place.STATUS), r"^429 ", hits=("429 json",), misses=("428 json",)),
    Rule(
        *("451", AUTH, "region_blocked", Place.STATUS),
        r"^451 ",
        hits=("451 json",),
        misses=("450 json",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("the gateway's own 4xx", DEGRADATION, "upstream_error", Place.STATUS),
        r"^(424|444|499) ",
        hits=("424 json",),
        misses=("422 json",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("529", DEGRADATION, "upstream_overloaded", Place.STATUS), r"^529 ", hits=("529 json",), misses=("520 json",)
    ),
    Rule(
        *("refused as malformed", MISMATCH, "request_rejected", Place.STATUS),
        r"^4\d\d ",
        hits=("400 json", "422 json"),
        misses=("500 json", "301 html"),
        runner_up=OURS,
    ),
    Rule(*("5xx", DEGRADATION, "upstream_5xx", Place.STATUS), r"^5\d\d ", hits=("500 json",), misses=("400 json",)),
    Rule(
        *("redirect", MISMATCH, "redirect", Place.STATUS),
        r"^3\d\d ",
        hits=("301 html nginx", "307 empty"),
        misses=("200 json",),
        runner_up=OURS,
    ),
    Rule(
        *("error event without a known word", DEGRADATION, "stream_error_event", Place.STATUS),
        r"^stream ",
        hits=("stream sse",),
        misses=("500 sse",),
    ),
    Rule(
        *("no status of HTTP", MISMATCH, "wrong_shape", Place.STATUS),
        r"^\S",
        hits=("100 empty", "999 json"),
        misses=("",),
        runner_up=DEGRADATION,
    ),
)

ERRORS: Final = (
    *(*GATEWAY_ITSELF, *EDGE, *QUOTAS, *CAPACITY, *CLOCK_AND_REQUEST, *ACCOUNT),
    *(*MODEL, *PERMISSION_AND_REQUEST, *GATEWAY_AND_UPSTREAM, *BY_STATUS),
)
RULES: Final = (*FAULTS, *ANSWERS, *ERRORS)
