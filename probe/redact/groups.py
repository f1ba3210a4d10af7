"""Why something was taken out, in words that a reader of a packet understands: each rule is in one group."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from probe.patterns import PATTERNS
from probe.redact.events import SPLIT


class Group(StrEnum):
    """In the order in which a report shows them."""

    CONFIGURED = "configured secrets"
    POLICY = "by the configured policy"
    PLACE = "by their place"
    FORM = "by their form"
    DOUBT = "dropped because in doubt"


WORDS: Final = {
    Group.CONFIGURED: "keys and tokens of the configuration, in any spelling",
    Group.POLICY: "what `redaction.request_ids` and `redaction.egress_ip` say",
    Group.PLACE: "values of headers, fields and parameters that are not known to be safe, and prompts not our own",
    Group.FORM: "what is formed like a provider's key, a credential or a personal datum, wherever it stands",
    Group.DOUBT: "texts that could not be read to their end, or that still looked like a live secret",
}

# A value that is random enough is called a credential, as one that a pattern finds.
_FORMED: Final = frozenset(pattern.name for pattern in PATTERNS) | {"credential"}
_PLACES: Final = frozenset(
    (
        *("header_not_known_safe", "credential_in_header", "query_value_not_known_safe", "prompt_not_our_own"),
        *("answer_to_a_strange_request", "file_data"),
        # Found in a text by the name before them, and formed like nothing in particular.
        *("account", "code", "header", "personal"),
    )
)

ROWS: Final[tuple[tuple[Group, Callable[[str], bool]], ...]] = (
    (Group.CONFIGURED, lambda rule: rule in ("configured_secret", "configured")),
    (Group.POLICY, lambda rule: rule.endswith("_by_policy")),
    (Group.PLACE, lambda rule: rule in _PLACES or (rule.endswith("_field") and not rule.startswith("dropped_"))),
    (Group.FORM, lambda rule: rule in _FORMED),
    (Group.DOUBT, lambda rule: rule.startswith("dropped_")),
)


def group(rule: str) -> Group:
    """The group of a rule; one that this version does not know (an older or newer packet's) was not taken lightly."""
    whole = rule.removesuffix(SPLIT)
    return next((group for group, holds in ROWS if holds(whole)), Group.DOUBT)
