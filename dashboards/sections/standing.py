"""The first section of the overview: is it up, for whom, since when, which verdict."""

from typing import Final

from dashboards import looks, promql
from dashboards.looks import GREEN, GREY, ORANGE, RED
from dashboards.model import Panel, Query, Section
from dashboards.promql import VERDICT_WORDS, of
from dashboards.shared import packet_column, to_incident, verdict_column

_PROBED = of("freezeframe_target_info")
_UNKNOWN = f"{_PROBED} unless on (instance, target) {of('probe_success')}"
_SUCCESS = f"min by (target) ({of('probe_success')})"
_OPEN = f"max by (target, verdict) ({of('freezeframe_incident_active')})"

UP: Final = Section(
    "Is it up, for whom, since when?",
    (
        looks.figure(
            "Targets up",
            f"sum({_SUCCESS}) / count(count by (target) ({_PROBED}))",
            "Share of the chosen targets whose last probe held the documented contract. Not 100 %: the table below "
            "says which target, and why.",
            looks.steps((None, RED), (0.5, ORANGE), (1, GREEN)) | {"unit": "percentunit"},
            width=3,
        ),
        looks.figure(
            "Failing now",
            f"count({_SUCCESS} == 0) or 0 * count({_PROBED})",
            "Targets whose last probe failed on the provider's side. One may be a passing fault; an incident opens "
            "when the threshold is met.",
            looks.BAD_IF_ANY,
            width=3,
        ),
        looks.figure(
            "Without a result",
            f"count(count by (target) ({_UNKNOWN})) or 0 * count({_PROBED})",
            "Targets of which nothing is known now: our own fault, a spent budget, or no probe for two cadences. It is "
            "neither up nor down. Look at the last section.",
            looks.steps((None, GREEN), (1, GREY)),
            width=3,
        ),
        looks.figure(
            "Probers lost",
            promql.lost_probers(),
            "Probers that were scraped in this range and are not now: what they watched is missing from every figure "
            "here. Look at the process before you believe that all is well.",
            looks.BAD_IF_ANY,
            width=3,
        ),
        looks.figure(
            "Incidents open",
            f"sum({_OPEN})",
            "Incidents of the chosen targets, one for each verdict that met the threshold. Open the incident view.",
            looks.BAD_IF_ANY,
            width=3,
        ),
        looks.figure(
            "Packets frozen",
            f"round(sum(increase({of('freezeframe_packets_total')}[$__range])))",
            "Evidence packets frozen in the chosen time range. Zero is a quiet day. The incident view lists them.",
            looks.steps((None, "text")),
            width=3,
        ),
        looks.figure(
            "Open incidents by verdict",
            f"sum by (verdict) ({_OPEN}) > 0",
            "What the open incidents are called. degradation and possible contract mismatch are for the provider, auth "
            "or account for the key's owner, quota or billing for whoever pays.",
            looks.BAD_IF_ANY,
            empty="none open",
            text="value_and_name",
            width=6,
        ),
        Panel(
            "table",
            "Targets",
            "One row for each target: verdict now, its last good probe, since when an incident is open, and the packet "
            "to send to the provider. Sorted by urgency. A click on the target opens its incident view, a click on the "
            "packet the evidence. The verdict is ok as soon as the last probe is good, else the most urgent one of the "
            "last two cadences; empty means that nothing is known of now.",
            (
                Query(promql.verdict_now(), instant=True, format="table"),
                Query(f"({promql.open_since()}) * 1000", instant=True, format="table"),
                Query(f"{promql.last_good()} * 1000", instant=True, format="table"),
                Query(
                    f"max by (target) ({of('freezeframe_last_probe_timestamp_seconds')}) * 1000",
                    instant=True,
                    format="table",
                ),
                Query(f"max by (target) ({of('freezeframe_window_failures')})", instant=True, format="table"),
                Query(
                    f"max by (target, contract, model, stream, credential) ({_PROBED})", instant=True, format="table"
                ),
                Query(f"max by (target, packet) ({of('freezeframe_packet_info')})", instant=True, format="table"),
            ),
            "none",
            24,
            8,
            empty="No target is known: is freezeframe scraped?",
            options=looks.table_options("Verdict"),
            transformations=looks.columns(
                ("target", "Target"),
                ("Value #A", "Verdict"),
                ("Value #B", "Incident open since"),
                ("Value #C", "Last good probe"),
                ("Value #D", "Last probe"),
                ("Value #E", "Failing in window"),
                ("packet", "Latest packet"),
                ("contract", "Contract"),
                ("model", "Model"),
                ("stream", "Streams"),
                ("credential", "Credential"),
            ),
            overrides=(
                looks.by_name("Target", links=[to_incident("${__value.raw}")]),
                verdict_column("Verdict"),
                looks.by_name("Incident open since", unit="dateTimeFromNow", noValue="-"),
                looks.by_name("Last good probe", unit="dateTimeFromNow", noValue="not in this range"),
                looks.by_name("Last probe", unit="dateTimeFromNow", noValue="-"),
                looks.by_name("Failing in window", unit="none", custom_width=130),
                packet_column("Latest packet"),
                looks.by_name("Latest packet", noValue="no packet yet"),
            ),
        ),
        Panel(
            "state-timeline",
            "Verdict over time",
            "The most urgent verdict of each target within two cadences, so a single failure is never skipped and a "
            "recovery shows one cadence late. A gap means no tick at all: the prober was down or not scraped. Many "
            "targets turning at once points to the gateway or to us; one alone to its model, key or account.",
            (Query(promql.worst_verdict(), "{{target}}"),),
            "none",
            24,
            8,
            empty="No probe in this range",
            defaults=looks.timeline(**looks.words(VERDICT_WORDS), links=[to_incident("${__field.labels.target}")]),
            options=looks.timeline_options(),
        ),
    ),
)
