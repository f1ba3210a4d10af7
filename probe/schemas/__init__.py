"""The published JSON Schemas of packet.json and of addenda, versioned files beside this one. Nothing is fetched."""

from importlib.resources import files

import orjson

from probe.records import Json


def packet() -> Json:
    """Of packet.json: frozen, merged with its addenda, or exported."""
    return _read("packet-1")


def addendum() -> Json:
    """Of every kind of addendum. The packet's schema, which it refers to, is inside: one document stands by itself."""
    schema = _read("addendum-1")
    return schema | {"$defs": schema["$defs"] | {"packet-1": packet()}}


def _read(name: str) -> Json:
    schema: Json = orjson.loads(files(__name__).joinpath(f"{name}.json").read_bytes())
    return schema
