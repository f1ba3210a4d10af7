"""Every target has one owner, every pod finds the same one, and a changed count moves no more than it must."""

import json
import math
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.scope import Seen, State, work_out
from probe.settings import ConfigError, ConfigErrors, Loaded, load
from probe.shards import Shard, owner, part
from tests.probe.evidence import START
from tests.servers.freezeframe import configure

NAMES = st.lists(st.text("abcdefghijklmnopqrstuvwxyz0123456789._-", min_size=1, max_size=63), unique=True, max_size=60)
COUNTS = st.integers(1, 40)
SETTINGS = settings(max_examples=100, deadline=None)
MANY = tuple(f"region-{n % 7}-model-{n}" for n in range(3000))
ENV = {"KEY_OF_A": "sk-fake-shards-0001"}


@given(NAMES, COUNTS)
@SETTINGS
def test_every_target_has_exactly_one_owner(names: list[str], count: int) -> None:
    for name in names:
        assert [Shard(index, count).owns(name) for index in range(count)].count(True) == 1
        assert Shard(owner(name, count), count).owns(name)


@given(NAMES, COUNTS)
@SETTINGS
def test_a_shard_more_takes_targets_and_moves_none_between_the_others(names: list[str], count: int) -> None:
    for name in names:
        assert owner(name, count + 1) in (owner(name, count), count)


@pytest.mark.parametrize("count", [2, 4, 10, 32])
def test_the_targets_are_spread_as_by_fair_dice(count: int) -> None:
    """Within five standard deviations of an even spread, and so is what one shard more takes."""
    spread = Counter(owner(name, count) for name in MANY)
    assert set(spread) == set(range(count))
    assert max(abs(seen - len(MANY) / count) for seen in spread.values()) < 5 * _deviation(1 / count)
    moved = sum(owner(name, count) != owner(name, count + 1) for name in MANY)
    assert abs(moved - len(MANY) / (count + 1)) < 5 * _deviation(1 / (count + 1))


def _deviation(chance: float) -> float:
    return math.sqrt(len(MANY) * chance * (1 - chance))


def test_the_owner_is_the_same_in_every_version() -> None:
    """Another choice would move targets, and their windows, with an update."""
    assert [owner(name, 4) for name in ("small", "small-stream", "chat", "embed")] == OWNERS


OWNERS = [0, 0, 1, 3]


@given(st.lists(st.sampled_from([0.5, 1.0, 30.0, 86400.0]), min_size=1, max_size=30), COUNTS, st.integers(1, 10**7))
@SETTINGS
def test_the_parts_of_a_budget_are_not_more_than_the_budget(cadences: list[float], count: int, whole: int) -> None:
    shares = [0.0] * count
    for n, cadence in enumerate(cadences):
        shares[owner(f"t{n}", count)] += 1 / cadence
    parts = [part(whole, ours, math.fsum(shares)) for ours in shares]
    assert all(it >= 1 for it in parts)
    assert sum(it for it in parts if it > 1) <= whole + 1e-6
    assert part(whole, 3.0, 3.0) == whole


Sharded = Callable[..., Loaded]


@pytest.fixture
def sharded(tmp_path: Path) -> Sharded:
    """A configuration of twelve targets of one contract, loaded with an environment."""

    def state(count: object, **environ: str) -> Loaded:
        targets = [
            {"name": f"t{n}", "model": "m", "credential": "a", "cadence": "60s" if n % 2 else "30s"} for n in range(12)
        ]

        def change(stated: dict[str, Any]) -> None:
            stated["shard"] = count if isinstance(count, dict) else {"count": count}
            stated["budget"] = {"probes_per_day": 12_000, "tokens_per_day": 120_000}

        return load(configure(tmp_path, "https://api.example.test/v1", targets, ["a"], change=change), ENV | environ)

    return state


def test_the_pods_of_a_stateful_set_share_the_targets_and_the_budget(sharded: Sharded) -> None:
    pods = [sharded(3, FREEZEFRAME_SHARD__INDEX=f"release-freezeframe-{n}") for n in range(3)]
    assert sorted(target.name for pod in pods for target in pod.targets) == sorted(f"t{n}" for n in range(12))
    assert [len(pod.targets) + len(pod.elsewhere) for pod in pods] == [12, 12, 12]
    assert [pod.shard.index for pod in pods] == [0, 1, 2]
    for pod in pods:
        rate = sum(1 / target.cadence_s for target in pod.targets) / (6 / 30 + 6 / 60)
        assert pod.budget.probes_per_day == pytest.approx(12_000 * rate, abs=1)
        assert pod.budget.tokens_per_day == pytest.approx(120_000 * rate, abs=1)
    assert sum(pod.budget.probes_per_day for pod in pods) <= 12_000
    assert pods[1].shard_words == f"shard 1 (of 3, counted from 0): {len(pods[1].targets)} of 12 targets"
    alone = sharded(1)
    assert (len(alone.targets), alone.elsewhere, alone.shard_words) == (12, (), None)
    assert alone.budget.probes_per_day == 12_000


@pytest.mark.parametrize("index", [0, 2])
def test_a_number_in_the_file_is_an_index_too(sharded: Sharded, index: int) -> None:
    assert sharded({"count": 3, "index": index}).shard == Shard(index, 3)


def test_a_pod_without_a_target_has_no_contract_and_a_budget_that_is_not_spent(sharded: Sharded) -> None:
    pods = [sharded(40, FREEZEFRAME_SHARD__INDEX=str(n)) for n in range(40)]
    empty = next(pod for pod in pods if not pod.targets)
    assert (dict(empty.contracts), empty.budget.probes_per_day) == ({}, 1)


@pytest.mark.parametrize(
    ("count", "index", "key", "said"),
    [
        (3, None, "shard.index", "a number from 0 to 2, or a pod's name that ends in one"),
        (3, "3", "shard.index", "because shard.count is 3, found 3"),
        (3, "freezeframe-7", "shard.index", "because shard.count is 3, found 7"),
        (1, "1", "shard.index", "a number from 0 to 0"),
        (3, "freezeframe", "shard.index", "a pod's name that ends in one such as freezeframe-2"),
        (3, "-1 ", "shard.index", "a number from 0"),
        (0, "0", "shard.count", "1"),
    ],
)
def test_a_wrong_shard_names_the_setting(sharded: Sharded, count: int, index: str | None, key: str, said: str) -> None:
    with pytest.raises((ConfigError, ConfigErrors)) as raised:
        sharded(count, **({} if index is None else {"FREEZEFRAME_SHARD__INDEX": index}))
    assert key in str(raised.value)
    assert said in str(raised.value)


def test_another_count_is_taken_over_by_a_reload(sharded: Sharded, tmp_path: Path) -> None:
    before = sharded(2, FREEZEFRAME_SHARD__INDEX="0")
    file = tmp_path / "freezeframe.yaml"
    stated = json.loads(file.read_text())
    stated["shard"]["count"] = 3
    draft = tmp_path / "draft"
    draft.write_text(json.dumps(stated))
    os.replace(draft, file)
    after = before.again()
    assert after.shard == Shard(0, 3)
    assert {it.name for it in after.targets} < {it.name for it in before.targets}


def seen(name: str, state: State, instance: str | None = None) -> Seen:
    return Seen(name, "c", "m", False, "a", {}, state, instance=instance)


def test_the_scope_says_what_it_cannot_know_of_other_shards() -> None:
    """A scope of one pod's targets alone must not read as one of all traffic."""
    failing = (seen("t1", State.FAILING), seen("t2", State.FAILING))
    assert work_out(failing, "t1", START, unseen=10).sentence == (
        "All that is known of this contract: 2 of 2 targets fail. "
        "Not known: 10 more targets of this contract, which other shards probe."
    )
    whole = work_out((*failing, seen("t3", State.FAILING, "instance 2")), "t1", START)
    assert whole.sentence == "All traffic of this contract that is probed: 3 of 3 targets fail."
