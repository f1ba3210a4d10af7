"""`freezeframe packets`: list, show, fetch and verify what is in the store."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from exporter.cli_store import CONFIG, AsJson, ConfigFile, Out, Store, kept, shelf, stored, tell, wait, write
from exporter.terminal import say, show_json, show_table
from probe import render
from probe.index import PacketEntry
from probe.packet import Problem
from probe.settings import ConfigError

packets = typer.Typer(
    help="Evidence packets: list, show, fetch, export, verify, note, post, replay.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def entry_json(entry: PacketEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "target": entry.target,
        "verdict": entry.verdict,
        "reason": entry.reason,
        "trigger": entry.trigger,
        "frozen_at": entry.frozen_at.isoformat().replace("+00:00", "Z"),
        "incident": entry.incident,
        "state": entry.state,
        "zip_sha256": entry.zip_sha256,
        "size_bytes": entry.size_bytes,
    }


@packets.command("list")
def list_(config: ConfigFile = CONFIG, store: Store = None, json: AsJson = False) -> None:
    """Every packet, newest first."""
    entries = wait(shelf(config, store).vault.entries())
    if json:
        show_json({"packets": [entry_json(entry) for entry in entries], "next": None})
        return
    rows = ((e.id, e.target, e.verdict, e.reason, f"{e.frozen_at:%Y-%m-%d %H:%M:%SZ}", e.state) for e in entries)
    show_table(("id", "target", "verdict", "reason", "frozen at", "state"), rows)


@packets.command()
def show(packet_id: str, config: ConfigFile = CONFIG, store: Store = None, json: AsJson = False) -> None:
    """The packet as it stands now: its summary, then what was added to it since the freeze."""
    known = kept(shelf(config, store).vault, packet_id)
    now = known.now
    if json:
        show_json({"packet": now, "addenda": [document for _, document in known.addenda]})
        return
    say(render.files(now)["summary.md"].decode())
    if known.addenda:
        say("## Addenda\n")
        listed = now["since_freeze"]["addenda"]
        show_table(
            ("name", "kind", "at"), ((row["name"], row["kind"] or "-", row["at"] or "not known") for row in listed)
        )


@packets.command()
def fetch(
    packet_id: str, out: Out = Path(), config: ConfigFile = CONFIG, store: Store = None, json: AsJson = False
) -> None:
    """Copy a packet as it is stored, and its addenda, into a folder."""
    data, addenda = wait(stored(shelf(config, store).vault, packet_id), packet_id)
    write(out, {f"{packet_id}.zip": data} | {name: render.json_bytes(document) for name, document in addenda})
    tell(out / f"{packet_id}.zip", json)


@packets.command()
def verify(
    packet: Annotated[str, typer.Argument(help="A packet's ID, or the path of a zip.")],
    config: ConfigFile = CONFIG,
    store: Store = None,
    json: AsJson = False,
) -> None:
    """Check every digest. Exit code 0: whole; 1: altered, missing, extra or unreadable, said file by file."""
    file = Path(packet)
    if file.suffix == ".zip" and file.exists():
        try:
            problems = render.verify(file.read_bytes())
        except OSError as error:
            raise ConfigError(packet, "a readable file", error.strerror or "an error") from None
    else:
        vault = shelf(config, store).vault

        async def look() -> tuple[Problem, ...]:
            return (*render.verify(await vault.read(packet)), *await vault.problems(packet))

        problems = wait(look(), packet)
    if json:
        show_json({"whole": not problems, "problems": [{"file": p.file, "problem": p.kind} for p in problems]})
    else:
        for problem in problems:
            say(f"{problem.file}: {problem.kind}")
        if not problems:
            say(f"{packet}: whole")
    sys.exit(1 if problems else 0)
