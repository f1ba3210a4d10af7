"""The entry point: which commands are loaded, and what is said where one cannot go on."""

import sys

from exporter.neutral import neutral
from probe.corpus import CorpusError
from probe.exchange import ExchangeError
from probe.settings import ConfigError
from probe.vault import StoreError


def main() -> None:
    """Configuration trouble is one clear line a setting on standard error, and exit code 2."""
    if sys.argv[1:2] == ["run"]:  # it runs for months: what the others need would stay in memory
        from exporter.cli_run import app
    else:
        from exporter.commands import app
    try:
        app()
    except (ConfigError, StoreError, CorpusError, ExchangeError) as error:
        sys.stderr.write(neutral(f"freezeframe: {error}\n"))
        sys.exit(2)
