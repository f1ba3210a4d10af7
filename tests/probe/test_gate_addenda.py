"""What is added to a packet passes the gate as well: a field that looks like a live secret goes, the addendum stays."""

from probe.gate import DROPPED_LOOK
from probe.records import Refused
from tests.probe.test_corroborated import Corroborated, found, kinds
from tests.probe.test_flow import BUSY, answer

KEY = "sk-proj-Zk7Qw2Lp9Rt4Xv8Nm3Bs"


async def test_a_field_that_looks_like_a_live_secret_is_dropped_from_an_addendum() -> None:
    flow = Corroborated(found(model_name=KEY))
    await flow.play([answer(503, BUSY)] * 3)
    await flow.settle()
    assert await kinds(flow) == ["confirmation", "gateway_log"]
    [entry] = await flow.vault.entries()
    document = dict(await flow.vault.addenda(entry.id))[f"{entry.id}.002.json"]
    assert KEY[:12] not in str(document)
    assert DROPPED_LOOK in str(document)
    assert flow.of(Refused) == []
    assert tuple(flow.freezer._remembered.owed_addenda()) == ()
