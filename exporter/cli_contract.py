"""`freezeframe contract show | verify | diff`: what a probe relies on, and whether its sources still say so."""

import asyncio
import difflib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress

from exporter.cli_run import CONFIG
from exporter.cli_store import AsJson
from exporter.terminal import say, show_json, show_table
from probe import contract, settings
from probe.client import Client, Network
from probe.contract import Contract, placeholders
from probe.contract.document import Copy, Failed, examine, urls
from probe.contract.evidence import Occurrence, Outcome, claims, unreachable
from probe.contract.text import readable
from probe.packet.wording import flat
from probe.records import Fetched, Unfetched
from probe.settings import ConfigError, Contracts
from probe.sources import Known, Sources
from probe.watch.sources import document, outcomes

MOST_DIFFED_LINES: Final = 5000
MOST_SHOWN_LINES: Final = 400
MOST_SHOWN_CHARS: Final = 240

contract_app = typer.Typer(
    help="The contract: what a probe relies on, and where each value was read.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Name = Annotated[str | None, typer.Argument(help="A shipped contract's name or a path; without: the configuration's.")]
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the state folder.")]


@contract_app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A shipped contract's name or a path.")] = "cometapi", json: AsJson = False
) -> None:
    """The contract as the table of the evidence guide: area, value, source, access time."""
    known = Contracts(Path.cwd()).find("contract", name)
    areas = contract.areas(known)
    if json:
        show_json(
            [
                {
                    "area": area.area,
                    "value": area.value,
                    "source": area.source,
                    "section": area.section,
                    "accessed": None if area.accessed is None else area.accessed.isoformat(),
                    "verified_live": area.verified_live,
                }
                for area in areas
            ]
        )
        return
    rows = (
        (
            area.area,
            area.value,
            area.source or "",
            ""
            if area.accessed is None
            else f"{area.accessed:%Y-%m-%d %H:%MZ}" + ("" if area.verified_live else " (copy)"),
        )
        for area in areas
    )
    show_table(("contract area", "value", "source", "accessed"), rows)
    if not all(area.verified_live for area in areas if area.source):
        say("(copy): read from a stored copy of the document, not verified live.")


@contract_app.command("verify")
def verify(name: Name = None, config: ConfigFile = CONFIG, json: AsJson = False) -> None:
    """Fetch every source, keep a copy, and look whether what the contract states really occurs in it.

    Exit code 0: all verified; 1: something not found or not reached; 2: wrong configuration.
    """
    desk = _desk(name, config)
    progress = Progress(console=Console(stderr=True), transient=True, disable=json or not sys.stderr.isatty())
    looked = asyncio.run(_look(desk, progress))
    if json:
        show_json([_row(it) for it in looked])
    else:
        _show(looked)
    sys.exit(0 if all(it.seen.outcome is Outcome.VERIFIED for it in looked) else 1)


@contract_app.command("diff")
def diff(name: Name = None, config: ConfigFile = CONFIG, json: AsJson = False) -> None:
    """What changed in the sources since a person looked at them with `contract verify`.

    Exit code 0: nothing; 1: something; 2: nothing is kept yet.
    """
    desk = _desk(name, config)
    found = [_compared(desk.kept, desk.kept.known(url)) for url in urls(desk.contracts)]
    if not any(it["newest"] for it in found):
        raise ConfigError("contract diff", "copies of the sources (run `contract verify` first)", "none kept yet")
    if json:
        show_json(found)
    for it in () if json else found:
        _show_difference(it)
    sys.exit(1 if any(it["changed"] for it in found) else 0)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The contracts to look at, where copies are kept, and the way out."""

    contracts: tuple[Contract, ...]
    kept: Sources
    network: Network


@dataclass(frozen=True, slots=True)
class _Looked:
    """One statement, and what its source showed: the copy, or when and why there was none."""

    contract: str
    source: str
    seen: Occurrence
    at: datetime
    copy: Copy | None


def _desk(name: str | None, config: Path) -> _Desk:
    if name is not None and not config.is_file():
        found = Contracts(Path.cwd()).find("contract", name)
        return _checked(_Desk((found,), Sources(Path("state/sources")), Network()))
    loaded = settings.load(config, os.environ)
    known = loaded.contracts
    if name is not None:
        known = {name: known[name] if name in known else Contracts(Path.cwd()).find("contract", name)}
    network, ca_file = loaded.settings.network, loaded.settings.network.ca_file
    out = Network(network.proxy, None if ca_file is None else str(loaded.path(ca_file)))
    return _checked(_Desk(tuple(known.values()), Sources(loaded.path(loaded.settings.state) / "sources"), out))


def _checked(desk: _Desk) -> _Desk:
    for known in desk.contracts:
        if left := placeholders(known):
            raise ConfigError(f"{known.name}: {left[0]}", "what the provider's documents say", "a placeholder")
    return desk


async def _look(desk: _Desk, progress: Progress) -> list[_Looked]:
    client = Client(desk.network)
    found: list[_Looked] = []
    try:
        with progress:
            wanted = urls(desk.contracts)
            task = progress.add_task("fetching", total=len(wanted))
            for url in wanted:
                progress.update(task, description=flat(url)[:60])
                found += await asyncio.to_thread(_keep, desk, url, await document(client.get, url))
                progress.advance(task)
    finally:
        await client.aclose()
    order = {known.name: n for n, known in enumerate(desk.contracts)}
    return sorted(found, key=lambda it: order[it.contract])


def _keep(desk: _Desk, url: str, answer: Fetched | Unfetched) -> list[_Looked]:
    try:
        if isinstance(answer, Unfetched):
            failed = desk.kept.fail(url, datetime.now(UTC), answer.words).failed
            assert failed is not None
            return list(_not_reached(desk, url, failed))
        said = examine(desk.contracts, url, answer.body, answer.media)
        known = desk.kept.keep(answer, url, said.text_sha256, outcomes(said.by_contract), by_person=True)
    except OSError as error:
        raise ConfigError("state", "a folder that takes copies of the sources", error.strerror or "an error") from None
    return [
        _Looked(name, url, seen, answer.fetched_at, known.newest)
        for name, found in said.by_contract.items()
        for seen in found
    ]


def _not_reached(desk: _Desk, url: str, failed: Failed) -> Iterator[_Looked]:
    for known in desk.contracts:
        for seen in unreachable((it for it in claims(known) if it.source.url == url), failed.words):
            yield _Looked(known.name, url, seen, failed.at, None)


def _row(it: _Looked) -> dict[str, Any]:
    return {
        "contract": it.contract,
        "place": it.seen.place,
        "outcome": it.seen.outcome.value,
        "source": it.source,
        "accessed": it.at.isoformat(),
        "sha256": None if it.copy is None else it.copy.sha256,
        "looked_for": it.seen.looked_for,
        "missing": it.seen.missing,
        "nearest": it.seen.nearest,
        "why": it.seen.why,
    }


def _show(looked: Sequence[_Looked]) -> None:
    for name in dict.fromkeys(it.contract for it in looked):
        rows = [it for it in looked if it.contract == name]
        say(f"contract {name}")
        show_table(
            ("place", "outcome", "source", "accessed (UTC)"),
            (
                (it.seen.place, it.seen.outcome.value.replace("_", " "), it.source, f"{it.at:%Y-%m-%d %H:%M:%S}")
                for it in rows
            ),
        )
        for it in rows:
            if it.seen.outcome is Outcome.NOT_FOUND:
                say(f"\n{it.seen.place}: {len(it.seen.missing)} of {it.seen.looked_for} not found in {it.source}:")
                say(f"  {flat(', '.join(it.seen.missing))}")
                say(f"  nearest: {flat(it.seen.nearest)}" if it.seen.nearest else "  nothing like it stands there")
        for why in dict.fromkeys((it.source, it.seen.why) for it in rows if it.seen.why):
            say(f"\nnot reached: {why[0]}\n  {why[1]}")
        verified = [it for it in rows if it.seen.outcome is Outcome.VERIFIED]
        if verified:
            say("\nWhat you may take over into the contract file:")
        for it in verified:
            say(f"  {it.seen.place}: accessed: {it.at:%Y-%m-%dT%H:%M:%SZ}, verified: live")


def _compared(kept: Sources, known: Known) -> dict[str, Any]:
    """The newest copy of a document against the one that a person looked at."""
    newest, baseline = known.newest, known.looked_at
    found: dict[str, Any] = {"url": known.url, "baseline": None, "newest": None, "changed": False, "diff": []}
    if newest is None or baseline is None or known.baseline is None:
        return found
    found["baseline"] = {"accessed": known.baseline.at.isoformat(), "sha256": baseline.sha256}
    found["newest"] = {"accessed": newest.fetched_at.isoformat(), "sha256": newest.sha256}
    found["changed"] = known.is_changed
    if found["changed"]:
        found["diff"] = _difference(kept, baseline, newest)
    return found


def _difference(kept: Sources, old: Copy, new: Copy) -> list[str]:
    texts = [(kept.body(it.sha256), it.media) for it in (old, new)]
    if any(body is None for body, _ in texts):
        return ["(the bytes of a copy are gone)"]
    before, after = (readable(body or b"", media).splitlines()[:MOST_DIFFED_LINES] for body, media in texts)
    made = (line.rstrip("\n") for line in difflib.unified_diff(before, after, "baseline", "newest", n=3, lineterm=""))
    lines = [line[:MOST_SHOWN_CHARS] + (" [cut]" if len(line) > MOST_SHOWN_CHARS else "") for line in made]
    left = len(lines) - MOST_SHOWN_LINES
    return [*lines[:MOST_SHOWN_LINES], *([f"({left} more lines)"] if left > 0 else [])]


def _show_difference(it: dict[str, Any]) -> None:
    if it["newest"] is None:
        say(f"{it['url']}: no copy is kept")
        return
    say(f"{it['url']}: {'changed' if it['changed'] else 'not changed'}")
    for which in ("baseline", "newest"):
        say(f"  {which:8} {it[which]['accessed'][:19]}Z  sha256 {it[which]['sha256'][:16]}")
    for line in it["diff"]:
        say(line)
