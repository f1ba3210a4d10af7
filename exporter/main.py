"""Runs the program: prober and exporter, until asked to stop."""

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
import uvloop
from pydantic import SecretStr

from exporter.log import configure, say
from exporter.patience import PatientProtocol
from exporter.program import Program
from exporter.sessions import Sessions
from exporter.web import Access, create
from exporter.wiring import wire
from probe import __version__
from probe.records import Result, Verdict
from probe.settings import ConfigError, Loaded, is_loopback, split_listen
from probe.state import StateInUse, hold, session_key
from probe.vault import StoreError, Vault
from probe.watch import Pace

EXPIRE_EVERY_S = 3600.0
SWITCH_S = 0.0002
GRACE_S = 40.0  # probes in flight, then what is owed to the store; a chart's grace period must be longer


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


def _tls(_: uvicorn.Config, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """The listener's: what is older than TLS 1.2 is refused, whatever the system's OpenSSL is set to."""
    context = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def serve(program: Program, listener: socket.socket, stop: asyncio.Event) -> int:
    """Probe and serve until `stop`; the exit code: 0 also with a packet still owed to a store that is away."""
    settings = program.loaded.settings
    server = _Server(
        uvicorn.Config(
            create(program, program.vault, program.metrics, _access(program.loaded), inbox=program.inbox),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody's X-Forwarded-For or -Proto is believed
            lifespan="off",
            ssl_certfile=settings.server.tls.cert_file and str(program.loaded.base / settings.server.tls.cert_file),
            ssl_keyfile=settings.server.tls.key_file and str(program.loaded.base / settings.server.tls.key_file),
            ssl_context_factory=_tls if settings.server.tls.cert_file else None,
            http=PatientProtocol,
            ws="none",
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            limit_concurrency=200,
            h11_max_incomplete_event_size=16 * 1024,  # of the head of a request
        )
    )
    workers = [
        asyncio.create_task(server.serve(sockets=[listener]), name="http"),
        asyncio.create_task(program.history.run(), name="history"),
        asyncio.create_task(program.freezer.run(), name="freezer"),
        asyncio.create_task(program.inbox.run(), name="alerts"),
        # Of pods that share a store one is enough; a first one that is away is not missed for some hours.
        *([asyncio.create_task(_expire(program), name="retention")] if program.loaded.shard.index == 0 else []),
        asyncio.create_task(program.reloader.watch(), name="reload"),
        asyncio.create_task(program.lag.run(), name="lag"),
        asyncio.create_task(program.controls_watch.run(), name="controls"),
        asyncio.create_task(program.catalogues.run(), name="catalogue"),
        asyncio.create_task(program.sources.run(Pace(settings.sources.recheck)), name="sources"),
        *([asyncio.create_task(program.watch_twins(), name="twins")] if program.peers else []),
    ]
    program.prober.restore()
    workers.append(program.schedule.start())
    seeding = asyncio.create_task(_seed(program), name="seed")  # a store that is large, or hangs, delays no probe
    host, port = listener.getsockname()[:2]
    facts: dict[str, Any] = {} if program.shard_words is None else {"part": program.shard_words}
    say("started", version=__version__, targets=len(program.loaded.targets), listen=f"{host}:{port}", **facts)
    stopping = asyncio.create_task(stop.wait(), name="stop")
    broken, _ = await asyncio.wait([stopping, *workers], return_when=asyncio.FIRST_COMPLETED)
    began = asyncio.get_running_loop().time()
    await program.schedule.stop(GRACE_S / 2)
    await program.prober.settle(GRACE_S / 8)
    if left := await program.inbox.drain(GRACE_S / 8):
        say("stopped before every alert was looked at", level=logging.WARNING, alerts=left)
    owed = await program.freezer.drain(max(1.0, GRACE_S - (asyncio.get_running_loop().time() - began)))
    if owed:
        say("stopped with packets still owed to the store", level=logging.ERROR, owed=owed)
    await program.history.flush()
    server.should_exit = True
    await asyncio.wait([workers[0]], timeout=10)
    for task in (stopping, seeding, *workers):
        task.cancel()
    ended = await asyncio.gather(stopping, seeding, *workers, return_exceptions=True)
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


async def _seed(program: Program) -> None:
    """What the metrics say of packets that were there before us. A store that is away is told of when it is needed."""
    with contextlib.suppress(StoreError):
        program.metrics.seed_packets(await program.vault.newest(target.name for target in program.targets))


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
    server = loaded.settings.server
    is_secure = server.tls.cert_file is not None or (server.external_url or "").startswith("https://")
    sessions = Sessions(session_key(loaded.path(loaded.settings.state)), is_secure)
    named = urlsplit(server.external_url or "").hostname  # what a proxy of the operator's own passes on as Host
    names = frozenset([named] if named else [])
    return Access(token=read, loopback=is_loopback(server.listen), sessions=sessions, names=names)


def run(loaded: Loaded) -> int:
    """`freezeframe run`: until SIGTERM or SIGINT; the exit code."""
    configure(loaded.settings.log.level, loaded.settings.log.format)
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))  # a crash leaves no image of our memory, keys and all

    async def main() -> int:
        # Packets and their pages are made in threads: they must hand the interpreter back soon, or probes wait.
        sys.setswitchinterval(SWITCH_S)
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
