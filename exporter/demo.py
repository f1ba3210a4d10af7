"""`freezeframe demo`: the whole story on a local gateway of fake values, with a live view, ending by itself.

It is the real program (`exporter.main`) on a real configuration file; only the gateway is ours, and the clock is fast.
"""

import asyncio
import os
import secrets
import sys
import tempfile
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import uvloop
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from exporter import main as program
from exporter.cli_packets import entry_json
from exporter.demo_prometheus import Absent, Fired, Prometheus
from exporter.gateway import Gateway
from exporter.gateway_docs import contract
from exporter.gateway_script import DEMO_SCRIPT
from exporter.terminal import COLOURS, show_json
from exporter.wiring import wire
from probe import render, settings
from probe.index import PacketEntry
from probe.records import Event, Frozen, Recovered, Reopened, Result, Trip, Verdict
from probe.vault import Vault

TARGETS = (
    ("small", "demo-small", False),
    ("stream", "demo-stream", True),
    ("account", "demo-account", False),
    ("large", "demo-large", False),
    ("shape", "demo-shape", False),
)
MARKS = {Verdict.OK: "●", Verdict.MISSED: "·", Verdict.PROBE_FAULT: "?"}


def run(seconds: int, listen: str, *, as_json: bool, with_prometheus: bool = False) -> int:
    """Play the story for so many seconds; the exit code (0 when it went through and froze packets)."""
    # Standard error carries the log of a real run; here the view tells the story.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_demo(seconds, listen, as_json, with_prometheus))


async def _demo(seconds: int, listen: str, as_json: bool, with_prometheus: bool) -> int:
    folder = Path(tempfile.mkdtemp(prefix="freezeframe-demo-"))
    key = "fake-demo-key-" + secrets.token_hex(8)
    gateway = Gateway(keys={"demo": key})
    await gateway.start()
    story = _Story(seconds)
    try:
        loaded = settings.load(_configure(folder, gateway.origin, key, listen, seconds), {}, {})
        vault = Vault.open(loaded.settings.store, loaded.base)
        wired = wire(loaded, vault, [story.on_event], log=False)
        listener = program.open_listener(loaded.settings.server.listen)
        address = "{}:{}".format(*listener.getsockname()[:2])
        story.url = f"http://{address}"
        stop = asyncio.Event()
        serving = asyncio.create_task(program.serve(wired, listener, stop))
        if with_prometheus:
            story.prometheus = await _prometheus(folder / "prometheus", address, as_json)
        watching = asyncio.create_task(story.prometheus.watch()) if story.prometheus else None
        story.begin()
        playing = asyncio.create_task(gateway.play(DEMO_SCRIPT, seconds))
        if as_json or not sys.stdout.isatty():
            await asyncio.sleep(seconds)
        else:
            with Live(story.view(), console=Console(stderr=False), refresh_per_second=5, transient=True) as live:
                while not story.is_over:
                    live.update(story.view())
                    await asyncio.sleep(0.2)
        over = [task for task in (playing, watching) if task]
        for task in over:
            task.cancel()
        stop.set()
        code = await serving
        await asyncio.gather(*over, return_exceptions=True)
        entries = await vault.entries()
        summary = render.unpack(await vault.read(entries[-1].id))["summary.md"].decode() if entries else ""
    finally:
        await gateway.stop()
        if story.prometheus:
            await story.prometheus.stop()
    _tell(entries, summary, loaded.path(loaded.settings.store), story, as_json)
    return code if entries else 1


async def _prometheus(folder: Path, address: str, as_json: bool) -> Prometheus | None:
    """Where there is none, a sentence says so and the demo goes on."""
    out = Console(stderr=as_json, highlight=False, soft_wrap=True)
    try:
        started = await Prometheus.start(folder, address)
    except Absent as error:
        out.print(str(error), markup=False)
        return None
    out.print(f"Prometheus and its alerts, until the demo ends: {started.url}/alerts", markup=False)
    return started


def _configure(folder: Path, origin: str, key: str, listen: str, seconds: int) -> Path:
    """The files a person would write: contract, key file, configuration. YAML reads JSON as it is."""
    cadence_s = max(0.25, min(1.0, seconds / 45))
    handle = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as key_file:
        key_file.write(key + "\n")
    (folder / "demo-gateway.yaml").write_bytes(orjson.dumps(contract(origin, datetime.now(UTC))))
    config: dict[str, Any] = {
        "contract": "./demo-gateway.yaml",
        "credentials": {"demo": {"file": "key"}},
        "defaults": {
            "cadence": f"{round(cadence_s * 1000)}ms",
            "timeout": f"{round(cadence_s * 800)}ms",
            "slow": f"{round(cadence_s * 700)}ms",
            "freeze": {
                "failures": 3,
                "window": 5,
                "recover": 3,
                "reopen": "5s",
                "confirm": {"attempts": 2, "backoff": "50ms"},
            },
        },
        "targets": [
            {"name": name, "model": model, "stream": stream, "credential": "demo", "labels": {"region": "demo"}}
            for name, model, stream in TARGETS
        ],
        "controls": [{"name": "provider-edge", "url": f"{origin}/", "role": "provider"}],
        "sources": {"recheck": "1s"},
        "server": {"listen": listen},
        "escalation": {"impact": "Nobody is affected: this is a demo with fake values.", "owner": "demo on-call"},
    }
    file = folder / "freezeframe.yaml"
    file.write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))
    return file


class _Story:
    """What happened so far, for the live view."""

    def __init__(self, seconds: int) -> None:
        self.url = ""
        self.packets: list[str] = []
        self.prometheus: Prometheus | None = None
        self._seconds = seconds
        self._began = datetime.now(UTC)
        self._results: dict[str, deque[Result]] = {name: deque(maxlen=24) for name, _, _ in TARGETS}
        self._lines: deque[tuple[datetime, str, str]] = deque(maxlen=9)

    def begin(self) -> None:
        self._began = datetime.now(UTC)

    @property
    def elapsed_s(self) -> float:
        return (datetime.now(UTC) - self._began).total_seconds()

    @property
    def fired(self) -> tuple[Fired, ...]:
        return tuple(self.prometheus.fired.values()) if self.prometheus else ()

    @property
    def is_over(self) -> bool:
        return self.elapsed_s >= self._seconds

    def on_event(self, event: Event) -> None:
        match event:
            case Result():
                self._results[event.target].append(event)
            case Trip():
                self._say("red", f"{event.target}: threshold tripped, {event.verdict} / {event.reason}")
            case Frozen():
                self.packets.append(event.packet_id)
                self._say("bold", f"{event.target}: packet frozen in {event.took_s * 1000:.0f} ms")
            case Reopened():
                self._say("yellow", f"{event.target}: the same failure again, its packet goes on")
            case Recovered():
                self._say("green", f"{event.target}: recovered; {event.failures} of {event.probes} had failed")

    def _say(self, style: str, text: str) -> None:
        self._lines.append((datetime.now(UTC), style, text))

    def view(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
        for column in ("target", "last verdict", "reason", "ms", "last probes"):
            table.add_column(column, no_wrap=True)
        for name, results in self._results.items():
            last = results[-1] if results else None
            row = Text()
            for result in results:
                row.append(MARKS.get(result.verdict, "■"), style=COLOURS[result.verdict])
            total = last.timings.total_s * 1000 if last and last.timings else None
            table.add_row(
                name,
                Text(last.verdict, style=COLOURS[last.verdict]) if last else "",
                last.judgement.reason if last else "",
                "" if total is None else f"{total:.0f}",
                row,
            )
        lines = [Text(f"{at:%H:%M:%S}  ").append(text, style=style) for at, style, text in self._lines]
        left = max(0, round(self._seconds - self.elapsed_s))
        head = Text("freezeframe demo", style="bold").append(
            f"  fake gateway, real prober  {left} s left\n", style="not bold dim"
        )
        looks = [Text(f"look at {self.url}/ while it runs", style="dim")]
        if self.prometheus is not None:
            looks.append(Text(f"alerts at {self.prometheus.url}/alerts", style="dim"))
            firing = [f"{it.name.removeprefix('Freezeframe')} {it.about}" for it in self.prometheus.firing]
            looks += [Text(f"  fires: {', '.join(firing)}", style="red")] if firing else []
        return Group(head, table, Text(""), *looks, *lines)


def _tell(entries: tuple[PacketEntry, ...], summary: str, store: Path, story: _Story, as_json: bool) -> None:
    """The end: every frozen packet with its path and URL, and the summary of the first."""
    ordered = sorted(entries, key=lambda entry: entry.frozen_at)
    if as_json:
        packets = [
            entry_json(entry) | {"path": str(store / f"{entry.id}.zip"), "url": f"{story.url}/packets/{entry.id}"}
            for entry in ordered
        ]
        seen = None
        if story.prometheus is not None:
            alerts = [{"alertname": it.name, "about": it.about, "packet_url": it.packet_url} for it in story.fired]
            seen = {"url": story.prometheus.url, "alerts": alerts}
        show_json({"packets": packets, "prometheus": seen})
        return
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"\n[bold]{len(ordered)} evidence packets were frozen[/] (all values are fake):\n")
    for entry in ordered:
        out.print(
            f"[{COLOURS[Verdict(entry.verdict)]}]{entry.verdict}[/] / {entry.reason}  {entry.target}, {entry.state}"
        )
        out.print(f"  {store / entry.id}.zip", markup=False)
        out.print(f"  {story.url}/packets/{entry.id} (while it ran)", markup=False)
    if story.fired:
        out.print("\n[bold]The alerts that Prometheus saw, and where each led while it ran:[/]\n")
        for it in story.fired:
            out.print(f"{it.name}  {it.about}\n  {it.packet_url}", markup=False)
    first = ordered[0].id if ordered else ""
    out.print("\n[bold]What a responder finds in the first one (summary.md):[/]\n")
    out.print(summary.split("\n## Documented behaviour")[0].rstrip(), markup=False)
    out.print(f"\nThe rest:  freezeframe packets show {first} --store {store}", markup=False)
