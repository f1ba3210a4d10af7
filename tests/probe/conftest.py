"""A real small disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.disk import Disk, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """512 KiB."""
    with small_disk(tmp_path / "disk", "512k") as made:
        yield made
