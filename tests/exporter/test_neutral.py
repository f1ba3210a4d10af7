"""Text of others on a terminal and in the log: it is read, and obeyed by nothing."""

import asyncio
import io
import json
import logging
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.log import _Line
from exporter.neutral import document, escaped, neutral
from probe import render
from probe.packet import draft
from probe.vault import Vault
from tests.exporter.commands import call, refused
from tests.probe.evidence import case, overloaded, target

HOSTILE = "\x1b[31mred \x1b]0;owned\x07 \x9b2J \x7f \x00 \u202eevil \u2066 \u2028 [bold]markup[/bold] [/]"
OBEYED = frozenset("\x1b\x07\x9b\x7f\x00\u202e\u2066\u2028\r\x08")


def test_what_a_terminal_obeys_is_shown_as_a_mark_and_words_stay() -> None:
    shown = neutral(HOSTILE)
    assert not OBEYED & set(shown)
    assert "\ufffd[31mred" in shown and "[bold]markup[/bold]" in shown
    assert neutral("two\nlines\tand \u4f59\u989d\u3000\u4e0d\u8db3 \u00e9\ud800") == (
        "two\nlines\tand \u4f59\u989d\u3000\u4e0d\u8db3 \u00e9\ufffd"
    )


@given(st.text())
def test_json_means_the_same_after_it_was_made_harmless(text: str) -> None:
    made = document(orjson.dumps({"text": text, "list": [1, 2]}, option=orjson.OPT_INDENT_2).decode())
    assert json.loads(made) == {"text": text, "list": [1, 2]}
    assert not OBEYED & set(made)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_hostile_text_is_one_line_of_the_log_that_no_terminal_obeys(as_json: bool) -> None:
    forged = HOSTILE + "\n2026-11-24T12:00:00.000Z info    packet frozen packet=fake\r\n"
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(_Line(json=as_json))
    record = logging.LogRecord("freezeframe", logging.INFO, __file__, 1, "said: " + forged, None, None)
    record.__dict__["facts"] = {"words": forged, "one": "\x1b[31m"}
    handler.emit(record)
    line = out.getvalue()
    assert line.count("\n") == 1 and line.endswith("\n")
    assert not OBEYED & set(line)
    if as_json:
        assert json.loads(line)["words"] == forged


@pytest.mark.parametrize("as_json", [True, False])
def test_an_error_of_ours_is_logged_without_what_its_frames_held(as_json: bool) -> None:
    """A traceback quotes lines and values that nobody sealed: a line of the log has none."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(_Line(json=as_json))
    try:
        raise ValueError("sk-fake-held-by-a-frame")
    except ValueError:
        told = sys.exc_info()
    handler.emit(logging.LogRecord("uvicorn.error", logging.ERROR, __file__, 1, "Exception in an app\n", None, told))
    assert "Exception in an app" in out.getvalue()
    assert out.getvalue().count("\n") == 1
    assert "sk-fake" not in out.getvalue() and "Traceback" not in out.getvalue()


def test_a_recorded_answer_cannot_write_to_the_terminal_what_it_likes(tmp_path: Path) -> None:
    body = json.dumps({"error": {"message": HOSTILE, "type": "x"}})
    exchange = {"id": HOSTILE, "input": {"request": {}, "reply": {"status": 500, "headers": [], "body": body}}}
    recorded = {"id": HOSTILE, "kind": "http", "status": 500, "headers": {}, "body": body, "exception": None}
    for command, line in (("redact", exchange), ("classify", recorded)):
        file = tmp_path / "lines.jsonl"
        file.write_text(json.dumps(line) + "\n")
        ran = call(command, file)
        assert (ran.returncode, json.loads(ran.stdout)["id"]) == (0, HOSTILE), ran.stderr
        assert not OBEYED & set(ran.stdout), command
        file.write_text(json.dumps({"id": HOSTILE}) + "\n")
        refused = call(command, file)
        assert refused.returncode == 2
        assert not OBEYED & set(refused.stderr), command


def test_a_packet_in_which_everything_is_hostile_is_shown_and_listed_harmlessly(tmp_path: Path) -> None:
    """As somebody would write it who can write into the store."""
    document = draft(case(*(overloaded(number, HOSTILE) for number in (3, 4, 5)), target=target()))
    document |= {"title": HOSTILE, "verdict": HOSTILE, "reason": HOSTILE, "trigger": HOSTILE}
    data = render.pack(render.files(document))
    asyncio.run(Vault.open("packets", tmp_path).freeze(document["packet_id"], data))
    for arguments in (("list",), ("list", "--json"), ("show", document["packet_id"]), ("verify",)):
        ran = call("packets", *arguments, "--store", tmp_path / "packets")
        assert ran.returncode == 0, ran.stderr
        assert "[bold]markup[/bold]" in ran.stdout or arguments == ("verify",), arguments
        assert not OBEYED & set(ran.stdout + ran.stderr), arguments


def test_a_hostile_key_of_the_configuration_is_named_harmlessly(tmp_path: Path) -> None:
    file = tmp_path / "freezeframe.yaml"
    file.write_text(json.dumps({"\x1b[2J\u202ekey": 1, "targets": [{"name": "a", "model": "m", "credential": "a"}]}))
    ran = call("config", "check", "--config", file)
    refused(ran, "(a key of 8 characters)")
    assert not OBEYED & set(ran.stderr)


def test_the_same_characters_are_escaped_where_a_value_must_stay() -> None:
    assert escaped("a\x1bb\nc") == "a\\u001bb\\nc"
    assert document('{\n\t"\x7f"}') == '{\n\t"\\u007f"}'
