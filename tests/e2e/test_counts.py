"""Requests counted by the server == freezeframe_requests_total: no hidden retry, none forgotten."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from exporter.gateway import Gateway
from exporter.gateway_script import Behaviour
from tests.servers import aimock, until
from tests.servers.freezeframe import Freezeframe, Start

pytestmark = pytest.mark.real

KEY = "sk-fake-count"
REQUESTS = "freezeframe_requests_total"
QUICK = {"cadence": "1s", "timeout": "900ms", "slow": "800ms"}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """The demo gateway on a thread and a loop of its own, as the prober is another process."""
    loop = asyncio.new_event_loop()
    server = Gateway(keys={"demo": KEY})
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def _more_than(before: int, gateway: Gateway) -> bool:
    return gateway.chat_requests > before


def stop_between_two_probes(probe: Freezeframe, received: Callable[[], int]) -> int:
    """Stop right after a probe ended, when the next is not due yet; what the exporter had counted by then."""
    before = received()
    until("one more request", lambda: received() > before, 10, pause_s=0.01)
    counted = until(
        "both count the same", lambda: (probe.total(REQUESTS) == received()) and received(), 1, pause_s=0.05
    )
    probe.stop()
    return counted


def test_a_gateway_that_fails_in_every_way_counts_what_the_exporter_counts(
    gateway: Gateway, freezeframe: Start
) -> None:
    """Errors, a cut stream and a broken contract are where a client would like to try again in secret."""
    target = {"name": "one", "model": "demo-stream", "stream": True, "credential": "demo"}
    probe = freezeframe("counted", gateway.base_url, [target], {"demo": KEY}, defaults=QUICK)
    for behaviour in (Behaviour.HEALTHY, Behaviour.OVERLOADED, Behaviour.CUT, Behaviour.REVOKED, Behaviour.EXHAUSTED):
        gateway.behaviours["demo-stream"] = behaviour
        before = gateway.chat_requests
        more = partial(_more_than, before, gateway)
        until(f"a request to a gateway that is {behaviour}", more, 10)
    counted = stop_between_two_probes(probe, lambda: gateway.chat_requests)
    assert counted >= 6
    assert gateway.chat_requests == counted
    assert set(gateway.received) == {("demo-stream", "stream")}


def test_a_server_that_hangs_up_counts_what_the_exporter_counts(real_aimock: str, freezeframe: Start) -> None:
    """A connection that dies before its first byte is retried by many clients. Not by this one."""
    began = aimock.chat_requests(real_aimock)
    target = {"name": "one", "model": "hang-up", "credential": "good"}
    probe = freezeframe("hung-up", f"{real_aimock}/v1", [target], {"good": aimock.KEY}, defaults=QUICK)

    def received() -> int:
        return aimock.chat_requests(real_aimock) - began

    until("two requests", lambda: received() >= 2, 15)
    counted = stop_between_two_probes(probe, received)
    assert counted >= 3
    assert received() == counted
