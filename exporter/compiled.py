"""`python -m exporter.compiled`: every template compiled, for an installation that is read-only when it runs."""

import sys

from exporter.answers import PAGES
from probe.render.compiled import compile_all
from probe.render.templates import TEMPLATES

if __name__ == "__main__":
    sys.dont_write_bytecode = False  # it is what was asked for
    compile_all(PAGES)
    compile_all(TEMPLATES)
