"""What parts of the program are given of a configuration: at the start, and again with each reload."""

from probe import __version__
from probe.edges import Surroundings
from probe.settings import Loaded
from probe.watch import Control


def budget(loaded: Loaded) -> dict[str, int]:
    return {"probes": loaded.budget.probes_per_day, "tokens": loaded.budget.tokens_per_day}


def controls(loaded: Loaded) -> list[Control]:
    return [Control(known.name, known.url, known.role) for known in loaded.settings.controls]


def surroundings(loaded: Loaded) -> Surroundings:
    settings = loaded.settings
    return Surroundings(
        impact=settings.escalation.impact,
        owner=settings.escalation.owner,
        posts=settings.escalation.posts,
        request_ids=settings.redaction.request_ids,
        egress_ip=settings.redaction.egress_ip,
        version=__version__,
        budget=loaded.budget,
        elsewhere={
            name: frozenset(it.name for it in loaded.elsewhere if it.contract.name == name) for name in loaded.contracts
        },
    )
