"""`contract verify` and `contract diff` on documents that are served, changed, broken and taken away."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from probe.records import Fetched
from probe.sources import Sources
from tests.exporter.commands import call, refused
from tests.servers.documents import Documents


@pytest.fixture
def documents() -> Iterator[Documents]:
    with Documents() as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, documents: Documents) -> Path:
    """A folder with a contract on the documents, and no configuration."""
    (tmp_path / "example.yaml").write_text(json.dumps(documents.contract()))
    return tmp_path


def ran(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return call("contract", *arguments, cwd=folder, **environ)


def rows(folder: Path, code: int) -> dict[str, dict[str, Any]]:
    done = ran(folder, "verify", "example.yaml", "--json")
    assert done.returncode == code, done.stderr
    return {row["place"]: row for row in json.loads(done.stdout)}


def test_what_stands_in_the_documents_is_verified_and_no_contract_file_is_changed(
    folder: Path, documents: Documents
) -> None:
    before = (folder / "example.yaml").read_bytes()
    found = rows(folder, 0)
    assert {row["outcome"] for row in found.values()} == {"verified"}
    assert found["values.auth"]["source"] == documents.url("chat")
    assert len(found["values.auth"]["sha256"]) == 64
    assert (folder / "example.yaml").read_bytes() == before
    assert sorted(it.name for it in (folder / "state" / "sources").iterdir()) == ["copies", "index", "lock"]


def test_the_table_fits_80_columns_and_ends_with_what_may_be_taken_over(folder: Path, documents: Documents) -> None:
    documents.write("errors", "# Errors\nAn error has messages and a kind.\n")
    done = ran(folder, "verify", "example.yaml", COLUMNS="80")
    assert done.returncode == 1
    table, _, rest = done.stdout.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    assert "error: 2 of 3 not found in" in rest
    assert "nearest: An error has messages and a kind." in rest
    taken = rest.partition("take over into the contract file:")[2]
    assert "values.auth: accessed: 20" in taken
    assert "verified: live" in taken
    assert "values.request_id" not in taken


def test_not_found_names_what_is_missing_and_the_nearest_passage(folder: Path, documents: Documents) -> None:
    documents.write("chat", documents.pages["/chat.md"][2].decode().replace("Bearer", "Token"))
    found = rows(folder, 1)
    auth = found["values.auth"]
    assert (auth["outcome"], auth["missing"], auth["looked_for"]) == ("not_found", ["Bearer"], 2)
    assert found["values.base_url"]["outcome"] == "verified"


def test_another_status_and_a_server_that_is_gone_are_unreachable_with_the_reason(
    folder: Path, documents: Documents
) -> None:
    documents.pages.pop("/errors.md")
    found = rows(folder, 1)
    assert (found["error"]["outcome"], found["error"]["why"]) == ("unreachable", "HTTP 404")
    assert found["error"]["sha256"] is None
    documents.pages["/chat.md"] = (302, "text/plain", b"")
    assert rows(folder, 1)["values.auth"]["why"] == "HTTP 302"
    shown = ran(folder, "verify", "example.yaml").stdout
    assert f"not reached: {documents.url('chat')}\n  HTTP 302" in shown


def test_a_page_cannot_write_to_the_terminal_what_it_likes(folder: Path, documents: Documents) -> None:
    documents.write("chat", "\x1b]0;owned\x07The base URL is \x1b[31m https://127.0.0.1/v9 \u202e Authorization")
    done = ran(folder, "verify", "example.yaml")
    assert done.returncode == 1
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout)
    documents.write("chat", "\x1b[31m other")
    rows(folder, 1)
    assert "\x1b" not in ran(folder, "diff", "example.yaml").stdout


def test_diff_shows_what_changed_since_a_person_looked(folder: Path, documents: Documents) -> None:
    rows(folder, 0)
    same = ran(folder, "diff", "example.yaml")
    assert same.returncode == 0
    assert "not changed" in same.stdout
    config = _configuration(folder, documents)
    assert ran(folder, "diff", "--config", str(config), EXAMPLE_KEY="sk-fake-diff").returncode == 0

    changed = documents.pages["/chat.md"][2].decode().replace("# Chat", "# Chat, second edition")
    documents.write("chat", changed)
    _fetch_again(folder, documents, changed)
    done = ran(folder, "diff", "example.yaml")
    assert done.returncode == 1
    assert "-# Chat\n" in done.stdout
    assert "+# Chat, second edition\n" in done.stdout
    first, *others = json.loads(ran(folder, "diff", "example.yaml", "--json").stdout)
    assert first["changed"] is True
    assert first["baseline"]["sha256"] != first["newest"]["sha256"]
    assert [it["changed"] for it in others] == [False, False]

    rows(folder, 0)
    assert ran(folder, "diff", "example.yaml").returncode == 0, "a person has looked at it since"


def _configuration(folder: Path, documents: Documents) -> Path:
    config = {
        "contract": "./example.yaml",
        "credentials": {"one": {"env": "EXAMPLE_KEY"}},
        "targets": [{"name": "one", "model": "fake", "credential": "one"}],
        "state": "./state",
    }
    (folder / "freezeframe.yaml").write_text(json.dumps(config))
    return folder / "freezeframe.yaml"


def _fetch_again(folder: Path, documents: Documents, text: str) -> None:
    """As a running prober does: it keeps a copy, and no person has looked."""
    body, url = text.encode(), documents.url("chat")
    answer = Fetched(url, 200, "text/markdown", body, datetime.now(UTC), hashlib.sha256(body).hexdigest())
    Sources(folder / "state" / "sources").keep(answer, url, "another", {}, by_person=False)
    (folder / "freezeframe.yaml").unlink()


def test_a_long_difference_is_cut(folder: Path, documents: Documents) -> None:
    rows(folder, 0)
    text = "\n".join(f"{n} " + "x" * 500 for n in range(2000))
    config = _configuration(folder, documents)
    assert config.is_file()
    _fetch_again(folder, documents, text)
    shown = ran(folder, "diff", "example.yaml").stdout.splitlines()
    assert len(shown) < 450
    assert any("more lines)" in line for line in shown)
    assert max(map(len, shown)) < 260


def test_bytes_that_are_gone_are_said_to_be(folder: Path, documents: Documents) -> None:
    rows(folder, 0)
    _configuration(folder, documents)
    _fetch_again(folder, documents, "other")
    for copy in (folder / "state" / "sources" / "copies").iterdir():
        copy.unlink()
    assert "the bytes of a copy are gone" in ran(folder, "diff", "example.yaml").stdout


def test_before_any_copy_diff_says_what_to_run(folder: Path) -> None:
    refused(ran(folder, "diff", "example.yaml"), "run `contract verify` first")


def test_a_document_of_which_no_copy_is_kept_is_said_to_have_none(folder: Path, documents: Documents) -> None:
    documents.pages.pop("/help.md")
    rows(folder, 1)
    done = ran(folder, "diff", "example.yaml")
    assert done.returncode == 0
    assert f"{documents.url('help')}: no copy is kept" in done.stdout


def test_the_configuration_names_the_contracts_and_the_state_folder(folder: Path, documents: Documents) -> None:
    config = _configuration(folder, documents)
    config.write_text(json.dumps(json.loads(config.read_text()) | {"state": "./elsewhere"}))
    for arguments in ((), ("example",), ("./example.yaml",)):
        done = ran(folder, "verify", *arguments, "--json", EXAMPLE_KEY="sk-fake-verify")
        assert done.returncode == 0, done.stderr
        assert {row["contract"] for row in json.loads(done.stdout)} == {"example"}
    assert (folder / "elsewhere" / "sources" / "lock").exists()
    assert not (folder / "state").exists()


def test_wrong_usage_is_one_line(folder: Path) -> None:
    refused(ran(folder, "verify", "comteapi"), "cometapi")
    refused(ran(folder, "verify", "openai-compatible"), "a placeholder")
    refused(ran(folder, "verify"), "freezeframe.yaml")
    (folder / "state").write_text("a file where a folder belongs")
    refused(ran(folder, "verify", "example.yaml"), "state")
