"""Errors: pages and codes of edges, firewalls and balancers in front of the API."""

from typing import Final

from probe.rules.rule import DEGRADATION, MISMATCH, OURS, QUOTA, Place, Rule

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
