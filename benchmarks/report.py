"""From measured figures to docs/figures.md and its pictures. Nothing is measured here.

The fault campaign (`make chaos`) writes its own ledger and curve beside them; the page shows both.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.drawing import bars, shown

DOCS: Final = Path(__file__).parent.parent / "docs"
KEPT: Final = DOCS / "figures" / "bench.json"
CAMPAIGN: Final = DOCS / "figures" / "chaos.json"
PAGE: Final = DOCS / "figures.md"

Json = dict[str, Any]

_OPENING: Final = """\
# Figures

What freezeframe costs and how far its clock can be trusted, measured beside blackbox_exporter in the same run.
This page is made from [bench.json](figures/bench.json) and [chaos.json](figures/chaos.json) by
`python -m benchmarks report`; a test holds that they agree.

Measured {date} on {machine}.

To repeat it: `make bench` (about {minutes} minutes; prints these tables, writes `benchmarks/results.json`), or one
part of it by `.venv/bin/python -m benchmarks cost`. `.venv/bin/python -m benchmarks report benchmarks/results.json`
makes this page of what was measured. Another machine gives other milliseconds; the ratios are what should hold.
"""

# Why a promise is missed, where that is known; shown only while it is.
_WHY: Final = (
    (
        "whole pipeline beside blackbox_exporter, TLS",
        "A TLS exchange in blocking Python, without HTTP, loop or anything else, costs what the last column says: "
        "OpenSSL's handshake, which is more than Go's. What is left for all else is less than half of it.",
    ),
    (
        "bias p99 moved by scrapes",
        "A scrape of 300 targets is four megabytes, made in slices of a quarter of a millisecond between the probes: "
        "an exchange that falls among them may wait for one at each of its steps.",
    ),
    (
        "20 targets at 30 s: memory",
        "The interpreter and the libraries that are loaded at the start are about 70 MiB of it, 25 of them the "
        "libraries' own files; what is only needed for a failure, a page or another command is loaded when that comes.",
    ),
    (
        "20 targets at 30 s: processor",
        "Twenty times a second it looks how late its own loop is, and ten times uvicorn looks at its clock; the probes "
        "are a tenth of it.",
    ),
)

_CLOSING: Final = """\
## What they do not show

- Loopback only: no real network, no name resolution, no provider. A bias here is a prober's own, not a provider's time.
- One machine that shares its processors with others. A p99 of some hundred exchanges is the worst few of them.
- A ratio near 1 falls on either side by chance. Five runs of one day gave 0.95, 0.96, 0.98, 1.05 and (beside other
  work) 1.10 for TLS; 0.90 to 1.11 for the first byte at 50 probes/s and 0.86 to 1.15 at 200, where young processes are
  slower. This page is the newest run by the code that is here, not the best of them.
- Answers of one size and form. A long answer costs more to redact; one that was never seen before costs more than the
  next like it (see sealing).
- blackbox_exporter judges a status and a regular expression, and keeps nothing. That freezeframe does more for its time
  is no part of the ratio.
- Memory is that of one process without its page cache; the history on disk is not counted.
"""

# Which column of a part's rows is drawn, what labels it, in which unit.
_DRAWN: Final[Mapping[str, tuple[str, str, tuple[int, ...], int]]] = {
    "truth": ("Bias of the total, median", "ms", (0, 1), 7),
    "cost": ("", "us", (), 0),
    "scale": ("Processor time of one core by number of targets", "%", (0,), 5),
    "scrape": ("Bias of probes, p99, by what goes on meanwhile", "ms", (0,), 3),
    "freeze": ("p99", "ms", (0,), 3),
    "sealing": ("Processor time of one exchange", "ms", (0,), 2),
}


_CAMPAIGN: Final = """\
## Fault campaign

A real process under faults for {minutes:g} minutes, by a plan from seed {seed}: killed, starved, flooded, lied to. The
ledger is worked out a second time, by other words than the program's, from what the gateway was asked, what the
history holds and what lies in the store. It **{balances}**; memory was {most} MiB at its most, and in the last round,
when nothing was new, it grew by {growth} MiB a minute.
To repeat it: `make chaos CHAOS_MINUTES={minutes_asked} SEED={seed}` (as root).

![Memory of the process over the campaign, one line for each of its lives](figures/memory.svg)
"""
_LEDGER: Final = (
    "rounds",
    "due",
    "sent",
    "recorded",
    "missed",
    "beside",
    "unwritten",
    "owed",
    "found",
    "lost",
    "doubled",
)
_LEDGER_WORDS: Final = """\
`due` ticks were to be kept, `sent` requests reached the gateway, `recorded` results are in the history; `beside` the
schedule go confirmations and siblings' probes; `unwritten` are results of the last seconds before a kill that had not
reached the disk, whose requests the budget counts all the same. `owed` packets had to come, `found` lie in the store.
"""


def page(figures: Json, campaign: Json) -> str:
    """The page as text."""
    machine = figures["machine"]
    opening = _OPENING.format(
        date=figures["measured_at"][:10],
        machine=f"{machine['processor']} ({machine['processors']} processors), Linux {machine['kernel']}, "
        f"Python {machine['python']}, {machine['openssl']}, {machine['blackbox']}",
        minutes=max(1, round(figures["took_s"] / 60)),
    )
    parts = [opening, "## Promises", "", *_promises(figures["parts"]), "", *_missed(figures["parts"])]
    for part in figures["parts"]:
        parts += [f"## {part['name'].capitalize()}", "", f"{part['says']}.", ""]
        if part["name"] in _DRAWN:
            parts += [f"![{part['says']}](figures/{part['name']}.svg)", ""]
        parts += [*_table(part["headings"], part["rows"]), ""]
        parts += [f"{note}." for note in part["notes"]] + ([""] if part["notes"] else [])
    return "\n".join([*parts, *_campaign(campaign), _CLOSING])


def _campaign(campaign: Json) -> list[str]:
    kept = campaign["memory"]
    opening = _CAMPAIGN.format(
        minutes=campaign["minutes"],
        minutes_asked=round(campaign["minutes"]),
        seed=campaign["seed"],
        balances="balances" if campaign["balances"] else "does not balance",
        most=shown(kept["most_mib"]),
        growth=shown(kept["growth_mib_a_minute"]),
    )
    rows = [[row["kind"], *(row[column] for column in _LEDGER)] for row in campaign["ledger"]]
    total = ["in all", *(sum(row[column] for row in campaign["ledger"]) for column in _LEDGER)]
    done = [
        f"- {row['kind']}: " + ", ".join(f"{what} {count}" for what, count in row["did"].items())
        for row in campaign["ledger"]
        if row["did"]
    ]
    return [opening, *_table(["fault", *_LEDGER], [*rows, total]), "", _LEDGER_WORDS, "What was done:", "", *done, ""]


def pictures(figures: Json) -> dict[str, str]:
    """SVG by file name."""
    drawn = {}
    for part in figures["parts"]:
        if part["name"] not in _DRAWN:
            continue
        title, unit, labels, column = _DRAWN[part["name"]]
        if part["name"] == "cost":
            rows = [
                (f"{who}, {row[0]}", row[place])
                for row in part["rows"]
                for who, place in (("freezeframe", 1), ("blackbox_exporter", 2), ("bare exchange in Python", 4))
            ]
            title = "Processor time of one probe"
        else:
            rows = [
                (_separator(part["name"]).join(_cell(row[label]) for label in labels), row[column])
                for row in part["rows"]
                if isinstance(row[column], int | float)
            ]
        drawn[f"{part['name']}.svg"] = bars(title, unit, rows)
    return drawn


def _separator(part: str) -> str:
    return "/s, " if part == "truth" else ", "


def write(measured: Path) -> None:
    """Keep what was measured, and make page and pictures of it."""
    figures = json.loads(measured.read_text("utf-8"))
    if measured.resolve() != KEPT:
        KEPT.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(figures, json.loads(CAMPAIGN.read_text("utf-8"))), "utf-8")
    for name, drawn in pictures(figures).items():
        (KEPT.parent / name).write_text(drawn, "utf-8")


def _promises(parts: list[Json]) -> list[str]:
    rows = [
        [
            part["name"],
            it["what"],
            f"{_cell(it['measured'])} {it['unit']}",
            f"{_cell(it['most'])} {it['unit']}",
            _held(it),
        ]
        for part in parts
        for it in part["targets"]
    ]
    return _table(["part", "what", "measured", "at most", ""], rows)


def _missed(parts: list[Json]) -> list[str]:
    missed = [it["what"] for part in parts for it in part["targets"] if not it["holds"]]
    known = [f"- {what}: {why}" for what in missed for begins, why in _WHY if what.startswith(begins)]
    return ["Missed, as far as it is known why:", "", *known, ""] if known else []


def _held(promise: Json) -> str:
    return "holds" if promise["holds"] else "**missed**"


def _table(headings: list[str], rows: list[list[Any]]) -> list[str]:
    numbers = [all(isinstance(row[place], int | float | None) for row in rows) for place in range(len(headings))]
    lines = ["| " + " | ".join(headings) + " |"]
    lines.append("| " + " | ".join("---:" if is_number else "---" for is_number in numbers) + " |")
    return [*lines, *("| " + " | ".join(_cell(value) for value in row) + " |" for row in rows)]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return shown(value) if isinstance(value, int | float) else str(value)
