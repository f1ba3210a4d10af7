"""Whatever stands in the two files: it loads, or it is refused by a message that names a setting and no secret."""

import json
import random
import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.files import NAMES, SECRET, changed, torn, written
from probe.settings import ConfigError, load

EXAMPLES = Path(__file__).parent.parent / "examples"
RAW = {name: (EXAMPLES / name).read_bytes() for name in NAMES}
PARSED = {name: yaml.load(raw, yaml.BaseLoader) for name, raw in RAW.items()}
KEY = "fake-key-of-the-environment-0123456789"
MOST_S = 5.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


def _tried(folder: Path, name: str, raw: bytes) -> None:
    for other in NAMES:
        (folder / other).write_bytes(raw if other == name else RAW[other])
    began_s = time.monotonic()
    try:
        load(folder / "freezeframe.yaml", {"EXAMPLE_KEY": KEY})
    except ConfigError as error:
        for line in error.errors:
            assert line.key, str(line)
            assert line.expected and line.found, str(line)
        assert SECRET not in str(error)
        assert KEY not in str(error)
        assert len(str(error)) < 200_000
    assert time.monotonic() - began_s < MOST_S


@settings(max_examples=150)
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32))
def test_a_file_with_wrong_values_loads_or_is_refused_by_name(folder: Path, name: str, seed: int) -> None:
    document = changed(PARSED[name], random.Random(seed))
    _tried(folder, name, written(document))


@settings(max_examples=150)
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32))
def test_a_file_that_is_torn_loads_or_is_refused_by_name(folder: Path, name: str, seed: int) -> None:
    _tried(folder, name, torn(RAW[name], random.Random(seed)))


@pytest.mark.parametrize(
    ("name", "place", "said"),
    [
        ("freezeframe.yaml", ("escalation", SECRET), "escalation.(a key of 32 characters): expected a known key"),
        ("freezeframe.yaml", ("credentials", "team-a"), "credentials.team-a.env: expected text"),
        ("contract.yaml", ("values", SECRET), "values.(a key of 32 characters): expected a known key"),
        ("contract.yaml", ("request", "schema", "properties", SECRET), "fault at properties/(a key of 32 characters)"),
        ("contract.yaml", ("response", "schema", "title"), "half of a character (a lone surrogate)"),
    ],
)
def test_what_the_dice_found_first(folder: Path, name: str, place: tuple[str, ...], said: str) -> None:
    """A key pasted before the colon, a list for the name of a variable, half of a character."""
    document = json.loads(json.dumps(PARSED[name]))
    inner = document
    for step in place[:-1]:
        inner = inner.setdefault(step, {})
    inner[place[-1]] = {"title": "\ud800", "team-a": {"env": [["x"]]}}.get(place[-1], ["x"])
    (folder / name).write_bytes(written(document))
    for other in NAMES:
        if other != name:
            (folder / other).write_bytes(RAW[other])
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(folder / "freezeframe.yaml", {"EXAMPLE_KEY": KEY})
