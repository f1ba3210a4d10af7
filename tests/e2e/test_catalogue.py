"""A model that its provider withdraws from the public list while the API says "no channel"; and after a restart."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.servers import until
from tests.servers.chat import Asked, Said, chat, error
from tests.servers.freezeframe import READ_AT, Freezeframe, Start, configure
from tests.servers.model_list import ListServer, model_list
from tests.servers.scraped import scrape

pytestmark = pytest.mark.real

MODEL = "withdrawn-model"
KEY = "fake/catalogue+key=0001"
OTHERS = ["other-1", "other-2", "other-3"]
DEFAULTS = {"cadence": "1s", "timeout": "900ms", "slow": "800ms"}
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def no_channel(asked: Asked) -> Said:
    words = (
        f"no available channel for group default and model {asked.model} (request id: 2026112403{asked.number:06d}aB)"
    )
    return error(503, words, "fake_api_error", "model_not_found")


def names_list(file: Path, url: str) -> None:
    document: dict[str, Any] = json.loads(file.read_text())
    stated = {"url": url, "ids": "data[].id"}
    document["values"]["catalogue"] = {
        "value": stated,
        "source": "https://docs.example.test/models",
        "accessed": READ_AT,
    }
    file.write_text(json.dumps(document))


def listed(probe: Freezeframe) -> list[float]:
    return scrape(probe.url).of("freezeframe_model_listed", contract="contract", model=MODEL)


def reload(probe: Freezeframe) -> None:
    asked = urllib.request.Request(probe.url + "/-/reload", method="POST", headers={"Accept": "*/*"})
    with _DIRECT.open(asked, timeout=20) as reply:
        assert reply.status == 200


def lines(probe: Freezeframe, words: str) -> list[str]:
    return [line for line in probe.process.log.read_text().splitlines() if words in line]


def test_a_withdrawn_model_is_told_from_an_outage(tmp_path: Path, run: Start) -> None:
    with chat(no_channel) as api, model_list([MODEL, *OTHERS]) as names:
        targets = [{"name": "small", "model": MODEL, "credential": "team"}]
        file = configure(tmp_path, api.base_url, targets, ["team"], defaults=DEFAULTS)
        names_list(tmp_path / "contract.yaml", names.url)
        probe = run("catalogue", file, {"KEY_OF_TEAM": KEY})
        _is_listed_at_first(probe)
        _an_answer_that_is_no_list_changes_nothing(probe, names)
        _it_is_withdrawn(probe, names)
        probe.stop()

        again = run("catalogue-again", file, {"KEY_OF_TEAM": KEY})
        until("a second tick", lambda: scrape(again.url).total("freezeframe_probes_total") >= 2, 20)
        assert scrape(again.url).total("freezeframe_failures_total", reason="model_retired") >= 2
        assert listed(again) == [0.0]
        until(
            "the first look", lambda: scrape(again.url).total("freezeframe_unpaid_requests_total", kind="catalogue"), 20
        )
        assert listed(again) == [0.0]
        assert not lines(again, "model left the public list"), "it had left before"
        again.stop()
        assert names.keys == [], "the list is read without a key"


def _is_listed_at_first(probe: Freezeframe) -> None:
    assert scrape(probe.url).of("freezeframe_unpaid_requests_total", kind="catalogue") in ([0.0], [1.0])
    until("the first look", lambda: listed(probe) == [1.0], 20)
    packet = probe.first_packet("small", reason="no_channel").document
    assert packet["verdict"] == "degradation"
    assert not [found for found in packet["expected"]["findings"] if found["rule"] == "catalogue"]
    # It may have been frozen before the first look; from then on attempts know.
    fresh = until("an attempt that knows", lambda: _newest(probe), 20)
    assert "in the public list" in fresh


def _newest(probe: Freezeframe) -> str | None:
    page = probe.get("/", "text/html").decode()
    return page if "in the public list" in page else None


def _an_answer_that_is_no_list_changes_nothing(probe: Freezeframe, names: ListServer) -> None:
    names.models = None
    looks = names.looks
    reload(probe)
    until("a look at a broken list", lambda: lines(probe, "model list not believed"), 20)
    assert names.looks == looks + 1
    assert listed(probe) == [1.0]
    names.models = ["other-1"]
    reload(probe)
    until("a look at a short list", lambda: names.looks == looks + 2, 20)
    assert listed(probe) == [1.0]
    assert len(lines(probe, "model list not believed")) == 1, "said once"


def _it_is_withdrawn(probe: Freezeframe, names: ListServer) -> None:
    names.models = OTHERS
    reload(probe)
    until("the metric", lambda: listed(probe) == [0.0], 20)
    [line] = lines(probe, "model left the public list")
    assert "warning" in line
    assert MODEL in line
    packet = probe.first_packet("small", reason="model_retired").document
    assert packet["verdict"] == "contract_mismatch"
    [found] = [found for found in packet["expected"]["findings"] if found["rule"] == "catalogue"]
    assert found["source"] == names.url
    assert found["verified_live"] is True
    assert found["expected"] == "listed in the public model list"
    assert found["observed"].startswith("not listed; last seen there at 20")
    assert found["accessed"] > found["observed"].rpartition(" ")[2][:19], "our newest look is after the last sight"
    assert any(f"verified against {names.url} at {found['accessed']}" in line for line in packet["message"])
    assert packet["judgement"]["runner_up"] == "degradation"
    assert "not in the public list" in probe.get("/", "text/html").decode()
