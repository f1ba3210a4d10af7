"""freezeframe as `run` runs it, in a process of its own: by its schedule or probe after probe; and what it reported."""

import asyncio
import contextlib
import gc
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop

from probe.records import Event, Frozen, Result, Verdict

KEY = "sk-fake-benchmark-0000"
ENVIRON = {"KEY_OF_TEAM": KEY}


@dataclass(frozen=True, slots=True)
class Reported:
    """What the prober says of one probe; `name` is what its request carried."""

    name: str
    probe_id: str
    verdict: str
    first_byte_s: float | None
    first_token_s: float | None
    total_s: float
    lateness_s: float
    loop_lag_s: float
    missed: bool
    ended: float  # time.monotonic, when listeners heard of it


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet that became durable, and when (time.monotonic)."""

    probe_id: str
    took_s: float
    at: float


@dataclass(slots=True)
class Heard:
    """A listener of the flow: everything since it was asked last."""

    results: list[Reported] = field(default_factory=list)
    packets: list[Packet] = field(default_factory=list)

    def on_event(self, event: Event) -> None:
        match event:
            case Result():
                self.results.append(_reported(event))
            case Frozen():
                self.packets.append(Packet(event.probe_id, event.took_s, time.monotonic()))
            case _:
                pass


def _reported(result: Result) -> Reported:
    timings = result.timings
    return Reported(
        name="" if result.sealed is None else result.sealed.value.request.client_request_id,
        probe_id=result.probe_id,
        verdict=result.verdict.value,
        first_byte_s=None if timings is None else timings.first_byte_s,
        first_token_s=None if timings is None else timings.first_token_s,
        total_s=0.0 if timings is None else timings.total_s,
        lateness_s=result.lateness_s,
        loop_lag_s=result.loop_lag_s,
        missed=result.verdict is Verdict.MISSED,
        ended=time.monotonic(),
    )


@dataclass(frozen=True, slots=True)
class Usage:
    cpu_s: float
    rss_bytes: int


def _usage() -> Usage:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Usage(time.process_time(), pages * os.sysconf("SC_PAGE_SIZE"))


def _run(file: str, commands: Connection) -> None:
    os.environ.update(ENVIRON)
    from exporter.log import configure
    from exporter.main import SWITCH_S, open_listener, serve
    from exporter.wiring import wire
    from probe import stored
    from probe.history import KEPT_RESULTS
    from probe.settings import load
    from probe.vault import Vault

    async def sequence(program: Any, probes: int) -> float | str:
        """Processor seconds per probe, what follows it included; or what went wrong."""
        before = time.process_time()
        for number in range(probes):
            target = program.targets[number % len(program.targets)]
            result = await program.prober.tick(target, datetime.now(UTC))
            if result is None or result.verdict is not Verdict.OK:
                return "no result" if result is None else f"{result.verdict}: {result.judgement.words}"
        await program.history.flush()
        return (time.process_time() - before) / probes

    def fill(program: Any) -> int:
        """As many results as are kept in memory of each target, as a restart reads them after hours of probing."""
        for target in program.targets:
            for known in program.history.recent(target.name)[-1:]:
                for _ in range(KEPT_RESULTS - 1):
                    program.history._results[target.name].appendleft(stored.lasting(stored.load(stored.dump(known))))
        return sum(len(program.history.recent(target.name)) for target in program.targets)

    async def main() -> None:
        sys.setswitchinterval(SWITCH_S)
        heard = Heard()
        loaded = load(Path(file), ENVIRON)
        configure("error", "json")
        program = wire(loaded, Vault.open(loaded.settings.store, loaded.base), [heard.on_event])
        gc.collect()
        gc.freeze()
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(program, open_listener(loaded.settings.server.listen), stop))
        loop = asyncio.get_running_loop()
        commands.send(True)
        while True:
            asked = await loop.run_in_executor(None, _received, commands)
            match asked:
                case None:
                    break
                case int():
                    commands.send(await sequence(program, asked))
                case "heard":
                    commands.send((heard.results, heard.packets))
                    heard.results, heard.packets = [], []
                case "fill":
                    commands.send(fill(program))
                case "usage":
                    commands.send(_usage())
        stop.set()
        await serving

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def _received(commands: Connection) -> Any:
    try:
        return commands.recv()
    except EOFError:
        return None


class Prober:
    """The process. `address` is where it serves."""

    def __init__(self, file: Path, address: str) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.address = address
        self._commands, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_run, args=(str(file), theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._commands.recv()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def _asked(self, command: Any) -> Any:
        self._commands.send(command)
        return self._commands.recv()

    def sequence(self, probes: int) -> float:
        """So many probes one after another: processor seconds per probe. RuntimeError where one is not ok."""
        took = self._asked(probes)
        if not isinstance(took, float):
            raise RuntimeError(f"a probe failed: {took}")
        return took

    def heard(self) -> tuple[list[Reported], list[Packet]]:
        """Every result and packet since it was asked last."""
        heard: tuple[list[Reported], list[Packet]] = self._asked("heard")
        return heard

    def fill(self) -> int:
        """Fill its memory of recent results; how many there are then."""
        filled: int = self._asked("fill")
        return filled

    def usage(self) -> Usage:
        usage: Usage = self._asked("usage")
        return usage

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._commands.close()
        self._process.join(60)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()
