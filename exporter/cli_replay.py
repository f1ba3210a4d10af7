"""`freezeframe packets replay`: a packet's exchanges under today's rules, and with --live the same request once more.

The day's budget belongs to whoever holds `state`: a running prober is asked to send the request, over its own HTTP;
where none runs, this process holds `state` for that one request. Either way it is one request, and it is counted.
"""

import asyncio
import os
import re
import ssl
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import httpx2
import orjson
import typer

from exporter.cli_run import CONFIG
from exporter.cli_store import AsJson, ConfigFile, Kept, Store, kept
from exporter.terminal import say, show_json
from exporter.wiring import wire
from probe import settings
from probe.budget import BudgetSpent
from probe.records import Json
from probe.replay import NOT_KEPT, Replay, Replayed, ReplayError, Unlike, replay, same_target
from probe.settings import ConfigError, Loaded, split_listen
from probe.state import StateInUse, hold
from probe.vault import Vault

NO_BUDGET: Final = "what is left of the day's budget is kept for the schedule"
_ANSWER_S: Final = 30.0  # beyond the target's own deadline: for the prober to be asked and to answer
_MOST_BYTES: Final = 64 << 10
_TOLD: Final = {"at", "verdict", "reason", "words", "status", "total_s", "frozen", "same"}
_ANYWHERE: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens there, not we
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def replay_(
    packet_id: str,
    live: Annotated[bool, typer.Option("--live", help="Also send the same request once; it is paid for.")] = False,
    config: ConfigFile = CONFIG,
    store: Store = None,
    json: AsJson = False,
) -> None:
    """Judge a packet's frozen exchanges by today's rules. Exit code 0: as then; 1: something is judged differently."""
    loaded = None if store is not None and config == CONFIG else settings.load(config, os.environ)
    packet = kept(_vault(loaded, store), packet_id)
    target = packet.document["target"]
    known = None if loaded is None else {it.name: it for it in loaded.targets}.get(target["name"])
    try:
        replayed = replay(packet.document, None if known is None else known.contract)
    except ReplayError as error:
        raise ConfigError(f"packet {packet_id}", "exchanges that can be judged again", str(error)) from None
    seen = _live(packet, packet_id, loaded, store) if live else None
    judged_by = "the rules alone: no contract of this target is configured"
    if known is not None:
        judged_by = f"the rules and contract {known.contract.name} of target {known.name}"
    if json:
        show_json(_machines(packet_id, judged_by, replayed) | {"live": seen})
    else:
        _people(judged_by, replayed, seen)
    sys.exit(1 if replayed.changed else 0)


def _vault(loaded: Loaded | None, store: str | None) -> Vault:
    if store is not None:
        return Vault.open(store, Path.cwd())
    assert loaded is not None
    return Vault.open(loaded.settings.store, loaded.base)


# ---------------------------------------------------------------- what is shown


def _machines(packet_id: str, judged_by: str, replayed: Replay) -> Json:
    return {
        "packet": packet_id,
        "judged_by": judged_by,
        "changed": replayed.changed,
        "exchanges": [
            {
                "probe": known.probe_id,
                "part": known.part,
                "status": known.status,
                "frozen": known.frozen,
                "today": _today(known),
                "changed": list(known.changed),
            }
            for known in replayed.exchanges
        ],
        "findings": {
            "compared": replayed.findings_compared,
            "appeared": list(replayed.appeared),
            "vanished": list(replayed.vanished),
        },
    }


def _today(known: Replayed) -> dict[str, Any] | None:
    return None if known.today is None else asdict(known.today)


def _people(judged_by: str, replayed: Replay, seen: Json | None) -> None:
    for known in replayed.exchanges:
        for line in _lines(known):
            say(line)
    for sign, rows in (("+", replayed.appeared), ("-", replayed.vanished)):
        for row in rows:
            differs = f"expected {row['expected']}, observed {row['observed']}"
            say(f"{sign} finding {row['rule']} at {row['place']}: {differs}")
    if not replayed.exchanges:
        say("The packet holds no exchange.")
    say(f"Judged by {judged_by}." + ("" if replayed.findings_compared else " Findings were not compared."))
    say("Something is judged differently today." if replayed.changed else "Everything is judged as it was.")
    if seen is not None:
        took = "" if seen["total_s"] is None else f" in {seen['total_s']:.3f} s"
        answer = "no reply" if seen["status"] is None else f"HTTP {seen['status']}"
        again = "the same as frozen" if seen["same"] else f"frozen was {_label(seen['frozen'])}"
        words = f": {seen['words']}" if seen["words"] else ""
        say(f"Live at {seen['at']}: {_label(seen)} ({answer}{took}), {again}{words}")


def _lines(known: Replayed) -> Iterator[str]:
    status = "-" if known.status is None else str(known.status)
    what = f"{known.probe_id}  {known.part:9}  {status:3}  {_label(known.frozen)}: "
    if known.today is None:
        yield what + NOT_KEPT
    elif not known.changed:
        yield what + "same"
    else:
        yield f"{what}CHANGED: {', '.join(known.changed)}"
        yield f"    then  {_label(known.frozen)} ({known.frozen['rule']})"
        words = f": {known.today.words}" if known.today.words else ""
        yield f"    today {known.today.verdict}/{known.today.reason} ({known.today.rule}){words}"


def _label(judged: Json) -> str:
    return f"{judged['verdict']}/{judged['reason']}"


# ---------------------------------------------------------------- live


def _live(packet: Kept, packet_id: str, loaded: Loaded | None, store: str | None) -> Json:
    """What the same request brings now. ConfigError, and nothing was sent, where it cannot be or may not be."""
    if loaded is None or store is not None:
        raise ConfigError("--live", "the configuration that probes this target, and no --store", "a store by itself")
    try:
        target = same_target(packet.document, {it.name: it for it in loaded.targets})
    except Unlike as error:
        raise ConfigError("--live", "a configured target that sends this packet's request", str(error)) from None
    try:
        with hold(loaded.path(loaded.settings.state)):
            return asyncio.run(_send(loaded, packet.document))
    except StateInUse:
        return _ask(loaded, packet_id, target.timeout_s + _ANSWER_S)
    except BudgetSpent:
        raise ConfigError("--live", "a budget that allows it (nothing was sent)", NO_BUDGET) from None


async def _send(loaded: Loaded, document: Json) -> Json:
    program = wire(loaded, Vault.open(loaded.settings.store, loaded.base), log=False)
    lag = asyncio.create_task(program.lag.run())
    try:
        return await program.replay(document)
    finally:
        lag.cancel()
        await asyncio.gather(lag, return_exceptions=True)
        if not await program.history.flush():
            sys.stderr.write("freezeframe: state: the request could not be written down; the budget does not know it\n")
        program.history.close()
        await program.client.aclose()


def _ask(loaded: Loaded, packet_id: str, timeout_s: float) -> Json:
    """Let the prober that holds `state` send it. Exactly one POST to the configured listener: no proxy, no redirect."""
    server = loaded.settings.server
    host, port = split_listen(server.listen)
    host = _ANYWHERE.get(host, host)
    scheme = "http" if server.tls.cert_file is None else "https"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/packets/{packet_id}/replay"
    headers = {"Accept": "application/json", "User-Agent": "freezeframe"}
    if loaded.token is not None:
        headers["Authorization"] = f"Bearer {loaded.token.read().get_secret_value()}"
    trust: ssl.SSLContext | bool = False
    if server.tls.cert_file is not None:
        trust = _trust(loaded.base / server.tls.cert_file)
    where = f"the prober that holds `state` to answer at {server.listen} (server.listen)"
    try:
        with (
            httpx2.Client(trust_env=False, follow_redirects=False, verify=trust, timeout=timeout_s) as client,
            client.stream("POST", url, headers=headers) as response,
        ):
            status, body = response.status_code, bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise ConfigError("--live", where, f"an answer of more than {_MOST_BYTES >> 10} KiB")
    except httpx2.RequestError as error:
        raise ConfigError("--live", where, type(error).__name__) from None
    answer = _object(bytes(body))
    if status == 200 and answer.keys() >= _TOLD:
        return answer
    said = str(answer.get("detail", "another answer")).removeprefix("Not sent: ").rstrip(".")
    raise ConfigError(
        "--live", where if status == 200 else "the running prober to send it", f"{said} (status {status})"
    )


def _object(body: bytes) -> Json:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _trust(cert_file: Path) -> ssl.SSLContext:
    """The listener's own certificate and no other, whatever names it states: we come to it by its address."""
    try:
        certificate = _CERTIFICATE.search(cert_file.read_text("ascii", "replace"))
    except OSError as error:
        raise ConfigError("server.tls.cert_file", "a readable file", error.strerror or "an error") from None
    if certificate is None:
        raise ConfigError("server.tls.cert_file", "a certificate in PEM form", "none")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate[0])
    return context
