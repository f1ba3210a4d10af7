"""4d. Failing and timing out: where in the chain, as far as the words say."""

from typing import Final

from probe.rules.rule import DEGRADATION, MISMATCH, Place, Rule

_UPSTREAM_FAILED: Final = (
    r"do_request_failed|\w+_response_body_failed|bad_response|empty_response",
    r"upstream_error|upstream (provider )?(request )?(failed|error)",
    r"请求(上游|模型|后端)(服务|地址)?.{0,4}(失败|异常|错误)|上游.{0,10}(错误|失败|异常|超时)",
    r"error from (upstream|provider)|provider disconnected",
    r"(llm|model|inference|backend)[ _](server|service|engine)[ _]error",
    r"dial tcp|connect: connection refused|no such host|connection error|apiconnectionerror",
    r"(read|write) tcp|connection reset by peer|unexpected eof|broken pipe",
    r"(failed to|unable to|could not) (reach|connect|contact|fetch)",
)
_UPSTREAM_HITS: Final = (
    'code: do_request_failed\nPost "https://host/v1": dial tcp <ip:1>:443: i/o timeout',
    "Upstream request failed",
    "上游服务异常",
    "Error from provider: something went wrong",
    "Request llm server Error",
    "OpenAIException - Connection error.",
    "unexpected EOF while reading the answer",
    "Could not connect to the backend",
)

UPSTREAM: Final = (
    Rule(
        *("request timed out", DEGRADATION, "request_timeout", Place.STATUS),
        r"^408 ",
        hits=("408 json",),
        misses=("504 json", "400 json"),
    ),
    Rule(
        *("proxy gave up waiting", DEGRADATION, "gateway_timeout", Place.SHEET),
        (
            r"\A(504|522|524) |\A\d{3} text.*\nerror code: 5(04|22|24)\b",
            r"gateway time-?out|upstream.{0,30}(timed out|timing out|timeout)\b|endpoint request timed out",
            r"deadline (expired|exceeded)|deadline_exceeded",
            r"(first byte|between bytes|origin) time-?out",
            r"function_invocation_timeout|response_time_exceeded",
        ),
        hits=(
            "524 text cloudflare\nerror code: 524",
            "500 json\nThe upstream server is timing out",
            "500 json\nstatus: DEADLINE_EXCEEDED",
            "503 html\nError 503 first byte timeout",
            "500 json\ncode: FUNCTION_INVOCATION_TIMEOUT",
        ),
        misses=("502 html nginx\n502 Bad Gateway", "500 json\nnet/http: TLS handshake timeout"),
    ),
    Rule(
        *("upstream failed, with the status of a bad request", DEGRADATION, "upstream_error", Place.SHEET),
        _UPSTREAM_FAILED,
        hits=tuple(f"400 json\n{words}" for words in _UPSTREAM_HITS),
        misses=("500 json\nUpstream request failed", "400 json\nBad request"),
        runner_up=MISMATCH,
        after=r"\A4\d\d ",
    ),
    Rule(
        *("gateway could not reach or read its upstream", DEGRADATION, "upstream_error", Place.TEXT),
        _UPSTREAM_FAILED,
        hits=_UPSTREAM_HITS,
        misses=("Upstream service temporarily unavailable (4028)", "An internal error has occurred"),
    ),
)

FAILING: Final = (
    Rule(
        *("timed out", DEGRADATION, "request_timeout", Place.TEXT),
        (
            r"request(_| )?tim(ed|e)[-_ ]?out|litellm\.timeout|operation.{0,10}time(d )?out|\btimed out\b",
            r"超时",
        ),
        hits=("Request timed out.", "请求超时，请稍后再试"),
        misses=("Set `timeout` in the request to a number", "Internal Server Error"),
    ),
    Rule(
        *("gateway's 5xx", DEGRADATION, "gateway_5xx", Place.STATUS),
        r"\A(520|521|523|525|526|527|530) |\A502 (json|text|empty|xml|invalid)",
        hits=("526 html cloudflare", "502 json"),
        misses=("502 html nginx", "500 json"),
    ),
    Rule(
        *("gateway's words for a failing upstream", DEGRADATION, "gateway_5xx", Place.SHEET),
        (
            r"invalid response was received from (the|an) upstream|bad gateway.*\n.*json",
            r"upstream connect error|reset before headers|name resolution failed|failure to get a peer",
            r"function_invocation_failed|messaging\.adaptors|^fastly error",
        ),
        hits=(
            "500 json\nAn invalid response was received from the upstream server",
            "503 text envoy\nupstream connect error or disconnect/reset before headers",
            "500 json\ncode: FUNCTION_INVOCATION_FAILED",
        ),
        misses=("500 json\nInternal Server Error", "404 json\nname resolution failed"),
        after=r"\A5\d\d ",
    ),
    Rule(
        *("error page of an edge", DEGRADATION, "html_error_page", Place.STATUS),
        r"^5\d\d (html|xml)",
        hits=("502 html awselb/2.0", "500 html nginx"),
        misses=("502 json", "404 html nginx"),
    ),
)
