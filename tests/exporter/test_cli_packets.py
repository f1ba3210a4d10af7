"""The installed command on a packet with a story: shown, exported, noted and posted. All values are fake."""

import asyncio
import hashlib
import json
import os
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from probe import render
from probe.packet import draft, merged
from probe.records import Json
from probe.render.post import MARKER
from probe.vault import Vault
from tests.exporter import commands
from tests.probe.afterwards import FINAL, OUTAGE, PACKET, STORY
from tests.probe.test_export import OURS
from tests.servers.freezeframe import OWNER, configure

KEY = "sk-fake-packets-0123456789abcdef"
FROZEN = draft(OUTAGE)
ZIP = render.pack(render.files(FROZEN))
UNKNOWN = "20260101T000000Z-none-00000000"

call = partial(commands.call, KEY_OF_A=KEY)


def refused(ran: subprocess.CompletedProcess[str], *named: str) -> None:
    """No secret in it either."""
    for it in named:
        commands.refused(ran, it)
    assert KEY not in ran.stderr


def configured(folder: Path, change: Callable[[dict[str, Any]], object] | None = None) -> Path:
    targets = [{"name": "small", "model": "example-small", "credential": "a"}]
    return configure(folder, "http://127.0.0.1:9/v1", targets, ("a",), change=change)


def stored(folder: Path, data: bytes = ZIP, addenda: Any = STORY) -> Path:
    """A store that holds the packet and what was added to it."""

    async def write() -> None:
        vault = Vault.open("packets", folder)
        await vault.freeze(PACKET, data)
        for _, document in addenda:
            await vault.add(PACKET, document)

    asyncio.run(write())
    return folder / "packets"


def leaking() -> bytes:
    """A packet that was frozen when the key was not known yet."""
    return render.pack(render.files(FROZEN | {"title": f"a title with {KEY} in it"}))


# ---------------------------------------------------------------- show


def test_a_packet_is_shown_as_it_stands_now_then_the_names_of_its_addenda(tmp_path: Path) -> None:
    store = stored(tmp_path)
    shown = call("packets", "show", PACKET, "--store", store).stdout
    summary, _, addenda = shown.partition("## Addenda\n")
    assert summary.startswith(f"# {FROZEN['title']}")
    for now in ("Since then (as of", "## Since the freeze", FINAL, "CASE-4711", "told the sales desk", "small-p0000"):
        assert now in summary
    assert [line.split()[:2] for line in addenda.strip().splitlines()[1:-2]] == [
        ["small-p0005.001.json", "confirmation"],
        ["small-p0005.002.json", "note"],
        ["small-p0005.003.json", "recovery"],
        ["small-p0005.004.json", "note"],
    ]
    machine = json.loads(call("packets", "show", PACKET, "--store", store, "--json").stdout)
    assert machine["packet"] == merged(FROZEN, STORY)
    assert machine["addenda"] == [document for _, document in STORY]


def test_a_packet_to_which_nothing_was_added_is_shown_as_it_was_frozen(tmp_path: Path) -> None:
    shown = call("packets", "show", PACKET, "--store", stored(tmp_path, addenda=())).stdout
    digest = hashlib.sha256(ZIP).hexdigest()
    assert shown == render.files(FROZEN)["summary.md"].decode() + f"\nSHA-256 of {PACKET}.zip: {digest}\n"


def test_a_packet_of_another_schema_is_not_guessed_at(tmp_path: Path) -> None:
    store = stored(tmp_path, render.pack(render.files(FROZEN | {"schema_version": "9"})), ())
    refused(call("packets", "show", PACKET, "--store", store), "schema_version 1", "found 9")
    assert call("packets", "fetch", PACKET, "--store", store, "--out", tmp_path / "out").returncode == 0


# ---------------------------------------------------------------- export


def test_an_export_for_support_holds_nothing_that_is_ours(tmp_path: Path) -> None:
    file = configured(tmp_path)
    stored(tmp_path)
    ran = call("packets", "export", PACKET, "--config", file, "--out", tmp_path / "out", "--json")
    zipped = tmp_path / f"out/{PACKET}-support.zip"
    assert json.loads(ran.stdout) == {"path": str(zipped), "warnings": []}, ran.stderr
    with zipfile.ZipFile(zipped) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert [(ours, name) for ours in OURS for name, text in files.items() if ours in name + text] == []
    assert f"{PACKET}/addenda/{PACKET}.001.json" in files
    assert not any(name.endswith(".zip") for name in files)
    for name in ("summary.md", "packet.html"):
        assert all(told in files[f"{PACKET}/{name}"] for told in (FINAL, "recovered at", "deterministic"))
    assert call("packets", "verify", zipped).returncode == 0
    archive_folder = tmp_path / "unzipped"
    zipfile.ZipFile(zipped).extractall(archive_folder)
    check = ["sha256sum", "--strict", "--quiet", "-c", "manifest.sha256"]
    assert subprocess.run(check, cwd=archive_folder / PACKET, timeout=20).returncode == 0


def test_an_internal_export_holds_the_notes_and_names_the_original(tmp_path: Path) -> None:
    store = stored(tmp_path)
    ran = call("packets", "export", PACKET, "--for", "internal", "--store", store, "--out", tmp_path)
    files = render.unpack((tmp_path / f"{PACKET}-internal.zip").read_bytes())
    assert ran.stdout.strip() == str(tmp_path / f"{PACKET}-internal.zip")
    document = json.loads(files["packet.json"])
    assert document["export"]["frozen_zip_sha256"] == hashlib.sha256(ZIP).hexdigest()
    assert document["internal"]["follow_up"]["escalation_id"] == "CASE-4711"
    assert json.loads(files[f"addenda/{PACKET}.004.json"])["text"] == "told the sales desk"
    assert call("packets", "verify", tmp_path / f"{PACKET}-internal.zip").returncode == 0


@pytest.mark.parametrize("audience", ["support", "internal"])
def test_an_export_in_which_a_configured_secret_can_be_read_is_not_written(audience: str, tmp_path: Path) -> None:
    file = configured(tmp_path)
    stored(tmp_path, leaking())
    out = tmp_path / "out"
    ran = call("packets", "export", PACKET, "--for", audience, "--config", file, "--out", out)
    refused(ran, f"{PACKET}-{audience}.zip", "no configured secret", "summary.md, line 1")
    assert not out.exists()


# ---------------------------------------------------------------- what not to send


def test_what_should_not_be_sent_is_told_before_the_export_and_hinders_nothing(tmp_path: Path) -> None:
    impact = draft(replace(OUTAGE, impact="Orders fail because your load balancer drops them."))
    noted = {"kind": "note", "at": "2026-11-24T04:00:00.000Z", "text": "Our limit is 60 RPM, see the screenshot."}
    story = (*STORY, ("x", noted))
    store = stored(tmp_path, render.pack(render.files(impact)), story)
    support = call("packets", "export", PACKET, "--store", store, "--out", tmp_path)
    assert (support.returncode, (tmp_path / f"{PACKET}-support.zip").exists()) == (0, True)
    [line] = support.stderr.splitlines()
    assert line.startswith('freezeframe: warning: message, line 6: root_cause: "because your"')
    internal = call("packets", "export", PACKET, "--for", "internal", "--store", store, "--out", tmp_path, "--json")
    warnings = json.loads(internal.stdout)["warnings"]
    assert [(it["where"], it["kind"]) for it in warnings] == [
        ("message, line 6", "root_cause"),
        (f"{PACKET}.005.json, text", "unsourced_claim"),
        (f"{PACKET}.005.json, text", "screenshot"),
    ]
    shown = call("packets", "show", PACKET, "--store", store)
    assert shown.stderr.count("freezeframe: warning: ") == 3 and "warning" not in shown.stdout


def test_a_note_that_should_not_be_sent_is_written_with_a_warning(tmp_path: Path) -> None:
    file, store = configured(tmp_path), stored(tmp_path, addenda=())
    told = note(file, "--text", "The root cause is your proxy.")
    assert told.returncode == 0 and (store / f"{PACKET}.001.json").exists()
    assert told.stderr.startswith("freezeframe: warning: text: root_cause: ")
    assert "an export for support holds no notes" in told.stderr
    machine = json.loads(note(file, "--mitigation", "See billing.png", "--json").stdout)
    assert [(it["kind"], it["where"]) for it in machine["warnings"]] == [("screenshot", "mitigation")]


def test_an_altered_addendum_is_left_out_of_an_export_and_named(tmp_path: Path) -> None:
    store = stored(tmp_path)
    name = f"{PACKET}.002.json"
    (store / name).write_bytes((store / name).read_bytes().replace(b"CASE-4711", b"CASE-4712"))
    ran = call("packets", "export", PACKET, "--for", "internal", "--store", store, "--out", tmp_path)
    assert ran.returncode == 0
    assert ran.stderr == f"freezeframe: warning: {name}: altered; nothing of it is in what follows\n"
    assert b"CASE-471" not in (tmp_path / f"{PACKET}-internal.zip").read_bytes()


def test_a_packet_that_its_addenda_disown_is_not_passed_on(tmp_path: Path) -> None:
    """Written anew with a fitting manifest: by itself it verifies."""
    store = stored(tmp_path)
    (store / f"{PACKET}.zip").write_bytes(render.pack(render.files(FROZEN | {"title": "all is well"})))
    for action in ("show", "export"):
        refused(call("packets", action, PACKET, "--store", store), "packets verify")


# ---------------------------------------------------------------- note


def note(file: Path, *more: str, packet: str = PACKET) -> subprocess.CompletedProcess[str]:
    return call("packets", "note", packet, "--config", file, *more)


def test_a_note_is_written_beside_the_packet_which_stays_as_it_was(tmp_path: Path) -> None:
    file, store = configured(tmp_path), stored(tmp_path, addenda=())
    told = note(file, "--escalation-id", "CASE-7", "--next-review", "2026-11-25", "--text", "jane@example.test called")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"{PACKET}.001.json: Escalation ID: CASE-7; Next review: 2026-11-25; Note: ")
    assert "text: email was replaced by a token" in told.stdout
    assert "jane@example.test" not in told.stdout + (store / f"{PACKET}.001.json").read_text()
    given = {
        "--submitted-at": "2026-11-24T04:00:00+01:00",
        "--route": "https://example.test/support",
        "--owner": "zoe",
        "--mitigation": "paused the queue",
        "--impact": "checkout was down",
        "--request-id": "theirs-1",
    }
    arguments = [part for option in given.items() for part in option]
    machine = json.loads(note(file, *arguments, "--request-id", "theirs-2", "--json").stdout)
    document = machine["document"]
    assert (machine["addendum"], machine["removed"]) == (f"{PACKET}.002.json", [])
    assert document["submitted_at"] == "2026-11-24T03:00:00.000Z"
    assert document["request_ids"] == ["theirs-1", "theirs-2"]
    assert (document["kind"], document["packet_id"], document["text"]) == ("note", PACKET, None)
    assert (store / f"{PACKET}.zip").read_bytes() == ZIP
    shown = json.loads(call("packets", "show", PACKET, "--config", file, "--json").stdout)
    assert shown["packet"]["internal"]["follow_up"]["owner"] == "zoe"
    assert shown["addenda"][1] == document
    assert call("packets", "verify", PACKET, "--config", file).stdout == f"{PACKET}: whole\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--text", f"it says {KEY}"), "--text"),
        (("--mitigation", "use sk-proj-" + "aB3dE5" * 8), "--mitigation"),
        (("--submitted-at", "yesterday"), "--submitted-at"),
        (("--submitted-at", "2026-11-24T03:00:00"), "time zone"),
        (("--next-review", "soon"), "--next-review"),
        (("--request-id", "x" * 201), "--request-ids"),
        ((), "at least one field"),
    ],
)
def test_a_note_that_is_wrong_is_refused_by_name_and_nothing_is_written(
    arguments: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    file, store = configured(tmp_path), stored(tmp_path, addenda=())
    ran = note(file, *arguments)
    refused(ran, named)
    assert not any(len(given) > 30 and given in ran.stderr for given in arguments)
    assert [it.name for it in store.iterdir()] == [f"{PACKET}.zip"]


def test_a_note_to_a_packet_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    file, store = configured(tmp_path), stored(tmp_path, addenda=())
    for wrong in (UNKNOWN, "../key"):
        refused(note(file, "--text", "x", packet=wrong), "packet ID", "packets list")
    assert [it.name for it in store.iterdir()] == [f"{PACKET}.zip"]


# ---------------------------------------------------------------- post


def post(file: Path, *more: str, packet: str = PACKET) -> subprocess.CompletedProcess[str]:
    return call("packets", "post", packet, "--config", file, *more)


def front_matter(path: Path) -> Json:
    known: Json = yaml.safe_load(path.read_text().split("---\n")[1])
    return known


def test_a_post_and_the_index_are_written_into_the_configured_folder(tmp_path: Path) -> None:
    file = configured(tmp_path, lambda config: config["server"].update(external_url="https://probe.example.test/"))
    stored(tmp_path)
    told = json.loads(post(file, "--json").stdout)
    path, page = tmp_path / f"posts/{PACKET}.md", tmp_path / "posts/index.md"
    assert told == {"post": str(path), "index": str(page), "warnings": []}
    front = front_matter(path)
    assert front["packet_url"] == f"https://probe.example.test/packets/{PACKET}"
    assert (path.parent / front["packet_file"]).resolve() == (tmp_path / f"packets/{PACKET}.zip").resolve()
    assert (front["state"], front["escalation_id"]) == ("recovered", "CASE-4711")
    assert "- small-p0000, no note here" in path.read_text(), "neither its packet nor its note is there any more"
    row = page.read_text().splitlines()[4]
    assert row.startswith("| 2026-11-24 03:02Z | [example-gateway chat API, ")
    assert row.endswith(
        f"]({PACKET}.md) | degradation / upstream_overloaded | recovered | CASE-4711 | zoe of the night shift |"
    )
    assert sorted(it.name for it in path.parent.iterdir()) == ["index.md", f"{PACKET}.md"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now


def test_a_rerun_refreshes_what_is_generated_and_keeps_what_people_wrote(tmp_path: Path) -> None:
    file = configured(tmp_path)
    stored(tmp_path, addenda=STORY[:1])
    posts = tmp_path / "posts"
    assert post(file).stdout == f"{posts / PACKET}.md\n{posts / 'index.md'}\n"
    first = (posts / f"{PACKET}.md").read_text()
    assert front_matter(posts / f"{PACKET}.md")["state"] == "open"
    theirs = f"\n## What we learned\r\n\n{MARKER}\nNever again.\n"
    (posts / f"{PACKET}.md").write_bytes((first.replace("# example", "# EXAMPLE") + theirs).encode() + b"\xff\n")
    (posts / "index.md").write_text((posts / "index.md").read_text() + "Ask zoe.\n")
    (posts / f"{PACKET}.md").chmod(0o640)

    async def go_on() -> None:
        for _, document in STORY[1:]:
            await Vault.open("packets", tmp_path).add(PACKET, document)

    asyncio.run(go_on())
    for _ in range(2):
        assert post(file).returncode == 0
        now = (posts / f"{PACKET}.md").read_bytes()
        assert front_matter_of(now)["state"] == "recovered"
        assert now.endswith(f"\n{MARKER}\n{theirs}".encode() + b"\xff\n")
        assert now.count(b"\xff\n") == 1 and b"# EXAMPLE" not in now
        assert (posts / "index.md").read_text().endswith(f"\n{MARKER}\nAsk zoe.\n")
        assert (posts / f"{PACKET}.md").stat().st_mode & 0o777 == 0o640


def front_matter_of(content: bytes) -> Json:
    known: Json = yaml.safe_load(content.split(b"---\n")[1])
    return known


def test_the_index_lists_all_notes_of_the_folder_and_touches_none(tmp_path: Path) -> None:
    file = configured(tmp_path)
    posts = tmp_path / "posts"
    posts.mkdir()
    others = {
        "older.md": b"---\ntitle: An older one\ndate: 2025-01-02\nowner: bob\n---\nbody\n",
        "foreign.md": b"# Somebody's\n",
        "broken.md": b"---\ntitle: [\n---\n\xff",
        "small-p0000.md": b"---\ntitle: The one before\ndate: 2026-11-01\n---\n",
        "index.md": b"# An index that somebody made by hand\n",
        ".draft.md": b"hidden",
        "readme.txt": b"no note",
    }
    for name, content in others.items():
        (posts / name).write_bytes(content)
    (posts / "folder.md").mkdir()
    (posts / "gone.md").symlink_to("nowhere")
    os.mkfifo(posts / "pipe.md")
    store = stored(tmp_path)
    (store / "small-p0000.zip").write_bytes(b"the packet before")
    assert post(file).returncode == 0
    page = (posts / "index.md").read_text()
    generated, _, theirs = page.partition(f"{MARKER}\n")
    assert theirs == "\n# An index that somebody made by hand\n"
    rows = [line.split("](")[1].split(")")[0] for line in generated.splitlines() if "](" in line]
    assert rows == [f"{PACKET}.md", "small-p0000.md", "older.md", "broken.md", "foreign.md", "gone.md", "pipe.md"]
    assert "| [foreign.md](foreign.md) | no front matter |" in generated
    assert "| [broken.md](broken.md) | no front matter |" in generated
    assert "| 2025-01-02 00:00Z | [An older one](older.md) | - | - | - | bob |" in generated
    assert {name: (posts / name).read_bytes() for name in others if name != "index.md"} == {
        name: content for name, content in others.items() if name != "index.md"
    }
    body = (posts / f"{PACKET}.md").read_text()
    assert "- [small-p0000](../packets/small-p0000.zip), [its note](small-p0000.md)" in body


@pytest.mark.parametrize(
    ("posts", "found"),
    [
        (None, "nothing"),
        ("https://runbooks.example.test/posts/", "a URL"),
        ("./contract.yaml/posts", "Not a directory"),
    ],
)
def test_a_folder_of_posts_that_cannot_be_written_names_the_setting(
    posts: str | None, found: str, tmp_path: Path
) -> None:
    file = configured(tmp_path, lambda config: config["escalation"].update(posts=posts))
    stored(tmp_path)
    refused(post(file), "escalation.posts", found)


def test_an_unknown_packet_is_posted_nowhere(tmp_path: Path) -> None:
    file = configured(tmp_path)
    stored(tmp_path)
    for wrong in (UNKNOWN, "../key"):
        refused(post(file, packet=wrong), "packet ID", "packets list")
    assert not (tmp_path / "posts").exists()


def test_a_post_in_which_a_configured_secret_can_be_read_is_not_written(tmp_path: Path) -> None:
    file = configured(tmp_path)
    stored(tmp_path, leaking())
    refused(post(file), "escalation.posts", f"{PACKET}.md, line 2", "no configured secret")
    assert list((tmp_path / "posts").iterdir()) == []


def test_a_secret_that_somebody_wrote_into_a_note_stops_the_next_refresh(tmp_path: Path) -> None:
    file = configured(tmp_path)
    stored(tmp_path)
    assert post(file).returncode == 0
    path = tmp_path / f"posts/{PACKET}.md"
    path.write_text(path.read_text() + f"the key is {KEY}\n")
    before = path.read_bytes()
    refused(post(file), f"{PACKET}.md, line {before.count(chr(10).encode())}, read as plain text")
    assert path.read_bytes() == before


def test_a_note_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    """A folder stands where the note should: nothing half-written stays."""
    file = configured(tmp_path)
    stored(tmp_path)
    (tmp_path / f"posts/{PACKET}.md").mkdir(parents=True)
    refused(post(file), "escalation.posts", "Is a directory")
    assert [it.name for it in (tmp_path / "posts").iterdir()] == [f"{PACKET}.md"]


def test_the_owner_of_the_configuration_is_followed_up_until_a_note_says_another(tmp_path: Path) -> None:
    assert FROZEN["internal"]["owner"] == OWNER
    file = configured(tmp_path)
    stored(tmp_path, addenda=())
    assert post(file).returncode == 0
    assert front_matter(tmp_path / f"posts/{PACKET}.md")["owner"] == OWNER
