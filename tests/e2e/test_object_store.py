"""Packets in a real S3: created once whoever races, never lost or doubled while the server is killed or hangs, the
same from every pod, and no key of the store anywhere."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from probe.objects import Objects
from probe.vault import PacketNotFound, StoreError, Vault
from tests.servers import Process, moto, until
from tests.servers.chat import GOOD, Asked, Said, chat, error
from tests.servers.freezeframe import Freezeframe, Start, configure, verify
from tests.servers.secrets import leaks

pytestmark = pytest.mark.real

KEY = {"KEY_OF_A": "sk-fake-object-store-0001"}
DEFAULTS: dict[str, Any] = {
    "cadence": "500ms",
    "timeout": "450ms",
    "slow": "440ms",
    "freeze": {"failures": 2, "window": 3, "recover": 2, "reopen": "1ms", "confirm": {"attempts": 0}},
}
DOWN = error(503, "The upstream is overloaded", "server_error", "x")
Keep = Callable[[Process], Process]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory, keep: Keep) -> Iterator[moto.S3]:
    server = moto.start(tmp_path_factory.mktemp("moto"), keep)
    yield server
    server.kill()


@pytest.fixture
def pod(s3: moto.S3, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Vault]:
    """A vault of its own at a prefix of the bucket. Its library reads this process's variables."""
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    return lambda prefix: Vault.open(f"s3://{moto.BUCKET}/{prefix}", Path("/"))


def config(folder: Path, base_url: str, store: str, *names: str, **more: Any) -> Path:
    folder.mkdir()

    def change(stated: dict[str, Any]) -> None:
        stated.update({"store": store, **more})

    targets = [{"name": name, "model": name, "credential": "a"} for name in names]
    return configure(folder, base_url, targets, ["a"], defaults=DEFAULTS, change=change)


class Outage:
    """A gateway's answers: well, or for these models not."""

    def __init__(self) -> None:
        self.models: frozenset[str] = frozenset()

    def __call__(self, asked: Asked) -> Said:
        return DOWN if asked.model in self.models else GOOD

    def of(self, *models: str) -> None:
        self.models = frozenset(models)


def until_metric(probe: Freezeframe, metric: str, least: float, timeout_s: float = 20) -> None:
    until(f"{metric} >= {least}", lambda: value(probe, metric) >= least, timeout_s)


def value(probe: Freezeframe, metric: str) -> float:
    """The sum of the series that begin like this."""
    lines = probe.get("/metrics", "text/plain").decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric))


# ------------------------------------------------------------ the vault


async def test_of_pods_that_write_at_once_one_creates_the_packet(pod: Callable[[str], Vault]) -> None:
    pods = [pod("once") for _ in range(6)]
    for round_ in range(10):
        packet = f"p-{round_}"
        written = await asyncio.gather(*(it.freeze(packet, b"of %d" % n * 500) for n, it in enumerate(pods)))
        assert written.count(True) == 1
        assert {await it.read(packet) for it in pods} == {b"of %d" % written.index(True) * 500}


async def test_addenda_of_two_pods_at_once_each_get_their_number(pod: Callable[[str], Vault]) -> None:
    one, other = pod("addenda"), pod("addenda")
    await one.freeze("a-1", b"zip")
    await one.freeze("a-1b", b"a neighbour in the listing")
    names = await asyncio.gather(
        *(it.add("a-1", {"n": f"{n} of {it is one}"}) for n in range(6) for it in (one, other))
    )
    assert sorted(names) == [f"a-1.{number:03d}.json" for number in range(1, 13)]
    assert await other.problems("a-1") == ()
    assert len({document["n"] for _, document in await other.addenda("a-1")}) == 12


async def test_a_pod_sees_at_once_what_it_wrote_and_soon_what_others_wrote(pod: Callable[[str], Vault]) -> None:
    now_s = 0.0
    one = Vault(pod("seen").objects, clock=lambda: now_s)
    other = pod("seen")
    await one.freeze("a-1", b"zip")
    assert [it.id for it in await one.entries()] == ["a-1"]
    await other.freeze("b-2", b"zip")
    await one.freeze("c-3", b"zip")
    assert sorted(it.id for it in await one.entries()) == ["a-1", "c-3"]
    assert (await one.entry("b-2")).id == "b-2"  # whoever follows a link does not wait
    now_s = 5.0
    assert sorted(it.id for it in await one.entries()) == ["a-1", "b-2", "c-3"]
    with pytest.raises(PacketNotFound):
        await one.entry("d-4")


async def test_what_an_operation_asks_of_the_bucket_does_not_grow_with_the_bucket(
    tmp_path: Path, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At ten objects a page, so that forty are many: an addendum needs one page, a storm of freezes one listing, a
    start what is the newest of each target, retention what is old."""
    server = moto.start(tmp_path, keep, page=10)
    for name, text in server.env.items():
        monkeypatch.setenv(name, text)
    one, other = (Vault(Objects.open(f"s3://{moto.BUCKET}/many", Path("/")), clock=lambda: 0.0) for _ in range(2))
    ids = [f"20261124T09{n:02d}00Z-t{n % 4}-{n:08x}" for n in range(20)]
    for packet in ids:
        await one.freeze(packet, b"zip")
        await one.add(packet, {"kind": "note"})
    before = server.asked()

    async def cost(work: Awaitable[object]) -> dict[str, int]:
        nonlocal before
        await work
        seen = server.asked()
        spent, before = seen - before, seen
        return dict(spent)

    assert await cost(other.add(ids[3], {"kind": "recovery"})) == {"LIST": 1, "GET": 1, "PUT": 1}
    assert await cost(other.entry(ids[3])) == {"LIST": 1, "GET": 3}
    assert await cost(other.newest([])) == {"LIST": 5}
    assert await cost(other.expire(datetime(2026, 11, 24, 9, 2, tzinfo=UTC))) == {"GET": 4}  # unreadable ones stay
    for n, unread in enumerate((8, 8, 10, 8, 1, 1), start=20):  # a storm: a look at the target's packets before each
        assert await cost(other.of(f"t{n % 4}")) == {"GET": unread}
        assert await cost(other.freeze(f"20261124T09{n:02d}00Z-t{n % 4}-{n:08x}", b"zip")) == {"PUT": 1}
    assert await cost(other.entries()) == {"GET": 4}
    assert await cost(other.entries()) == {}
    server.kill()


async def test_a_bucket_that_is_not_there_is_a_failure_of_the_store(pod: Callable[[str], Vault]) -> None:
    pod("any")  # the variables of a server that is there
    nowhere = Vault.open("s3://no-such-bucket/prefix", Path("/"))
    with pytest.raises(StoreError, match=r"^write a-1\.zip: the bucket or container is not there$"):
        await nowhere.freeze("a-1", b"zip")
    with pytest.raises(StoreError, match=r"^list: status 404 NoSuchBucket$"):
        await nowhere.entries()


# ------------------------------------------------------------ whole processes


def test_two_probers_that_trip_on_the_same_probe_freeze_one_packet_that_both_serve(
    tmp_path: Path, s3: moto.S3, run: Start, pod: Callable[[str], Vault]
) -> None:
    outage = Outage()
    with chat(outage) as server:
        store = f"s3://{moto.BUCKET}/race"
        probers = [
            run(name, config(tmp_path / name, server.base_url, store, "t", "u"), KEY | s3.env)
            for name in ("one", "two")
        ]
        try:
            _both_ticked(server.count)
            outage.of("t", "u")
            packets = [[probe.first_packet(name).listed["id"] for probe in probers] for name in ("t", "u")]
            assert packets[0][0] == packets[0][1]
            assert packets[1][0] == packets[1][1]
            for probe in probers:
                until_metric(probe, "freezeframe_trips_total", 2)
            outage.of()
            ids = sorted(both[0] for both in packets)
            for probe in probers:
                until("both tell of both ends", lambda it=probe: _ends(it, "t", "u") == ["recovered"] * 2, 20)
            zips = [key for key in s3.stored() if key.startswith("race/") and key.endswith(".zip")]
            assert zips == [f"race/{it}.zip" for it in ids]
            assert sum(value(probe, "freezeframe_packets_total") for probe in probers) == 2
            for it in ids:
                one, other = (probe.get(f"/packets/{it}/packet.zip", "*/*") for probe in probers)
                assert one == other
            for probe in probers:
                assert value(probe, "freezeframe_store_errors_total") == 0
                probe.stop()
            assert set(asyncio.run(_kinds(pod("race")))) == {"confirmation", "recovery"}
        finally:
            for probe in probers:
                probe.process.kill()


def _both_ticked(count: Callable[[str], int]) -> None:
    """Just after both asked for both targets: they share one grid, and the next round is half a second away."""

    def counts() -> tuple[int, int]:
        return count("t"), count("u")

    until("two probers", lambda: min(counts()) >= 6, 20)
    before = counts()
    until("a round", lambda: min(now - then for now, then in zip(counts(), before, strict=True)) >= 2, 5, 0.01)


def test_a_store_that_is_killed_or_hangs_loses_and_doubles_nothing_and_stops_no_probe(
    tmp_path: Path, s3: moto.S3, run: Start, pod: Callable[[str], Vault]
) -> None:
    outage = Outage()
    with chat(outage) as server:
        file = config(tmp_path / "away", server.base_url, f"s3://{moto.BUCKET}/away", "t0", "t1", "t2")
        probe = run("away", file, KEY | s3.env)
        try:
            outage.of("t0")
            first = probe.first_packet("t0")
            verify(first)

            s3.kill()
            outage.of("t0", "t1")
            until_metric(probe, "freezeframe_spooled_packets", 1)
            _goes_on(probe, server.count)
            assert value(probe, 'freezeframe_store_errors_total{operation="freeze"}') >= 1
            s3.start_again()
            until_metric(probe, 'freezeframe_packets_total{target="t1"', 1)
            until("nothing waits", lambda: value(probe, "freezeframe_spooled_packets") == 0, 20)

            s3.hang()  # it takes what it is sent, and does it later: the answers are lost
            outage.of("t0", "t1", "t2")
            until_metric(probe, "freezeframe_spooled_packets", 1)
            _goes_on(probe, server.count)
            s3.go_on()
            until_metric(probe, 'freezeframe_packets_total{target="t2"', 1)
            outage.of()
            until("every end is written", lambda: _ends(probe, "t0", "t1", "t2") == ["recovered"] * 3, 30)
            assert value(probe, "freezeframe_packets_total") == 3
            assert value(probe, "freezeframe_spooled_packets") == 0
            probe.stop()
        finally:
            probe.process.kill()
    keys = [key for key in s3.stored() if key.startswith("away/")]
    assert sum(key.endswith(".zip") for key in keys) == 3
    assert asyncio.run(_kinds(pod("away"))) == {"confirmation": 3, "recovery": 3}


def _goes_on(probe: Freezeframe, count: Callable[[str], int]) -> None:
    """Probes are sent on time and the metrics answer at once while the store does not."""
    before, began = count("t0"), time.monotonic()
    until("more probes", lambda: count("t0") >= before + 4, 4, 0.05)
    asked = time.monotonic()
    assert value(probe, 'freezeframe_probes_total{target="t0",verdict="missed"') == 0
    assert time.monotonic() - asked < 1
    assert asked - began < 4


def _ends(probe: Freezeframe, *targets: str) -> list[str]:
    return [it["state"] for name in targets for it in probe.packets(name)]


async def _kinds(vault: Vault) -> Counter[str]:
    found: Counter[str] = Counter()
    for known in await vault.entries():
        assert await vault.problems(known.id) == ()
        documents = [document for _, document in await vault.addenda(known.id)]
        assert all(documents.count(document) == 1 for document in documents)
        found.update(str(document["kind"]) for document in documents)
    return found


def test_a_key_that_the_store_refuses_is_nowhere_to_be_read(tmp_path: Path, keep: Keep, run: Start) -> None:
    """Not in the error that tells of it, nor where a gateway knows it and says it back."""
    (tmp_path / "moto").mkdir()
    store = moto.start(tmp_path / "moto", keep, refuses_everybody=True)
    echo = error(503, f"upstream said {moto.SECRET_KEY} and {moto.ACCESS_KEY} are overloaded", "server_error", "x")
    with chat(lambda _: echo) as server:
        file = config(tmp_path / "refused", server.base_url, f"s3://{moto.BUCKET}/refused", "t")
        probe = run("refused", file, KEY | store.env)
        try:
            until_metric(probe, "freezeframe_spooled_packets", 1)
            until("a line", lambda: "status 403 InvalidAccessKeyId" in probe.process.log_tail(), 10)
            seen = {"/metrics": probe.get("/metrics", "text/plain"), "/": probe.get("/", "text/html")}
        finally:
            probe.process.kill()
    store.kill()
    files = {str(it.relative_to(probe.folder)): it.read_bytes() for it in probe.folder.rglob("*") if it.is_file()}
    assert any(name.startswith("state/spool/") and name.endswith(".zip") for name in files)
    assert any(b"are overloaded" in data for name, data in files.items() if name.startswith("state/spool/"))
    for name, data in (seen | files).items():
        for secret in (moto.SECRET_KEY, moto.ACCESS_KEY):
            assert not leaks(secret, name, data), name
