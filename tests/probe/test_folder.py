"""A store that is a folder: whole objects or none, one winner, nothing of others in the way; and no cloud's library."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from probe.folder import Disk, Folder
from probe.objects import Objects, StoreError
from tests.servers.disk import Disk as SmallDisk

DATA = b"zip" * 100_000


def test_what_was_written_is_there_and_stays(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "store")
    assert folder.create("a-1.zip", DATA)
    assert not folder.create("a-1.zip", b"other")
    assert folder.read("a-1.zip") == DATA
    assert [path.name for path in folder.path.iterdir()] == ["a-1.zip"]
    assert (folder.path / "a-1.zip").stat().st_mode & 0o777 == 0o600
    folder.delete("a-1.zip")
    with pytest.raises(FileNotFoundError):
        folder.read("a-1.zip")


def test_of_many_writers_one_wins_and_nobody_reads_a_part(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    contents = [bytes([number]) * 300_000 for number in range(16)]
    with ThreadPoolExecutor(16) as threads:
        writing = [threads.submit(folder.create, "a-1.zip", content) for content in contents]
        seen = set()
        while not all(each.done() for each in writing):
            for name in folder.listing()[0]:
                seen.add(folder.read(name))
    assert [each.result() for each in writing].count(True) == 1
    assert seen <= set(contents)
    assert folder.read("a-1.zip") in contents


def _wins(path: Path, name: str) -> bool:
    return Folder(path).create(name, name.encode() * 1000)


def test_of_many_processes_one_wins(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as processes:
        won = processes.starmap(_wins, [(tmp_path, f"a-{number % 5}.zip") for number in range(40)])
    assert won.count(True) == 5
    assert all(Folder(tmp_path).read(name) == name[:7].encode() * 1000 for name in Folder(tmp_path).listing()[0])


_WRITES = """
import sys
from pathlib import Path
from probe.folder import Folder
folder = Folder(Path(sys.argv[1]))
print("ready", flush=True)
number = 0
while True:
    number += 1
    folder.create(f"a-{number:06d}.zip", b"x" * 200_000)
"""


def test_a_kill_leaves_whole_objects_only(tmp_path: Path) -> None:
    for number in range(1, 6):
        writer = subprocess.Popen([sys.executable, "-c", _WRITES, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        until = time.monotonic() + 10
        while len(list(tmp_path.glob("a-*.zip"))) < 4 * number and time.monotonic() < until:
            pass
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    folder = Folder(tmp_path)
    names = folder.listing()[0]
    assert len(names) >= 20
    assert all(len(folder.read(name)) == 200_000 for name in names)


_REFUSED = """
import resource, signal, sys
from pathlib import Path
from probe.folder import Folder
folder = Folder(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    folder.create("a-1.zip", b"x" * 200_000)
except OSError as error:
    print(error.strerror)
print(sorted(path.name for path in folder.path.iterdir()))
"""


def test_a_disk_that_takes_a_part_leaves_nothing(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", _REFUSED, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["File too large", "[]"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000
    assert Folder(tmp_path).create("a-1.zip", DATA)


def test_what_others_left_is_neither_listed_nor_in_the_way(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "inner").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "nowhere").symlink_to(tmp_path / "not there")
    for name in ("a-1.zip#1", "a-1.zip#0123456789abcdef", "notes#2.txt"):
        (tmp_path / name).write_bytes(b"half")
    os.mkfifo(tmp_path / "pipe")
    assert folder.create("a-1.zip", DATA)
    assert folder.listing()[1] == ("inner",)
    assert list(folder.listing()[0]) == ["a-1.zip", "notes#2.txt"]
    assert folder.beginning("a-") == ("a-1.zip",)


def test_what_a_crash_left_long_ago_goes_at_a_start_and_nothing_else(tmp_path: Path) -> None:
    old = time.time() - 2 * 86_400
    for name in ("a-1.zip#0123456789abcdef", "a-1.001.json#0123456789abcdef", "a-1.zip#1", "mine#0123456789abcdef"):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (old, old))
    (tmp_path / "a-2.zip#0123456789abcdef").write_bytes(b"being written by another")
    Folder(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["a-1.zip#1", "a-2.zip#0123456789abcdef", "mine#0123456789abcdef"]


@pytest.mark.parametrize("name", ["", ".", "..", "../a-1.zip", "/etc/passwd", "inner/a-1.zip", "a\0b"])
def test_a_name_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "store")
    (tmp_path / "a-1.zip").write_bytes(b"outside")
    for act in (folder.read, folder.delete, lambda it: folder.create(it, b"x")):
        with pytest.raises(FileNotFoundError):
            act(name)


STEPS = ("open", "write", "fsync", "close", "link", "unlink", "sync_names")  # of one write, in this order


def recording(done: list[str], then: Callable[[str, int, Callable[..., Any], tuple[Any, ...]], Any]) -> Disk:
    """A disk whose calls are noted and left to `then`, with their number from 1."""

    def call(name: str, real: Callable[..., Any], *args: Any) -> Any:
        done.append(name)
        return then(name, len(done), real, args)

    return Disk(**{it.name: partial(call, it.name, it.default) for it in fields(Disk)})


def test_an_object_is_durable_before_it_is_visible_and_its_name_before_we_say_so(tmp_path: Path) -> None:
    done: list[str] = []
    visible: list[str] = []

    def then(name: str, number: int, real: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        result = real(*args)
        if (tmp_path / "a-1.zip").exists():
            visible.append(name)
        return result

    assert Folder(tmp_path, recording(done, then)).create("a-1.zip", DATA)
    assert tuple(done) == STEPS
    assert visible == ["link", "unlink", "sync_names"]


def test_a_disk_that_takes_a_few_bytes_at_once_takes_all_of_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path, Disk(write=lambda file, data: os.write(file, data[:70_000])))
    assert folder.create("a-1.zip", DATA)
    assert folder.read("a-1.zip") == DATA


@pytest.mark.parametrize("at", [number for number, name in enumerate(STEPS, start=1) if name != "unlink"])
def test_a_write_that_fails_anywhere_leaves_nothing_or_all_and_is_ours_when_tried_again(
    at: int, tmp_path: Path
) -> None:
    def then(name: str, number: int, real: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if number == at:
            raise OSError(5, "Input/output error")
        return real(*args)

    folder = Folder(tmp_path, recording([], then))
    with pytest.raises(OSError, match="Input/output error"):
        folder.create("a-1.zip", DATA)
    if STEPS[at - 1] == "sync_names":
        assert os.listdir(tmp_path) == ["a-1.zip"]
        assert not folder.create("a-1.zip", b"of another"), "it would be told as written, and is not there"
    else:
        assert os.listdir(tmp_path) == []
    assert folder.create("a-1.zip", DATA)
    assert not folder.create("a-1.zip", DATA), "once"
    assert folder.read("a-1.zip") == DATA


def test_a_temporary_that_cannot_be_removed_is_no_failure(tmp_path: Path) -> None:
    def unlink(path: Path) -> None:
        raise OSError(5, "Input/output error")

    folder = Folder(tmp_path, Disk(unlink=unlink))
    assert folder.create("a-1.zip", DATA)
    assert list(folder.listing()[0]) == ["a-1.zip"]
    assert len(os.listdir(tmp_path)) == 2


def test_what_was_not_confirmed_is_not_confirmed_while_the_disk_does_not_say_so(tmp_path: Path) -> None:
    broken = iter([True, True, False])

    def sync_names(path: Path) -> None:
        if next(broken):
            raise OSError(5, "Input/output error")

    folder = Folder(tmp_path, Disk(sync_names=sync_names))
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output"):
            folder.create("a-1.zip", DATA)
    assert folder.create("a-1.zip", DATA)


def test_a_link_whose_answer_was_lost_is_ours(tmp_path: Path) -> None:
    """A network file system asks again, and is told that the name is there."""

    def link(unfinished: Path, path: Path) -> None:
        os.link(unfinished, path)
        raise FileExistsError(17, "File exists")

    folder = Folder(tmp_path, Disk(link=link))
    assert folder.create("a-1.zip", DATA)
    assert not folder.create("a-1.zip", DATA)


_DIES = """
import os, sys
from pathlib import Path
from tests.probe.test_folder import DATA, STEPS, recording
from probe.folder import Folder

def dying(at, before):
    def then(name, number, real, args):
        if number == at and before:
            if name == "write":
                real(args[0], args[1][:100])
            os._exit(9)
        result = real(*args)
        if number == at:
            os._exit(9)
        return result
    return recording([], then)

for at in range(1, len(STEPS) + 1):
    for before in (True, False):
        child = os.fork()
        if child == 0:
            Folder(Path(sys.argv[1]) / f"{at}-{before}", dying(at, before)).create("a-1.zip", DATA)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9, (at, before)
"""


def test_a_process_killed_at_any_step_leaves_nothing_or_all(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _DIES, str(tmp_path)], check=True, cwd=Path(__file__).parents[2])
    assert len(list(tmp_path.iterdir())) == 2 * len(STEPS)
    for path in tmp_path.iterdir():
        at, before = path.name.split("-")
        is_there = int(at) > STEPS.index("link") + (before == "True")
        folder = Folder(path)
        assert list(folder.listing()[0]) == (["a-1.zip"] if is_there else []), path.name
        assert folder.create("a-1.zip", DATA) is not is_there, "a restart writes what is not there"
        assert folder.read("a-1.zip") == DATA


def test_what_is_no_file_is_not_read_and_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "folder.zip").mkdir()
    os.mkfifo(tmp_path / "pipe.zip")
    for name in ("folder.zip", "pipe.zip"):
        with pytest.raises(FileNotFoundError):
            Folder(tmp_path).read(name)


def test_a_time_that_no_date_can_say_does_not_hold_up_the_listing(disk: SmallDisk) -> None:
    for name, at_s in (("a-1.zip", 10**15), ("a-2.zip", -(10**15))):
        (disk.folder / name).touch()
        os.utime(disk.folder / name, (at_s, at_s))
    assert [it.year for it in Folder(disk.folder).listing()[0].values()] == [9999, 1970]


async def test_a_folder_that_went_away_is_an_error_in_words(tmp_path: Path) -> None:
    objects = Objects.open("store", tmp_path)
    (tmp_path / "store").rmdir()
    with pytest.raises(StoreError, match=r"^write a-1.zip: the folder is not there$"):
        await objects.create("a-1.zip", b"zip")
    with pytest.raises(StoreError, match=r"^list: the folder is not there$"):
        await objects.list()


_LOADS = """
import sys
from pathlib import Path
import exporter.cli_run
from probe.objects import Objects
Objects.open(sys.argv[1], Path(sys.argv[2]))
print("obstore" in sys.modules, "_obstore" in Path("/proc/self/maps").read_text())
"""


@pytest.mark.parametrize(("url", "loads"), [("store", False), ("memory://", False), ("s3://bucket", True)])
def test_the_library_of_the_clouds_is_loaded_for_a_cloud_only(url: str, loads: bool, tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _LOADS, url, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == [str(loads), str(loads)]
