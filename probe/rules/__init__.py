"""The classification table: every rule with what it means, what it looks at, and its own examples.

The groups stand in the order of decision (tests/corpus/README.md); inside a group the first rule that hits decides. To
add a rule, add one row to the file of its group, where it belongs in that order: a name, verdict and reason, the place
it looks at, its patterns, real examples that it must hit and near misses that it must not. A row without examples
cannot be written, and a line of a pattern without an example fails the tests.
"""

from typing import Final

from probe.rules.account import ACCOUNT, PERMISSION
from probe.rules.answers import ANSWERS
from probe.rules.capacity import CAPACITY
from probe.rules.edge import EDGE
from probe.rules.failing import FAILING, UPSTREAM
from probe.rules.faults import FAULTS
from probe.rules.keys import KEYS
from probe.rules.model import CONTENT_AND_PATH, MODEL
from probe.rules.quota import QUOTAS, RATES
from probe.rules.relayed import RELAYED
from probe.rules.request import NOT_CONVERTED, REFUSED, REQUEST
from probe.rules.rule import Place, Rule
from probe.rules.status import BY_STATUS

__all__ = ["ANSWERS", "ERRORS", "FAULTS", "RULES", "Place", "Rule"]

# A status of 400 or more, or an error inside a stream.
ERRORS: Final = (
    *RELAYED,  # 5. whose account it is comes before what is wrong with it: the words are the same
    *EDGE,  # 6. the words of a page in front of the API do not speak of the API
    *QUOTAS,  # 4a
    *CAPACITY,  # 4b
    *RATES,  # 4a. after load: "overloaded, too many requests" is load
    *REQUEST,  # 8. before keys: an "unexpected key" is no secret
    *ACCOUNT,  # 4c
    *KEYS,  # 4c
    *NOT_CONVERTED,  # 8
    *UPSTREAM,  # 4d. before models: "upstream failed: model unavailable"
    *MODEL,  # 7
    *CONTENT_AND_PATH,  # 8
    *REFUSED,  # 8. after keys and models, which say what is missing or invalid
    *PERMISSION,  # 4c. after models: "no access to the model" says more than "no access"
    *FAILING,  # 4d
    *BY_STATUS,  # 4d. only where no words are known
)
RULES: Final = (*FAULTS, *ANSWERS, *ERRORS)
