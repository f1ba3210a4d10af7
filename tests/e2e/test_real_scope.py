"""The scope that packets state, held to a gateway nobody here wrote that breaks for one thing after another."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Process, aimock, until
from tests.servers.freezeframe import Freezeframe, Start
from tests.servers.scraped import scrape

pytestmark = pytest.mark.real

KEYS = {"blue": "sk-fake-aimock-blue", "green": "sk-fake-aimock-green"}
MODELS = ("small", "large")
# aimock is away for some tenths of a second between two phases: one tick or two of each target find nobody there.
# Four failures of five still trip in the phase only, and by what breaks in it.
DEFAULTS: dict[str, Any] = {
    "cadence": "1s",
    "timeout": "900ms",
    "slow": "850ms",
    "freeze": {
        "failures": 4,
        "window": 5,
        "recover": 2,
        "reopen": "1s",
        "confirm": {"attempts": 0, "backoff": "1s"},
    },
}


def name_of(model: str, stream: bool, credential: str) -> str:
    return f"{model}-{'stream' if stream else 'plain'}-{credential}"


def _target(model: str, stream: bool, credential: str) -> dict[str, Any]:
    """With labels that separate nothing: every half of the matrix that breaks has both regions, as the other has."""
    odd = (model == "large") ^ stream ^ (credential == "green")
    labels = {"region": "eu" if odd else "us"} | ({"service": "checkout"} if odd and stream else {})
    stated = {"model": model, "stream": stream, "credential": credential, "labels": labels}
    return {"name": name_of(model, stream, credential), **stated}


MATRIX = tuple(product(MODELS, (False, True), KEYS))
TARGETS = [_target(*which) for which in MATRIX]

WELL: dict[str, object] = {"response": {"content": "one two three four five six seven eight nine ten"}}
CUT = {**WELL, "chunkSize": 4, "truncateAfterChunks": 3, "latency": 30}  # a plain reply has no chunks: it stays whole
OVERLOADED = {"response": {"error": {"message": aimock.OVERLOADED_MESSAGE, "type": "server_error"}, "status": 503}}


@dataclass(frozen=True)
class Phase:
    """How the gateway breaks, and what that must be called."""

    words: str
    fails: Callable[[str, bool, str], bool]
    verdict: str
    behaviour: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: dict.fromkeys(MODELS, WELL))
    keys: Sequence[str] = tuple(KEYS.values())

    def named(self, failing: bool) -> list[str]:
        return [name_of(*which) for which in MATRIX if self.fails(*which) is failing]


PHASES = {
    "streaming": Phase(
        "Only streaming requests", lambda _m, stream, _c: stream, "degradation", dict.fromkeys(MODELS, CUT)
    ),
    "credential": Phase(
        "Only the credential green",
        lambda _m, _s, credential: credential == "green",
        "auth_or_account",
        keys=[KEYS["blue"]],
    ),
    "model": Phase(
        "Only the model large",
        lambda model, _s, _c: model == "large",
        "degradation",
        {"small": WELL, "large": OVERLOADED},
    ),
}


class Restarted:
    """aimock on one port, ended and started again with what it has to play next."""

    def __init__(self, folder: Path, keep: Callable[[Process], Process]) -> None:
        self._folder, self._keep = folder, keep
        self._process, self.origin = self._start(None)

    def _start(self, port: int | None, **plays: Any) -> tuple[Process, str]:
        process, origin = aimock.start(
            self._folder, port=port, **({"models": dict.fromkeys(MODELS, WELL), "keys": tuple(KEYS.values())} | plays)
        )
        return self._keep(process), origin

    def play(self, phase: Phase | None) -> None:
        """A phase, or everything well."""
        self._process.kill()
        port = int(self.origin.rpartition(":")[2])
        plays = {} if phase is None else {"models": phase.behaviour, "keys": phase.keys}
        self._process, _ = self._start(port, **plays)


@dataclass(frozen=True)
class Frozen:
    """What GET /packets/{id} gives."""

    shown: dict[str, Any]

    @property
    def packet(self) -> dict[str, Any]:
        packet: dict[str, Any] = self.shown["packet"]
        return packet

    @property
    def confirmation(self) -> dict[str, Any]:
        """The first addendum."""
        first: dict[str, Any] = self.shown["addenda"][0]["document"]
        return first


@pytest.fixture(scope="module")
def phases(
    tmp_path_factory: pytest.TempPathFactory, keep: Callable[[Process], Process], freezeframe: Start
) -> Iterator[dict[str, list[Frozen]]]:
    """Every phase once, with all well before and after each; the packets that each left, with their addenda."""
    gateway = Restarted(tmp_path_factory.mktemp("aimock-restarted"), keep)
    probe = freezeframe("scope", f"{gateway.origin}/v1", TARGETS, KEYS, defaults=DEFAULTS)
    left: dict[str, list[Frozen]] = {}
    known: frozenset[str] = frozenset()
    until("every target answers well", partial(_all_well, probe), 20)
    for name, phase in PHASES.items():
        gateway.play(phase)
        until(f"a confirmed packet of each failing target: {name}", partial(_confirmed, probe, known), 30)
        gateway.play(None)
        until(f"everything is well again after: {name}", partial(_all_well, probe), 30)
        left[name] = _new(probe, known)
        known |= {frozen.shown["id"] for frozen in left[name]}
    probe.stop()
    yield left


def _new(probe: Freezeframe, known: frozenset[str]) -> list[Frozen]:
    listed = json.loads(probe.get("/packets?limit=100"))["packets"]
    return [Frozen(json.loads(probe.get(f"/packets/{it['id']}"))) for it in listed if it["id"] not in known]


def _confirmed(probe: Freezeframe, known: frozenset[str]) -> bool:
    """As many new packets as targets fail in a phase, and each has an addendum."""
    new = _new(probe, known)
    return len(new) >= len(MATRIX) // 2 and all(frozen.shown["addenda"] for frozen in new)


def _all_well(probe: Freezeframe) -> bool:
    """Nothing is open, no window remembers a failure, and the store knows of every recovery."""
    seen = scrape(probe.url)
    nothing_open = not seen.total("freezeframe_incident_active") and not seen.total("freezeframe_window_failures")
    ended = all(it["state"] == "recovered" for it in json.loads(probe.get("/packets?limit=100"))["packets"])
    return nothing_open and ended and seen.of("probe_success") == [1.0] * len(MATRIX)


@pytest.mark.parametrize("name", PHASES)
def test_each_target_that_fails_and_no_other_has_one_packet_of_the_right_verdict(
    name: str, phases: dict[str, list[Frozen]]
) -> None:
    """A gateway that is away for a moment, as between two phases, freezes nothing. Each packet has one end."""
    found = sorted((frozen.shown["target"], frozen.shown["verdict"]) for frozen in phases[name])
    assert found == sorted((target, PHASES[name].verdict) for target in PHASES[name].named(failing=True))
    for frozen in phases[name]:
        assert [it["document"]["kind"] for it in frozen.shown["addenda"]] == ["confirmation", "recovery"]


@pytest.mark.parametrize("name", PHASES)
def test_the_scope_in_the_packet_and_the_final_one_say_what_separates(
    name: str, phases: dict[str, list[Frozen]]
) -> None:
    """Both name every failing and every healthy target; the final one is in the packet's first addendum."""
    phase = PHASES[name]
    failing, healthy = (", ".join(phase.named(failing=it)) for it in (True, False))
    said = f"{phase.words}: 4 of 8 targets fail ({failing}; healthy: {healthy})."
    for frozen in phases[name]:
        assert frozen.packet["scope"]["sentence"] == said
        assert frozen.packet["scope"]["as_of"] == frozen.packet["frozen_at"]
        assert frozen.confirmation["kind"] == "confirmation"
        assert frozen.confirmation["scope"]["sentence"] == said
        assert frozen.confirmation["scope"]["as_of"] >= frozen.packet["scope"]["as_of"]


@pytest.mark.parametrize("name", PHASES)
def test_the_table_shows_every_target_with_what_it_is_and_its_state(name: str, phases: dict[str, list[Frozen]]) -> None:
    def row(target: dict[str, Any], which: tuple[str, bool, str]) -> list[str]:
        model, stream, credential = which
        labels = ", ".join(f"{label}={value}" for label, value in sorted(target["labels"].items()))
        state = "failing" if PHASES[name].fails(*which) else "healthy"
        return [target["name"], model, "streaming" if stream else "non-streaming", credential, labels, state]

    expected = [row(target, which) for target, which in zip(TARGETS, MATRIX, strict=True)]
    for frozen in phases[name]:
        for scope in (frozen.packet["scope"], frozen.confirmation["scope"]):
            assert scope["columns"] == ["target", "model", "mode", "credential", "labels", "window", "state"]
            assert [[*row[:5], row[6]] for row in scope["table"]] == expected


@pytest.mark.parametrize("name", PHASES)
def test_the_leading_packet_asked_the_others_and_says_which_of_them_failed(
    name: str, phases: dict[str, list[Frozen]]
) -> None:
    """Each sibling answers as the phase says; the packets that follow ask nobody again."""
    for frozen in phases[name]:
        siblings = {row["target"]: row["verdict"] for row in frozen.confirmation["siblings"]}
        if frozen.shown["id"] != frozen.shown["incident"]:
            assert siblings == {}
            continue
        healthy = set(PHASES[name].named(failing=False))
        assert healthy <= siblings.keys() <= {target["name"] for target in TARGETS} - {frozen.shown["target"]}
        assert {target for target, verdict in siblings.items() if verdict == "ok"} == healthy


def test_packets_of_one_phase_are_one_incident_and_those_of_different_phases_are_not(
    phases: dict[str, list[Frozen]],
) -> None:
    incidents = {name: {frozen.shown["incident"] for frozen in packets} for name, packets in phases.items()}
    assert [len(ids) for ids in incidents.values()] == [1, 1, 1]
    assert len(set.union(*incidents.values())) == 3
    for name, ids in incidents.items():
        assert ids <= {frozen.shown["id"] for frozen in phases[name]}, "it is the ID of the packet that leads"
