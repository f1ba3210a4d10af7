"""What both dashboards have: variables, links, annotations, and what leads to a packet."""

from typing import Final

from dashboards.looks import BLUE, ORANGE, RED, by_name, link, words
from dashboards.model import Json
from dashboards.promql import VERDICT_WORDS, of, packets
from dashboards.surroundings import annotation, datasource_variable, many, outward_link, query_variable, text_variable

OVERVIEW: Final = "freezeframe-overview"
INCIDENT: Final = "freezeframe-incident"

_LISTED: Final = 'freezeframe_target_info{instance=~"$prober",contract=~"$contract"}'
_CHOICES: Final = "${datasource:queryparam}&${contract:queryparam}&${freezeframe_url:queryparam}&${__url_time_range}"
# `or vector(60)`: before the first scrape there is nothing to ask, and an empty step would break every query.
_NUMBER: Final = r"/\} (\d+)/"
_SCRAPES: Final = 'count_over_time(freezeframe_build_info{instance=~"$prober"}[%s])'
_SCRAPE_S: Final = f"(60 / {_SCRAPES % '1m'} or on (instance) 300 / {_SCRAPES % '5m'})"


def variables(*, one_target: bool) -> list[Json]:
    """What a person chooses, and two hidden numbers that follow the cadence of the chosen targets."""
    target = f"label_values({_LISTED}, target)"
    cadence = of("freezeframe_target_cadence_seconds")
    step = f"query_result(ceil(max({cadence} / 2 or {_SCRAPE_S})) or vector(60))"
    window = f"query_result(ceil(max({cadence} * 2 or 4 * {_SCRAPE_S})) or vector(240))"
    return [
        datasource_variable(),
        many("prober", "Prober", "label_values(freezeframe_build_info, instance)"),
        many("contract", "Contract", 'label_values(freezeframe_target_info{instance=~"$prober"}, contract)'),
        (query_variable if one_target else many)("target", "Target", target),
        text_variable(
            "freezeframe_url",
            "freezeframe",
            "http://127.0.0.1:9464",
            "Where your browser reaches freezeframe; links to packets begin with it. Save the dashboard to keep it.",
        ),
        query_variable("step", "Half a cadence (s)", step, regex=_NUMBER, hide=2, sort=0),
        query_variable("window", "Two cadences (s)", window, regex=_NUMBER, hide=2, sort=0),
    ]


def annotations(*, one_target: bool) -> Json:
    """Trips, packets and the time that an incident was open, from the metrics themselves.

    That time is shaded for one target; those of many would cover each other, and wait to be switched on.
    """
    opened = f"max by (target, verdict) ({of('freezeframe_incident_active')}) == 1"
    trips = of("freezeframe_trips_total")
    tripped = f"max by (target) ({trips} - {trips} offset $__interval) > 0"
    packet = '{{verdict}}: <a href="{{url}}" target="_blank" rel="noopener">packet {{packet}}</a>'
    return {
        "list": [
            annotation("Incident open", opened, RED, textFormat="{{target}}: {{verdict}}", enable=one_target),
            annotation("Threshold tripped", tripped, ORANGE, textFormat="{{target}}"),
            annotation("Packet frozen", f"1000 * {packets(link=True)}", BLUE, textFormat=packet, useValueForTime=True),
        ]
    }


def links(other: Json) -> list[Json]:
    """To the other dashboard, and to freezeframe itself."""
    return [other, outward_link("freezeframe", "${freezeframe_url}/", "Status page and all packets")]


def to_incident(target: str) -> Json:
    """From a target on the overview to its incident, with the same time range."""
    return link("Open the incident view", f"/d/{INCIDENT}?var-target={target}&{_CHOICES}", new_tab=False)


def packet_column(name: str) -> Json:
    return by_name(name, links=[link("Open the packet", "${freezeframe_url}/packets/${__value.raw}")], custom_width=330)


def verdict_column(name: str, width: int = 190) -> Json:
    """Codes as words, on their colour."""
    return by_name(
        name,
        mappings=words(VERDICT_WORDS)["mappings"],
        custom_cellOptions={"type": "color-background", "mode": "basic"},
        unit="none",
        custom_width=width,
    )
