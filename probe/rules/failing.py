"""Errors: failing and timing out."""

from typing import Final

from probe.rules.rule import DEGRADATION, Place, Rule

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
