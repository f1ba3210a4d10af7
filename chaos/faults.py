"""The faults, one function each: what is done to the world in one round. Each leaves it as it was, and says what it
did.

A fault may overlap an outage of the provider at any moment: that is what a packet is for."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from chaos import files, hostile, openapi
from chaos.gateway import Mood
from chaos.world import CADENCE_S, FAILURES, KEY, TARGETS, World
from tests.servers import get, until
from tests.servers.freezeframe import command

FAILING: Final = (Mood.DOWN, Mood.AUTH, Mood.HANG, Mood.RESET)
STEADY_S: Final = 100.0
ENOUGH_S: Final = (FAILURES + 2) * CADENCE_S
ANSWER_S: Final = 2.0


class Unbalanced(Exception):
    """What a fault may not do, in words."""


Did = dict[str, int]


def kill(world: World) -> Did:
    """SIGKILL at a random moment of an outage (which may be the one of a freeze), and at one of its end."""
    names, kills = world.some(), 1
    with world.outage(names, world.chance.choice(FAILING)):
        world.pause(0, ENOUGH_S)
        world.kill()
        world.start()
        world.until_tripped(names)
    if world.chance.random() < 0.5:
        world.pause(0, 1.2)
        world.kill()
        world.start()
        kills += 1
    return {"kills": kills}


def disk_full(world: World) -> Did:
    """Not a byte more fits on the disk of `state`."""
    world.disk.fill()
    try:
        return _outage_without_disk(world)
    finally:
        world.disk.free()


def disk_read_only(world: World) -> Did:
    """No file takes a byte from this process any more, as after a file system went read-only under it. (A real one is
    not made read-only by mount(8) while a process writes to it.)"""
    world.let_write(False)
    try:
        return _outage_without_disk(world)
    finally:
        world.let_write(True)


def clock(world: World) -> Did:
    """The wall clock is set an hour back and then right again, or is wrong when the process is killed and right when it
    starts again."""
    if world.chance.random() < 0.5:
        world.set_clock(-3600)
        did = _outage(world)
        world.set_clock(0)
        time.sleep(3)
        return did | _outage(world) | {"clock steps": 2, "outages with the clock set": 2}
    world.set_clock(3600)
    time.sleep(2)
    did = _outage(world)
    world.pause(0, 1)
    world.kill()
    world.set_clock(0)
    world.start()
    return did | {"clock steps": 2, "kills": 1}


def dns(world: World) -> Did:
    """The name of the provider is not known any more. An address outside still answers: it is not our network."""
    names = frozenset(TARGETS)
    began_s = time.monotonic()
    world.resolve(knows=False)
    try:
        world.pause(ENOUGH_S, ENOUGH_S + 2)
        world.until_tripped(names)
    finally:
        world.resolve(knows=True)
    world.planned(names, "dns", began_s)
    return {}


def flap(world: World) -> Did:
    """Good and bad by the dice."""
    with world.outage(world.some(), Mood.FLAP):
        world.pause(8, 12)
    return {}


def prometheus_gone(world: World) -> Did:
    """What other instances see is asked at a trip, of a Prometheus that was killed."""
    if world.prometheus is None:
        return {}
    world.prometheus.process.kill()
    did = _outage(world)
    world.restart_prometheus()
    return did


def store_gone(world: World) -> Did:
    """The store is killed, or hangs; packets wait in the spool."""
    hangs = world.chance.random() < 0.5
    (world.store.hang if hangs else world.store.kill)()
    try:
        did = _outage(world)
        with world.outage(TARGETS[:1], Mood.DOWN):
            world.until_tripped(TARGETS[:1])
        waiting = until("something waits", lambda: world.seen().total("freezeframe_spooled_packets"), 20)
    finally:
        (world.store.go_on if hangs else world.store.start_again)()
    return did | {"waited in the spool": round(waiting)}


def webhooks(world: World, count: int) -> Did:
    """So many alerts, each in a webhook of its own, one in ten again soon; and then every one has been looked at, once.
    (The inbox knows the latest thousand: what comes again later than that is looked at again.)"""
    did = _outage(world)
    before = _looked_at(world)
    alerts = [hostile.alert(world.number(), TARGETS, time.time()) for _ in range(count)]
    told = hostile.post_webhooks(world.address, alerts, twice=10)
    if told["accepted"] != count or told["given up"]:
        raise Unbalanced(f"{count} alerts were posted, {told['accepted']} accepted, {told['given up']} given up")
    try:
        until("every alert looked at", lambda: _looked_at(world) - before >= count, 90)
    except AssertionError:
        raise Unbalanced(f"{count} alerts accepted, {_looked_at(world) - before} looked at") from None
    if _looked_at(world) - before != count:
        raise Unbalanced(f"{count} alerts accepted, {_looked_at(world) - before} looked at")
    return did | {"alerts": count, "repeated": told["repeated"], "told to come again": told["HTTP 503"]}


def _looked_at(world: World) -> int:
    return world.log().count('"event":"alert fires"')


def slow_clients(world: World, each: int) -> Did:
    """A crowd that says little and reads nothing, larger than what the listener holds. Everybody else is answered, and
    the crowd is gone soon."""
    packets = world.json("/packets?limit=1")["packets"]
    kinds = hostile.slow_kinds(packets[0]["id"] if packets else None)
    worst_s = refused = 0.0
    with hostile.crowd(world.address, kinds, each) as more, world.outage(world.some(), Mood.DOWN):
        began_s = time.monotonic()
        while time.monotonic() - began_s < 12:
            more()
            took_s = hostile.answer_s(world.url)
            refused += took_s == float("inf")
            worst_s = max(worst_s, 0.0 if took_s == float("inf") else took_s)
            time.sleep(0.5)
        left = more()
    if refused:
        raise Unbalanced(f"{refused:.0f} times health or metrics were refused while slow clients held the listener")
    if worst_s > ANSWER_S:
        raise Unbalanced(f"health and metrics took {worst_s:.1f} s beside slow clients")
    return {"slow clients": each * len(kinds), "left after 12 s": left, "worst answer, ms": round(worst_s * 1000)}


def paths(world: World, count: int) -> Did:
    """Raw request lines about packets that are none."""
    packets = world.json("/packets?limit=1")["packets"]
    counted, wrong = hostile.try_paths(world.address, packets[0]["id"] if packets else "a-1", world.chance, count)
    if wrong:
        raise Unbalanced(f"{len(wrong)} paths: {wrong[:3]}")
    return {"paths": sum(counted.values())} | dict(counted)


def described(world: World) -> Did:
    """schemathesis tries our OpenAPI document in the middle of an outage: it freezes, replays and notes as well."""
    with world.outage(TARGETS[:2], Mood.DOWN):
        world.until_tripped(TARGETS[:2])
        seed = world.chance.randrange(2**31)
        count, wrong = openapi.tried(world.address, world.folder, seed=seed, examples=12, most_s=25)
    if wrong:
        raise Unbalanced("schemathesis: " + " / ".join(it for it in wrong if it.strip()))
    return {"requests by schemathesis": count}


def answers(world: World) -> Did:
    """Every target is answered with damaged bytes of the corpora."""
    before = len(world.gateway.arrivals)
    with world.outage(TARGETS, Mood.FUZZ):
        world.pause(10, 14)
    return {"damaged answers": len(world.gateway.arrivals) - before}


def reload(world: World) -> Did:
    """A configuration that is broken in the middle of an outage: the old one goes on and says so."""
    whole, broken = world.file.read_text(), 0
    with world.outage(names := world.some(), Mood.DOWN):
        for _ in range(3):
            at = world.chance.randrange(len(whole))
            world.file.write_text(whole[:at])
            world.hang_up()
            until(
                "the refusal",
                lambda: world.seen().total("freezeframe_config_last_reload_successful") == 0,
                15,
            )
            broken += 1
        world.file.write_text(whole)
        world.hang_up()
        until("the reload", lambda: world.seen().total("freezeframe_config_last_reload_successful") == 1, 15)
        world.until_tripped(names)
    return {"broken configurations": broken}


def fuzzed_files(world: World) -> Did:
    """`freezeframe config check` on changed and torn files while the process probes: it holds, or it is refused with
    exit code 2, by name; never a traceback, never what was pasted."""
    folder = world.folder / "fuzzed"
    folder.mkdir(exist_ok=True)
    codes: Counter[str] = Counter()
    for _ in range(8):
        spoilt = world.chance.choice(files.NAMES)
        for name in files.NAMES:
            raw = (world.folder / name).read_bytes()
            if name == spoilt:
                document = files.changed(json.loads(raw), world.chance)
                raw = files.written(document) if world.chance.random() < 0.6 else files.torn(raw, world.chance)
            (folder / name).write_bytes(raw)
        ran = subprocess.run(
            command("config", "check", "--config", folder / "freezeframe.yaml"),
            env={"KEY_OF_A": KEY, "PATH": "/usr/bin:/bin"} | world.store.env,
            capture_output=True,
            text=True,
            timeout=30,
        )
        said = ran.stdout + ran.stderr
        codes[f"exit {ran.returncode}"] += 1
        if ran.returncode not in (0, 2) or "Traceback" in said or files.SECRET in said or KEY in said:
            raise Unbalanced(f"config check of a spoilt {spoilt}: exit {ran.returncode}, {said[-300:]}")
    return dict(codes)


def everything(world: World) -> Did:
    """At once: the provider down, the store hanging, the disk full, Prometheus gone, slow clients and webhooks."""
    world.store.hang()
    world.disk.fill()
    if world.prometheus is not None:
        world.prometheus.process.kill()
    kinds = hostile.slow_kinds(None)
    try:
        with hostile.crowd(world.address, kinds, 10) as more, world.outage(TARGETS, Mood.DOWN):
            alerts = [hostile.alert(world.number(), TARGETS, time.time()) for _ in range(50)]
            told = hostile.post_webhooks(world.address, alerts)
            more()
            world.until_tripped(TARGETS)
    finally:
        world.disk.free()
        world.store.go_on()
        if world.prometheus is not None:
            world.restart_prometheus()
    return {"alerts": told["accepted"], "slow clients": 10 * len(kinds)}


def steady(world: World) -> Did:
    """The last round: nothing that was not there before (outages, pages, scrapes, downloads), for a slope of memory."""
    began_s, asked = time.monotonic(), 0
    while time.monotonic() - began_s < STEADY_S:
        _outage(world)
        packet = world.json("/packets?limit=1")["packets"][0]["id"]
        for path in ("/", "/packets", f"/packets/{packet}", f"/packets/{packet}/packet.zip", "/metrics"):
            get(world.url + path, Accept="text/html")
            asked += 1
    return {"pages": asked}


def _outage_without_disk(world: World) -> Did:
    def refused() -> float:
        return world.seen().total("freezeframe_store_errors_total", operation="history")

    before = refused()
    did = _outage(world)
    until("a write that the disk refused", lambda: refused() > before, 10)
    return did | {"writes refused": round(refused() - before)}


def _outage(world: World) -> Did:
    names = world.some()
    with world.outage(names, world.chance.choice(FAILING)):
        world.until_tripped(names)
        world.pause(0, 1)
    until("it is over", lambda: not world.seen().total("freezeframe_incident_active"), 40)
    return {}


def summed(parts: list[Did]) -> Did:
    counted: Counter[str] = Counter()
    for part in parts:
        counted.update(part)
    return dict(counted)


FAULTS: Final[dict[str, Callable[[World], Did]]] = {
    "kill": kill,
    "clock": clock,
    "disk full": disk_full,
    "disk read-only": disk_read_only,
    "DNS gone": dns,
    "flapping": flap,
    "Prometheus gone": prometheus_gone,
    "store gone": store_gone,
    "damaged answers": answers,
    "reload": reload,
    "fuzzed files": fuzzed_files,
    "paths": lambda world: paths(world, 400),
    "slow clients": lambda world: slow_clients(world, 50),
    "OpenAPI": described,
    "webhooks": lambda world: webhooks(world, 10_000),
    "everything": everything,
}
SHORT: Final[dict[str, Callable[[World], Did]]] = {
    "kill": kill,
    "disk full": disk_full,
    "store gone": store_gone,
    "clients": lambda world: paths(world, 60) | webhooks(world, 60),
}
STEADY: Final = "steady"
CLOCKS: Final = frozenset({"clock"})
