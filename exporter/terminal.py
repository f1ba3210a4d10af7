"""What the commands print: JSON for machines, tables and plain lines for people."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from exporter.neutral import document, neutral
from probe.cautions import Caution
from probe.records import Result, Verdict

out = Console(highlight=False)

COLOURS = {
    Verdict.OK: "green",
    Verdict.CONTRACT_MISMATCH: "magenta",
    Verdict.DEGRADATION: "red",
    Verdict.AUTH_OR_ACCOUNT: "yellow",
    Verdict.QUOTA_OR_BILLING: "yellow",
    Verdict.PROBE_FAULT: "cyan",
    Verdict.MISSED: "cyan",
}


def show_json(value: Any) -> None:
    """One JSON document, to standard output as it is: no colours, no folding."""
    print(document(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()))  # noqa: T201


def show_line(value: Any) -> None:
    """One JSON line."""
    print(document(orjson.dumps(value).decode()))  # noqa: T201


def say(text: str) -> None:
    """Plain text, whatever brackets and terminal commands it holds."""
    out.print(neutral(text), markup=False, soft_wrap=True)


def warn(text: str) -> None:
    """One line beside the output: what was asked for is done all the same."""
    sys.stderr.write(neutral(f"freezeframe: warning: {text}\n"))


def warn_of(cautions: Iterable[Caution]) -> None:
    """What should not be sent as it stands."""
    for caution in cautions:
        warn(f"{caution.where}: {caution.kind}: {caution.words}")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(neutral(cell)) for cell in row))
    out.print(table)


def coloured(verdict: Verdict) -> str:
    return f"[{COLOURS[verdict]}]{verdict}[/]"


def as_json(result: Result) -> dict[str, Any]:
    """A result as `check --json` prints it."""
    timings = result.timings
    return {
        "target": result.target,
        "verdict": result.verdict,
        "reason": result.judgement.reason,
        "certain": result.judgement.certain,
        "rule": result.judgement.rule,
        "words": result.judgement.words,
        "status": result.status,
        "total_s": None if timings is None else timings.total_s,
        "first_token_s": None if timings is None else timings.first_token_s,
        # Each once: a header and the error's text often say the same.
        "request_ids": list(dict.fromkeys(known.value for known in result.reading.request_ids)),
        "probe": result.probe_id,
    }


PHASES = (
    ("dns", "resolve_s"),
    ("tcp", "connect_s"),
    ("tls", "tls_s"),
    ("wait", "processing_s"),
    ("body", "transfer_s"),
)


def waterfall(result: Result, width: int = 24) -> str:
    """The phases of an exchange as one line of bars, to scale."""
    timings = result.timings
    if timings is None or timings.total_s <= 0:
        return ""
    parts = []
    for name, field in PHASES:
        seconds = getattr(timings, field)
        if seconds is not None:
            bar = "▇" * max(1, round(seconds / timings.total_s * width)) if seconds * 200 > timings.total_s else "▏"
            parts.append(f"{name} {bar} {seconds * 1000:.0f} ms")
    return "  ".join(parts)
