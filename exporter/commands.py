"""The command line: `freezeframe run | demo | check | config | contract | packets | classify | redact`.

Every command has ``--json`` for machines and a form for people. Exit codes: 0 fine, 1 the answer is no, 2 wrong
configuration or usage. Secrets are never taken from the command line.
"""

import asyncio
import os
import sys
from typing import Annotated

import typer

from exporter import demo as demonstration
from exporter import main as program
from exporter.cli_contract import contract_app
from exporter.cli_export import export
from exporter.cli_fetch import fetch
from exporter.cli_notes import note
from exporter.cli_packets import packets
from exporter.cli_post import post
from exporter.cli_recorded import Everything, Recorded, recorded
from exporter.cli_replay import replay_
from exporter.cli_run import CONFIG, NEW, ConfigFile, load, run
from exporter.cli_schema import schema
from exporter.cli_store import AsJson
from exporter.cli_verify import verify
from exporter.terminal import as_json, coloured, out, say, show_json, show_line, show_table, waterfall
from probe import __version__, corpus, exchange, har, settings
from probe.redact import Policy, Redactor

app = typer.Typer(name="freezeframe", help=__doc__, rich_markup_mode=None, **NEW)  # type: ignore[arg-type]
config_app = typer.Typer(help="The configuration: check it, show what is in effect, print its schema.", **NEW)  # type: ignore[arg-type]
app.add_typer(config_app, name="config")
app.add_typer(contract_app, name="contract")
app.add_typer(packets, name="packets")
packets.command()(fetch)
packets.command()(export)
packets.command()(verify)
packets.command()(note)
packets.command()(post)
packets.command("replay")(replay_)
packets.command()(schema)
app.command()(run)

AlwaysJson = Annotated[bool, typer.Option("--json", help="Accepted as everywhere; this command always prints JSON.")]


@app.command()
def demo(
    seconds: Annotated[int, typer.Option(min=5, help="How long the story takes.")] = 45,
    listen: Annotated[str, typer.Option(help="host:port to serve on; port 0 takes any free one.")] = "127.0.0.1:0",
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Also start the installed Prometheus, with the alert rules.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show the whole story on a local gateway of fake values: no key, no network. Ends by itself."""
    sys.exit(demonstration.run(seconds, listen, as_json=json, with_prometheus=prometheus))


@app.command()
def check(config: ConfigFile = CONFIG, json: AsJson = False) -> None:
    """Probe every target once. Exit code 0: all ok; 1: not; 2: wrong configuration."""
    loaded = load(config)
    results = asyncio.run(program.probe_each_once(loaded))
    if json:
        show_json([as_json(result) for result in results])
    else:
        for result in results:
            status = "no reply" if result.status is None else f"HTTP {result.status}"
            total = "" if result.timings is None else f"  {result.timings.total_s:.3f} s"
            out.print(
                f"{coloured(result.verdict)}  [bold]{result.target}[/]  {result.judgement.reason}  {status}{total}"
            )
            if line := waterfall(result):
                say(f"    {line}")
            if result.judgement.words and not program.all_ok([result]):
                say(f"    {result.judgement.words}")
    sys.exit(0 if program.all_ok(results) else 1)


@config_app.command("check")
def config_check(config: ConfigFile = CONFIG, json: AsJson = False) -> None:
    """Read the configuration as `run` would; nothing is sent. Exit code 0 or 2."""
    loaded = load(config)
    from probe.vault import Vault

    Vault.open(loaded.settings.store, loaded.base)
    if json:
        shard = {} if loaded.shard.is_alone else {"shard": {"index": loaded.shard.index, "count": loaded.shard.count}}
        show_json({"ok": True, "targets": [target.name for target in loaded.targets]} | shard)
    else:
        told = loaded.shard_words or f"{len(loaded.targets)} target{'s' if len(loaded.targets) != 1 else ''}"
        say(f"{config}: fine, {told}")


@config_app.command("show")
def config_show(config: ConfigFile = CONFIG, json: AsJson = False) -> None:
    """The configuration in effect, with where each value came from. Secrets read <secret>."""
    rows = settings.effective(load(config))
    if json:
        show_json({key: {"value": value, "from": origin} for key, value, origin in rows})
    else:
        show_table(("key", "value", "from"), rows)


@config_app.command("schema")
def config_schema(json: AlwaysJson = True) -> None:
    """The JSON Schema of the configuration file."""
    show_json(settings.schema())


@app.command()
def classify(
    file: Recorded,
    everything: Everything = False,
    json: AlwaysJson = True,
) -> None:
    """Say verdict and reason of recorded exchanges, one JSON line each."""
    redactor = _redactor()
    for line in recorded(file, everything):
        if isinstance(line, har.Call):
            show_line(har.classify_call(line, redactor))
        else:
            show_line(corpus.classify_line(line, redactor=redactor))


@app.command()
def redact(
    file: Recorded,
    everything: Everything = False,
    json: AlwaysJson = True,
) -> None:
    """Redact recorded exchanges, one JSON line each, with a report of what was removed."""
    redactor = _redactor()
    for line in recorded(file, everything):
        shown = har.redact_call(line, redactor) if isinstance(line, har.Call) else exchange.redact_line(line, redactor)
        show_line(shown)


def _redactor() -> Redactor:
    """Knows no configured secret; its tokens tell equal values within one run."""
    return Redactor((), (), Policy(), os.urandom(32))


@app.command()
def version() -> None:
    """The version of this program."""
    say(__version__)
