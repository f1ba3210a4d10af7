"""From settings to the program: every part is made here, once, and given what it needs of the others."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from exporter import parts
from exporter.keyring import Keyring
from exporter.log import EventLog, say
from exporter.metrics import Metrics
from exporter.program import Program
from probe import __version__
from probe.client import Auth, Client, Network
from probe.cycle import Prober
from probe.edges import Controlled, Edges
from probe.freezer import Freezer
from probe.history import History
from probe.peers import Peers
from probe.pong import Target
from probe.records import Event, Listener, Observation, ProbeRequest
from probe.remembered import Remembered
from probe.schedule import LagMeter, Schedule
from probe.settings import Loaded
from probe.sources import Sources
from probe.spool import Spool
from probe.vault import Vault
from probe.watch import Catalogues, Controls, GatewayLogs, Means, SourceWatch


def wire(
    loaded: Loaded, vault: Vault, listeners: Sequence[Listener] = (), *, log: bool = True, durable: bool = True
) -> Program:
    """Build the program from settings. Opens no socket and sends nothing; ConfigError where a secret cannot be read.
    Without `durable` nothing of the probing is kept in `state`."""
    settings = loaded.settings
    keyring = Keyring(loaded)
    metrics = Metrics(loaded.targets, contracts=loaded.contracts, version=__version__, budget=parts.budget(loaded))
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
    controls = Controls(parts.controls(loaded), client.reachable, publish)
    lag = LagMeter(metrics.observe_loop_lag)
    spool = Spool(state / "spool") if durable else None
    freezer = Freezer(vault, keyring.secrets, publish, history, spool)

    async def send(request: ProbeRequest, auth: Auth, target: Target, on_sent: Callable[[], None]) -> Observation:
        return await client.send(
            request, auth, timeout_s=target.timeout_s, reuse=target.reuse_connection, on_sent=on_sent
        )

    remembered = Remembered(history)
    catalogues = Catalogues(loaded.targets, client.get, remembered, publish)
    metrics.set_listings(lambda: catalogues.listings)
    sources = SourceWatch(loaded.contracts.values(), client.get, Sources(state / "sources"), publish)
    metrics.set_areas(sources.areas)
    logs = GatewayLogs(Means(client.get, keyring.gateway_log_token, keyring.redactor, publish))
    state_since_s = remembered.state_since_s(datetime.now(UTC))
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
            listing=catalogues.listing,
            documents=sources.documents,
            gateway_log=logs.read,
        ),
        parts.surroundings(loaded),
        history,
        freezer,
        everyone,
    )
    schedule = Schedule(loaded.targets, prober.tick, prober.missed, on_step=_clock_was_set)
    return Program(
        loaded=loaded,
        client=client,
        prober=prober,
        history=history,
        freezer=freezer,
        vault=vault,
        metrics=metrics,
        controls_watch=controls,
        catalogues=catalogues,
        lag=lag,
        keyring=keyring,
        schedule=schedule,
        peers=peers,
        sources=sources,
    )


def _clock_was_set(seconds: float) -> None:
    say("the wall clock was set; the schedule is planned anew", level=logging.WARNING, seconds=round(seconds, 3))
