"""A file is written whole or stays as it was."""

import stat
from pathlib import Path

import pytest

from probe import durable


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("before")
    path.chmod(0o604)
    durable.write(path, b"after")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"after", 0o604)
    assert [it.name for it in tmp_path.iterdir()] == ["a.md"]


def test_what_cannot_be_put_in_place_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "a.md").mkdir()
    with pytest.raises(OSError, match="directory"):
        durable.write(tmp_path / "a.md", b"after")
    assert [it.name for it in tmp_path.iterdir()] == ["a.md"]


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    durable.write(tmp_path / "a", b"x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
