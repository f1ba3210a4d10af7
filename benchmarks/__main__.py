"""`python -m benchmarks` (`make bench`): measurements of freezeframe itself, beside blackbox_exporter.

python -m benchmarks               every part, about ten minutes
python -m benchmarks cost scrape   some of them
python -m benchmarks report FILE   docs/figures.md from what was measured (default: from docs/figures/bench.json)
"""

import argparse
import json
import math
import os
import platform
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks import cost, freeze, report, scale, scrape, sealing, truth
from benchmarks.drawing import shown
from benchmarks.figures import Part
from benchmarks.stand import BLACKBOX, MissingError, Stand, stand

RESULTS: Final = Path(__file__).parent / "results.json"
PARTS: Final[Mapping[str, Callable[[Stand], Part]]] = {
    "truth": truth.measure,
    "cost": cost.measure,
    "scale": scale.measure,
    "scrape": scrape.measure,
    "freeze": freeze.measure,
    "sealing": lambda _: sealing.measure(),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)}, or report FILE")
    parser.add_argument("--json", action="store_true", help="figures for machines on standard output, no tables")
    arguments = parser.parse_args()
    if arguments.parts[:1] == ["report"]:
        report.write(Path(arguments.parts[1]) if arguments.parts[1:] else report.KEPT)
        return 0
    unknown = [name for name in arguments.parts if name not in PARTS]
    if unknown:
        parser.error(f"{unknown[0]}: one of {', '.join(PARTS)} is expected")
    began = time.monotonic()
    console = Console(stderr=arguments.json)
    measured = []
    for name in arguments.parts or PARTS:
        with console.status(f"measuring {name}"):
            try:
                with stand() as prepared:  # each part on a stand of its own: what runs for one does not disturb another
                    part = PARTS[name](prepared)
            except MissingError as error:
                print(f"cannot compare: {error}", file=sys.stderr)
                return 1
        measured.append(part)
        if not arguments.json:
            _print(console, part)
    figures = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "took_s": round(time.monotonic() - began),
        "machine": _machine(),
        "parts": [_plain(part) for part in measured],
    }
    text = json.dumps(figures, indent=1) + "\n"
    if arguments.json:
        print(text, end="")
    elif not arguments.parts:
        RESULTS.write_text(text, "utf-8")
        console.print(
            f"written to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}"
        )
    return 0


def _plain(part: Part) -> dict[str, Any]:
    plain = asdict(part)
    for known, promise in zip(part.targets, plain["targets"], strict=True):
        promise["holds"] = known.holds
    found: dict[str, Any] = _finite(plain)
    return found


def _finite(value: Any) -> Any:
    match value:
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case float():
            return None if math.isnan(value) else round(value, 4)
    return value


def _machine() -> dict[str, Any]:
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ": unknown")
    said = subprocess.run([BLACKBOX, "--version"], capture_output=True, text=True, check=False)
    return {
        "processor": model.partition(":")[2].strip(),
        "processors": os.cpu_count(),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "blackbox": " ".join((said.stdout + said.stderr).split()[:3]).replace(",", ""),
    }


def _print(console: Console, part: Part) -> None:
    table = Table(title=part.says, title_justify="left")
    for place, heading in enumerate(part.headings):
        numbers = all(not isinstance(row[place], str) for row in part.rows)
        table.add_column(heading, justify="right" if numbers else "left")
    for row in part.rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)
    for promise in part.targets:
        said = "[green]holds [/]" if promise.holds else "[bold red]missed[/]"
        measured, most = _cell(promise.measured), _cell(promise.most)
        console.print(f"  {said} {promise.what}: {measured} {promise.unit}, at most {most}", highlight=False)
    _notes(console, part.notes)


def _notes(console: Console, notes: Sequence[str]) -> None:
    for note in notes:
        console.print(f"  {note}", highlight=False)


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "-" if math.isnan(value) else shown(value)


if __name__ == "__main__":
    sys.exit(main())
