"""exchange.har in the network panel of a real Chromium: imported by the browser's own code, and shown."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from probe import render
from probe.packet import draft
from probe.records import Judgement, Reply, Verdict
from tests.probe.evidence import case, cut_off, good, overloaded, request, tick
from tests.probe.exchanges import chunk, stream
from tests.servers.chromium import DEVTOOLS, Chromium

pytestmark = pytest.mark.real

STREAM = stream(chunk("po"), chunk("ng"), {"error": {"message": "an upstream fell over", "type": "server_error"}})
IMPORT = """
const UI = await import('%(at)s/ui/legacy/legacy.js');
for (let left = 200; left; left--) {  // until the panels are registered
  try { await UI.ViewManager.ViewManager.instance().showView('network'); break; }
  catch { await new Promise(resolve => setTimeout(resolve, 50)); }
}
const {NetworkPanel} = await import('%(at)s/panels/network/network.js');
window.panel = NetworkPanel.NetworkPanel.instance();
await panel.networkLogView.onLoadFromFile(new File([%(har)s], 'exchange.har', {type: 'application/json'}));
const {NetworkLog} = await import('%(at)s/models/logs/logs.js');
window.requests = NetworkLog.NetworkLog.instance().requests();
return Promise.all(requests.map(async request => {
  const content = await request.requestContentData();
  return {
    url: request.url(), method: request.requestMethod, status: request.statusCode, time: request.duration,
    sent: await request.requestFormData(), body: content.text ?? null, timing: request.timing,
    headers: request.responseHeaders.map(({name, value}) => [name, value]),
  };
}));
"""
SHOWN = """
panel.networkLogView.nodeForRequest(requests[%d]).select();
panel.showRequestPanel('response', true);
const text = node => [...node.childNodes].map(text).join('') + (node.shadowRoot ? text(node.shadowRoot) : '')
  + (node.nodeType === Node.TEXT_NODE ? node.nodeValue : '');
for (let left = 200; left; left--) {
  const seen = text(document.body);
  if (seen.includes(%s) || seen.includes('Failed to load response data')) return seen;
  await new Promise(resolve => setTimeout(resolve, 50));
}
return text(document.body);
"""


@pytest.fixture(scope="module")
def har() -> dict[str, Any]:
    """A packet with a good answer, errors, an attempt without a reply and a stream that broke by an error event."""
    broken = tick(
        5,
        Judgement(Verdict.DEGRADATION, "stream_error_event", "test"),
        reply=Reply(200, (("content-type", "text/event-stream"),), STREAM, len(STREAM)),
        sent=replace(request(5), stream=True),
    )
    document = draft(case(good(1, kept=True), overloaded(3), cut_off(4), broken, overloaded(6)))
    made: dict[str, Any] = json.loads(render.files(document)["exchange.har"])
    return made


@pytest.fixture(scope="module")
def panel(har: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Chromium, str, list[Any]]]:
    """The network panel with the file imported: the browser, the panel's session, the requests that it holds."""
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        session = browser.open(f"{DEVTOOLS}/devtools_app.html")
        script = IMPORT % {"at": DEVTOOLS, "har": json.dumps(json.dumps(har))}
        yield browser, session, browser.evaluate(session, script)


def test_chromium_imports_every_exchange_as_it_is_in_the_packet(
    har: dict[str, Any], panel: tuple[Chromium, str, list[Any]]
) -> None:
    entries, imported = har["log"]["entries"], panel[2]
    assert [seen["status"] for seen in imported] == [200, 503, 0, 200, 503]
    for entry, seen in zip(entries, imported, strict=True):
        assert (seen["method"], seen["url"]) == (entry["request"]["method"], entry["request"]["url"])
        assert seen["sent"] == entry["request"]["postData"]["text"]
        assert (seen["body"] or "") == entry["response"]["content"]["text"]
        assert seen["headers"] == [[header["name"], header["value"]] for header in entry["response"]["headers"]]
        assert seen["time"] == pytest.approx(entry["time"] / 1000, abs=0.001)


def test_chromium_reads_the_phases_as_they_were_measured(
    har: dict[str, Any], panel: tuple[Chromium, str, list[Any]]
) -> None:
    for entry, seen in zip(har["log"]["entries"], panel[2], strict=True):
        timings, timing = entry["timings"], seen["timing"]
        assert timing["dnsEnd"] - timing["dnsStart"] == pytest.approx(timings["dns"])
        assert timing["connectEnd"] - timing["connectStart"] == pytest.approx(timings["connect"])
        assert timing["sslEnd"] - timing["sslStart"] == pytest.approx(timings["ssl"])
        assert timing["receiveHeadersEnd"] - timing["sendEnd"] == pytest.approx(timings["wait"])


@pytest.mark.parametrize(("number", "words"), [(1, "no capacity left"), (3, "an upstream fell over")])
def test_the_panel_shows_the_body_of_an_error_and_of_a_stream(
    panel: tuple[Chromium, str, list[Any]], number: int, words: str
) -> None:
    browser, session, _ = panel
    seen = browser.evaluate(session, SHOWN % (number, json.dumps(words)))
    assert words in seen
    assert "Failed to load response data" not in seen
