"""A provider's contract: every value that a probe relies on, each with where and when it was read.

`parse` is strict and pure. A contract reaches the flow only through it, so that no probe rests on a value without a
source; `placeholders` names what a template leaves open, `areas` is the table that people read.
"""

from probe.contract.facts import (
    AuthShape,
    Catalogue,
    Contract,
    GatewayLog,
    Look,
    RequestIdPlaces,
    Shape,
    Source,
    Sourced,
    Statement,
    TimeField,
)
from probe.contract.parse import parse
from probe.contract.place import ContractError
from probe.contract.schema import validator
from probe.contract.strict_yaml import FILE_LIMIT_BYTES, YamlError, read_yaml
from probe.contract.table import NOT_DOCUMENTED, Area, areas, documented_fields, placeholders
from probe.contract.values import did_you_mean, is_placeholder, kind, shown_key, url_problem
from probe.contract.violations import MISSING, Violation, size

__all__ = [
    "FILE_LIMIT_BYTES",
    "MISSING",
    "NOT_DOCUMENTED",
    "Area",
    "AuthShape",
    "Catalogue",
    "Contract",
    "ContractError",
    "GatewayLog",
    "Look",
    "RequestIdPlaces",
    "Shape",
    "Source",
    "Sourced",
    "Statement",
    "TimeField",
    "Violation",
    "YamlError",
    "areas",
    "did_you_mean",
    "documented_fields",
    "is_placeholder",
    "kind",
    "parse",
    "placeholders",
    "read_yaml",
    "shown_key",
    "size",
    "url_problem",
    "validator",
]
