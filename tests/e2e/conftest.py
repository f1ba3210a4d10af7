"""The real process `freezeframe run`, and the real servers around it. Their logs are shown when a test fails."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Process, aimock, litellm, prometheus
from tests.servers.freezeframe import Freezeframe, Start, command, configure, listens_on

_running = pytest.StashKey[list[Process]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows the end of every server's log."""
    report = yield
    if report.failed:
        processes = item.config.stash.get(_running, [])
        report.sections += [(f"end of the log of {process.name}", process.log_tail()) for process in processes]
    return report


@pytest.fixture(scope="session")
def keep(pytestconfig: pytest.Config) -> Iterator[Callable[[Process], Process]]:
    """Remembers processes for their logs, and ends those that are left at the end."""
    processes: list[Process] = []
    pytestconfig.stash[_running] = processes

    def remember(process: Process) -> Process:
        processes.append(process)
        return process

    yield remember
    for process in processes:
        process.kill()


@pytest.fixture(scope="session")
def run(keep: Callable[[Process], Process]) -> Start:
    """Runs a configuration file as it stands and waits until it is ready."""

    def start(name: str, file: Path, env: Mapping[str, str]) -> Freezeframe:
        address = listens_on(file)
        process = keep(Process.start(f"freezeframe-{name}", file.parent, command("run", "--config", file), env))
        process.wait_until_answering(f"http://{address}/-/ready", 30)
        return Freezeframe(process, file.parent, address)

    return start


@pytest.fixture(scope="session")
def freezeframe(tmp_path_factory: pytest.TempPathFactory, run: Start) -> Start:
    """Starts `freezeframe run` for targets of one gateway and waits until it is ready."""

    def start(
        name: str,
        base_url: str,
        targets: Sequence[Mapping[str, Any]],
        keys: Mapping[str, str],
        *,
        defaults: Mapping[str, Any] | None = None,
    ) -> Freezeframe:
        file = configure(tmp_path_factory.mktemp(name), base_url, targets, keys, defaults=defaults)
        return run(name, file, {f"KEY_OF_{account.upper()}": key for account, key in keys.items()})

    return start


@pytest.fixture(scope="module")
def real_prometheus(
    tmp_path_factory: pytest.TempPathFactory, keep: Callable[[Process], Process]
) -> Iterator[prometheus.Prometheus]:
    """It ends with its module: if it went on scraping, it would knock at whatever is given those ports later."""
    server = prometheus.start(tmp_path_factory.mktemp("prometheus"))
    keep(server.process)
    yield server
    server.process.kill()


@pytest.fixture(scope="session")
def real_litellm(tmp_path_factory: pytest.TempPathFactory, keep: Callable[[Process], Process]) -> tuple[Process, str]:
    """LiteLLM's proxy: the process, so that a test may kill it, and its base URL."""
    process, base_url = litellm.start(tmp_path_factory.mktemp("litellm"))
    return keep(process), base_url


@pytest.fixture(scope="session")
def real_aimock(tmp_path_factory: pytest.TempPathFactory, keep: Callable[[Process], Process]) -> str:
    """The origin of aimock."""
    process, origin = aimock.start(tmp_path_factory.mktemp("aimock"))
    keep(process)
    return origin
