"""What each target's recent probes left behind, per target so that a noisy one never evicts another's failures.

In memory for now. Healthy probes leave numbers and enums; failures keep their sealed form, and so does the last good
exchange of each target, which a packet shows beside the failing one.
"""

import os
import secrets
from collections import deque
from dataclasses import replace
from pathlib import Path

from probe.records import Result, Verdict
from probe.redact import bare

KEPT_RESULTS = 200  # a few KiB each at most for healthy ones; failures are bounded by the client's read limit
KEPT_BODIES = 20  # failures with their sealed exchange; more of the same add memory and no knowledge


class History:
    """Recent results by target name, oldest first."""

    def __init__(self) -> None:
        self._results: dict[str, deque[Result]] = {}
        self._last_good: dict[str, Result] = {}

    def add(self, result: Result) -> None:
        results = self._results.setdefault(result.target, deque(maxlen=KEPT_RESULTS))
        if result.verdict is Verdict.OK:
            self._last_good[result.target] = result
            result = _bare(result)
        results.append(result)
        with_body = [i for i, known in enumerate(results) if known.verdict is not Verdict.OK and known.sealed]
        if len(with_body) > KEPT_BODIES:
            results[with_body[0]] = _bare(results[with_body[0]])

    def recent(self, target: str) -> tuple[Result, ...]:
        return tuple(self._results.get(target, ()))

    def last_good(self, target: str) -> Result | None:
        return self._last_good.get(target)


def _bare(result: Result) -> Result:
    return result if result.sealed is None else replace(result, sealed=bare(result.sealed))


def token_key(state: Path) -> bytes:
    """The key that redaction tokens are made with, one per `state`, made at first use: equal values get equal tokens
    in all packets of a store, and nobody without the key can test a guess against a token."""
    state.mkdir(parents=True, exist_ok=True)
    file = state / "redaction.key"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_bytes(32))
    return file.read_bytes()
