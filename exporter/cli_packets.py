"""`freezeframe packets`: list, show, fetch, export and verify what is in the store."""

import asyncio
import os
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer

from exporter.terminal import say, show_json, show_table
from probe import packet, render, settings
from probe.packet import Problem
from probe.settings import ConfigError
from probe.vault import PacketEntry, PacketNotFound, Vault

T = TypeVar("T")
packets = typer.Typer(
    help="Evidence packets: list, show, fetch, export, verify.", no_args_is_help=True, pretty_exceptions_enable=False
)
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file that names the store.")]
Store = Annotated[str | None, typer.Option("--store", help="A store by path or URL, instead of a configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")]
CONFIG = Path("freezeframe.yaml")


def _vault(config: Path, store: str | None) -> Vault:
    if store is not None:
        return Vault.open(store, Path.cwd())
    loaded = settings.load(config, os.environ)
    return Vault.open(loaded.settings.store, loaded.base)


def _wait(work: Coroutine[Any, Any, T], packet_id: str = "") -> T:
    try:
        return asyncio.run(work)
    except (PacketNotFound, ValueError):
        raise ConfigError("packet ID", "one that `packets list` shows", packet_id) from None


async def _stored(vault: Vault, packet_id: str) -> tuple[bytes, tuple[tuple[str, Any], ...]]:
    return await vault.read(packet_id), await vault.addenda(packet_id)


def _whole(data: bytes, packet_id: str) -> dict[str, bytes]:
    """The files of a packet that verifies. What is altered must not be passed on, least of all under a new manifest."""
    if render.verify(data):
        raise ConfigError(f"packet {packet_id}", "a whole one", "problems; `packets verify` names them")
    return render.unpack(data)


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise ConfigError("--out", "a folder that can be written to", error.strerror or "an error") from None


def _tell(written: Path, json: bool) -> None:
    if json:
        show_json({"path": str(written)})
    else:
        say(str(written))


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
    entries = _wait(_vault(config, store).entries())
    if json:
        show_json({"packets": [entry_json(entry) for entry in entries], "next": None})
        return
    rows = ((e.id, e.target, e.verdict, e.reason, f"{e.frozen_at:%Y-%m-%d %H:%M:%SZ}", e.state) for e in entries)
    show_table(("id", "target", "verdict", "reason", "frozen at", "state"), rows)


@packets.command()
def show(packet_id: str, config: ConfigFile = CONFIG, store: Store = None, json: AsJson = False) -> None:
    """The summary of a packet, then what was added to it since."""
    data, addenda = _wait(_stored(_vault(config, store), packet_id), packet_id)
    files = _whole(data, packet_id)
    if json:
        show_json({"packet": orjson.loads(files["packet.json"]), "addenda": [document for _, document in addenda]})
        return
    say(files["summary.md"].decode())
    if addenda:
        say("## Since the freeze\n")
    for name, document in addenda:
        say(f"{name}: {document.get('words') or document.get('kind') or 'an addendum'}")
        if scope := document.get("scope"):
            say(f"  Scope as of {scope['as_of']}: {scope['sentence']}")
        if advised := document.get("recommendation"):
            say(f"  Should I escalate? {advised['advice']}: {advised['words']}")


@packets.command()
def fetch(
    packet_id: str, out: Out = Path(), config: ConfigFile = CONFIG, store: Store = None, json: AsJson = False
) -> None:
    """Copy a packet as it is stored, and its addenda, into a folder."""
    data, addenda = _wait(_stored(_vault(config, store), packet_id), packet_id)
    _write(out, {f"{packet_id}.zip": data} | {name: render.json_bytes(document) for name, document in addenda})
    _tell(out / f"{packet_id}.zip", json)


@packets.command()
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
    """Write a packet for whom it is meant: `support` omits owner, posts, notes and earlier packets."""
    if audience not in ("support", "internal"):
        raise ConfigError("--for", "support or internal", audience)
    files = _whole(_wait(_vault(config, store).read(packet_id), packet_id), packet_id)
    document = orjson.loads(files["packet.json"])
    written = render.files(packet.for_support(document), audience="support") if audience == "support" else files
    name = f"{packet_id}-{audience}.zip"
    _write(out, {name: render.pack(written)})
    _tell(out / name, json)


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
        vault = _vault(config, store)

        async def look() -> tuple[Problem, ...]:
            return (*render.verify(await vault.read(packet)), *await vault.problems(packet))

        problems = _wait(look(), packet)
    if json:
        show_json({"whole": not problems, "problems": [{"file": p.file, "problem": p.kind} for p in problems]})
    else:
        for problem in problems:
            say(f"{problem.file}: {problem.kind}")
        if not problems:
            say(f"{packet}: whole")
    sys.exit(1 if problems else 0)
