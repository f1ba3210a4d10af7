"""A store that is a folder: whole objects or none, one winner, nothing of others in the way; and no cloud's library."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from probe.folder import Folder
from probe.objects import Objects, StoreError

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


class _Disk(Folder):
    """Whose folder cannot be synced, so many times."""

    refusals = 1

    def _sync(self) -> None:
        self.refusals -= 1
        if self.refusals >= 0:
            raise OSError(5, "Input/output error")
        super()._sync()


def test_what_the_disk_did_not_confirm_is_still_ours_when_it_is_tried_again(tmp_path: Path) -> None:
    folder = _Disk(tmp_path)
    with pytest.raises(OSError, match="Input/output"):
        folder.create("a-1.zip", DATA)
    assert folder.create("a-1.zip", DATA)
    assert not folder.create("a-1.zip", DATA)


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
