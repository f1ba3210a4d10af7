"""What fails, and where in the exchange: reasons, phases, latency, the window, the status."""

from typing import Final

from dashboards import looks, promql
from dashboards.looks import BLUE, GREEN, GREY, ORANGE, RED
from dashboards.model import WIDE_STEP, Panel, Query, Section
from dashboards.promql import of

PHASES: Final = {
    "resolve": "#8AB8FF",
    "connect": "#5794F2",
    "tls": "#B877D9",
    "processing": "#FF9830",
    "transfer": "#73BF69",
}

_FAILING = (*promql.THEIRS.split("|"), "probe_fault")
_BY_REASON = promql.counted(of("freezeframe_failures_total"), "verdict, reason")


def _phase(name: str) -> str:
    """One query for each phase: so they are stacked in the order in which they happen."""
    which = f'phase="{name}"'
    return f"max({of('probe_http_duration_seconds', which)})"


def _quantile(outcome: str) -> str:
    return promql.quantile("0.95", "freezeframe_probe_latency_seconds", f'outcome="{outcome}"')


WHAT: Final = Section(
    "What fails, and where in the exchange",
    (
        Panel(
            "timeseries",
            "Failures by reason",
            "Failing ticks by verdict and reason; the reason is the first thing to tell the provider. Our own faults "
            "are among them and say so.",
            (
                Query(
                    f"{_BY_REASON} > 0",
                    "{{verdict}} / {{reason}}",
                    min_step=WIDE_STEP,
                ),
            ),
            "none",
            12,
            8,
            empty="No failure in this range",
            defaults=looks.bars() | {"min": 0, "decimals": 0},
            overrides=tuple(looks.shaded(verdict, promql.VERDICTS[verdict][1]) for verdict in _FAILING),
            options=looks.series_options(),
        ),
        Panel(
            "timeseries",
            "Where the time goes",
            "The last probe by phase, stacked: resolve, connect and tls are the way there, processing is the provider "
            "thinking, transfer the answer. A phase that did not happen is absent: without processing no request "
            "arrived anywhere.",
            tuple(Query(_phase(phase), phase) for phase in PHASES),
            "s",
            12,
            8,
            empty="No exchange in this range",
            defaults=looks.lines(fillOpacity=70, lineWidth=0, stacking={"mode": "normal", "group": "A"}) | {"min": 0},
            overrides=tuple(looks.coloured(phase, colour) for phase, colour in PHASES.items()),
            options=looks.series_options("none"),
        ),
        Panel(
            "timeseries",
            "Latency, with probes",
            "Good and failing probes apart (95 %, estimated within the histogram's buckets), and the last probe as it "
            "was measured. A diamond is one probe: its ID is in the log and in the packet. The packet's ID leads to "
            "the evidence once the data source has a link for the exemplar label `packet`.",
            (
                Query(_quantile("success"), "success", exemplars=True, min_step=WIDE_STEP),
                Query(_quantile("failure"), "failure", exemplars=True, min_step=WIDE_STEP),
                Query(f"max({of('probe_duration_seconds')})", "last probe"),
            ),
            "s",
            12,
            empty="No probe in this range",
            defaults=looks.lines() | {"min": 0},
            overrides=(
                looks.coloured("success", GREEN),
                looks.coloured("failure", RED),
                looks.coloured("last probe", GREY),
            ),
            options=looks.series_options(),
        ),
        Panel(
            "timeseries",
            "Time to first token",
            "Streams only, 95 %. With a steady total it points to queueing before the model.",
            (
                Query(
                    promql.quantile("0.95", "freezeframe_time_to_first_token_seconds"),
                    "first token",
                    min_step=WIDE_STEP,
                ),
            ),
            "s",
            6,
            empty="This target does not stream",
            defaults=looks.lines() | {"min": 0},
            options=looks.series_options(),
        ),
        Panel(
            "timeseries",
            "Window and trips",
            "Failing entries in the window, and the threshold's trips. A trip without a new packet went on in an "
            "earlier one (reopened) or was ours (vetoed).",
            (
                Query(f"max({of('freezeframe_window_failures')})", "failing in window"),
                Query(promql.counted(of("freezeframe_trips_total")), "tripped"),
                Query(promql.counted(of("freezeframe_reopens_total")), "reopened"),
                Query(promql.counted(of("freezeframe_vetoes_total")), "vetoed"),
            ),
            "none",
            6,
            empty="No probe in this range",
            defaults=looks.lines() | {"min": 0, "decimals": 0},
            overrides=(
                looks.coloured("failing in window", GREY),
                looks.coloured("tripped", RED),
                looks.coloured("reopened", ORANGE),
                looks.coloured("vetoed", BLUE),
            ),
            options=looks.series_options(),
        ),
        Panel(
            "state-timeline",
            "HTTP status",
            "Status of each probe; a gap where no answer arrived. Gateways give a wrong status at times: the verdict "
            "also rests on the error's words.",
            (Query(f"max by (target) ({of('probe_http_status_code')})", "status"),),
            "none",
            24,
            4,
            empty="No answer in this range",
            defaults=looks.timeline(**looks.steps((None, GREEN), (300, "#FADE2A"), (400, ORANGE), (500, RED))),
            options=looks.timeline_options(),
        ),
    ),
)
