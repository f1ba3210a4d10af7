"""The objective: what is left of the error budget, how fast it burns, and which failures burn it."""

from typing import Final

from dashboards import looks, promql
from dashboards.looks import GREEN, ORANGE, RED, YELLOW
from dashboards.model import WIDE_STEP, Panel, Query, Section
from dashboards.promql import THEIRS, of

BUDGET_COLOURS: Final = looks.steps((None, RED), (0.1, YELLOW), (0.5, GREEN))
_FAILED = of("freezeframe_probes_total", f'verdict=~"{THEIRS}"')

OBJECTIVE: Final = Section(
    "Objective",
    (
        Panel(
            "bargauge",
            "Error budget left",
            "What is left of the failures that the objective allows in the objective's window; below zero it is "
            "overdrawn. probe_fault, missed ticks and budget stops are not counted. Under 10 %: freeze risky changes, "
            "and take the packets to the provider.",
            (
                Query(
                    f"1 - ({promql.failed_share('$objective_window')}) / (1 - $objective)", "{{target}}", instant=True
                ),
            ),
            "percentunit",
            8,
            empty="No judged probe in the objective's window",
            defaults={**BUDGET_COLOURS, "min": 0, "max": 1},
            options=looks.bar_options(),
        ),
        Panel(
            "timeseries",
            "Burn rate (1 h)",
            "How many times faster than allowed the error budget is spent, over the last hour. 1 spends it exactly by "
            "the end of the window; 14.4 spends 2 % of a month in an hour.",
            (Query(f"({promql.failed_share('1h')}) / (1 - $objective)", "{{target}}"),),
            "none",
            8,
            empty="No judged probe in this range",
            defaults=looks.lines(thresholdsStyle={"mode": "dashed"})
            | looks.steps((None, GREEN), (1, ORANGE), (14.4, RED))
            | {"color": {"mode": "palette-classic"}, "min": 0},
            options=looks.series_options(),
        ),
        Panel(
            "timeseries",
            "Failures by verdict",
            "Failing ticks, counted in each bar. A diamond is a probe that names its packet: it leads there once the "
            "data source has a link for the exemplar label `packet`.",
            (Query(f"{promql.counted(_FAILED, 'verdict')} > 0", "{{verdict}}", exemplars=True, min_step=WIDE_STEP),),
            "none",
            8,
            empty="No failure in this range",
            defaults=looks.bars() | {"min": 0, "decimals": 0},
            overrides=tuple(looks.coloured(verdict, promql.VERDICTS[verdict][1]) for verdict in THEIRS.split("|")),
            options=looks.series_options(),
        ),
    ),
)
