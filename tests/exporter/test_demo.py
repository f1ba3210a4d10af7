"""One run of `freezeframe demo`, and every packet command on the store that it leaves."""

import hashlib
import io
import json
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.exporter.commands import ENVIRON, call, refused
from tests.servers.freezeframe import command
from tests.servers.secrets import command_lines, leaks

OWNER = b"demo on-call"


@dataclass(frozen=True)
class Demo:
    """What one run printed, and where its store is."""

    printed: str
    packets: list[dict[str, Any]]
    store: Path
    processes: bytes

    @property
    def key(self) -> bytes:
        return (self.store.parent / "key").read_bytes().strip()

    def of(self, target: str) -> dict[str, Any]:
        return next(packet for packet in self.packets if packet["target"] == target)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Ends by itself within 25 s; the process list is read all the while, as anybody on the machine can."""
    environ = ENVIRON | {"TMPDIR": str(tmp_path_factory.mktemp("demo"))}
    story = command("demo", "--seconds", "8", "--json")
    processes = []
    with subprocess.Popen(story, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        for _ in range(50):
            try:
                stdout, stderr = running.communicate(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                processes.append(command_lines())
        else:
            running.kill()
            pytest.fail("the demo did not end by itself")
    assert running.returncode == 0, stderr
    packets = json.loads(stdout)["packets"]
    return Demo(stdout + stderr, packets, Path(packets[0]["path"]).parent, b"\n".join(processes))


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_packets_of_the_demo_rest_on_documents_that_were_fetched(demo: Demo) -> None:
    """The demo gateway documents what its contract states."""
    files = members(Path(demo.of("small")["path"]).read_bytes())
    folder = next(iter(files)).partition("/")[0]
    document = json.loads(files[f"{folder}/packet.json"])
    assert "verified against" in document["message"][1]
    assert document["documented"]["verified_live"] is True
    rows = document["documented"]["frozen_sources"]
    assert all(f"{folder}/{row['file']}" in files for row in rows)
    assert {it["outcome"] for row in rows for it in row["outcomes"]} == {"verified"}


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip with checksums of its own that fit, as someone makes who changes evidence on purpose."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_the_demo_freezes_a_packet_of_each_class_and_says_where_it_is(demo: Demo) -> None:
    verdicts = {packet["verdict"] for packet in demo.packets}
    assert verdicts == {"degradation", "auth_or_account", "quota_or_billing", "contract_mismatch"}
    assert {packet["reason"] for packet in demo.packets} >= {"upstream_overloaded", "truncated_body", "invalid_key"}
    assert demo.of("small")["state"] == "recovered"
    for packet in demo.packets:
        data = Path(packet["path"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (packet["size_bytes"], packet["zip_sha256"])
        assert packet["url"].endswith(f"/packets/{packet['id']}")


def test_the_key_of_the_demo_is_in_its_key_file_alone(demo: Demo) -> None:
    """In no encoding in a packet, beside it, in what was printed, nor in the process list while it ran."""
    key = demo.key.decode()
    assert key.startswith("fake-demo-key-")
    assert b"demo" in demo.processes
    seen = {"printed": demo.printed.encode(), "process list": demo.processes}
    files = {file.name: file.read_bytes() for file in demo.store.parent.rglob("*") if file.is_file()}
    found = [leak for name, data in (seen | files).items() for leak in leaks(key, name, data)]
    assert {leak.partition(":")[0] for leak in found} == {"key"}
    assert (demo.store.parent / "key").stat().st_mode & 0o077 == 0


def test_the_store_lists_what_the_demo_printed_newest_first(demo: Demo) -> None:
    listed = json.loads(call("packets", "list", "--store", demo.store, "--json").stdout)["packets"]
    printed = [{name: packet[name] for name in packet.keys() - {"path", "url"}} for packet in demo.packets]
    assert listed == printed[::-1]
    table = call("packets", "list", "--store", demo.store).stdout.splitlines()
    assert table[0].split()[:4] == ["id", "target", "verdict", "reason"]
    assert [line.split()[0] for line in table[1:]] == [packet["id"] for packet in listed]


def test_a_packet_is_shown_with_what_was_added_since(demo: Demo) -> None:
    small = demo.of("small")["id"]
    shown = json.loads(call("packets", "show", small, "--store", demo.store, "--json").stdout)
    assert shown["packet"]["packet_id"] == small
    assert [document["kind"] for document in shown["addenda"]] == ["confirmation", "recovery"]
    summary, _, addenda = call("packets", "show", small, "--store", demo.store).stdout.partition("## Addenda")
    assert summary.startswith("# ")
    assert OWNER.decode() in summary
    assert "We observed a" in summary
    assert "Follow-up owner" in summary
    since = summary.partition("## Since the freeze")[2]
    assert "Asked again" in since or "It was not asked again" in since
    assert "Should I escalate?" in since
    assert "recovered at " in since
    assert [line.split()[:2] for line in addenda.strip().splitlines()[1:-2]] == [
        [f"{small}.001.json", "confirmation"],
        [f"{small}.002.json", "recovery"],
    ]
    assert (shown["packet"]["since_freeze"]["state"], shown["packet"]["internal"]["notes"]) == ("recovered", [])


def test_a_packet_is_fetched_as_stored_with_its_addenda_into_a_new_folder(demo: Demo, tmp_path: Path) -> None:
    small = demo.of("small")["id"]
    out = tmp_path / "new/folder"
    ran = call("packets", "fetch", small, "--store", demo.store, "--out", out, "--json")
    assert json.loads(ran.stdout) == {"path": str(out / f"{small}.zip")}
    assert {file.name for file in out.iterdir()} == {f"{small}.zip", f"{small}.001.json", f"{small}.002.json"}
    assert (out / f"{small}.zip").read_bytes() == (demo.store / f"{small}.zip").read_bytes()
    stored = (demo.store / f"{small}.001.json").read_bytes()
    assert (out / f"{small}.001.json").read_bytes() == stored


def test_support_does_not_read_who_our_owner_is_and_internal_reads_all(demo: Demo, tmp_path: Path) -> None:
    account = demo.of("account")
    for audience in ("support", "internal"):
        ran = call("packets", "export", account["id"], "--for", audience, "--store", demo.store, "--out", tmp_path)
        assert ran.stdout.strip() == str(tmp_path / f"{account['id']}-{audience}.zip")
        assert call("packets", "verify", ran.stdout.strip()).returncode == 0
    support = (tmp_path / f"{account['id']}-support.zip").read_bytes()
    internal = (tmp_path / f"{account['id']}-internal.zip").read_bytes()
    assert OWNER in internal
    assert OWNER not in support
    for exported in (support, internal):
        document = json.loads(members(exported)[f"{account['id']}/packet.json"])
        assert document["export"]["frozen_zip_sha256"] == account["zip_sha256"]
        assert document["since_freeze"]["addenda"]
    refused(call("packets", "export", account["id"], "--for", "nobody", "--store", demo.store), "--for")


def test_a_packet_verifies_by_id_and_by_path(demo: Demo) -> None:
    for packet in demo.packets:
        ran = call("packets", "verify", packet["path"], "--json")
        told = {"problems": [], "whole": True, "zip_sha256": packet["zip_sha256"]}
        assert (ran.returncode, json.loads(ran.stdout)) == (0, told)
    by_id = call("packets", "verify", demo.packets[0]["id"], "--store", demo.store)
    assert (by_id.returncode, by_id.stdout) == (0, f"{demo.packets[0]['id']}: whole\n")


def test_a_flipped_byte_and_a_missing_file_are_named_with_exit_code_1(demo: Demo, tmp_path: Path) -> None:
    data = Path(demo.packets[0]["path"]).read_bytes()
    files = members(data)
    where = data.index(files[next(name for name in files if name.endswith("/summary.md"))])
    broken = tmp_path / "x.zip"
    broken.write_bytes(data[:where] + bytes([data[where] ^ 1]) + data[where + 1 :])
    altered = call("packets", "verify", broken)
    assert (altered.returncode, "summary.md: altered" in altered.stdout.splitlines()) == (1, True)
    broken.write_bytes(zipped({name: content for name, content in files.items() if not name.endswith("/summary.md")}))
    missing = call("packets", "verify", broken, "--json")
    assert missing.returncode == 1
    assert {"file": "summary.md", "problem": "missing"} in json.loads(missing.stdout)["problems"]


def test_an_altered_packet_is_neither_shown_nor_exported_under_a_new_manifest(demo: Demo, tmp_path: Path) -> None:
    """Its zip is readable and its checksums fit: only the manifest tells. An export writes a manifest anew."""
    large = demo.of("large")
    files = members(Path(large["path"]).read_bytes())
    name = f"{large['id']}/packet.json"
    assert b"demo-large" in files[name]
    store = tmp_path / "store"
    store.mkdir()
    changed = zipped(files | {name: files[name].replace(b"demo-large", b"demo-small")})
    (store / f"{large['id']}.zip").write_bytes(changed)
    refused(call("packets", "show", large["id"], "--store", store), "packets verify")
    for audience in ("support", "internal"):
        ran = call("packets", "export", large["id"], "--for", audience, "--store", store, "--out", tmp_path / "out")
        refused(ran, large["id"])
    assert not (tmp_path / "out").exists()
    by_id = call("packets", "verify", large["id"], "--store", store)
    assert (by_id.returncode, "packet.json: altered" in by_id.stdout.splitlines()) == (1, True)


def test_a_wrong_packet_id_is_one_clear_line(demo: Demo) -> None:
    unknown, outside = "20260101T000000Z-none-00000000", "../key"
    for action, wrong in (("show", outside), ("fetch", unknown), ("export", unknown), ("verify", outside)):
        ran = call("packets", action, wrong, "--store", demo.store)
        refused(ran, "packet ID")
        assert "packets list" in ran.stderr


def test_a_store_that_holds_nothing_knows_no_packet(tmp_path: Path) -> None:
    refused(call("packets", "show", "nope", "--store", tmp_path / "packets"), "packets list")


@pytest.mark.parametrize("action", ["fetch", "export"])
def test_a_folder_that_cannot_be_written_is_one_clear_line(demo: Demo, action: str) -> None:
    below_a_file = demo.store.parent / "key/below"
    refused(call("packets", action, demo.packets[0]["id"], "--store", demo.store, "--out", below_a_file), "--out")


def test_a_folder_that_is_called_a_zip_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "x.zip").mkdir()
    refused(call("packets", "verify", tmp_path / "x.zip"), "x.zip")


def test_a_demo_without_an_address_of_its_own_is_one_clear_line() -> None:
    for listen in ("nonsense", "0.0.0.0:0"):
        refused(call("demo", "--seconds", "5", "--listen", listen, "--json"), "server.")
