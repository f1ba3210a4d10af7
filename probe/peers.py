"""What other instances see, as Prometheus has it: their targets and whether the last probe of each held.

Two queries of its HTTP API. What comes back is read leniently and bounded: a Prometheus that is away, slow, broken or
not ours costs a few seconds at most, and then it is not known what others see. Ourselves are told from others by a
number that only our own `state` has; a restart keeps it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from probe.pong import Target
from probe.records import TwinsSeen
from probe.scope import Seen, State

LOOK_S: Final = 60.0
TIMEOUT_S: Final = 3.0
MOST_BYTES: Final = 16 * 1024 * 1024
OWN_NUMBER: Final = "freezeframe_state_since_timestamp_seconds"
_INFO: Final = "freezeframe_target_info"
_SUCCESS: Final = "probe_success"
_FAILURES: Final = "freezeframe_window_failures"
_TARGETS: Final = f'{{__name__=~"{_INFO}|{_SUCCESS}|{_FAILURES}", target!=""}}'
_STATES: Final = {0.0: State.FAILING, 1.0: State.HEALTHY}

Fetch = Callable[[str, float, int], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One series at one instant. Its name is the label ``__name__``."""

    labels: Mapping[str, str]
    value: float


def samples(body: bytes | None) -> tuple[Sample, ...] | None:
    """The series of an instant vector; None where the answer is none."""
    try:
        answer: Any = orjson.loads(body or b"")
        found = []
        for row in answer["data"]["result"]:
            labels = {str(name): str(text) for name, text in row["metric"].items()}
            found.append(Sample(labels, float(row["value"][1])))
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError, AttributeError):
        return None
    return tuple(found)


def others(targets: Sequence[Sample], numbers: Sequence[Sample], own_number: float) -> tuple[Seen, ...]:
    """The targets of every scraped instance but our own, told by the number that each exposes.

    Instances are counted, ours being the first: a packet goes to a provider's support, and their addresses are ours.
    """
    ours = {_scraped(sample) for sample in numbers if sample.value == own_number}
    by_name: dict[str, dict[tuple[str, str, str], Sample]] = {_INFO: {}, _SUCCESS: {}, _FAILURES: {}}
    for sample in targets:
        known = by_name.get(sample.labels.get("__name__", ""))
        if known is not None and _scraped(sample) not in ours:
            known[*_scraped(sample), sample.labels.get("target", "")] = sample
    found = []
    counted = {scraped: n for n, scraped in enumerate(sorted({key[:2] for key in by_name[_INFO]}), start=2)}
    for key, info in sorted(by_name[_INFO].items()):
        success, failures = by_name[_SUCCESS].get(key), by_name[_FAILURES].get(key)
        found.append(
            Seen(
                target=key[2],
                contract=info.labels.get("contract", ""),
                model=info.labels.get("model", ""),
                stream=info.labels.get("stream") == "true",
                credential=info.labels.get("credential", ""),
                labels=dict(_own_labels(info.labels)),
                state=State.NOT_KNOWN if success is None else _STATES.get(success.value, State.NOT_KNOWN),
                failures=None if failures is None else round(failures.value),
                instance=f"instance {counted[key[:2]]}",
                address=key[1],
            )
        )
    return tuple(found)


def twins(targets: Iterable[Target], seen: Iterable[Seen]) -> tuple[tuple[str, str], ...]:
    """Our targets that another instance probes alike (name, model, mode, credential and labels): target, address."""
    ours = {
        (it.name, it.contract.name, it.model, it.stream, it.credential, frozenset(it.labels.items())) for it in targets
    }
    return tuple(
        (it.target, it.address or "")
        for it in seen
        if (it.target, it.contract, it.model, it.stream, it.credential, frozenset(it.labels.items())) in ours
    )


class Peers:
    """Asks Prometheus at `url`. `own_number` is the value of our own series `OWN_NUMBER`."""

    def __init__(self, url: str, fetch: Fetch, own_number: float, *, look_every_s: float = LOOK_S) -> None:
        self._url = url.rstrip("/")
        self._fetch = fetch
        self._own_number = own_number
        self._look_every_s = look_every_s

    async def look(self) -> tuple[Seen, ...] | None:
        """Every target of every other instance; None where that could not be asked."""
        found = await asyncio.gather(self._query(_TARGETS), self._query(OWN_NUMBER))
        targets, numbers = found
        return None if targets is None or numbers is None else others(targets, numbers, self._own_number)

    async def watch(self, targets: Callable[[], Iterable[Target]], publish: Callable[[TwinsSeen], None]) -> None:
        """Tell of twins as they come and go; runs until cancelled."""
        known: tuple[tuple[str, str], ...] = ()
        while True:
            seen = await self.look()
            if seen is not None and (now := twins(targets(), seen)) != known:
                known = now
                publish(TwinsSeen(now))
            await asyncio.sleep(self._look_every_s)

    async def _query(self, expression: str) -> tuple[Sample, ...] | None:
        asked = f"{self._url}/api/v1/query?{urlencode({'query': expression})}"
        return await asyncio.to_thread(samples, await self._fetch(asked, TIMEOUT_S, MOST_BYTES))


def _scraped(sample: Sample) -> tuple[str, str]:
    return sample.labels.get("job", ""), sample.labels.get("instance", "")


def _own_labels(labels: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return ((name.removeprefix("label_"), text) for name, text in labels.items() if name.startswith("label_"))
