"""The store keeps every object as it was first written, tells its index, and says clearly what it cannot do."""

import asyncio
import hashlib
import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from probe import render
from probe.packet import Case, Problem, draft, recovery, reopening
from probe.records import Recovered, Reopened, Verdict
from probe.vault import PacketNotFound, StoreError, StoreUnreachable, Vault
from tests.probe.evidence import START, case, good, missing_choices, overloaded

OUTAGE = case(good(1), overloaded(3), overloaded(4), overloaded(5))
LATER = case(good(7), missing_choices(9))
RECOVERED = recovery(Recovered("small", (OUTAGE.packet_id,), START, START, START + timedelta(minutes=9), 3, 10))
AGAIN = reopening(Reopened("small", Verdict.DEGRADATION, "slow", OUTAGE.packet_id, "p9", START + timedelta(minutes=12)))


def zipped(case: Case) -> bytes:
    return render.pack(render.files(draft(case)))


@pytest.fixture(params=["local", "memory"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    return Vault.open("./packets" if request.param == "local" else "memory://", tmp_path)


async def test_a_packet_is_written_once_and_stays_as_it_was(vault: Vault) -> None:
    assert await vault.freeze("a-1", b"first")
    assert not await vault.freeze("a-1", b"second")
    assert await vault.read("a-1") == b"first"


async def test_of_writers_at_once_one_wins(vault: Vault) -> None:
    written = await asyncio.gather(*(vault.freeze("a-1", b"%d" % number) for number in range(8)))
    assert sorted(written) == [False] * 7 + [True]


async def test_addenda_get_the_next_number_and_their_digest(vault: Vault) -> None:
    await vault.freeze(OUTAGE.packet_id, zipped(OUTAGE))
    await vault.freeze("other", b"")
    await vault.add("other", {"kind": "note"})
    assert await vault.add(OUTAGE.packet_id, RECOVERED) == "small-p0005.001.json"
    assert await vault.add(OUTAGE.packet_id, AGAIN) == "small-p0005.002.json"
    assert await vault.addenda(OUTAGE.packet_id) == (
        ("small-p0005.001.json", RECOVERED),
        ("small-p0005.002.json", AGAIN),
    )
    assert await vault.problems(OUTAGE.packet_id) == ()


async def test_of_two_probers_on_one_store_each_goes_on_after_the_other(tmp_path: Path) -> None:
    """A number that we remember may be taken by now: then the store is asked, and the chain stays whole."""
    ours, theirs = Vault.open("./packets", tmp_path), Vault.open("./packets", tmp_path)
    await ours.freeze(OUTAGE.packet_id, zipped(OUTAGE))
    names = []
    for vault in (theirs, theirs, ours, ours, theirs, ours):
        names.append(await vault.add(OUTAGE.packet_id, {"kind": "note", "at": len(names)}))
    assert names == [f"small-p0005.{number:03d}.json" for number in range(1, 7)]
    assert await ours.problems(OUTAGE.packet_id) == ()


async def test_writers_at_once_each_get_a_number_of_their_own(vault: Vault) -> None:
    await vault.freeze("a-1", b"zip")
    names = await asyncio.gather(*(vault.add("a-1", {"kind": "note", "n": n}) for n in range(12)))
    assert sorted(names) == [f"a-1.{number:03d}.json" for number in range(1, 13)]
    assert await vault.problems("a-1") == ()


async def test_the_index_is_newest_first_and_knows_who_recovered(vault: Vault) -> None:
    data = zipped(OUTAGE)
    await vault.freeze(OUTAGE.packet_id, data)
    await vault.freeze(LATER.packet_id, zipped(LATER))
    newest, oldest = await vault.entries()
    assert (newest.id, newest.verdict, newest.reason) == (LATER.packet_id, "contract_mismatch", "missing_choices")
    assert (oldest.id, oldest.state, oldest.trigger, oldest.target) == (OUTAGE.packet_id, "open", "threshold", "small")
    assert (oldest.zip_sha256, oldest.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert abs(oldest.frozen_at - OUTAGE.frozen_at) < timedelta(milliseconds=1)
    await vault.add(OUTAGE.packet_id, RECOVERED)
    assert [entry.state for entry in await vault.entries()] == ["open", "recovered"]
    await vault.add(OUTAGE.packet_id, {"kind": "note"})
    assert [entry.state for entry in await vault.entries()] == ["open", "recovered"]
    await vault.add(OUTAGE.packet_id, AGAIN)
    assert [entry.state for entry in await vault.entries()] == ["open", "open"]


async def test_an_unreadable_packet_is_listed_as_one(vault: Vault) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/packet.json", b" " * 100_000)
    await vault.freeze("bomb", buffer.getvalue())
    await vault.freeze("broken", b"not a zip")
    broken, bomb = sorted(await vault.entries(), key=lambda entry: entry.size_bytes)
    assert (broken.id, broken.state, broken.target, broken.size_bytes) == ("broken", "unreadable", "not known", 9)
    assert (bomb.id, bomb.state, bomb.verdict) == ("bomb", "unreadable", "not known")


async def test_what_is_not_there_is_not_found(vault: Vault) -> None:
    for asked in (vault.read("a-1"), vault.add("a-1", {}), vault.problems("a-1")):
        with pytest.raises(PacketNotFound):
            await asked
    assert await vault.addenda("a-1") == ()
    assert await vault.entries() == ()


@pytest.mark.parametrize("packet_id", ["", "../a", "a/b", "a.001", "a\n", "a#1", "ä"])
async def test_an_id_is_letters_digits_and_hyphens(vault: Vault, packet_id: str) -> None:
    for asked in (
        vault.read(packet_id),
        vault.freeze(packet_id, b""),
        vault.add(packet_id, {}),
        vault.addenda(packet_id),
    ):
        with pytest.raises(ValueError, match="letters, digits and hyphens"):
            await asked


async def test_the_index_reads_a_packet_once(tmp_path: Path) -> None:
    """It never changes: what was read is kept, also when the file is swapped behind our back (`verify` finds that)."""
    vault = Vault.open("packets", tmp_path)
    await vault.freeze(OUTAGE.packet_id, zipped(OUTAGE))
    before = await vault.entries()
    (tmp_path / "packets" / f"{OUTAGE.packet_id}.zip").write_bytes(b"swapped")
    assert await vault.entries() == before


async def test_of_one_target_only_its_own_packets_are_read(vault: Vault) -> None:
    """By the name in the ID, which targets of a like name share; what has another ID may be anybody's."""
    named = {"small-00000001": "small", "small-00000002": "small", "sm-all-00000003": "sm.all"}
    for hour, (ending, target) in enumerate(named.items()):
        packet_id = f"20261124T{hour + 9:02d}0000Z-{ending}"
        of = replace(OUTAGE, packet_id=packet_id, target=replace(OUTAGE.target, name=target))
        assert await vault.freeze(packet_id, zipped(of))
    await vault.freeze("20261124T120000Z-elsewhere-00000004", b"is never read")
    await vault.add("20261124T100000Z-small-00000002", RECOVERED)
    found = await vault.of("small")
    assert [(it.id[-1], it.state) for it in found] == [("2", "recovered"), ("1", "open")]
    assert {it.id[-1] for it in vault.known()} == {"1", "2"}
    assert {it.id[-1] for it in await vault.newest(["small", "sm.all", "sm-all", "none"])} == {"2", "3"}
    assert await vault.of("sm-all") == ()
    assert "4" not in {it.id[-1] for it in vault.known()}


async def test_addenda_witness_to_their_packet(tmp_path: Path) -> None:
    """A zip rewritten with a fitting manifest verifies by itself, but not beside its addendum."""
    vault = Vault.open("packets", tmp_path)
    await vault.freeze(OUTAGE.packet_id, zipped(OUTAGE))
    await vault.add(OUTAGE.packet_id, RECOVERED)
    other = zipped(case(good(1), overloaded(5)))
    (tmp_path / "packets" / f"{OUTAGE.packet_id}.zip").write_bytes(other)
    assert render.verify(other) == ()
    assert await vault.problems(OUTAGE.packet_id) == (Problem("small-p0005.zip", "altered"),)
    (tmp_path / "packets" / f"{OUTAGE.packet_id}.001.json").write_bytes(b"{")
    assert await vault.problems(OUTAGE.packet_id) == (Problem("small-p0005.001.json", "unreadable"),)
    assert await vault.addenda(OUTAGE.packet_id) == ()


async def test_what_is_no_packet_is_left_alone(tmp_path: Path) -> None:
    """Half-written leftovers of a crash, folders, files of others: neither listed nor in the way."""
    vault = Vault.open("packets", tmp_path)
    folder = tmp_path / "packets"
    for name in ("a-1.zip#1", "a-1.001.json#1", "README.txt", "odd name.zip"):
        (folder / name).write_bytes(b"half")
    (folder / "folder").mkdir()
    assert await vault.entries() == ()
    assert await vault.freeze("a-1", b"whole")
    assert await vault.add("a-1", {"kind": "note"}) == "a-1.001.json"
    assert await vault.read("a-1") == b"whole"


async def test_a_local_store_is_its_owner_s_alone_and_survives_reopening(tmp_path: Path) -> None:
    vault = Vault.open("deep/packets", tmp_path)
    await vault.freeze("a-1", b"zip")
    folder = tmp_path / "deep" / "packets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "a-1.zip").stat().st_mode & 0o777 == 0o600
    assert await Vault.open(str(folder), Path("/nowhere")).read("a-1") == b"zip"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file/packets", "cannot be written: "),
        ("ftp://example.test/x", "a path or one of memory://, s3://, gs://, az:// is expected"),
        ("file:///somewhere", "a path or one of"),
        ("az://account/container", "Account must be specified"),
    ],
)
def test_a_store_that_cannot_be_used_names_the_setting(url: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnreachable) as raised:
        Vault.open(url, tmp_path)
    assert raised.value.key == "store"
    assert str(raised.value).startswith("store: ")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_remote_stores_are_made_without_asking_them(tmp_path: Path) -> None:
    for url in ("s3://bucket/prefix", "gs://bucket/prefix"):
        assert Vault.open(url, tmp_path).folder is None


async def test_a_store_that_went_away_is_a_store_error_in_one_line(tmp_path: Path) -> None:
    vault = Vault.open("packets", tmp_path)
    (tmp_path / "packets").rmdir()
    (tmp_path / "packets").write_text("in the way")
    with pytest.raises(StoreError) as raised:
        await vault.freeze("a-1", b"zip")
    assert str(raised.value).startswith("write a-1.zip: ")
    assert "\n" not in str(raised.value)
