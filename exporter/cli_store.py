"""What the commands on packets share: the options that name a store, a packet read from it whole, files written."""

import asyncio
import hashlib
import os
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer
from pydantic import SecretStr

from exporter.terminal import say, show_json, warn
from probe import gate, packet, render, settings
from probe.packet import Addenda, Problem
from probe.records import Json
from probe.settings import ConfigError
from probe.vault import PacketNotFound, Vault

T = TypeVar("T")
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file that names the store.")]
Store = Annotated[str | None, typer.Option("--store", help="A store by path or URL, instead of a configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A store, and the configured secrets: none are known of a store that is named by itself."""

    vault: Vault
    secrets: Sequence[SecretStr]


@dataclass(frozen=True, slots=True)
class Kept:
    """A packet that verifies, and its addenda. `document` is its packet.json."""

    data: bytes
    document: Json
    addenda: Addenda

    @property
    def zip_sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def now(self) -> Json:
        """The document as it stands now."""
        return packet.merged(self.document, self.addenda)


def shelf(config: Path, store: str | None) -> Shelf:
    if store is not None:
        return Shelf(Vault.open(store, Path.cwd()), ())
    loaded = settings.load(config, os.environ)
    return Shelf(Vault.open(loaded.settings.store, loaded.base), loaded.secrets())


def wait(work: Coroutine[Any, Any, T], packet_id: str = "") -> T:
    """The outcome of a question to the store. ConfigError where no packet has that ID."""
    try:
        return asyncio.run(work)
    except (PacketNotFound, ValueError):
        raise ConfigError("packet ID", "one that `packets list` shows", packet_id) from None


async def _looked_at(vault: Vault, packet_id: str) -> tuple[bytes, Addenda, tuple[Problem, ...]]:
    return await vault.read(packet_id), await vault.addenda(packet_id), await vault.verify(packet_id)


def kept(vault: Vault, packet_id: str) -> Kept:
    """What is altered must not be shown or passed on, least of all under a new manifest: such a packet is refused, and
    such an addendum is left out and named."""
    data, addenda, problems = wait(_looked_at(vault, packet_id), packet_id)
    added = [problem for problem in problems if problem.is_of_addendum(packet_id)]
    if len(added) < len(problems):
        raise ConfigError(f"packet {packet_id}", "a whole one", "problems; `packets verify` names them")
    for problem in added:
        warn(f"{problem.file}: {problem.kind}; nothing of it is in what follows")
    document: Json = orjson.loads(render.unpack(data)["packet.json"])
    version = document.get("schema_version")
    if version != packet.SCHEMA_VERSION:
        known = f"one of schema_version {packet.SCHEMA_VERSION} (`packets fetch` copies any)"
        raise ConfigError(f"packet {packet_id}", known, str(version))
    return Kept(data, document, addenda)


def refuse_secrets(what: str, files: Mapping[str, bytes], secrets: Sequence[SecretStr], remedy: str) -> None:
    """ConfigError with where a secret can be read in what is about to be written, never what; `remedy` is what the
    operator can do."""
    hits = gate.inspect(files, secrets)
    if hits:
        where = "; ".join(f"{hit.file}, {hit.where}" for hit in hits)
        expected = "no configured secret in it, nor what looks like a live one (nothing was written)"
        raise ConfigError(what, expected, f"{where}. {remedy}")


def write(out: Path, files: Mapping[str, bytes]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise ConfigError("--out", "a folder that can be written to", error.strerror or "an error") from None


def tell(written: Path, json: bool) -> None:
    if json:
        show_json({"path": str(written)})
    else:
        say(str(written))
