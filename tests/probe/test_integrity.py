"""Whatever happens to a stored object is found, and named by its kind: altered, missing, extra, unreadable."""

import asyncio
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from probe import inspection, render
from probe.objects import NoSuchObject, Objects, StoreError
from probe.packet import Problem, addendum, draft
from probe.vault import PacketNotFound, Vault
from tests.probe.afterwards import OUTAGE, PACKET, STORY
from tests.probe.evidence import case, good, overloaded

FILES = render.files(draft(OUTAGE))
ZIP = render.pack(FILES)
OTHER = case(good(1), overloaded(8))
CONTENT_STRIDE = 41  # every byte of headers, directory and manifest; of the files' own bytes every 41st


def chain(zipped: bytes = ZIP) -> dict[str, bytes]:
    """The addenda as the store holds them."""
    stored, before = {}, zipped
    for name, document in STORY:
        stored[name] = before = addendum.encode(document, before)
    return stored


ADDENDA = chain()
FIRST, SECOND, THIRD, LAST = sorted(ADDENDA)


def told(data: bytes = ZIP, addenda: dict[str, bytes] = ADDENDA) -> list[tuple[str, str]]:
    """What `packets verify` finds, without the store between."""
    return [(it.file, it.kind) for it in render.verify(data, PACKET)] + beside(addenda, data)


def beside(addenda: dict[str, bytes], data: bytes = ZIP) -> list[tuple[str, str]]:
    """What it finds in the addenda."""
    numbered = [(int(name.split(".")[1]), content) for name, content in sorted(addenda.items())]
    return [(it.file, it.kind) for it in addendum.problems(PACKET, data, numbered)]


def flipped(data: bytes, at: int, bit: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def positions() -> Iterator[int]:
    """Where a byte of the zip is flipped."""
    with zipfile.ZipFile(io.BytesIO(ZIP)) as archive:
        end = archive.start_dir
        inside = []
        for info in archive.infolist():
            start = info.header_offset + zipfile.sizeFileHeader + len(info.filename)
            if not info.filename.endswith("manifest.sha256"):
                inside.append(range(start, start + info.file_size))
    content = {at for span in inside for at in span}
    yield from (at for at in range(len(ZIP)) if at not in content or at % CONTENT_STRIDE == 0 or at >= end)


def test_what_is_whole_has_no_problem() -> None:
    assert told() == []


def test_any_flipped_byte_of_the_zip_is_found() -> None:
    kinds = set()
    for at in positions():
        found = render.verify(flipped(ZIP, at, 1 << at % 8), PACKET)
        assert found, at
        kinds |= {it.kind for it in found}
    assert kinds == {"altered", "missing", "extra", "unreadable"}


@pytest.mark.parametrize("name", sorted(ADDENDA))
def test_any_flipped_byte_of_an_addendum_is_found_and_the_packet_is_not_blamed_for_it(name: str) -> None:
    """Only in `previous` of the last one nothing tells whether it, or the object before it, was changed."""
    small = chain(b"a zip")
    for at in range(len(small[name])):
        found = beside(small | {name: flipped(small[name], at)}, b"a zip")
        [(file, kind)] = found
        assert kind in ("altered", "unreadable"), at
        assert file in (name, THIRD if name == LAST else name), at


def test_a_zip_cut_off_anywhere_is_unreadable() -> None:
    for length in (*range(0, len(ZIP) - 700, 997), *range(len(ZIP) - 700, len(ZIP))):
        assert render.verify(ZIP[:length], PACKET) == (Problem("packet.zip", "unreadable"),), length


@pytest.mark.parametrize("name", sorted(ADDENDA))
def test_an_addendum_cut_off_anywhere_is_unreadable_or_altered(name: str) -> None:
    for length in range(0, len(ADDENDA[name].rstrip()), 7):
        assert beside(ADDENDA | {name: ADDENDA[name][:length]}) == [(name, "unreadable")]
    assert beside(ADDENDA | {name: ADDENDA[name].rstrip()}) == [(name, "altered")]


@pytest.mark.parametrize("more", [b"\0", b" ", b"\n", b"PK\x05\x06" + b"\0" * 18, ZIP])
def test_bytes_before_or_after_the_zip_are_found(more: bytes) -> None:
    assert told(ZIP + more) != [] and told(more + ZIP) != []


def rewritten(change: Callable[[zipfile.ZipFile], None], *skip: str, method: int = zipfile.ZIP_STORED) -> bytes:
    """The packet written anew by another tool."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice
        for name in sorted(FILES):
            if name not in skip:
                info = zipfile.ZipInfo(f"{PACKET}/{name}", (1980, 1, 1, 0, 0, 0))
                info.create_system, info.external_attr = 3, (0o700 if name.endswith(".sh") else 0o600) << 16
                info.compress_type = method
                archive.writestr(info, FILES[name])
        change(archive)
    return buffer.getvalue()


def extra_field(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo(f"{PACKET}/summary.md", (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr, info.extra = 3, 0o600 << 16, b"\xfe\xca\x04\x00abcd"
    archive.writestr(info, FILES["summary.md"])


def named(name: str, content: bytes = b"x") -> Callable[[zipfile.ZipFile], None]:
    return lambda archive: archive.writestr(name, content)


def nothing(_: zipfile.ZipFile) -> None:
    pass


def test_written_anew_in_the_same_way_it_is_the_same_bytes() -> None:
    assert rewritten(nothing) == ZIP


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (rewritten(lambda archive: setattr(archive, "comment", b"hello")), ("packet.zip", "altered")),
        (rewritten(extra_field, "summary.md"), ("packet.zip", "altered")),
        (rewritten(named(f"{PACKET}/summary.md", FILES["summary.md"])), ("packet.zip", "unreadable")),
        (rewritten(named(f"{PACKET}/notes.txt")), ("notes.txt", "extra")),
        (rewritten(nothing, "repro.sh"), ("repro.sh", "missing")),
        (rewritten(named(f"{PACKET}/../../etc/passwd")), ("packet.zip", "unreadable")),
        (rewritten(named("/etc/passwd")), ("packet.zip", "unreadable")),
        (rewritten(named("elsewhere/x")), ("packet.zip", "unreadable")),
        (rewritten(named(f"{PACKET}/a\\b")), ("packet.zip", "unreadable")),
        (rewritten(named(f"{PACKET}/folder/")), ("packet.zip", "unreadable")),
        (rewritten(nothing, method=zipfile.ZIP_DEFLATED), ("packet.zip", "unreadable")),
        (ZIP + ZIP, ("packet.zip", "altered")),
        (render.pack(render.files(draft(OTHER))), ("packet.zip", "altered")),
    ],
    ids=[
        *("comment", "extra field", "twice", "another file", "a file less", "traversal", "absolute", "two folders"),
        *("backslash", "folder", "compressed", "two directories", "another packet"),
    ],
)
def test_what_another_tool_can_do_to_the_zip_is_found(data: bytes, found: tuple[str, str]) -> None:
    assert (Problem(*found),) == render.verify(data, PACKET)


def test_a_zip_that_asks_for_much_is_refused_without_it() -> None:
    """A bomb is compressed, or says sizes that it has not."""
    bomb = rewritten(named(f"{PACKET}/zeros", b"\0" * 50_000_000), method=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 200_000
    lying = bytearray(ZIP)
    with zipfile.ZipFile(io.BytesIO(ZIP)) as archive:
        at = archive.start_dir
    lying[at + 20 : at + 28] = b"\xff\xff\xff\x7f" * 2  # sizes of the first file, in the directory
    tracemalloc.start()
    for data in (bomb, bytes(lying)):
        assert render.verify(data, PACKET) == (Problem("packet.zip", "unreadable"),)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


# ---------------------------------------------------------------- addenda


FOREIGN = addendum.encode(STORY[1][1] | {"packet_id": "large-p0001"}, b"another zip")


def without(*names: str) -> dict[str, bytes]:
    return {name: content for name, content in ADDENDA.items() if name not in names}


@pytest.mark.parametrize(
    ("addenda", "found"),
    [
        (without(SECOND), {(SECOND, "missing")}),
        (without(FIRST), {(FIRST, "missing")}),
        (without(SECOND, THIRD), {(SECOND, "missing"), (THIRD, "missing")}),
        (ADDENDA | {FIRST: ADDENDA[SECOND], SECOND: ADDENDA[FIRST]}, {(FIRST, "altered"), (SECOND, "altered")}),
        (ADDENDA | {THIRD: FOREIGN}, {(THIRD, "altered")}),
        (ADDENDA | {f"{PACKET}.005.json": FOREIGN}, {(f"{PACKET}.005.json", "extra")}),
        (ADDENDA | {f"{PACKET}.005.json": ADDENDA[FIRST]}, {(f"{PACKET}.005.json", "extra")}),
        (ADDENDA | {SECOND: json.dumps(json.loads(ADDENDA[SECOND])).encode()}, {(SECOND, "altered")}),
        (ADDENDA | {SECOND: b"not JSON"}, {(SECOND, "unreadable")}),
        (ADDENDA | {SECOND: b"\xff\xfe\x00"}, {(SECOND, "unreadable")}),
        (ADDENDA | {SECOND: b""}, {(SECOND, "unreadable")}),
        (ADDENDA | {SECOND: addendum.encode({"kind": "note", "text": "nothing happened"}, ADDENDA[FIRST])}, None),
        (ADDENDA | {SECOND: ADDENDA[SECOND].replace(b'"document": {', b'"document": {"a":' + b"[" * 400)}, None),
        (
            ADDENDA
            | {
                SECOND: b'{"document":{"a":'
                + b"[" * 300
                + b"]" * 300
                + b'},"previous":"'
                + b"0" * 64
                + b'","sha256":""}'
            },
            {(SECOND, "altered")},
        ),
    ],
    ids=[
        *("missing in the middle", "missing first", "two missing", "swapped", "of another packet in its place"),
        *("of another packet behind", "one of its own again", "serialised anew", "no JSON", "no text", "empty"),
        *("written anew with a fitting digest", "deep and broken", "deep"),
    ],
)
def test_what_can_be_done_to_addenda_is_found(addenda: dict[str, bytes], found: set[tuple[str, str]] | None) -> None:
    assert {name for name, _ in told(addenda=addenda)} == ({SECOND} if found is None else {it for it, _ in found})
    assert found is None or set(told(addenda=addenda)) == found


def test_the_last_addendum_cut_off_leaves_no_trace() -> None:
    """Not found, and said so in docs/evidence.md: nothing in the store speaks of it."""
    assert told(addenda=without(LAST)) == []
    assert told(addenda={}) == []


def test_a_packet_rewritten_with_a_fitting_manifest_is_found_by_its_addenda() -> None:
    changed = FILES | {"summary.md": b"all is well\n"}
    del changed["manifest.sha256"]
    forged = render.pack(changed | {"manifest.sha256": render.archive.manifest(changed)})
    assert render.verify(forged, PACKET) == ()
    assert told(forged) == [(f"{PACKET}.zip", "altered")]


def test_an_altered_addendum_says_nothing() -> None:
    assert addendum.decode(ADDENDA[SECOND]) == STORY[1][1]
    assert addendum.decode(ADDENDA[SECOND].replace(b"CASE-4711", b"CASE-4712")) is None


# ---------------------------------------------------------------- the store


async def filled(folder: Path) -> Vault:
    vault = Vault.open(str(folder), folder)
    await vault.freeze(PACKET, ZIP)
    for _, document in STORY:
        await vault.add(PACKET, document)
    return vault


async def found_in(vault: Vault) -> list[tuple[str, str]]:
    return [(it.file, it.kind) for it in await vault.verify(PACKET)]


async def test_the_store_holds_these_very_bytes_and_verifies(tmp_path: Path) -> None:
    vault = await filled(tmp_path)
    assert await vault.originals(PACKET) == ADDENDA
    assert await vault.packet_ids() == (PACKET,)
    assert await found_in(vault) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda it: (it / SECOND).unlink(), [(SECOND, "missing")]),
        (lambda it: (it / SECOND).rename(it / f"{PACKET}.002.bak.json"), [(SECOND, "missing"), ("002.bak", "extra")]),
        (lambda it: (it / LAST).rename(it / f"{PACKET}.0004.json"), [("0004", "extra")]),
        (lambda it: shutil.copy(it / FIRST, it / f"{PACKET}.1.json"), [(".1.", "extra")]),
        (
            lambda it: ((it / SECOND).unlink(), (it / SECOND).mkdir(), (it / SECOND / "x").touch()),
            [(SECOND, "unreadable")],
        ),
        (lambda it: (it / f"{PACKET}.zip").unlink(), [(f"{PACKET}.zip", "missing")]),
        (lambda it: (it / f"{PACKET}.zip").rename(it / f"{PACKET}.old.zip"), [("old", "extra"), (".zip", "missing")]),
        (
            lambda it: (
                (it / f"{PACKET}.zip").unlink(),
                (it / f"{PACKET}.zip").mkdir(),
                (it / f"{PACKET}.zip/x").touch(),
            ),
            [(f"{PACKET}.zip", "unreadable")],
        ),
        (
            lambda it: (it / f"{PACKET}.zip").write_bytes(b""),
            [("packet.zip", "unreadable"), (f"{PACKET}.zip", "altered")],
        ),
        (lambda it: (it / THIRD).write_bytes(b"{}"), [(THIRD, "unreadable")]),
    ],
    ids=[
        "deleted",
        "renamed",
        "odd number",
        "copied",
        "folder",
        "no zip",
        "zip renamed",
        "zip a folder",
        "zip empty",
        "no addendum",
    ],
)
async def test_what_can_be_done_to_the_folder_is_found(
    change: Callable[[Path], object], found: list[tuple[str, str]], tmp_path: Path
) -> None:
    vault = await filled(tmp_path)
    change(tmp_path)
    problems = await found_in(vault)
    assert len(problems) == len(found), problems
    for part, kind in found:
        assert any(part in file and kind == it for file, it in problems), problems
    assert await vault.packet_ids() == (PACKET,)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives the files to somebody else, which only root can")
def test_files_that_may_not_be_read_are_unreadable(tmp_path: Path) -> None:
    """Asked by a process without root's rights, which would read them all the same."""
    script = (
        "import asyncio, os, sys\nfrom pathlib import Path\nfrom probe.vault import Vault\n"
        f"vault, packet = Vault.open(sys.argv[1], Path()), {PACKET!r}\n"
        "assert asyncio.run(vault.verify(packet)) == ()\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for it in asyncio.run(vault.verify(packet)):\n    print(it.file, it.kind)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for name, content in (ADDENDA | {f"{PACKET}.zip": ZIP}).items():
            (Path(folder) / name).write_bytes(content)
            (Path(folder) / name).chmod(0o600 if name in (SECOND, f"{PACKET}.zip") else 0o644)
        command = [sys.executable, "-c", script, folder]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2])
    assert ran.stdout.splitlines() == [f"{PACKET}.zip unreadable", f"{SECOND} unreadable"], ran.stderr


class Partly(Objects):
    """A store that lists everything and gives out a part, as a bucket's policy or a race with a deletion makes it."""

    refused: dict[str, Exception]

    async def get(self, name: str) -> bytes:
        if name in self.refused:
            raise self.refused[name]
        return await super().get(name)


async def partly(folder: Path, **refused: Exception) -> list[tuple[str, str]]:
    await filled(folder)
    store = Partly.open(str(folder), folder)
    store.refused = {f"{PACKET}.{end}": error for end, error in refused.items()}
    return [(it.file, it.kind) for it in await inspection.whole(store, PACKET)]


async def test_what_the_store_lists_and_does_not_give_out_is_unreadable(tmp_path: Path) -> None:
    denied = StoreError("read: status 403")
    zipped, second = f"{PACKET}.zip", SECOND.removeprefix(f"{PACKET}.")
    assert await partly(tmp_path / "zip", zip=denied) == [(zipped, "unreadable")]
    assert await partly(tmp_path / "addendum", **{second: denied}) == [(SECOND, "unreadable")]


async def test_an_addendum_that_goes_while_it_is_looked_at_is_missing(tmp_path: Path) -> None:
    second = SECOND.removeprefix(f"{PACKET}.")
    assert await partly(tmp_path, **{second: NoSuchObject(SECOND)}) == [(SECOND, "missing")]


async def test_where_nothing_is_stored_nothing_is_found(tmp_path: Path) -> None:
    vault = Vault.open(str(tmp_path), tmp_path)
    assert await vault.packet_ids() == ()
    with pytest.raises(PacketNotFound):
        await vault.verify(PACKET)


async def test_an_altered_packet_is_listed_as_that_and_never_expires(tmp_path: Path) -> None:
    await filled(tmp_path)
    at = ZIP.index(b"We observed")
    (tmp_path / f"{PACKET}.zip").write_bytes(flipped(ZIP, at))
    again = Vault.open(str(tmp_path), tmp_path)
    assert await again.add(PACKET, STORY[2][1]) == f"{PACKET}.005.json"
    [entry] = await again.entries()
    assert (entry.state, entry.target, entry.size_bytes) == ("altered", "small", len(ZIP))
    assert await again.expire(entry.frozen_at + timedelta(days=4000)) == ()
    (tmp_path / f"{PACKET}.zip").write_bytes(render.pack(render.files(draft(OTHER))))
    [entry] = await Vault.open(str(tmp_path), tmp_path).entries()
    assert entry.state == "altered", "whole, and of another ID"


async def test_a_packet_with_an_addendum_that_cannot_be_read_does_not_expire(tmp_path: Path) -> None:
    """It may be the note that names the support case."""
    vault = Vault.open(str(tmp_path), tmp_path)
    await vault.freeze(PACKET, ZIP)
    await vault.add(PACKET, STORY[0][1])
    (tmp_path / FIRST).write_bytes(b"{")
    long_after = OUTAGE.frozen_at + timedelta(days=4000)
    assert await vault.expire(long_after) == ()
    (tmp_path / FIRST).unlink()
    assert await vault.expire(long_after) == (PACKET,)


# ---------------------------------------------------------------- beside sha256sum


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
@pytest.mark.parametrize("name", sorted(set(FILES) - {"manifest.sha256"}))
def test_sha256sum_names_the_same_file_for_a_changed_and_for_a_lost_one(name: str, tmp_path: Path) -> None:
    middle = len(FILES[name]) // 2
    for change in ({name: flipped(FILES[name], middle)}, {name: FILES[name] + b"\n"}, {name: b""}, None):
        files = FILES | change if change else {it: content for it, content in FILES.items() if it != name}
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        with zipfile.ZipFile(io.BytesIO(_packed(files))) as archive:
            archive.extractall(folder)
        check = ["sha256sum", "--strict", "--quiet", "-c", "manifest.sha256"]
        ran = subprocess.run(check, cwd=folder / PACKET, capture_output=True, text=True, timeout=20)
        assert ran.returncode == 1
        assert [line.split(":")[0] for line in ran.stdout.splitlines()] == [name]
        assert render.verify(_packed(files), PACKET) == (Problem(name, "altered" if change else "missing"),)


def _packed(files: dict[str, bytes]) -> bytes:
    """A zip whose own checksums fit whatever its files hold."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            archive.writestr(f"{PACKET}/{name}", files[name])
    return buffer.getvalue()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_sha256sum_of_each_object_is_what_the_next_one_states(tmp_path: Path) -> None:
    asyncio.run(filled(tmp_path))
    names = [f"{PACKET}.zip", *sorted(ADDENDA)]
    printed = subprocess.run(["sha256sum", *names], cwd=tmp_path, capture_output=True, text=True, timeout=20).stdout
    digests = [line.split()[0] for line in printed.splitlines()]
    stated = [json.loads((tmp_path / name).read_text())["previous"] for name in names[1:]]
    assert stated == digests[:-1]
