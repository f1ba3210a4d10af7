"""What lies in `state` and in a local store is its owner's alone, whatever the umask."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe import durable
from probe.history import History
from probe.spool import Spool
from probe.state import hold, session_key, token_key
from probe.vault import Vault
from tests.probe.evidence import overloaded


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _open_to_others(folder: Path) -> list[str]:
    found = [folder, *folder.rglob("*")]
    return [f"{it.relative_to(folder)} {it.stat().st_mode & 0o777:o}" for it in found if it.stat().st_mode & 0o077]


async def test_every_file_and_folder_of_the_state_is_its_owners_alone(umask: int, tmp_path: Path) -> None:
    state = tmp_path / "state"
    token_key(state), session_key(state)
    with hold(state):
        history = History(state / "history.sqlite")
        history.add(overloaded(1))
        assert await history.flush()
        assert await Spool(state / "spool").put("a-1.zip", b"owed")
        durable.write(state / "other", b"x")
        names = {it.name for it in state.rglob("*")}
        assert {"redaction.key", "session.key", "lock", "history.sqlite", "spool", "a-1.zip"} <= names
        assert _open_to_others(state) == []
        history.close()


async def test_a_local_store_is_its_owners_alone(umask: int, tmp_path: Path) -> None:
    vault = Vault.open("./packets", tmp_path)
    assert await vault.freeze("a-1", b"zip")
    assert await vault.add("a-1", {"kind": "note"}) == "a-1.001.json"
    assert len(list((tmp_path / "packets").iterdir())) >= 2
    assert _open_to_others(tmp_path / "packets") == []
