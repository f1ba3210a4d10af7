"""Validators of the published schemas, as somebody else would use them: by the file alone, with no network."""

from pathlib import Path
from typing import NoReturn

import jsonschema_rs
import orjson

from probe import schemas

_HAR = Path(__file__).parents[1] / "har-schema"


def _refuse(uri: str) -> NoReturn:
    raise LookupError(f"a schema must not be fetched: {uri}")


PACKET = jsonschema_rs.Draft202012Validator(schemas.packet(), retriever=_refuse)
ADDENDUM = jsonschema_rs.Draft202012Validator(schemas.addendum(), retriever=_refuse)


def _har() -> jsonschema_rs.Draft6Validator:
    given = [(f"json-schema:///{file.name}", orjson.loads(file.read_bytes())) for file in sorted(_HAR.glob("*.json"))]
    registry = jsonschema_rs.Registry(given, draft=jsonschema_rs.Draft6, retriever=_refuse)
    whole = {"$ref": "json-schema:///har.json"}
    return jsonschema_rs.Draft6Validator(whole, registry=registry, retriever=_refuse, validate_formats=True)


HAR = _har()


def wrong(validator: jsonschema_rs.Validator, data: bytes) -> list[str]:
    """Where a document is not as its schema has it, and how."""
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}"
        for error in validator.iter_errors(orjson.loads(data))
    ]
