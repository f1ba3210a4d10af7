"""What is about to run out: the provider's quota, and the prober's own budget."""

from typing import Final

from dashboards import looks, promql
from dashboards.model import WIDE_STEP, Panel, Query, Section
from dashboards.promql import of, own
from dashboards.sections.objective import BUDGET_COLOURS

LIMITS: Final = Section(
    "Quota and budget",
    (
        Panel(
            "timeseries",
            "Quota head-room",
            "What the provider's own headers say is left of each limit, for the keys of the chosen targets. It "
            "predicts 429 before it happens: below 10 % slow down or ask for more.",
            (Query(promql.headroom(), "{{credential}} {{model}} {{kind}}"),),
            "percentunit",
            12,
            empty="The provider states no limits in its headers",
            defaults=looks.lines() | {"min": 0, "max": 1},
            options=looks.series_options("asc"),
        ),
        Panel(
            "bargauge",
            "Left of the day's budget",
            "What the prober itself may still spend until 00:00 UTC. At 0 it stops probing, which is neither up nor "
            "down. The last tenth is kept for scheduled probes.",
            (
                Query(
                    f"{own('freezeframe_budget_remaining')} / ({own('freezeframe_budget_limit')} > 0)",
                    "{{instance}} {{kind}}",
                    instant=True,
                ),
            ),
            "percentunit",
            6,
            empty="No budget is known yet",
            defaults={**BUDGET_COLOURS, "min": 0, "max": 1},
            options=looks.bar_options(),
        ),
        Panel(
            "timeseries",
            "Paid requests per hour",
            "Requests on the wire, by why they were sent; each is billed. Confirmations and siblings are sent only "
            "when a threshold trips.",
            (
                Query(
                    f"3600 * sum by (kind) (rate({of('freezeframe_requests_total')}[$__rate_interval]))",
                    "{{kind}}",
                    min_step=WIDE_STEP,
                ),
            ),
            "none",
            6,
            empty="No request in this range",
            defaults=looks.lines() | {"min": 0},
            options=looks.series_options(),
        ),
    ),
)
