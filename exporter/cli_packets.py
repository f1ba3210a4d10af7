"""`freezeframe packets`: list, show and fetch what is in the store."""

from typing import Any

import typer

from exporter.cli_run import CONFIG
from exporter.cli_store import AsJson, ConfigFile, Store, kept, shelf, wait
from exporter.terminal import say, show_json, show_table, warn_of
from probe import cautions, render
from probe.index import PacketEntry

SHORT = 12  # of a digest: enough to tell two apart; the whole one is in --json

packets = typer.Typer(
    help="Evidence packets: list, show, fetch, export, verify, note, post, replay, schema.",
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
    rows = (
        (e.id, e.target, e.verdict, e.reason, f"{e.frozen_at:%Y-%m-%d %H:%M:%SZ}", e.state, e.zip_sha256[:SHORT])
        for e in entries
    )
    show_table(("id", "target", "verdict", "reason", "frozen at", "state", "sha256"), rows)


@packets.command()
def show(packet_id: str, config: ConfigFile = CONFIG, store: Store = None, json: AsJson = False) -> None:
    """The packet as it stands now: its summary, then what was added to it since the freeze, and the digest of its zip.

    What the message or a note should not say is told on standard error.
    """
    found = shelf(config, store)
    known = kept(found.vault, packet_id)
    now = known.now
    warnings = cautions.of_document(now, found.secrets)
    if json:
        shown = {"packet": now, "addenda": [document for _, document in known.addenda]}
        show_json(shown | {"warnings": cautions.as_json(warnings), "zip_sha256": known.zip_sha256})
        return
    warn_of(warnings)
    say(render.files(now)["summary.md"].decode())
    if known.addenda:
        say("## Addenda\n")
        listed = now["since_freeze"]["addenda"]
        show_table(
            ("name", "kind", "at"), ((row["name"], row["kind"] or "-", row["at"] or "not known") for row in listed)
        )
        say("")
    say(f"SHA-256 of {packet_id}.zip: {known.zip_sha256}")
