"""`freezeframe packets note`: what a person knows, added beside a packet."""

import asyncio
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from exporter.cli_run import CONFIG
from exporter.cli_store import AsJson, ConfigFile
from exporter.keyring import Keyring
from exporter.terminal import say, show_json, warn_of
from probe import cautions, notes, settings
from probe.settings import ConfigError
from probe.vault import PacketNotFound, Vault

Text = Annotated[str | None, typer.Option()]


def note(
    packet_id: str,
    escalation_id: Text = None,
    submitted_at: Text = None,
    route: Text = None,
    owner: Text = None,
    next_review: Text = None,
    mitigation: Text = None,
    impact: Annotated[str | None, typer.Option(help="What was really affected, once it is confirmed.")] = None,
    text: Text = None,
    request_id: Annotated[
        list[str] | None, typer.Option(help="A request ID of our own customers; may be repeated.")
    ] = None,
    config: ConfigFile = CONFIG,
    json: AsJson = False,
) -> None:
    """Add escalation ID, route, owner, mitigation, impact or a text to a packet. A pasted key is refused; what should
    not be sent is warned of."""
    loaded = settings.load(config, os.environ)
    keyring = Keyring(loaded)
    given: dict[str, Any] = {
        "escalation_id": escalation_id,
        "submitted_at": submitted_at,
        "route": route,
        "owner": owner,
        "next_review": next_review,
        "mitigation": mitigation,
        "impact": impact,
        "text": text,
        "request_ids": request_id or [],
    }
    try:
        parsed = notes.parse(given)
        document, removals = notes.addendum(packet_id, parsed, datetime.now(UTC), keyring.redactor(), keyring.secrets())
        name = asyncio.run(Vault.open(loaded.settings.store, loaded.base).add(packet_id, document))
    except notes.BadNote as error:
        raise ConfigError("--" + error.field.replace("_", "-"), *_said(error)) from None
    except (PacketNotFound, ValueError):
        raise ConfigError("packet ID", "one that `packets list` shows", packet_id) from None
    warnings = cautions.of_note(asdict(parsed), keyring.secrets())
    if json:
        taken_out = [{"rule": it.rule, "field": it.place, "count": it.count} for it in removals]
        told = {"addendum": name, "document": document, "removed": taken_out}
        show_json(told | {"warnings": cautions.as_json(warnings)})
        return
    warn_of(warnings)
    say(f"{name}: {document['words']}")
    for removal in removals:
        say(f"{removal.place}: {removal.rule} was replaced by a token")


def _said(error: notes.BadNote) -> tuple[str, str]:
    expected, _, found = str(error).partition(": expected ")[2].partition(", found ")
    return expected, found
