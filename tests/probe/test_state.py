"""The folder `state`: one process at a time, and a key for its owner alone."""

from pathlib import Path

import pytest

from probe.state import StateInUse, hold, token_key


def test_a_state_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    with hold(tmp_path / "state"), pytest.raises(StateInUse):
        hold(tmp_path / "state")
    with hold(tmp_path / "state"):
        pass


def test_the_token_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    assert token_key(tmp_path / "state") == token_key(tmp_path / "state")
    assert (tmp_path / "state/redaction.key").stat().st_mode & 0o777 == 0o600
