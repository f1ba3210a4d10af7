"""`freezeframe packets export`: a packet for whom it is meant, with all that is known now."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from exporter.cli_run import CONFIG
from exporter.cli_store import AsJson, ConfigFile, Out, Store, kept, refuse_secrets, shelf, write
from exporter.terminal import say, show_json, warn_of
from probe import cautions, render
from probe.packet import Audience
from probe.render.export import Original
from probe.render.export import export as exported
from probe.settings import ConfigError

AUDIENCES: dict[str, Audience] = {"support": "support", "internal": "internal"}

REMEDY = (
    "`--for support` leaves out owner, posts and notes; `packets fetch` copies the packet as it is stored, for you to"
    " look into"
)


def export(
    packet_id: str,
    audience: Annotated[
        str, typer.Option("--for", help="support (without what is ours alone) or internal.")
    ] = "support",
    out: Out = Path(),
    config: ConfigFile = CONFIG,
    store: Store = None,
    json: AsJson = False,
) -> None:
    """Write a packet and its addenda for whom they are meant: `support` omits owner, posts, notes and earlier packets.

    With a configuration, nothing is written in which one of its secrets can be read. What the message or a note in it
    should not say is told first, and hinders nothing.
    """
    if audience not in AUDIENCES:
        raise ConfigError("--for", "support or internal", audience)
    known = shelf(config, store)
    packet = kept(known.vault, packet_id)
    files = exported(packet.document, packet.addenda, AUDIENCES[audience], Original.of(packet.data))
    name = f"{packet_id}-{audience}.zip"
    refuse_secrets(name, files, known.secrets, REMEDY)
    warnings = cautions.of_document(orjson.loads(files["packet.json"]), known.secrets)
    warn_of(warnings)
    write(out, {name: render.pack(files)})
    if json:
        show_json({"path": str(out / name), "warnings": cautions.as_json(warnings)})
    else:
        say(str(out / name))
