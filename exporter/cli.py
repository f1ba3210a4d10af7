"""The command line: `freezeframe run | demo | check | config | contract | packets | classify | redact`.

Every command has ``--json`` for machines and a form for people. Exit codes: 0 fine, 1 the answer is no, 2 wrong
configuration or usage. Secrets are never taken from the command line.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.console import Console
from rich.table import Table

from exporter import main as program
from exporter.cli_packets import packets
from exporter.terminal import out, show_check, show_json, table
from probe import __version__, contract, corpus, exchange, settings
from probe.redact import Policy, Redactor
from probe.settings import ConfigError, ConfigErrors, Loaded
from probe.vault import StoreUnreachable

app = typer.Typer(
    name="freezeframe",
    help="Continuous synthetic probe and Prometheus exporter for OpenAI-compatible chat APIs that freezes the evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, secrets included
    add_completion=False,
)
config_app = typer.Typer(help="The configuration: check it, show what is in effect, print its schema.", no_args_is_help=True)
contract_app = typer.Typer(help="The provider's contract: what a probe relies on, and where each value was read.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(contract_app, name="contract")
app.add_typer(packets, name="packets")

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output.")]
CONFIG = Path("freezeframe.yaml")


def main() -> None:
    """The entry point: configuration trouble becomes one clear line on standard error and exit code 2."""
    try:
        app()
    except (ConfigError, ConfigErrors, StoreUnreachable) as error:
        _fail(str(error))
