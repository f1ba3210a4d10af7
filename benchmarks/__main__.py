"""`python -m benchmarks` (`make bench`): measurements of freezeframe itself, bounded to about a minute."""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks import sealing, truth

REFERENCE = "blackbox_exporter: sum of phases"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="exchanges of each prober (default: 200, about 40 s)")
    parser.add_argument("--json", action="store_true", help="figures for machines on standard output")
    arguments = parser.parse_args()
    try:
        rows = truth.run(arguments.rounds)
    except truth.MissingError as error:
        print(f"cannot compare: {error}", file=sys.stderr)
        return 1
    cost = sealing.run()
    if arguments.json:
        figures = [{name: _finite(value) for name, value in asdict(row).items()} for row in rows]
        print(json.dumps({"truth": {"rounds": arguments.rounds, "bias": figures}, "sealing": asdict(cost)}, indent=2))
    else:
        Console().print(_table(rows, arguments.rounds))
        ratio = cost.redaction_ms / cost.json_round_trip_ms
        print(f"redaction of a 4 KiB exchange: {cost.redaction_ms:.2f} ms ({ratio:.0f}x reading and writing its JSON)")
    return 0


def _finite(value: str | float) -> str | float | None:
    return None if isinstance(value, float) and math.isnan(value) else value


def _table(rows: Sequence[truth.Bias], rounds: int) -> Table:
    """Each figure with its ratio to blackbox_exporter's, the better of its two readings."""
    reference = next(row for row in rows if row.prober == REFERENCE)
    table = Table(
        title=f"truth: bias in ms against the server's own clock, {rounds} exchanges each (x blackbox_exporter)"
    )
    table.add_column("prober")
    for heading in ("first byte p50", "first byte p99", "total p50", "total p99"):
        table.add_column(heading, justify="right")
    columns = ("first_byte_p50_ms", "first_byte_p99_ms", "total_p50_ms", "total_p99_ms")
    for row in rows:
        cells = [_cell(getattr(row, column), getattr(reference, column)) for column in columns]
        table.add_row(row.prober, *cells)
    return table


def _cell(value: float, reference: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f} ({value / reference:.2f}x)"


if __name__ == "__main__":
    sys.exit(main())
