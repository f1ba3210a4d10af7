"""What redacting one exchange of 4 KiB costs, beside reading and writing it as JSON in the same run."""

import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probe.exchange import redact_line
from probe.redact import Policy, Redactor

EXCHANGES = 300
SIZE_BYTES = 4096
_GENERATOR = Path(__file__).parent.parent / "tests" / "redaction" / "generate.py"


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of processor time for one exchange."""

    redaction_ms: float
    json_round_trip_ms: float


def run() -> Cost:
    spec = importlib.util.spec_from_file_location("generate", _GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    given = [_padded(generate.make(31, number)["input"]) for number in range(EXCHANGES)]
    redactor = Redactor((), (), Policy(), b"k" * 32)
    return Cost(
        _median_ms(given, lambda exchange: redact_line({"id": 1, "input": exchange}, redactor)),
        _median_ms(given, lambda exchange: json.dumps(json.loads(json.dumps(exchange)))),
    )


def _padded(exchange: dict[str, Any]) -> dict[str, Any]:
    sentence = "\nsee the log of the run for more. "
    room = max(0, SIZE_BYTES - len(json.dumps(exchange)))
    return exchange | {"notes": exchange["notes"] + sentence * (room // len(sentence))}


def _median_ms(exchanges: list[dict[str, Any]], work: Callable[[dict[str, Any]], object]) -> float:
    took = []
    for exchange in exchanges:
        began = time.process_time()
        work(exchange)
        took.append(time.process_time() - began)
    return statistics.median(took) * 1000
