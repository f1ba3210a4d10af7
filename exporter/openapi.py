"""The description of the routes for programs: `openapi.yaml`, served as JSON."""

from pathlib import Path
from typing import Final

import orjson
import yaml

PATH: Final = "/openapi.json"
_FILE: Final = Path(__file__).with_name("openapi.yaml")


def document() -> bytes:
    """As it is served: whole, without the parts that the file names once and uses often."""
    described = yaml.safe_load(_FILE.read_bytes())
    described.pop("x-any")
    return orjson.dumps(described)
