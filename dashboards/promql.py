"""The PromQL that both dashboards ask, and the words and colours for what it answers.

Every selector is narrowed by the variables `prober` (the scraped instance) and `target`. Ranges follow the cadence: see
`STEP` and `WIDE_STEP` in `model`.
"""

from typing import Final

from dashboards.looks import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, YELLOW

# From the least to the most urgent: where two verdicts fall into one step of a timeline, the later one is shown.
VERDICTS: Final = {
    "ok": ("ok", GREEN),
    "budget_stop": ("budget stop", "#5794F2"),
    "missed": ("missed (ours)", GREY),
    "probe_fault": ("probe fault (ours)", PURPLE),
    "quota_or_billing": ("quota or billing", YELLOW),
    "contract_mismatch": ("possible contract mismatch", BLUE),
    "auth_or_account": ("auth or account", ORANGE),
    "degradation": ("degradation", RED),
}
CONTRACT: Final = 'contract=~"$contract"'
CODES: Final = {verdict: code for code, verdict in enumerate(VERDICTS, start=1)}
THEIRS: Final = "contract_mismatch|degradation|auth_or_account|quota_or_billing"

VERDICT_WORDS: Final = {str(CODES[verdict]): words for verdict, words in VERDICTS.items()}
YES_NO: Final = {"1": ("yes", GREEN), "0": ("NO", RED)}
UP_DOWN: Final = {"1": ("up", GREEN), "0": ("DOWN", RED)}


def of(metric: str, more: str = "", *, target: str = "$target") -> str:
    """The series of the chosen targets. A name has letters, digits, `.`, `-`, `_`: as a pattern it finds itself."""
    return f'{metric}{{instance=~"$prober",target=~"{target}"{more and "," + more}}}'


def own(metric: str, more: str = "") -> str:
    """The series that belong to a prober and to no target."""
    return f'{metric}{{instance=~"$prober"{more and "," + more}}}'


def worst_verdict(window: str = "$__rate_interval", *, target: str = "$target") -> str:
    """Per target the code of the most urgent verdict within the window; absent when no tick fell into it."""
    counters = {
        verdict: of("freezeframe_probes_total", f'verdict="{verdict}"', target=target)
        for verdict in VERDICTS
        if verdict != "budget_stop"
    } | {"budget_stop": of("freezeframe_budget_stops_total", target=target)}
    seen = [f"{code} * (increase({counters[verdict]}[{window}]) > bool 0)" for verdict, code in CODES.items()]
    return f"max by (target) ({' or '.join(seen)}) > 0"


def verdict_now() -> str:
    """A good last probe says ok at once; otherwise the most urgent verdict of the last two cadences."""
    good = f"min by (target) ({of('probe_success')}) == 1"
    return f"({good}) or ({worst_verdict('${window}s')})"


def counted(series: str, by: str = "") -> str:
    """How often something was counted in each step, exactly: the steps do not overlap, nothing is extrapolated."""
    added = f"clamp_min({series} - {series} offset $__interval, 0)"
    return f"sum by ({by}) ({added})" if by else f"sum({added})"


def quantile(share: str, metric: str, more: str = "") -> str:
    buckets = of(f"{metric}_bucket", more)
    return f"histogram_quantile({share}, sum by (le) (rate({buckets}[$__rate_interval])))"


def own_quantile(share: str, metric: str) -> str:
    return f"histogram_quantile({share}, sum by (le, instance) (rate({own(metric + '_bucket')}[$__rate_interval])))"


def failed_share(window: str) -> str:
    """The share of failing probes per target. Our own faults, missed ticks and budget stops are no probes of theirs."""
    failed = of("freezeframe_probes_total", f'verdict=~"{THEIRS}"')
    judged = of("freezeframe_probes_total", f'verdict=~"ok|{THEIRS}"')
    return f"sum by (target) (increase({failed}[{window}])) / (sum by (target) (increase({judged}[{window}])) > 0)"


def packets(*, link: bool = False) -> str:
    """When the latest packet of each target was frozen (Unix time), with its ID; with its address, where asked."""
    info = of("freezeframe_packet_info")
    if link:
        info = f'label_replace({info}, "url", "$freezeframe_url/packets/$1", "packet", "(.+)")'
    known = "verdict, packet, url" if link else "verdict, packet"
    at = of("freezeframe_packet_timestamp_seconds")
    return f"max by (target, {known}) ({at} * on (instance, target) group_left ({known}) {info})"


def packets_in_range() -> str:
    """The same for every packet that was the latest one at some time of the chosen range."""
    return f"max by (target, verdict, packet) (last_over_time(({packets()})[$__range:$__interval]))"


def last_good() -> str:
    """When a target was last seen well, within the chosen range."""
    return f"max by (target) (max_over_time((timestamp({of('probe_success')} == 1))[$__range:$__interval]))"


def open_since() -> str:
    """When the open incident of a target began: when none was open for the last time, or the begin of the range."""
    active = f"max by (target) ({of('freezeframe_incident_active')})"
    quiet = f"max_over_time(timestamp({active} == 0)[$__range:$__interval])"
    begin = f"0 * {active} + (time() - $__range_s)"
    return f"({quiet} or on (target) {begin}) and on (target) ({active} == 1)"


def lost_probers() -> str:
    """How many probers were scraped within the range and are not now."""
    scraped = own("freezeframe_build_info")
    gone = f"count by (instance) (last_over_time({scraped}[$__range])) unless on (instance) {scraped}"
    return f"count({gone}) or 0 * count({scraped})"


def headroom() -> str:
    """What is left of each quota that a chosen target draws on, as a share of its limit."""
    left, limit = own("freezeframe_quota_remaining"), own("freezeframe_quota_limit")
    ours = of("freezeframe_target_info")
    share = f"min by (credential, model, kind) ({left} / ({limit} > 0))"
    return f"{share} and on (credential, model) {ours}"
