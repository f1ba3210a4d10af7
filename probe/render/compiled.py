"""Templates compiled once for an installation, beside their sources, as Python's own modules are: what the first packet
or page would else wait for. Where that cannot be written, they are compiled anew.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket


class Compiled(jinja2.BytecodeCache):
    """jinja2 looks at the digest of the source, and the version of Python, before it takes what is there."""

    def __init__(self, templates: Path) -> None:
        self._folder = templates / "__pycache__"

    def _file(self, bucket: Bucket) -> Path:
        return self._folder / f"{bucket.key}.jinja2-{jinja2.__version__}"

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            with self._file(bucket).open("rb") as file:
                bucket.load_bytecode(file)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the source is there
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            descriptor, unfinished = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(descriptor, "wb") as file:
                bucket.write_bytecode(file)
            Path(unfinished).chmod(0o644)
            Path(unfinished).replace(self._file(bucket))


def compile_all(environment: jinja2.Environment) -> None:
    for name in environment.list_templates(extensions=("html", "md", "sh")):
        environment.get_template(name)
