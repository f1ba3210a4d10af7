"""Panels that both dashboards have."""

from typing import Final

from dashboards import looks, promql
from dashboards.model import WIDE_STEP, Panel, Query
from dashboards.promql import own, own_quantile

CONTROLS: Final = Panel(
    "state-timeline",
    "Controls",
    "Unpaid addresses that tell us from them. All down at once: our own network. Only the provider's: theirs.",
    (Query(f"min by (control) ({own('freezeframe_control_success')})", "{{control}}"),),
    "none",
    8,
    empty="No control is configured",
    defaults=looks.timeline(**looks.words(promql.UP_DOWN)),
    options=looks.timeline_options(),
)

OWN_DELAY: Final = Panel(
    "timeseries",
    "Our own delay (99 %)",
    "How late our probes start, and how late our event loop is. What is added here looks like the provider's "
    "latency: above 100 ms do not blame anybody for a small slowness.",
    (
        Query(
            own_quantile("0.99", "freezeframe_schedule_lateness_seconds"),
            "start {{instance}}",
            min_step=WIDE_STEP,
        ),
        Query(own_quantile("0.99", "freezeframe_event_loop_lag_seconds"), "loop {{instance}}", min_step=WIDE_STEP),
    ),
    "s",
    8,
    empty="Not measured in this range",
    defaults=looks.lines() | {"min": 0},
    options=looks.series_options(),
)
