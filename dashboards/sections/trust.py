"""Whether the prober itself can be believed: its delays, its store, its sources, its controls."""

from typing import Final

from dashboards import looks, promql
from dashboards.looks import GREEN, GREY, ORANGE, RED, YELLOW
from dashboards.model import WIDE_STEP, Panel, Query, Section
from dashboards.promql import CONTRACT, of, own
from dashboards.sections.both import CONTROLS, OWN_DELAY

_OURS = of("freezeframe_probes_total", 'verdict=~"missed|probe_fault"')
_CHANGES: Final = {"0": ("no", GREEN), "1": ("CHANGED", RED), "-1": ("not watched", GREY)}
_READ = f"max by (contract, area) ({own('freezeframe_contract_accessed_timestamp_seconds', CONTRACT)})"
_CHANGED = f"max by (contract, area) ({own('freezeframe_contract_source_changed', CONTRACT)})"

TRUST: Final = Section(
    "Can this prober be trusted?",
    (
        looks.figure(
            "Redaction canary",
            f"min({own('freezeframe_redaction_canary_ok')})",
            "Whether a planted secret was removed at start. NO: send no packet to anybody, and read the log.",
            looks.words({"1": ("holds", GREEN), "0": ("FAILED", RED)}),
        ),
        looks.figure(
            "Last reload",
            f"min({own('freezeframe_config_last_reload_successful')})",
            "Whether the last configuration was taken over. NO: the old one goes on; `freezeframe config check` says "
            "what is wrong.",
            looks.words({"1": ("taken over", GREEN), "0": ("REFUSED", RED)}),
        ),
        looks.figure(
            "Store errors",
            f"round(sum(increase({own('freezeframe_store_errors_total')}[$__range])))",
            "Packets, addenda or history that could not be stored or read in this range. Probing goes on; the log "
            "names the operation.",
            looks.BAD_IF_ANY,
        ),
        looks.figure(
            "Waiting for the store",
            f"sum({own('freezeframe_spooled_packets')})",
            "Packets and addenda that wait on the prober's disk because the store refuses them. They are not lost.",
            looks.steps((None, GREEN), (1, ORANGE)),
        ),
        looks.figure(
            "Oldest source",
            f"max((time() - {own('freezeframe_contract_accessed_timestamp_seconds', CONTRACT)}) / 86400)",
            "Days since the oldest documented value of the chosen contracts was read. Old: read the provider's pages "
            "again and state the new access time.",
            looks.steps((None, GREEN), (90, YELLOW), (180, ORANGE)) | {"unit": "d", "decimals": 0},
        ),
        looks.figure(
            "Configuration loaded",
            f"min({own('freezeframe_config_last_reload_success_timestamp_seconds')}) * 1000",
            "When the configuration in use was loaded: at the start, or at the last reload.",
            looks.steps((None, "text")) | {"unit": "dateTimeFromNow"},
        ),
        OWN_DELAY,
        Panel(
            "timeseries",
            "Ticks that say nothing about the provider",
            "Missed ticks, faults of our own, ticks that the budget stopped, and trips that turned out to be ours. "
            "While these are many, the figures above rest on fewer probes.",
            (
                Query(promql.counted(_OURS, "verdict"), "{{verdict}}", min_step=WIDE_STEP),
                Query(promql.counted(of("freezeframe_budget_stops_total")), "budget stop", min_step=WIDE_STEP),
                Query(promql.counted(of("freezeframe_vetoes_total")), "trip vetoed", min_step=WIDE_STEP),
            ),
            "none",
            8,
            empty="No tick in this range",
            defaults=looks.bars() | {"min": 0, "decimals": 0},
            options=looks.series_options(),
        ),
        CONTROLS,
        Panel(
            "table",
            "Sources of the contract",
            "Every documented area that probes rely on: when it was read, and whether its page changed since. Changed: "
            "`freezeframe contract diff`, then read it again.",
            (
                Query(f"{_READ} * 1000", instant=True, format="table"),
                Query(f"{_CHANGED} or 0 * {_READ} - 1", instant=True, format="table"),
            ),
            "none",
            10,
            empty="No contract is loaded",
            options=looks.table_options("Read", descending=False),
            transformations=looks.columns(
                ("contract", "Contract"), ("area", "Area"), ("Value #A", "Read"), ("Value #B", "Changed since")
            ),
            overrides=(
                looks.by_name("Read", unit="dateTimeFromNow"),
                looks.by_name(
                    "Changed since",
                    mappings=looks.words(_CHANGES)["mappings"],
                    custom_cellOptions={"type": "color-text"},
                ),
            ),
        ),
        Panel(
            "table",
            "Models in the provider's list",
            "Whether the provider's public model list still names each configured model. NO: it may be retired; a "
            "packet of such a target says so too.",
            (
                Query(
                    f"min by (contract, model) ({own('freezeframe_model_listed', CONTRACT)})",
                    instant=True,
                    format="table",
                ),
            ),
            "none",
            7,
            empty="No model list is watched",
            options=looks.table_options("Listed", descending=False),
            transformations=looks.columns(("contract", "Contract"), ("model", "Model"), ("Value", "Listed")),
            overrides=(
                looks.by_name(
                    "Listed",
                    mappings=looks.words(promql.YES_NO)["mappings"],
                    custom_cellOptions={"type": "color-text"},
                ),
            ),
        ),
        Panel(
            "bargauge",
            "Days to the certificate's end",
            "The earliest end in the certificate chain that each target presented. Under 14 days: tell the provider; "
            "on the last day every probe fails.",
            (
                Query(
                    f"(min by (target) ({of('probe_ssl_earliest_cert_expiry')}) - time()) / 86400",
                    "{{target}}",
                    instant=True,
                ),
            ),
            "d",
            7,
            empty="No target is reached over TLS",
            defaults=looks.steps((None, RED), (7, ORANGE), (14, GREEN)) | {"min": 0, "max": 90, "decimals": 0},
            options=looks.bar_options(),
        ),
    ),
)
