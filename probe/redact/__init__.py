"""Redaction: what must not be shown is taken out of observations, bodies, headers, addresses and texts."""

from probe.redact.redactor import Handling, Policy, Redactor, bare, restored
from probe.redact.work import DROPPED, HIDDEN

__all__ = ["DROPPED", "HIDDEN", "Handling", "Policy", "Redactor", "bare", "restored"]
