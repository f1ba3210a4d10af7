"""Is it us or them: controls, our own delay, the quota of the key, what we sent."""

from typing import Final

from dashboards import looks, promql
from dashboards.model import WIDE_STEP, Panel, Query, Section
from dashboards.promql import of
from dashboards.sections.both import CONTROLS, OWN_DELAY

_TICKS = of("freezeframe_probes_total")

US_OR_THEM: Final = Section(
    "Is it us or them?",
    (
        CONTROLS,
        OWN_DELAY,
        Panel(
            "timeseries",
            "Quota head-room of its key",
            "What the provider's headers say is left for this key and model; absent while its answers do not say. At "
            "0 the failures are yours to raise with whoever owns the limit.",
            (Query(promql.headroom(), "{{credential}} {{model}} {{kind}}"),),
            "percentunit",
            8,
            empty="The provider states no limits in its headers",
            defaults=looks.lines() | {"min": 0, "max": 1},
            options=looks.series_options("asc"),
        ),
        Panel(
            "timeseries",
            "What we sent",
            "Requests on the wire by why they were sent: after a trip, confirmations and siblings. All of them are in "
            "the packet.",
            (Query(promql.counted(of("freezeframe_requests_total"), "kind"), "{{kind}}", min_step=WIDE_STEP),),
            "none",
            12,
            empty="No request in this range",
            defaults=looks.bars() | {"min": 0, "decimals": 0},
            options=looks.series_options(),
        ),
        Panel(
            "timeseries",
            "Ticks by verdict",
            "All ticks, the good and the missed too. Fewer than the cadence says: the budget, or the prober was down.",
            (
                Query(f"{promql.counted(_TICKS, 'verdict')} > 0", "{{verdict}}", exemplars=True, min_step=WIDE_STEP),
                Query(promql.counted(of("freezeframe_budget_stops_total")), "budget_stop", min_step=WIDE_STEP),
            ),
            "none",
            12,
            empty="No tick in this range",
            defaults=looks.bars() | {"min": 0, "decimals": 0},
            overrides=tuple(looks.coloured(verdict, colour) for verdict, (_, colour) in promql.VERDICTS.items()),
            options=looks.series_options(),
        ),
    ),
)
