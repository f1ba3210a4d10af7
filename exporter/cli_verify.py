"""`freezeframe packets verify`: is what is stored, or a copy of it, as it was written?"""

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from exporter.cli_run import CONFIG
from exporter.cli_store import AsJson, ConfigFile, Store, shelf, wait
from exporter.terminal import say, show_json
from probe import render
from probe.packet import Problem, addendum
from probe.render.archive import MAX_BYTES
from probe.settings import ConfigError
from probe.vault import PacketNotFound, StoreError, Vault

_NUMBERED = re.compile(r"\.(\d{3}|[1-9]\d{3,})\.json")


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with one packet; no digest where its zip cannot be read."""

    name: str
    zip_sha256: str | None
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        problems = [{"file": it.file, "problem": it.kind} for it in self.problems]
        return {"whole": not problems, "problems": problems, "zip_sha256": self.zip_sha256}


def verify(
    packet: Annotated[
        str | None,
        typer.Argument(help="A packet's ID, or the path of a zip; without it every packet in the store."),
    ] = None,
    config: ConfigFile = CONFIG,
    store: Store = None,
    json: AsJson = False,
) -> None:
    """Check every digest. Exit code 0: whole; 1: altered, missing, extra or unreadable, said file by file."""
    if packet is None:
        checked = wait(_everything(shelf(config, store).vault))
        _tell_all(checked, json)
        sys.exit(any(it.problems for it in checked))
    file = Path(packet)
    is_file = file.suffix == ".zip" and file.exists()
    one = _file(file) if is_file else wait(_stored(shelf(config, store).vault, packet), packet)
    if json:
        show_json(one.as_json())
    else:
        for problem in one.problems:
            say(f"{problem.file}: {problem.kind}")
        if not one.problems:
            say(f"{packet}: whole")
    sys.exit(bool(one.problems))


def _tell_all(checked: list[Checked], json: bool) -> None:
    if json:
        packets = [{"id": it.name} | it.as_json() for it in checked]
        show_json({"whole": not any(it.problems for it in checked), "packets": packets})
        return
    for it in checked:
        for problem in it.problems:
            say(f"{it.name}: {problem.file}: {problem.kind}")
    wrong = sum(bool(it.problems) for it in checked)
    say(f"{len(checked)} packet{'' if len(checked) == 1 else 's'}: " + (f"{wrong} not whole" if wrong else "whole"))


async def _everything(vault: Vault) -> list[Checked]:
    found = []
    for packet_id in await vault.packet_ids():
        try:
            found.append(await _stored(vault, packet_id))
        except PacketNotFound:  # expired meanwhile
            continue
    return found


async def _stored(vault: Vault, packet_id: str) -> Checked:
    problems = await vault.verify(packet_id)
    try:
        digest = hashlib.sha256(await vault.read(packet_id)).hexdigest()
    except (PacketNotFound, StoreError):
        digest = None
    return Checked(packet_id, digest, problems)


def _file(file: Path) -> Checked:
    """A copy: by itself, and where its addenda lie beside it under their names, with them."""
    try:
        if file.stat().st_size > 2 * MAX_BYTES:
            return Checked(file.name, None, (Problem("packet.zip", "unreadable"),))
        data = file.read_bytes()
        paths = [path for path in file.parent.iterdir() if path.name.startswith(f"{file.stem}.") and path.is_file()]
        beside = {path.name.removeprefix(file.stem): path.read_bytes() for path in paths if path.suffix == ".json"}
    except OSError as error:
        raise ConfigError(str(file), "a readable file", error.strerror or "an error") from None
    numbered = sorted(
        (int(match[1]), content) for name, content in beside.items() if (match := _NUMBERED.fullmatch(name))
    )
    problems = (*render.verify(data), *addendum.problems(file.stem, data, numbered))
    return Checked(file.name, hashlib.sha256(data).hexdigest(), problems)
