"""The classification table: every rule with what it means, what it looks at, and its own examples.

Groups stand in the order of decision (tests/corpus/README.md); inside a group the first rule that hits decides. To add
a rule, add one row to the file of its group, where it belongs in that order: a name, verdict and reason, the place it
looks at, a pattern, real examples that it must hit and near misses that it must not. A row without examples cannot be
written. General words come first, what one family of gateways says comes after, the bare status last.
"""

from typing import Final

from probe.rules.account import ACCOUNT
from probe.rules.answers import ANSWERS
from probe.rules.capacity import CAPACITY
from probe.rules.edge import EDGE
from probe.rules.failing import GATEWAY_AND_UPSTREAM
from probe.rules.faults import FAULTS
from probe.rules.gateway import GATEWAY_ITSELF
from probe.rules.model import MODEL
from probe.rules.quota import QUOTAS
from probe.rules.request import CLOCK_AND_REQUEST, PERMISSION_AND_REQUEST
from probe.rules.rule import Place, Rule
from probe.rules.status import BY_STATUS

__all__ = ["ANSWERS", "ERRORS", "FAULTS", "RULES", "Place", "Rule"]

ERRORS: Final = (
    *(*GATEWAY_ITSELF, *EDGE, *QUOTAS, *CAPACITY, *CLOCK_AND_REQUEST, *ACCOUNT),
    *(*MODEL, *PERMISSION_AND_REQUEST, *GATEWAY_AND_UPSTREAM, *BY_STATUS),
)
RULES: Final = (*FAULTS, *ANSWERS, *ERRORS)
