"""`freezeframe run`, and the options that other commands share with it. Nothing that only they need is imported."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from exporter import main as program
from probe import settings
from probe.settings import Loaded

NEW = {"no_args_is_help": True, "add_completion": False, "pretty_exceptions_enable": False}
CONFIG = Path("freezeframe.yaml")
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
app = typer.Typer(name="freezeframe", rich_markup_mode=None, **NEW)  # type: ignore[arg-type]


@app.callback()
def _command() -> None:
    """A prober that runs for months: of all commands this one alone is loaded."""


def load(config: Path, **overrides: str | None) -> Loaded:
    given = {key.replace("_", "."): value for key, value in overrides.items() if value is not None}
    return settings.load(config, os.environ, given)


@app.command()
def run(
    config: ConfigFile = CONFIG,
    listen: Annotated[str | None, typer.Option(help="host:port to serve on, instead of server.listen.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Log lines as JSON, instead of log.format.")] = False,
) -> None:
    """Probe on the cadence and serve metrics, pages and packets, until SIGTERM."""
    sys.exit(program.run(load(config, server_listen=listen, log_format="json" if json else None)))
