"""The first section of the incident view: one target now, beside all others, and its packets."""

from typing import Final

from dashboards import looks, promql
from dashboards.looks import GREEN, ORANGE, RED
from dashboards.model import Panel, Query, Section
from dashboards.promql import CONTRACT, VERDICT_WORDS, of, own
from dashboards.shared import packet_column, to_incident

_OPEN = f"max by (verdict) ({of('freezeframe_incident_active')}) == 1"
_SAME_CONTRACT = f"max by (target) ({own('freezeframe_target_info', CONTRACT)})"


NOW: Final = Section(
    "$target now",
    (
        looks.figure(
            "Verdict",
            promql.verdict_now(),
            "ok as soon as the last probe is good, else the most urgent verdict of the last two cadences. Nothing "
            "known: our own fault, a spent budget, or no probe for two cadences.",
            looks.words(VERDICT_WORDS),
            empty="nothing known of now",
            width=5,
        ),
        looks.figure(
            "Open incident",
            _OPEN,
            "The verdicts for which an incident is open. Each has a packet, listed below.",
            looks.BAD_IF_ANY,
            empty="none open",
            text="name",
        ),
        looks.figure(
            "Open since",
            f"({promql.open_since()}) * 1000",
            "When the open incident began, as far as the chosen range tells: the first failures are a few probes "
            "earlier. Say this time to the provider.",
            looks.steps((None, "text")) | {"unit": "dateTimeFromNow"},
            empty="none open",
            width=3,
        ),
        looks.figure(
            "Last good probe",
            f"{promql.last_good()} * 1000",
            "When the documented contract last held, within the chosen range. This is how long it has been broken.",
            looks.steps((None, "text")) | {"unit": "dateTimeFromNow"},
            empty="not in this range",
            width=3,
        ),
        looks.figure(
            "Failing in the window",
            f"max({of('freezeframe_window_failures')})",
            "Failing entries among the last probes; freezeframe trips when they reach `freeze.failures`.",
            looks.BAD_IF_ANY,
            width=3,
        ),
        looks.figure(
            "Last HTTP status",
            f"max({of('probe_http_status_code')})",
            "Status of the last probe. None: no answer arrived, so look at the phases.",
            looks.steps((None, GREEN), (300, ORANGE), (400, ORANGE), (500, RED)),
            empty="no answer",
            width=3,
        ),
        looks.figure(
            "Last probe",
            f"max({of('freezeframe_last_probe_timestamp_seconds')}) * 1000",
            "When the last probe ended. Older than two cadences: the prober or the budget, not the provider.",
            looks.steps((None, "text")) | {"unit": "dateTimeFromNow"},
            empty="not known",
            width=3,
        ),
        Panel(
            "state-timeline",
            "Is it only this target?",
            "The most urgent verdict within two cadences of every target of the chosen contracts. All turn at once: "
            "the gateway, or us (see the controls). One model or one key: theirs to fix for that model or key.",
            (
                Query(
                    f"({promql.worst_verdict(target='.+')}) and on (target) {_SAME_CONTRACT}",
                    "{{target}}",
                ),
            ),
            "none",
            24,
            8,
            empty="No probe in this range",
            defaults=looks.timeline(**looks.words(VERDICT_WORDS), links=[to_incident("${__field.labels.target}")]),
            options=looks.timeline_options(),
        ),
        Panel(
            "table",
            "Evidence packets",
            "Packets of this target that were frozen or still the latest in the chosen range, the newest first. A "
            "click opens the packet: the message to send is on top. A packet that another one replaced within a step "
            "of the graph is missing here and listed by freezeframe itself.",
            (Query(f"{promql.packets_in_range()} * 1000", instant=True, format="table"),),
            "none",
            24,
            5,
            empty="No packet yet: no failure of this target met the threshold",
            options=looks.table_options("Frozen"),
            transformations=looks.columns(
                ("Value", "Frozen"), ("target", "Target"), ("verdict", "Verdict"), ("packet", "Packet")
            ),
            overrides=(
                looks.by_name("Frozen", unit="dateTimeAsIso", custom_width=180),
                looks.by_name(
                    "Target",
                    custom_width=180,
                    links=[
                        looks.link(
                            "All its packets, in freezeframe", "${freezeframe_url}/packets?target=${__value.raw}"
                        )
                    ],
                ),
                looks.by_name("Verdict", custom_width=230),
                packet_column("Packet"),
            ),
        ),
    ),
)
