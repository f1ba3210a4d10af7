"""Errors: no words that are known: the status decides."""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, MISMATCH, OURS, QUOTA, Place, Rule

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
