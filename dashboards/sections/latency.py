"""Latency: quantiles of good and failing probes apart, the first token, and heatmaps."""

from typing import Final

from dashboards import looks, promql
from dashboards.model import WIDE_STEP, Panel, Query, Section
from dashboards.promql import of


def _latency(title: str, outcome: str, description: str) -> Panel:
    metric, more = "freezeframe_probe_latency_seconds", f'outcome="{outcome}"'
    return Panel(
        "timeseries",
        title,
        description,
        tuple(
            Query(promql.quantile(share, metric, more), name, exemplars=share == "0.95", min_step=WIDE_STEP)
            for share, name in (("0.5", "median"), ("0.95", "95 %"), ("0.99", "99 %"))
        ),
        "s",
        8,
        empty=f"No {outcome} in this range",
        defaults=looks.lines() | {"min": 0},
        options=looks.series_options(),
    )


def _heatmap(title: str, outcome: str, description: str) -> Panel:
    buckets = of("freezeframe_probe_latency_seconds_bucket", f'outcome="{outcome}"')
    query = Query(promql.counted(buckets, "le"), "{{le}}", format="heatmap", exemplars=True, min_step=WIDE_STEP)
    return Panel(
        "heatmap",
        title,
        description,
        (query,),
        "none",
        12,
        empty=f"No {outcome} in this range",
        options={
            "calculate": False,
            "cellGap": 1,
            "yAxis": {"axisPlacement": "left", "unit": "s", "reverse": False},
            "rowsFrame": {"layout": "auto"},
            "color": {
                "mode": "scheme",
                "scheme": "Oranges" if outcome == "success" else "Reds",
                "steps": 64,
                "exponent": 0.5,
                "fill": "dark-orange",
                "reverse": False,
            },
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "tooltip": {"mode": "single", "yHistogram": False},
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "showValue": "never",
        },
    )


LATENCY: Final = Section(
    "Latency",
    (
        _latency(
            "Latency of good probes",
            "success",
            "Duration of probes that held the contract, estimated within the histogram's buckets: below 100 ms it is "
            "no measurement. Rising while nothing fails is the first sign of degradation; compare with our own delay "
            "in the last section before you blame the provider.",
        ),
        _latency(
            "Latency of failing probes",
            "failure",
            "How long a failure takes. Flat at the timeout: it hangs. Near zero: it is refused at the door (key, "
            "quota, gateway).",
        ),
        Panel(
            "timeseries",
            "Time to first token",
            "Streams only: from the start of the probe to its first content. Rising alone, with a steady total, points "
            "to queueing before the model.",
            tuple(
                Query(promql.quantile(share, "freezeframe_time_to_first_token_seconds"), name, min_step=WIDE_STEP)
                for share, name in (("0.5", "median"), ("0.95", "95 %"))
            ),
            "s",
            8,
            empty="No chosen target streams",
            defaults=looks.lines() | {"min": 0},
            options=looks.series_options(),
        ),
        _heatmap(
            "Good probes by latency",
            "success",
            "How many good probes fell into each bucket. Two bands mean two paths: a cache, a second upstream.",
        ),
        _heatmap(
            "Failing probes by latency",
            "failure",
            "How many failing probes fell into each bucket: refused at once at the bottom, timeouts at the top.",
        ),
    ),
)
