"""`freezeframe packets fetch`: a packet as it is stored, by its ID or by the alert that it is about.

It comes from the store, or from a running freezeframe. An address that stands in an alert is somebody else's and is
never asked: only the one that was named here.
"""

import base64
import contextlib
import hashlib
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

import httpx2
import orjson
import typer

from exporter import alert_json
from exporter.alert_json import BadAlert
from exporter.alerts import Alert, Why
from exporter.cli_run import CONFIG
from exporter.cli_store import AsJson, ConfigFile, Out, Store, shelf, tell, wait, write
from exporter.listing import MOST, PACKET_ID
from exporter.neutral import neutral
from exporter.terminal import say, show_json
from probe import render, settings
from probe.index import PacketEntry
from probe.settings import ConfigError
from probe.vault import Vault

_MOST_BYTES: Final = 64 << 20
_ANSWER_S: Final = 30.0
_A_SERVER: Final = "a freezeframe that answers there"


class Source(Protocol):
    def of(self, alert: Alert) -> tuple[PacketEntry, ...]:
        """The packets of the target or the contract that an alert names."""

    def zip(self, packet_id: str) -> bytes: ...


def fetch(
    packet_id: Annotated[str | None, typer.Argument(help="A packet's ID; or use --alert.")] = None,
    alert: Annotated[
        str | None, typer.Option(help="Alertmanager's JSON (a webhook, a list of alerts, or one); - is standard input.")
    ] = None,
    out: Out = Path(),
    config: ConfigFile = CONFIG,
    store: Store = None,
    server: Annotated[str | None, typer.Option(help="The URL of a running freezeframe, instead of a store.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="The file that holds its server.token.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="The certificates that it is trusted by.")] = None,
    json: AsJson = False,
) -> None:
    """Copy a packet into a folder: as it is stored, with its addenda; or the zips that alerts are about. Exit code 0:
    fetched; 1: no packet for any of the alerts; 2: wrong input."""
    if (packet_id is None) == (alert is None):
        raise ConfigError("packets fetch", "a packet's ID, or --alert", "both" if alert else "neither")
    remote = None if server is None else _Server(server, _headers(token_file), ca_file)
    if alert is not None:
        alerts = _alerts(alert)
        sys.exit(_fetch_all(alerts, remote or _Shelf(config, store), out, json=json))
    assert packet_id is not None
    if remote is not None:
        if not PACKET_ID.fullmatch(packet_id):
            raise ConfigError("packet ID", "letters, digits and hyphens", "something else")
        write(out, {f"{packet_id}.zip": _whole(remote, packet_id)})
    else:
        write(out, wait(_stored(shelf(config, store).vault, packet_id), packet_id))
    tell(out / f"{packet_id}.zip", json)


async def _stored(vault: Vault, packet_id: str) -> dict[str, bytes]:
    return {f"{packet_id}.zip": await vault.read(packet_id)} | await vault.originals(packet_id)


def _alerts(file: str) -> tuple[Alert, ...]:
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as source:
            return alert_json.read(source.read(alert_json.MOST_BYTES + 1))
    except OSError as error:
        raise ConfigError("--alert", "a readable file", error.strerror or "an error") from None
    except BadAlert as error:
        raise ConfigError("--alert", "the JSON of Alertmanager's alerts", f"something else at {error}") from None


def _fetch_all(alerts: tuple[Alert, ...], source: Source, out: Path, *, json: bool) -> int:
    """Each packet once, whole or not at all; what has none says why. The exit code."""
    zips: dict[str, bytes] = {}
    told: list[dict[str, Any]] = []
    for alert in alerts:
        found = alert_json.find(alert, source.of(alert))
        row: dict[str, Any] = {"alertname": alert.name, "fingerprint": alert.fingerprint, "packet": None}
        if isinstance(found, Why):
            told.append(row | {"why": str(found)})
            continue
        if found not in zips:
            zips[found] = _whole(source, found)
        told.append(row | {"packet": found, "path": str(out / f"{found}.zip"), "sha256": _digest(zips[found])})
    if zips:
        write(out, {f"{found}.zip": data for found, data in zips.items()})
    if json:
        show_json({"alerts": told})
        return 0 if zips else 1
    for row in told:
        if row["packet"] is None:
            sys.stderr.write(neutral(f"{row['alertname']}: no packet: {row['why']}\n"))
    for found in zips:
        say(str(out / f"{found}.zip"))
    return 0 if zips else 1


def _whole(source: Source, packet_id: str) -> bytes:
    """What is altered is not passed on."""
    data = source.zip(packet_id)
    if render.verify(data):
        raise ConfigError(f"packet {packet_id}", "a whole one", "one that was altered (nothing was written)")
    return data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ---------------------------------------------------------------- where packets are


@dataclass(slots=True)
class _Shelf:
    """A store, opened when it is asked first; its packets say which contract their target is of."""

    config: Path
    store: str | None
    _vault: Vault | None = None
    _entries: tuple[PacketEntry, ...] = ()
    _contracts: dict[str, str] = field(default_factory=dict)

    def of(self, alert: Alert) -> tuple[PacketEntry, ...]:
        if self._vault is None:
            self._vault = shelf(self.config, self.store).vault
            self._entries = wait(self._vault.entries())
        if alert.target is not None:
            return tuple(entry for entry in self._entries if entry.target == alert.target)
        return tuple(entry for entry in self._entries if self._contract(entry) == alert.contract)

    def zip(self, packet_id: str) -> bytes:
        assert self._vault is not None
        return wait(self._vault.read(packet_id), packet_id)

    def _contract(self, entry: PacketEntry) -> str:
        """As the newest packet of the target says."""
        if entry.target not in self._contracts:
            try:
                document = orjson.loads(render.unpack(self.zip(entry.id))["packet.json"])
                self._contracts[entry.target] = str(document["target"]["contract"])
            except (ValueError, KeyError, TypeError):
                return ""
        return self._contracts[entry.target]


@dataclass(frozen=True, slots=True)
class _Server:
    """A running freezeframe, asked without a proxy, and no redirect is followed."""

    url: str
    headers: Mapping[str, str]
    ca_file: Path | None

    def of(self, alert: Alert) -> tuple[PacketEntry, ...]:
        asked = {"target": alert.target} if alert.target is not None else {"contract": alert.contract or ""}
        body, _ = self._get("/packets", {**asked, "limit": str(MOST)}, "application/json")
        try:
            rows = orjson.loads(body)["packets"]
            entries = [PacketEntry(**row | {"frozen_at": datetime.fromisoformat(row["frozen_at"])}) for row in rows]
        except (ValueError, KeyError, TypeError):
            raise ConfigError("--server", _A_SERVER, "another answer") from None
        # An ID becomes the name of a file: one of another form is no packet's.
        return tuple(it for it in entries if PACKET_ID.fullmatch(it.id) and PACKET_ID.fullmatch(it.incident))

    def zip(self, packet_id: str) -> bytes:
        data, digest = self._get(f"/packets/{packet_id}/packet.zip", {}, "application/zip")
        expected = base64.b64encode(hashlib.sha256(data).digest()).decode()
        if digest != f"sha-256=:{expected}:":
            raise ConfigError(f"packet {packet_id}", "the digest that --server states", "another one")
        return data

    def _get(self, path: str, query: Mapping[str, str], accept: str) -> tuple[bytes, str]:
        """The body of an answer 200, and the digest that it states."""
        try:
            verify = True if self.ca_file is None else ssl.create_default_context(cafile=self.ca_file)
            with (
                httpx2.Client(trust_env=False, verify=verify, timeout=_ANSWER_S, headers=self.headers) as client,
                client.stream("GET", self.url.rstrip("/") + path, params=query, headers={"Accept": accept}) as response,
            ):
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise ConfigError("--server", _A_SERVER, f"an answer of more than {_MOST_BYTES >> 20} MiB")
        except OSError as error:
            raise ConfigError("--ca-file", "a file of certificates", error.strerror or "an error") from None
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise ConfigError("--server", _A_SERVER, type(error).__name__) from None
        if response.status_code in (401, 403):
            raise ConfigError("--token-file", "the token of that freezeframe (server.token)", "another one, or none")
        if response.status_code == 404 and path != "/packets":
            raise ConfigError("packet ID", "one that is there", "none (status 404)")
        if response.status_code != 200:
            raise ConfigError("--server", _A_SERVER, f"status {response.status_code}")
        return bytes(body), response.headers.get("repr-digest", "")


def _headers(token_file: Path | None) -> dict[str, str]:
    headers = {"User-Agent": "freezeframe"}
    if token_file is not None:
        try:
            token = settings.Credential("--token-file", None, token_file, {}).read()
        except ConfigError as error:
            raise ConfigError("--token-file", error.expected, error.found) from None
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    return headers
