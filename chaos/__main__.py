"""`python -m chaos` (`make chaos`): a real process, a seeded plan of faults, and a ledger. Exit code 1 where that does
not balance. It needs root (it mounts a small disk and a view of /etc) and the servers of `make servers`."""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos import leaks, memory, plan, sabotage
from chaos.faults import CLOCKS, FAULTS, SHORT, STEADY, Did, Unbalanced, steady
from chaos.gateway import gateway
from chaos.ledger import Entry, Ledger
from chaos.world import KEY, World, world

SETTLE_S = 1.0
COLUMNS = ("rounds", "due", "sent", "recorded", "missed", "unwritten", "owed", "found", "lost", "doubled")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=6, help="begin no round after that (default: 6)")
    parser.add_argument("--seed", type=int, default=None, help="the same seed, the same plan (default: a new one)")
    parser.add_argument("--only", nargs="+", choices=FAULTS, help="these kinds alone")
    parser.add_argument("--short", action="store_true", help="one round of a few kinds, about half a minute")
    parser.add_argument("--sabotage", action="store_true", help="take away from what is balanced: it must be noticed")
    parser.add_argument("--json", type=Path, help="write the ledger and the curve of memory there")
    parser.add_argument("--svg", type=Path, help="draw the curve of memory there")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}: repeat it with --seed {seed}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="freezeframe-chaos-") as folder:
        report = _campaign(Path(folder), random.Random(seed), arguments)
    report |= {"seed": seed}
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    if arguments.svg:
        samples = [memory.Sample(*it) for it in report["memory"]["samples"]]
        arguments.svg.write_text(memory.picture(samples, [(at_s, kind) for at_s, kind in report["began"]]))
    _show(report)
    return 0 if report["balances"] else 1


def _campaign(folder: Path, chance: random.Random, arguments: argparse.Namespace) -> dict[str, Any]:
    faults = SHORT if arguments.short else FAULTS
    kinds = [kind for kind in faults if not arguments.only or kind in arguments.only]
    order = plan.rounds(kinds, random.Random(chance.random()), kills=1 if arguments.short else 4)
    began_s = time.monotonic()

    def now_s() -> float:
        return time.monotonic() - began_s

    rounds: list[Entry] = []
    began: list[tuple[float, str]] = []
    with (
        gateway(KEY, random.Random(chance.random()), {}) as running,
        world(folder, chance, running, with_prometheus=not arguments.short) as made,
    ):
        made.start()
        ledger = Ledger(made)
        sampler = memory.Sampler(lambda: _alive(made), now_s)
        for number, kind in enumerate(order):
            if now_s() > arguments.minutes * 60 or (arguments.short and number >= len(kinds)):
                break
            began.append((round(now_s(), 1), kind))
            rounds.append(_round(made, ledger, kind, faults, sabotaged=arguments.sabotage))
            print(_line(rounds[-1]), file=sys.stderr, flush=True)
            if made.process is None or made.process.child.poll() is not None:
                break
        if not (arguments.short or arguments.only):
            began.append((round(now_s(), 1), STEADY))
            rounds.append(_round(made, ledger, STEADY, {STEADY: steady}, sabotaged=False))
            print(_line(rounds[-1]), file=sys.stderr, flush=True)
        sampler.stop()
        secrets = leaks.everywhere(made)
        code = made.stop()
        secrets += leaks.of_folder(made)
        tail = made.log()[-3000:]
    steady_s = next((at_s for at_s, kind in began if kind == STEADY), None)
    grew = memory.problems(sampler.samples, steady_s)
    ended = [] if code == 0 else [f"exit code {code} at SIGTERM"]
    kinds_of = {kind: Entry(kind, rounds=0) for kind in dict.fromkeys(it.kind for it in rounds)}
    for entry in rounds:
        kinds_of[entry.kind].add(entry)
    problems = [*(p for it in rounds for p in it.problems), *secrets, *grew, *ended]
    if problems:
        print(tail, file=sys.stderr)
    return {
        "minutes": round(now_s() / 60, 1),
        "lives": len(made.lives),
        "balances": not problems,
        "problems": problems,
        "ledger": [asdict(it) for it in kinds_of.values()],
        "began": began,
        "memory": {
            "growth_mib_a_minute": memory.growth(sampler.samples, steady_s),
            "most_mib": max((it.rss_mib for it in sampler.samples), default=0.0),
            "samples": [(it.at_s, it.life, it.rss_mib) for it in sampler.samples],
        },
    }


def _alive(made: World) -> tuple[int, int] | None:
    return (len(made.lives), made.life.pid) if made.lives and made.life.ended is None else None


def _round(
    made: World, ledger: Ledger, kind: str, faults: Mapping[str, Callable[[World], Did]], *, sabotaged: bool
) -> Entry:
    began_s = time.monotonic()
    did: Did = {}
    wrong: list[str] = []
    try:
        did = faults[kind](made)
    except (Unbalanced, AssertionError, OSError, subprocess.SubprocessError) as error:
        wrong.append(f"{type(error).__name__}: {error}")
    try:
        made.until_quiet()
    except AssertionError as error:
        wrong.append(str(error))
    time.sleep(SETTLE_S)
    if sabotaged:
        sabotage.all_of_it(made)
    entry = ledger.balance(kind, time.monotonic() - began_s, dict(did), clock_was_set=kind in CLOCKS)
    entry.problems = [f"{kind}: {it}" for it in [*wrong, *entry.problems]]
    return entry


def _line(entry: Entry) -> str:
    done = ", ".join(f"{count} {what}" for what, count in entry.did.items())
    verdict = "balances" if not entry.problems else "; ".join(entry.problems)[:600]
    return f"{entry.kind} ({entry.seconds:.0f} s; {done or 'done'}): {verdict}"


def _show(report: dict[str, Any]) -> None:
    console = Console(width=80)
    table = Table(title=f"the ledger, seed {report['seed']}", padding=(0, 1, 0, 0), box=None, expand=False)
    table.add_column("fault")
    names = {"recorded": "record", "unwritten": "killed", "doubled": "double"}
    for name in COLUMNS:
        table.add_column(names.get(name, name)[:7], justify="right")
    total = Entry("in all", rounds=0)
    for row in report["ledger"]:
        entry = Entry(**row)
        total.add(entry)
        table.add_row(entry.kind, *(str(getattr(entry, name)) for name in COLUMNS))
    table.add_row(total.kind, *(str(getattr(total, name)) for name in COLUMNS), style="bold")
    console.print(table)
    for problem in report["problems"]:
        console.print(f"! {problem}", highlight=False, markup=False)
    kept = report["memory"]
    grew = kept["growth_mib_a_minute"]
    words = "" if grew is None else f", {grew:+.2f} MiB a minute when nothing was new"
    console.print(f"memory: {kept['most_mib']:.0f} MiB at most{words}")
    console.print("it balances" if report["balances"] else "IT DOES NOT BALANCE")


if __name__ == "__main__":
    sys.exit(main())
