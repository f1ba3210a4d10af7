"""f. What redacting and classifying one exchange of 4 KiB costs, beside reading and writing it as JSON."""

import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Part
from probe.classify import Expectation, classify
from probe.corpus import observation
from probe.exchange import redact_line
from probe.redact import Policy, Redactor

EXCHANGES: Final = 300
SIZE_BYTES: Final = 4096
_TESTS: Final = Path(__file__).parent.parent / "tests"


def measure() -> Part:
    """Texts that were never seen before: the worst case, since a probe's are nearly the same each time."""
    spec = importlib.util.spec_from_file_location("generate", _TESTS / "redaction" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    given = [_padded(generate.make(31, number)["input"]) for number in range(EXCHANGES)]
    redactor = Redactor((), (), Policy(), b"k" * 32)
    recorded = (_TESTS / "corpus" / "exchanges.jsonl").read_text("utf-8").splitlines()
    seen = [observation(json.loads(line)) for line in recorded]
    redaction = _median_ms(given, lambda exchange: redact_line({"id": 1, "input": exchange}, redactor))
    plain = _median_ms(given, lambda exchange: json.dumps(json.loads(json.dumps(exchange))))
    judging = _median_ms(seen, lambda one: classify(one, Expectation()))
    return Part(
        name="sealing",
        says="Processor time of one exchange in milliseconds, medians",
        targets=(),
        headings=("what", "exchanges", "ms", "x reading and writing its JSON"),
        rows=(
            ("redacting 4 KiB never seen before", float(EXCHANGES), redaction, redaction / plain),
            ("reading and writing it as JSON", float(EXCHANGES), plain, 1.0),
            ("classifying a recorded failure", float(len(seen)), judging, judging / plain),
        ),
    )


def _padded(exchange: dict[str, Any]) -> dict[str, Any]:
    sentence = "\nsee the log of the run for more. "
    room = max(0, SIZE_BYTES - len(json.dumps(exchange)))
    return exchange | {"notes": exchange["notes"] + sentence * (room // len(sentence))}


def _median_ms(exchanges: Sequence[Any], work: Callable[[Any], object]) -> float:
    took = []
    for exchange in exchanges:
        began = time.process_time()
        work(exchange)
        took.append(time.process_time() - began)
    return statistics.median(took) * 1000
