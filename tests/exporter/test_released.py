"""Packets of every released version stay readable: listed, shown, verified, exported, replayed and valid by schema."""

import asyncio
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from exporter.commands import app
from exporter.packet_view import View
from probe import __version__, render
from probe.index import entry
from probe.records import Json, Verdict
from probe.render.archive import MANIFEST, manifest
from probe.settings import ConfigError
from probe.vault import Vault
from tests.packets.make import objects
from tests.probe.published import ADDENDUM, HAR, PACKET, wrong

RELEASES = Path(__file__).parents[1] / "packets"
ZIPS = sorted(RELEASES.glob("*/*.zip"))
NAMED = pytest.mark.parametrize("file", ZIPS, ids=[f"{file.parent.name} {file.stem}" for file in ZIPS])
# Which validators are those of a form; a new form gets its own beside them.
SCHEMAS = {"1": (PACKET, ADDENDUM)}


@pytest.fixture
def store(file: Path, tmp_path: Path) -> Path:
    """A copy of the release's store: opening one may write."""
    return Path(shutil.copytree(file.parent, tmp_path / "store"))


def called(*arguments: str | Path) -> tuple[int, str]:
    """The command in this process."""
    ran = CliRunner().invoke(app, [str(it) for it in arguments])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, ran.stdout


def addenda(file: Path) -> list[Path]:
    return sorted(file.parent.glob(f"{file.stem}.*.json"))


def test_every_release_that_there_was_has_its_packets() -> None:
    """A version of the program without a folder here could not be released."""
    assert (RELEASES / __version__).is_dir()
    for release in {file.parent for file in ZIPS}:
        documents = [orjson.loads(render.unpack(file.read_bytes())["packet.json"]) for file in release.glob("*.zip")]
        assert {document["generator"]["version"] for document in documents} == {release.name}
        assert not any(document["redaction"]["dropped"] for document in documents)
        assert {document["verdict"] for document in documents} >= {
            Verdict.DEGRADATION,
            Verdict.AUTH_OR_ACCOUNT,
            Verdict.QUOTA_OR_BILLING,
            Verdict.CONTRACT_MISMATCH,
        }
        assert {document["trigger"] for document in documents} >= {"threshold", "manual"}
        kinds = {orjson.loads(file.read_bytes())["document"]["kind"] for file in release.glob("*.json")}
        assert kinds >= {"confirmation", "recovery", "reopening", "gateway_log", "note"}


@NAMED
def test_a_packet_is_listed_with_its_state(file: Path, store: Path) -> None:
    code, printed = called("packets", "list", "--store", store, "--json")
    assert code == 0
    [row] = [row for row in json.loads(printed)["packets"] if row["id"] == file.stem]
    document = orjson.loads(render.unpack(file.read_bytes())["packet.json"])
    assert (row["target"], row["verdict"]) == (document["target"]["name"], document["verdict"])
    kinds = [orjson.loads(it.read_bytes())["document"]["kind"] for it in addenda(file)]
    turns = [kind for kind in kinds if kind in ("recovery", "reopening")]
    assert row["state"] == ("recovered" if turns and turns[-1] == "recovery" else "open")


@NAMED
def test_a_packet_is_whole_and_sha256sum_agrees(file: Path, store: Path, tmp_path: Path) -> None:
    code, printed = called("packets", "verify", file.stem, "--store", store, "--json")
    assert (code, json.loads(printed)["problems"]) == (0, [])
    for name, content in render.unpack(file.read_bytes()).items():
        to = tmp_path / "unpacked" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(content)
    checked = subprocess.run(["sha256sum", "-c", "--quiet", "manifest.sha256"], cwd=tmp_path / "unpacked", timeout=20)
    assert checked.returncode == 0


@NAMED
def test_a_packet_is_shown_for_people_and_machines(file: Path, store: Path) -> None:
    code, printed = called("packets", "show", file.stem, "--store", store)
    assert code == 0
    assert printed.startswith(f"# {orjson.loads(render.unpack(file.read_bytes())['packet.json'])['title']}"[:60])
    code, printed = called("packets", "show", file.stem, "--store", store, "--json")
    assert code == 0
    said = json.loads(printed)
    assert len(said["addenda"]) == len(addenda(file))
    assert wrong(SCHEMAS[said["packet"]["schema_version"]][0], orjson.dumps(said["packet"])) == []


@NAMED
def test_its_page_can_be_made(file: Path, store: Path) -> None:
    async def known() -> list[tuple[str, Json]]:
        return list(await Vault.open(str(store), store).addenda(file.stem))

    data = file.read_bytes()
    at = asyncio.run(known())
    view = View(entry(file.stem, data, datetime.now(UTC)), render.unpack(data), at)
    assert view.entry.state != "unreadable"
    assert view.page()["message"]
    assert len(view.document()["addenda"]) == len(addenda(file))


@NAMED
@pytest.mark.parametrize("audience", ["support", "internal"])
def test_a_packet_is_exported_for_both(file: Path, store: Path, audience: str, tmp_path: Path) -> None:
    code, _ = called("packets", "export", file.stem, "--for", audience, "--store", store, "--out", tmp_path)
    assert code == 0
    made = (tmp_path / f"{file.stem}-{audience}.zip").read_bytes()
    assert render.verify(made) == ()
    files = render.unpack(made)
    document = orjson.loads(files["packet.json"])
    packet, added = SCHEMAS[document["schema_version"]]
    assert wrong(packet, files["packet.json"]) == []
    assert wrong(HAR, files["exchange.har"]) == []
    for name, content in files.items():
        if name.startswith("addenda/"):
            assert wrong(added, content) == []
    assert (b"fixture on-call" in b"".join(files.values())) is (audience == "internal")


@NAMED
def test_a_packet_is_replayed_and_judged_as_it_was(file: Path, store: Path) -> None:
    """By the rules alone and without a network; whoever changes what old packets are called has to say so here."""
    code, printed = called("packets", "replay", file.stem, "--store", store, "--json")
    said = json.loads(printed)
    assert [(known["part"], known["changed"]) for known in said["exchanges"] if known["changed"]] == []
    assert (code, said["changed"]) == (0, False)
    assert len(said["exchanges"]) >= 1


@NAMED
def test_a_packet_and_its_addenda_are_valid_by_the_schema_of_their_form(file: Path) -> None:
    content = render.unpack(file.read_bytes())
    document = orjson.loads(content["packet.json"])
    packet, added = SCHEMAS[document["schema_version"]]
    assert wrong(packet, content["packet.json"]) == []
    assert wrong(HAR, content["exchange.har"]) == []
    for stored in addenda(file):
        assert wrong(added, stored.read_bytes()) == []


def test_the_same_program_makes_the_same_objects() -> None:
    """So that a folder can be made by whoever releases, and looked at again."""
    assert objects() == objects()
    assert sorted(objects()) == sorted(file.name for file in (RELEASES / __version__).iterdir())


# ---------------------------------------------------------------- a form of tomorrow


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("show", "--json"), ("export",), ("replay",)],
    ids=lambda arguments: " ".join(arguments),
)
def test_a_form_of_tomorrow_is_refused_in_one_clear_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    files = render.unpack(ZIPS[0].read_bytes())
    document = orjson.loads(files["packet.json"]) | {"schema_version": "9", "$schema": "urn:freezeframe:packet-9"}
    del files["manifest.sha256"]
    files["packet.json"] = render.json_bytes(document)
    (tmp_path / f"{ZIPS[0].stem}.zip").write_bytes(render.pack(files | {MANIFEST: manifest(files)}))
    with pytest.raises(ConfigError, match=r"schema_version 1.*found 9"):
        called("packets", *arguments, ZIPS[0].stem, "--store", tmp_path)
    assert called("packets", "verify", ZIPS[0].stem, "--store", tmp_path)[0] == 0, "it is whole all the same"
    assert called("packets", "fetch", ZIPS[0].stem, "--store", tmp_path, "--out", tmp_path / "out")[0] == 0
