"""6. Pages and codes of what stands in front of the API: the request never reached it."""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, MISMATCH, OURS, QUOTA, Place, Rule

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
        r"error code: 10\d\d\b",
        hits=("403 text cloudflare\nerror code: 1020",),
        misses=("530 text cloudflare\nerror code: 1033", "524 text cloudflare\nerror code: 524"),
        runner_up=OURS,
        after=r"\A4\d\d ",
    ),
    Rule(
        *("page of a filter or proxy before us", OURS, "proxy_error", Place.SHEET),
        (
            r"\A511 |\A\d{3} (html|text|xml) (squid|zscaler|bluecoat)",
            r"(?s:\A\d{3} (html|xml).*(fortiguard|web filter|internet usage policy|zscaler|cache administrator))",
        ),
        hits=("511 html", "403 html\nWeb Filter Violation: FortiGuard Intrusion Prevention - Access Blocked"),
        misses=("503 html nginx\n503 Service Temporarily Unavailable", "400 json\nthe web filter of this tool"),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("page that refuses a country", AUTH, "region_blocked", Place.PAGE),
        r"(access|request).{0,20}from your (country|region)|(not available|unavailable) in your (country|region)",
        hits=("The distribution is configured to block access from your country.",),
        misses=("Choose your country",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("challenge or block page", DEGRADATION, "waf_block", Place.SHEET),
        (
            r"just a moment|attention required|checking (if the site|your browser)|cf-chl|challenge-platform",
            r"captcha|verify (that )?you are (a )?human|human verification|cookies to continue",
            r"security check|you have been blocked|potential threats|ddos|安全威胁|访问被(阻断|拦截)",
            r"request (was |has been )?(blocked|unsuccessful)|request could not be satisfied.*block",
            r"web application firewall|\bwaf\b|administrative rules|incapsula|edgesuite|reference #\d",
        ),
        hits=(
            "503 html cloudflare\nJust a moment...\nChecking if the site connection is secure",
            "403 html\nPlease complete the captcha",
            "403 html cloudflare\nSorry, you have been blocked",
            "403 html\nThe request was blocked.",
            "403 html haproxy\n403 Forbidden Request forbidden by administrative rules.",
        ),
        misses=("503 html nginx\n503 Service Temporarily Unavailable", "403 json\ncontent blocked by captcha policy"),
        runner_up=OURS,
        after=r"\A(403|405|406|429|503) (html|text|xml)",
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
        (
            r"\A503 html awselb",
            r"No server is available to handle|no live upstreams",
            r"(?s:\A503 html.*no healthy (upstream|backend))",
        ),
        hits=(
            "503 html awselb/2.0\n503 Service Temporarily Unavailable",
            "503 html\nNo server is available to handle this request.",
            "503 html envoy\nno healthy upstream",
        ),
        misses=("503 html nginx\n503 Service Temporarily Unavailable", "502 html awselb/2.0\n502 Bad Gateway"),
    ),
)
