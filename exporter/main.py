"""Wires the program: settings in, prober and exporter running, until asked to stop."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
import uvloop
from pydantic import SecretStr

from exporter.keyring import Keyring
from exporter.log import EventLog, configure, say
from exporter.metrics import Metrics
from exporter.reload import Reloaded, Reloader
from exporter.web import Access, WindowView, create
from probe import __version__
from probe.budget import Budget
from probe.client import Auth, Client, Network
from probe.cycle import Prober
from probe.edges import Controlled, Edges, Surroundings
from probe.freezer import Freezer
from probe.history import History, StateInUse, hold
from probe.notes import Note, addendum
from probe.peers import Peers
from probe.pong import Target
from probe.records import Event, Listener, Observation, ProbeRequest, Result, TwinsSeen, Verdict
from probe.remembered import Remembered
from probe.schedule import LagMeter, Schedule
from probe.settings import ConfigError, Loaded, is_loopback, split_listen
from probe.spool import Spool
from probe.vault import StoreError, Vault
from probe.watch import Control, Controls

EXPIRE_EVERY_S = 3600.0
GRACE_S = 40.0  # probes in flight, then what is owed to the store; a chart's grace period must be longer


@dataclass(slots=True)
class Program:
    """Everything that runs, wired once; `loaded` changes with a reload. It is also what the pages show
    (`exporter.web.Board`)."""

    loaded: Loaded
    client: Client
    prober: Prober
    history: History
    freezer: Freezer
    vault: Vault
    metrics: Metrics
    controls_watch: Controls
    lag: LagMeter
    keyring: Keyring
    schedule: Schedule
    peers: Peers | None
    twins: tuple[tuple[str, str], ...] = ()
    reloader: Reloader = field(init=False)

    def __post_init__(self) -> None:
        self.reloader = Reloader(self.loaded, self.adopt, self.metrics.set_reloaded)

    def adopt(self, loaded: Loaded) -> None:
        """A configuration that holds: windows, counters, incidents and probes in flight go on."""
        self.keyring.adopt(loaded)
        self.freezer.canary_holds = self.keyring.redactor().canary_holds()
        self.loaded = loaded
        self.metrics.set_canary(self.freezer.canary_holds)
        self.metrics.set_budget(_budget(loaded))
        self.metrics.set_targets(loaded.targets, loaded.contracts)
        self.metrics.set_controls(control.name for control in loaded.settings.controls)
        self.controls_watch.replace(_controls(loaded))
        self.prober.adopt(loaded.targets, _surroundings(loaded))
        self.schedule.replace(loaded.targets)

    async def note(self, packet_id: str, note: Note) -> str:
        document, _ = addendum(packet_id, note, datetime.now(UTC), self.keyring.redactor(), self.keyring.secrets())
        name = await self.vault.add(packet_id, document)
        say("note added", packet=packet_id, addendum=name)
        return name

    async def watch_twins(self) -> None:
        """Warn where another prober probes a target of ours with the same credential; runs until cancelled."""
        assert self.peers is not None
        await self.peers.watch(lambda: self.targets, self._on_twins)

    def _on_twins(self, seen: TwinsSeen) -> None:
        self.twins = seen.twins
        self.prober.publish(seen)

    async def reload(self) -> Reloaded:
        return await self.reloader.reload("http")

    @property
    def targets(self) -> tuple[Target, ...]:
        return self.loaded.targets

    @property
    def ready(self) -> bool:
        return True

    @property
    def controls(self) -> dict[str, bool | None]:
        return dict(self.controls_watch.seen)

    def results(self, target: str) -> tuple[Result, ...]:
        return self.history.recent(target)

    def window(self, target: str) -> WindowView:
        policy = next(known.freeze for known in self.loaded.targets if known.name == target)
        window = self.prober.windows[target]
        packets = () if window.incident is None else tuple(known.packet_id for known in window.incident.packets)
        return WindowView(len(window.failing), policy.window, policy.failures, window.active, packets)

    async def freeze_now(self, target: str) -> str:
        return await self.prober.freeze_now(target)


def wire(
    loaded: Loaded, vault: Vault, listeners: Sequence[Listener] = (), *, log: bool = True, durable: bool = True
) -> Program:
    """Build the program from settings. Opens no socket and sends nothing; ConfigError where a secret cannot be read.
    Without `durable` nothing of the probing is kept in `state`."""
    settings = loaded.settings
    keyring = Keyring(loaded)
    metrics = Metrics(loaded.targets, contracts=loaded.contracts, version=__version__, budget=_budget(loaded))
    network = settings.network
    client = Client(Network(network.proxy, None if network.ca_file is None else str(loaded.path(network.ca_file))))
    everyone = (metrics.on_event, *([EventLog().on_event] if log else []), *listeners)

    def publish(event: Event) -> None:
        for listen in everyone:
            listen(event)

    state = loaded.path(settings.state)
    history = History(
        state / "history.sqlite" if durable else None, publish=publish, retention_s=settings.retention.history
    )
    controls = Controls(_controls(loaded), client.reachable, publish)
    lag = LagMeter(metrics.observe_loop_lag)
    spool = Spool(state / "spool") if durable else None
    freezer = Freezer(vault, keyring.secrets, publish, history, spool)

    async def send(request: ProbeRequest, auth: Auth, target: Target, on_sent: Callable[[], None]) -> Observation:
        return await client.send(
            request, auth, timeout_s=target.timeout_s, reuse=target.reuse_connection, on_sent=on_sent
        )

    state_since_s = Remembered(history).state_since_s(datetime.now(UTC))
    metrics.set_state_since(state_since_s)
    peers = None
    if settings.prometheus.url is not None:
        beside_us = Client(Network(None, network.ca_file and str(loaded.path(network.ca_file))))  # behind no proxy
        peers = Peers(settings.prometheus.url, beside_us.fetch, state_since_s)

    async def ask_controls() -> Controlled:
        answers = await controls.ask_now()
        return Controlled(answers, controls.outside_is_gone(answers))

    prober = Prober(
        loaded.targets,
        Edges(
            send=send,
            key=keyring.key,
            redactor=keyring.redactor,
            now=lambda: datetime.now(UTC),
            lag_since=lag.worst_since,
            outside_reachable=controls.outside_reachable,
            ask_controls=ask_controls,
            peers=None if peers is None else peers.look,
        ),
        _surroundings(loaded),
        history,
        freezer,
        everyone,
    )
    freezer.canary_holds = keyring.redactor().canary_holds()
    metrics.set_canary(freezer.canary_holds)
    schedule = Schedule(loaded.targets, prober.tick, prober.missed, on_step=_clock_was_set)
    return Program(loaded, client, prober, history, freezer, vault, metrics, controls, lag, keyring, schedule, peers)


def _clock_was_set(seconds: float) -> None:
    say("the wall clock was set; the schedule is planned anew", level=logging.WARNING, seconds=round(seconds, 3))


def _budget(loaded: Loaded) -> dict[str, int]:
    budget = loaded.settings.budget
    return {"probes": budget.probes_per_day, "tokens": budget.tokens_per_day}


def _controls(loaded: Loaded) -> list[Control]:
    return [Control(known.name, known.url, known.role) for known in loaded.settings.controls]


def _surroundings(loaded: Loaded) -> Surroundings:
    settings = loaded.settings
    return Surroundings(
        impact=settings.escalation.impact,
        owner=settings.escalation.owner,
        posts=settings.escalation.posts,
        request_ids=settings.redaction.request_ids,
        egress_ip=settings.redaction.egress_ip,
        version=__version__,
        budget=Budget(settings.budget.probes_per_day, settings.budget.tokens_per_day),
    )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: ours stop the schedule first, and once is enough."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def open_listener(listen: str) -> socket.socket:
    """A bound, listening socket for ``host:port`` (port 0: any free one). ConfigError where that cannot be had."""
    host, port = split_listen(listen)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise ConfigError("server.listen", "an address that can be listened on", error.strerror or "an error") from None


async def serve(program: Program, listener: socket.socket, stop: asyncio.Event) -> int:
    """Probe and serve until `stop`; the exit code: 0 also with a packet still owed to a store that is away."""
    settings = program.loaded.settings
    server = _Server(
        uvicorn.Config(
            create(program, program.vault, program.metrics, _access(program.loaded)),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ssl_certfile=settings.server.tls.cert_file and str(program.loaded.base / settings.server.tls.cert_file),
            ssl_keyfile=settings.server.tls.key_file and str(program.loaded.base / settings.server.tls.key_file),
            timeout_graceful_shutdown=5,
            limit_concurrency=200,
        )
    )
    workers = [
        asyncio.create_task(server.serve(sockets=[listener]), name="http"),
        asyncio.create_task(program.history.run(), name="history"),
        asyncio.create_task(program.freezer.run(), name="freezer"),
        asyncio.create_task(_expire(program), name="retention"),
        asyncio.create_task(program.reloader.watch(), name="reload"),
        asyncio.create_task(program.lag.run(), name="lag"),
        asyncio.create_task(program.controls_watch.run(), name="controls"),
        *([asyncio.create_task(program.watch_twins(), name="twins")] if program.peers else []),
    ]
    program.prober.restore()
    with contextlib.suppress(StoreError):  # a store that is away is told of when something is to be written
        program.metrics.seed_packets(await program.vault.entries())
    workers.append(program.schedule.start())
    host, port = listener.getsockname()[:2]
    say("started", version=__version__, targets=len(program.loaded.targets), listen=f"{host}:{port}")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    broken, _ = await asyncio.wait([stopping, *workers], return_when=asyncio.FIRST_COMPLETED)
    began = asyncio.get_running_loop().time()
    await program.schedule.stop(GRACE_S / 2)
    await program.prober.settle(GRACE_S / 8)
    owed = await program.freezer.drain(max(1.0, GRACE_S - (asyncio.get_running_loop().time() - began)))
    if owed:
        say("stopped with packets still owed to the store", level=logging.ERROR, owed=owed)
    await program.history.flush()
    server.should_exit = True
    await asyncio.wait([workers[0]], timeout=10)
    for task in (stopping, *workers):
        task.cancel()
    ended = await asyncio.gather(stopping, *workers, return_exceptions=True)
    await program.client.aclose()
    program.history.close()
    failures = [end for end in ended if isinstance(end, Exception)]
    if stopping not in broken or failures:
        say(
            "stopped by an error of our own", level=logging.CRITICAL, kinds=",".join(type(e).__name__ for e in failures)
        )
        return 1
    say("stopped")
    return 0


async def _expire(program: Program) -> None:
    """Packets older than their retention go; those that are part of a support case stay."""
    while True:
        before = datetime.now(UTC) - timedelta(seconds=program.loaded.settings.retention.packets)
        try:
            gone = await program.vault.expire(before)
        except StoreError as error:
            say("packets could not be expired; tried again in an hour", level=logging.ERROR, error=str(error))
        else:
            for packet in gone:
                say("packet expired", packet=packet)
        await asyncio.sleep(EXPIRE_EVERY_S)


async def _reload_quietly(program: Program) -> None:
    with contextlib.suppress(ConfigError):  # told in the log
        await program.reloader.reload("SIGHUP")


def _access(loaded: Loaded) -> Access:
    read: Callable[[], SecretStr | None] = loaded.token.read if loaded.token else (lambda: None)
    return Access(token=read, loopback=is_loopback(loaded.settings.server.listen))


def run(loaded: Loaded) -> int:
    """`freezeframe run`: until SIGTERM or SIGINT; the exit code."""
    configure(loaded.settings.log.level, loaded.settings.log.format)

    async def main() -> int:
        # Rendering /metrics and packets runs in threads: they must hand the interpreter back soon, or probes wait.
        sys.setswitchinterval(0.001)
        vault = Vault.open(loaded.settings.store, loaded.base)
        try:
            held = hold(loaded.path(loaded.settings.state))
        except StateInUse:
            raise ConfigError(
                "state", "a folder of its own for each process", "one that another process uses"
            ) from None
        program = wire(loaded, vault)
        gc.collect()
        gc.freeze()  # what lives as long as we do is not walked again: a collection would stall the probes
        listener = open_listener(loaded.settings.server.listen)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stop.set)
        reloads: set[asyncio.Task[None]] = set()

        def hang_up() -> None:
            task = loop.create_task(_reload_quietly(program))
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, hang_up)
        with held:
            return await serve(program, listener, stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


async def probe_each_once(loaded: Loaded) -> tuple[Result, ...]:
    """`freezeframe check`: one probe of every target, nothing stored."""
    program = wire(loaded, Vault.open("memory://", Path()), log=False, durable=False)
    worker = asyncio.create_task(program.lag.run())
    try:
        now = datetime.now(UTC)
        found = await asyncio.gather(*(program.prober.tick(target, now) for target in loaded.targets))
        return tuple(result for result in found if result is not None)
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await program.client.aclose()


def all_ok(results: Sequence[Result]) -> bool:
    return all(result.verdict is Verdict.OK for result in results)
