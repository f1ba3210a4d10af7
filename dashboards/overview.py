"""The overview: is it up, for whom, since when, which verdict; and what is about to run out, ours included."""

from dashboards import model, surroundings
from dashboards.model import Json
from dashboards.sections import latency, limits, objective, standing, trust
from dashboards.shared import INCIDENT, OVERVIEW, annotations, links, variables


def dashboard() -> Json:
    objectives = [
        surroundings.custom_variable(
            "objective", "Objective", [("99 %", "0.99"), ("99.5 %", "0.995"), ("99.9 %", "0.999"), ("95 %", "0.95")]
        ),
        surroundings.custom_variable("objective_window", "over", [(text, text) for text in ("7d", "1d", "30d")]),
    ]
    return model.dashboard(
        OVERVIEW,
        "freezeframe: overview",
        "Is the API up, for whom, since when, and which verdict; what is about to run out; whether the prober can be "
        "trusted. Made by `python -m dashboards`.",
        time={"from": "now-6h", "to": "now"},
        annotations=annotations(one_target=False),
        links=links(surroundings.dashboard_link("Incident", INCIDENT, "One target, from the trip to its packet")),
        templating={"list": [*variables(one_target=False), *objectives]},
        panels=model.placed((standing.UP, objective.OBJECTIVE, latency.LATENCY, limits.LIMITS, trust.TRUST)),
    )
