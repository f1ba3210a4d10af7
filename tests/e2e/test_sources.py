"""A running prober and the documents that its contract rests on: they change, go away, and lie in the packet."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exporter.gateway import Gateway
from exporter.gateway_script import Behaviour
from tests.e2e.test_counts import KEY, QUICK, gateway  # noqa: F401 - a fixture
from tests.servers import until
from tests.servers.documents import Documents
from tests.servers.freezeframe import Freezeframe, Start, command, configure, verify

pytestmark = pytest.mark.real

TARGET = {"name": "one", "model": "demo-small", "credential": "demo"}
CHANGED = "freezeframe_contract_source_changed"
ENVIRON = {"KEY_OF_DEMO": KEY}


@pytest.fixture
def documents() -> Iterator[Documents]:
    with Documents() as served:
        yield served


def configured(folder: Path, gateway: Gateway, documents: Documents, recheck: str | None) -> Path:  # noqa: F811
    """A configuration whose contract cites the served documents; they state the base URL of the gateway."""

    def change(config: dict[str, Any]) -> None:
        config["sources"] = {"recheck": recheck}

    file = configure(folder, gateway.base_url, [TARGET], ["demo"], defaults=QUICK, change=change)
    page = documents.pages["/chat.md"][2].decode()
    documents.write("chat", page.replace(f"{documents.origin}/v1", gateway.base_url))
    (folder / "contract.yaml").write_text(json.dumps(documents.contract(gateway.base_url)))
    return file


def series(probe: Freezeframe, metric: str) -> dict[str, float]:
    lines = probe.get("/metrics", "text/plain").decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric + "{")}


def logged(probe: Freezeframe, words: str) -> int:
    return sum(words in line for line in probe.process.log.read_text().splitlines())


def contract(probe: Freezeframe, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command("contract", *arguments, "--config", "freezeframe.yaml"),
        cwd=probe.folder,
        env=ENVIRON | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_document_that_changes_is_seen_told_compared_and_frozen(
    gateway: Gateway,  # noqa: F811
    documents: Documents,
    run: Start,
    tmp_path: Path,
) -> None:
    file = configured(tmp_path, gateway, documents, "1s")
    probe = run("sources", file, ENVIRON)
    until("every area was fetched", lambda: len(series(probe, CHANGED)) >= 8, 15)
    assert set(series(probe, CHANGED).values()) == {0}
    assert probe.total('freezeframe_unpaid_requests_total{kind="source"}'.partition("{")[0]) >= 3
    assert contract(probe, "diff").returncode == 0

    page = documents.pages["/chat.md"][2].decode()
    documents.write("chat", page.replace("# Chat", "# Chat, second edition"))
    auth = CHANGED + '{area="auth",contract="contract"}'
    until("the change in the metric", lambda: series(probe, CHANGED).get(auth) == 1, 10)
    assert series(probe, CHANGED)[CHANGED + '{area="error",contract="contract"}'] == 0
    until("two more looks", lambda: documents.asked.count("/chat.md") > 5, 15)
    assert logged(probe, "source document changed") == 1
    assert logged(probe, "not found in their source") == 0
    compared = contract(probe, "diff")
    assert compared.returncode == 1
    assert "+# Chat, second edition" in compared.stdout

    gateway.behaviours["demo-small"] = Behaviour.OVERLOADED
    packet = probe.first_packet("one")
    verify(packet)
    rows = {row["url"]: row for row in packet.document["documented"]["frozen_sources"]}
    chat = rows[documents.url("chat")]
    assert (packet.folder / chat["file"]).read_bytes() == documents.pages["/chat.md"][2]
    assert chat["changed"] is True
    assert packet.document["message"][1].startswith(
        f"The request contract was verified against {documents.url('chat')}"
    )
    assert json.loads((packet.folder / "sources" / "index.json").read_bytes()) == list(rows.values())

    served = f"/packets/{packet.listed['id']}/files/{chat['file']}"
    assert probe.get(served) == documents.pages["/chat.md"][2]
    probe.stop()

    again = run("sources-again", file, ENVIRON)
    until("what was known before", lambda: series(again, CHANGED).get(auth) == 1, 10)
    assert contract(again, "verify").returncode == 0
    until("a person has looked", lambda: series(again, CHANGED).get(auth) == 0, 15)
    assert contract(again, "diff").returncode == 0
    again.stop()


def test_a_document_server_that_is_down_leaves_a_stored_copy_in_the_words(
    gateway: Gateway,  # noqa: F811
    documents: Documents,
    run: Start,
    tmp_path: Path,
) -> None:
    file = configured(tmp_path, gateway, documents, "1s")
    away, documents.pages = documents.pages, {}
    gateway.behaviours["demo-small"] = Behaviour.OVERLOADED
    probe = run("sources-away", file, ENVIRON)
    packet = probe.first_packet("one")
    verify(packet)
    assert "read from a stored copy" in packet.document["message"][1]
    assert not (packet.folder / "sources").exists()
    assert all(row["words"].startswith("no copy") for row in packet.document["documented"]["frozen_sources"])
    assert b"verified against" not in b"".join(it.read_bytes() for it in packet.folder.iterdir())

    until("that it is away", lambda: logged(probe, "source document not reached") == 3, 10)
    assert series(probe, CHANGED) == {}
    documents.pages = away
    until("that it is back", lambda: logged(probe, "source document reached again") == 3, 10)
    assert logged(probe, "source document not reached") == 3
    probe.stop()


def test_without_a_cadence_no_document_is_asked_for(
    gateway: Gateway,  # noqa: F811
    documents: Documents,
    run: Start,
    tmp_path: Path,
) -> None:
    probe = run("sources-never", configured(tmp_path, gateway, documents, None), ENVIRON)
    until("two probes", lambda: gateway.chat_requests >= 2, 15)
    assert documents.asked == []
    probe.stop()
