"""The incident view: one target, from the trip to its packet, with what else was going on at that time."""

from dashboards import model, surroundings
from dashboards.model import Json
from dashboards.sections import exchange, target, us_or_them
from dashboards.shared import INCIDENT, OVERVIEW, annotations, links, variables


def dashboard() -> Json:
    return model.dashboard(
        INCIDENT,
        "freezeframe: incident",
        "One target: what fails, since when, whether it is us or them, and the packet that proves it. Made by "
        "`python -m dashboards`.",
        time={"from": "now-3h", "to": "now"},
        annotations=annotations(one_target=True),
        links=links(surroundings.dashboard_link("Overview", OVERVIEW, "All targets")),
        templating={"list": variables(one_target=True)},
        panels=model.placed((target.NOW, exchange.WHAT, us_or_them.US_OR_THEM)),
    )
