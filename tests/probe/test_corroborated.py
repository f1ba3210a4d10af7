"""A trip, its packet, and the addendum with the provider's own log beside it: when it comes and when it does not."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from probe.contract import Sourced
from probe.corroboration import LogRead, Sought, rows
from probe.cycle import Prober
from probe.edges import Controlled
from probe.pong import Target
from probe.records import Fault, GatewayLogRead, Observation, Phase, ProbeRequest, Timings
from tests.probe.evidence import SOURCE, START
from tests.probe.test_flow import BUSY, KEY, Flow, answer
from tests.probe.test_log_rows import LOG
from tests.servers.gateway_log import page, row

ID = "20261124030000123456789AbCdEfGh"  # of BUSY


class Corroborated(Flow):
    """A flow whose contract documents a log, which says what the test lets it."""

    def __init__(self, read: LogRead | None, **given: object) -> None:
        super().__init__(**given)  # type: ignore[arg-type]
        self.read = read
        self.sought: list[tuple[Sought, ...]] = []
        self.is_reading = asyncio.Event()
        self.before_reading = asyncio.Event()
        self.before_reading.set()
        contract = replace(self.targets[0].contract, gateway_log=Sourced(LOG, SOURCE))
        self.targets = tuple(replace(target, contract=contract) for target in self.targets)
        self.edges = replace(self.edges, gateway_log=self.look)
        self.prober = Prober(self.targets, self.edges, self.around, self.history, self.freezer, [self.events.append])

    async def look(self, target: Target, wanted: Sequence[Sought], others: Sequence[Sought]) -> LogRead | None:
        self.sought.append(tuple(wanted))
        self.is_reading.set()
        await self.before_reading.wait()
        return self.read


def found(**changes: object) -> LogRead:
    known = rows(page([row(ID, **changes)])[1], LOG)
    assert known is not None
    return LogRead(known, 1, START, 1, None)


def without_answer(request: ProbeRequest) -> Observation:
    fault = Fault("ConnectTimeout", "no connection within 1 s")
    return Observation(request, START, None, fault, Timings(1.0), None, Phase.NONE)


async def kinds(flow: Flow) -> list[str]:
    [entry] = await flow.vault.entries()
    return [document["kind"] for _, document in await flow.vault.addenda(entry.id)]


async def test_the_log_is_the_second_addendum() -> None:
    flow = Corroborated(found())
    await flow.play([answer(503, BUSY)] * 3)
    await flow.settle()
    assert await kinds(flow) == ["confirmation", "gateway_log"]
    assert [{one for known in wanted for one in known.request_ids} for wanted in flow.sought] == [{"r-1", ID}]
    [said] = flow.of(GatewayLogRead)
    assert isinstance(said, GatewayLogRead)
    assert (said.found, said.sought, said.problem) == (3, 3, None)


async def test_where_nothing_is_read_there_is_no_addendum() -> None:
    flow = Corroborated(None)
    await flow.play([answer(503, BUSY)] * 3)
    await flow.settle()
    assert await kinds(flow) == ["confirmation"]
    assert flow.of(GatewayLogRead) == []


async def test_a_vetoed_trip_asks_no_log() -> None:
    async def gone() -> Controlled:
        return Controlled({"outside": False}, outside_is_gone=True)

    flow = Corroborated(found(), controls=gone)
    await flow.play([without_answer] * 3)
    await flow.settle()
    assert flow.sought == []
    assert await flow.vault.entries() == ()


async def test_what_is_still_being_read_at_the_end_is_lost_and_nothing_else() -> None:
    flow = Corroborated(found())
    flow.before_reading.clear()
    await flow.play([answer(503, BUSY)] * 3)
    await flow.prober.settle(0.05)
    await flow.settle()
    assert await kinds(flow) == ["confirmation"]


async def test_a_reload_that_takes_the_target_away_lets_it_end() -> None:
    flow = Corroborated(found())
    flow.before_reading.clear()
    await flow.play([answer(503, BUSY)] * 3)
    await asyncio.wait_for(flow.is_reading.wait(), 5)
    flow.prober.adopt(flow.targets[1:], flow.around)
    flow.before_reading.set()
    await flow.settle()
    assert await kinds(flow) == ["confirmation", "gateway_log"]


async def test_a_row_that_holds_our_key_is_not_written() -> None:
    """The gate looks at this addendum as at every other."""
    flow = Corroborated(found(model_name=KEY))
    await flow.play([answer(503, BUSY)] * 3)
    await flow.settle()
    assert await kinds(flow) == ["confirmation"]
