"""`freezeframe packets schema`: the published JSON Schema of packet.json, or of addenda."""

from typing import Annotated

import typer

from exporter.terminal import show_json
from probe import schemas


def schema(
    addendum: Annotated[
        bool, typer.Option("--addendum", help="Of the addenda beside a packet, of every kind.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Accepted as everywhere; this command always prints JSON.")
    ] = True,
) -> None:
    """The JSON Schema of packet.json."""
    show_json(schemas.addendum() if addendum else schemas.packet())
