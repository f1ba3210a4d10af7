"""Templates are compiled once for an installation; what is wrong with the compiled form never shows."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest

from probe.render.compiled import Compiled, compile_all


class Counting(jinja2.Environment):
    """Counts how often a template is compiled."""

    compiled = 0

    def compile(self, *arguments: Any, **named: Any) -> Any:
        self.compiled += 1
        return super().compile(*arguments, **named)


@pytest.fixture(autouse=True)
def writing() -> Iterator[None]:
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    yield
    sys.dont_write_bytecode = before


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "greeting.html").write_text("Hello {{ name }}")
    (tmp_path / "style.css").write_text("{{ not a template")
    return tmp_path


def opened(folder: Path) -> Counting:
    return Counting(loader=jinja2.FileSystemLoader(folder), bytecode_cache=Compiled(folder))


def said(environment: jinja2.Environment) -> str:
    return environment.get_template("greeting.html").render(name="you")


def files(folder: Path) -> list[Path]:
    return list((folder / "__pycache__").iterdir())


def test_the_second_start_compiles_nothing(folder: Path) -> None:
    first, second = opened(folder), opened(folder)
    compile_all(first)
    assert (said(second), first.compiled, second.compiled) == ("Hello you", 1, 0)
    assert [file.stat().st_mode & 0o777 for file in files(folder)] == [0o644]


def test_a_template_that_changed_is_compiled_anew(folder: Path) -> None:
    compile_all(opened(folder))
    (folder / "greeting.html").write_text("Bye {{ name }}")
    changed, later = opened(folder), opened(folder)
    assert (said(changed), changed.compiled) == ("Bye you", 1)
    assert (said(later), later.compiled) == ("Bye you", 0)
    assert len(files(folder)) == 1


@pytest.mark.parametrize(
    "damage", [lambda it: b"", lambda it: it[:-9], lambda it: b"x" + it, lambda it: it[:40] + b"\0"]
)
def test_a_damaged_one_is_compiled_anew(damage: Callable[[bytes], bytes], folder: Path) -> None:
    compile_all(opened(folder))
    file = files(folder)[0]
    file.write_bytes(damage(file.read_bytes()))
    anew = opened(folder)
    assert (said(anew), anew.compiled) == ("Hello you", 1)


def test_where_it_cannot_be_kept_it_is_compiled_each_time(folder: Path) -> None:
    (folder / "__pycache__").write_text("in the way")
    for _ in range(2):
        environment = opened(folder)
        assert (said(environment), environment.compiled) == ("Hello you", 1)


def test_nothing_is_written_where_python_writes_nothing(folder: Path) -> None:
    sys.dont_write_bytecode = True
    compile_all(opened(folder))
    assert not os.path.exists(folder / "__pycache__")
