"""`packets verify` as people and machines call it, on one packet, on a copy, on the whole store."""

import hashlib
import json
import subprocess
from pathlib import Path

from tests.exporter.commands import call, refused
from tests.exporter.test_cli_packets import UNKNOWN, ZIP, stored
from tests.probe.afterwards import PACKET

SECOND = f"{PACKET}.002.json"
DIGEST = hashlib.sha256(ZIP).hexdigest()


def verify(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return call("packets", "verify", *arguments)


def test_each_kind_of_damage_is_said_file_by_file_with_exit_code_1(tmp_path: Path) -> None:
    store = stored(tmp_path)
    (store / SECOND).unlink()
    (store / f"{PACKET}.003.json").write_bytes(b"{")
    (store / f"{PACKET}.9.json").write_bytes(b"{}")
    at = ZIP.index(b"We observed")
    (store / f"{PACKET}.zip").write_bytes(ZIP[:at] + b"V" + ZIP[at + 1 :])
    ran = verify(PACKET, "--store", store)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.splitlines() == [
        "packet.html: altered",
        f"{PACKET}.zip: altered",
        f"{SECOND}: missing",
        f"{PACKET}.003.json: unreadable",
        f"{PACKET}.9.json: extra",
    ]


def test_without_an_id_the_whole_store_is_checked(tmp_path: Path) -> None:
    store = stored(tmp_path)
    (store / "README.txt").write_text("of somebody else's")
    whole = verify("--store", store)
    assert (whole.returncode, whole.stdout) == (0, "1 packet: whole\n")
    (store / "large-p0001.zip").write_bytes(ZIP)
    (store / "lost-p0001.001.json").write_bytes((store / SECOND).read_bytes())
    wrong = verify("--store", store)
    assert wrong.returncode == 1
    assert wrong.stdout.splitlines() == [
        "large-p0001: packet.zip: altered",
        "lost-p0001: lost-p0001.001.json: extra",
        "lost-p0001: lost-p0001.zip: missing",
        "3 packets: 2 not whole",
    ]
    told = json.loads(verify("--store", store, "--json").stdout)
    assert (told["whole"], [it["whole"] for it in told["packets"]]) == (False, [False, False, True])
    assert [(it["id"], it["zip_sha256"]) for it in told["packets"]] == [
        ("large-p0001", DIGEST),
        ("lost-p0001", None),
        (PACKET, DIGEST),
    ]


def test_what_was_fetched_is_what_is_stored_and_verifies_with_its_addenda(tmp_path: Path) -> None:
    store, out = stored(tmp_path), tmp_path / "out"
    assert call("packets", "fetch", PACKET, "--store", store, "--out", out).returncode == 0
    assert {it.name: it.read_bytes() for it in out.iterdir()} == {it.name: it.read_bytes() for it in store.iterdir()}
    whole = verify(out / f"{PACKET}.zip", "--json")
    assert json.loads(whole.stdout) == {"whole": True, "problems": [], "zip_sha256": DIGEST}
    (out / SECOND).write_bytes(b"")
    assert verify(out / f"{PACKET}.zip").stdout == f"{SECOND}: unreadable\n"


def test_what_cannot_be_a_packet_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "folder.zip").mkdir()
    refused(verify(tmp_path / "folder.zip"), "a readable file")
    refused(verify(UNKNOWN, "--store", tmp_path / "packets"), "packets list")
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate(2**40)  # no bytes on the disk, and none may be read
    assert verify(tmp_path / "huge.zip").stdout == "packet.zip: unreadable\n"
