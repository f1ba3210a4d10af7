"""A configuration that changes while everything goes on: real files, the real loader, Kubernetes' symlink swap."""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exposed import rendered

from exporter import reload as module
from exporter.program import Program
from exporter.reload import Reloaded, Reloader
from exporter.wiring import wire
from probe.settings import ConfigError, Loaded, load
from probe.vault import Vault
from tests.servers.freezeframe import configure

TARGETS = [{"name": name, "model": "m", "credential": "a"} for name in ("one", "two")]
KEY = "sk-fake-reload-0001"


def program(tmp_path: Path) -> tuple[Program, Path]:
    (tmp_path / "key").write_text(KEY)
    file = configure(tmp_path, "http://127.0.0.1:9/v1", TARGETS, ["a"], change=lambda it: with_key_file(it))
    return wire(load(file, {}), Vault.open("memory://", Path()), durable=False), file


def with_key_file(config: dict[str, Any]) -> None:
    config["credentials"] = {"a": {"file": "key"}}


def rewrite(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    config = json.loads(file.read_text())
    change(config)
    file.write_text(json.dumps(config))


async def exposed(wired: Program) -> str:
    return (await rendered(wired.metrics))[0].decode()


async def test_targets_are_added_and_removed_with_their_series_and_the_rest_goes_on(tmp_path: Path) -> None:
    wired, file = program(tmp_path)
    wired.schedule.start()

    def change(config: dict[str, Any]) -> None:
        config["targets"] = [TARGETS[1] | {"model": "other"}, TARGETS[0] | {"name": "three"}]
        config["budget"]["probes_per_day"] = 7
        config["server"]["listen"] = "127.0.0.1:1"

    rewrite(file, change)
    done = await wired.reload()
    await wired.schedule.stop(1)
    assert done == Reloaded(added=("three",), removed=("one",), changed=("two",), needs_restart=("server",))
    assert set(wired.prober.windows) == {"two", "three"}
    text = await exposed(wired)
    assert 'target="one"' not in text
    assert 'freezeframe_probes_total{target="three",verdict="ok"} 0.0' in text
    assert 'freezeframe_budget_limit{kind="probes"} 7.0' in text
    assert "freezeframe_config_last_reload_successful 1.0" in text
    await wired.client.aclose()


async def test_an_invalid_file_keeps_the_old_one_and_says_what_is_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "freezeframe")
    wired, file = program(tmp_path)
    rewrite(file, lambda config: config["targets"][0].update(cadence="30 parsecs"))
    with pytest.raises(ConfigError, match=r"targets\[0\].cadence: expected a duration"):
        await wired.reload()
    assert {target.name for target in wired.targets} == {"one", "two"}
    assert "freezeframe_config_last_reload_successful 0.0" in await exposed(wired)
    [line] = [record for record in caplog.records if record.getMessage().startswith("reload failed")]
    assert "cadence" in line.__dict__["facts"]["error"]
    rewrite(file, lambda config: config["targets"][0].update(cadence="30s"))
    await wired.reload()
    assert "freezeframe_config_last_reload_successful 1.0" in await exposed(wired)
    await wired.client.aclose()


async def test_a_rotated_key_is_known_to_the_redactor_and_so_is_the_one_before(tmp_path: Path) -> None:
    wired, _ = program(tmp_path)
    (tmp_path / "key").write_text("sk-fake-reload-0002")
    await wired.reload()
    assert wired.keyring.key("a").get_secret_value() == "sk-fake-reload-0002"
    sealed = wired.keyring.redactor().seal_text(f"{KEY} and sk-fake-reload-0002", "test").value
    assert "sk-fake-reload" not in sealed
    await wired.client.aclose()


class Watched:
    """A reloader over a configuration whose applications are counted."""

    def __init__(self, file: Path) -> None:
        self.applied: list[Loaded] = []
        self.told: list[bool] = []
        self.seen = asyncio.Event()
        self.reloader = Reloader(load(file, {}), self.apply, self.told.append)

    def apply(self, loaded: Loaded) -> None:
        self.applied.append(loaded)
        self.seen.set()


async def test_kubernetes_swap_of_a_symlink_is_one_reload(tmp_path: Path) -> None:
    """As the kubelet does: files behind `..data`, which is renamed over."""
    (tmp_path / "key").write_text(KEY)
    first = tmp_path / "..1"
    first.mkdir()
    made = configure(first, "http://127.0.0.1:9/v1", TARGETS, ["a"], change=with_key_file)
    (first / "key").write_text(KEY)
    (tmp_path / "..data").symlink_to("..1")
    for name in ("freezeframe.yaml", "contract.yaml", "key"):
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).symlink_to(f"..data/{name}")
    assert made.exists()
    watched = Watched(tmp_path / "freezeframe.yaml")
    watching = asyncio.create_task(watched.reloader.watch())
    await asyncio.sleep(module.LOOK_S / 2)
    second = tmp_path / "..2"
    second.mkdir()
    for name in ("freezeframe.yaml", "contract.yaml", "key"):
        (second / name).write_bytes((first / name).read_bytes())
    rewrite(second / "freezeframe.yaml", lambda config: config["targets"].pop())
    (tmp_path / "..data_tmp").symlink_to("..2")
    os.replace(tmp_path / "..data_tmp", tmp_path / "..data")
    await asyncio.wait_for(watched.seen.wait(), 20)
    await asyncio.sleep(module.LOOK_S * 2.5)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert [[target.name for target in loaded.targets] for loaded in watched.applied] == [["one"]]
    assert watched.told == [True]


async def looks(count: int) -> None:
    await asyncio.sleep(module.LOOK_S * count)


async def test_an_edit_while_another_is_taken_over_is_taken_over_too(tmp_path: Path) -> None:
    file = configure(tmp_path, "http://127.0.0.1:9/v1", TARGETS, ["a"], change=with_key_file)
    (tmp_path / "key").write_text(KEY)
    watched = Watched(file)

    def apply(loaded: Loaded) -> None:
        if not watched.applied:
            rewrite(file, lambda config: config["targets"].pop())
        watched.apply(loaded)

    watched.reloader = Reloader(load(file, {}), apply, watched.told.append)
    watching = asyncio.create_task(watched.reloader.watch())
    await looks(1)
    rewrite(file, lambda config: config["budget"].update(probes_per_day=7))
    await looks(6)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert [len(loaded.targets) for loaded in watched.applied] == [2, 1]


async def test_a_reload_that_was_asked_for_is_not_done_again_by_the_watch(tmp_path: Path) -> None:
    file = configure(tmp_path, "http://127.0.0.1:9/v1", TARGETS, ["a"], change=with_key_file)
    (tmp_path / "key").write_text(KEY)
    watched = Watched(file)
    watching = asyncio.create_task(watched.reloader.watch())
    await looks(1)
    rewrite(file, lambda config: config["targets"].pop())
    await watched.reloader.reload("http")
    await looks(4)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert len(watched.applied) == 1
