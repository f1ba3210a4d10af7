"""What waits for the store waits on a real disk, also a full and a read-only one."""

from pathlib import Path

import pytest

from probe import render
from probe.packet import draft
from probe.spool import Spool, is_whole
from tests.probe.evidence import case, overloaded
from tests.servers.disk import Disk


async def test_files_wait_in_order_over_a_restart_and_go_when_delivered(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    assert await spool.put("b-1.zip", b"first")
    assert await spool.put("a-1.zip", b"second")
    assert await spool.put("a-1.00012.addendum", b"{}")
    again = Spool(tmp_path / "spool")
    assert again.waiting() == ("b-1.zip", "a-1.zip", "a-1.00012.addendum")
    assert await again.get("b-1.zip") == b"first"
    await again.remove("b-1.zip")
    assert again.waiting() == Spool(tmp_path / "spool").waiting() == ("a-1.zip", "a-1.00012.addendum")


async def test_what_is_set_aside_is_left_where_it_lies(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.put("a-1.zip", b"x")
    spool.set_aside("a-1.zip")
    assert spool.waiting() == ()
    assert Spool(tmp_path).waiting() == ("a-1.zip",)


def test_a_file_that_waited_is_whole_or_not() -> None:
    data = render.pack(render.files(draft(case(overloaded(3)))))
    assert is_whole("small-p0003.zip", data)
    assert not is_whole("small-p0004.zip", data), "the packet of another ID"
    assert not is_whole("small-p0003.zip", data[:-1])
    assert is_whole("a.1.addendum", b'{"kind":"note"}')
    assert not is_whole("a.1.addendum", b"[]") and not is_whole("a.1.addendum", b"{")


async def test_it_is_bounded_in_files_and_in_bytes(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_files=2, most_bytes=10)
    assert await spool.put("a.zip", b"12345")
    assert not await spool.put("b.zip", b"123456")
    assert await spool.put("b.zip", b"12345")
    assert not await spool.put("c.zip", b"")
    assert await spool.put("a.zip", b"12345"), "what waits already is kept once"
    assert len(spool.waiting()) == 2


def test_half_a_file_of_a_killed_process_is_not_delivered(tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(b"half")
    assert Spool(tmp_path).waiting() == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../a.zip", "a/b.zip", ".zip", "a.txt", "a.addendum"])
async def test_a_name_that_is_none_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        await Spool(tmp_path).put(name, b"")


async def test_a_full_disk_takes_nothing_and_leaves_no_half(disk: Disk) -> None:
    spool = Spool(disk.folder / "spool")
    assert not await spool.put("a.zip", b"x" * 1024 * 1024)
    assert await spool.put("b.zip", b"x" * 1024)
    assert [path.name for path in (disk.folder / "spool").iterdir()] == ["b.zip"]


async def test_a_read_only_disk_takes_nothing_until_it_is_writable(disk: Disk) -> None:
    spool = Spool(disk.folder / "spool")
    disk.writable(False)
    assert not await spool.put("a.zip", b"x")
    disk.writable(True)
    assert await spool.put("a.zip", b"x")
