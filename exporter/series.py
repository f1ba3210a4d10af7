"""Counters and histograms whose lines are kept: a scrape writes anew only what has changed since the one before.

prometheus-client renders every line of every series at each scrape, at about 13 us a line: half a second for 300
targets. Nearly all of them are counters that did not move. Here the lines of one family and target are one block, which
forgets its text when one of its series changes; names and labels are escaped once, when a series is born. What is
written is the library's exposition byte for byte (a test holds that).

All of it belongs to the event loop: nothing is locked.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Generic, Literal, NamedTuple, TypeVar, cast

from prometheus_client.utils import floatToGoString

_EXPONENT_FROM: Final = 1e6  # from there on Go, and so the format, writes an exponent where Python does not


Labels = Mapping[str, str]


class Exemplar(NamedTuple):
    """What led to a value, and when (Unix time)."""

    labels: Labels
    value: float
    at_s: float


class Point(NamedTuple):
    """One line of a series: what its name ends in, its labels, its value."""

    suffix: str
    labels: Labels
    value: float
    exemplar: Exemplar | None = None


def number(value: float) -> str:
    """As the exposition formats write a number."""
    if -_EXPONENT_FROM < value < _EXPONENT_FROM:
        return repr(value)
    written: str = floatToGoString(value)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return written


def quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def named(name: str, labels: Labels) -> str:
    """Name and labels of a line, up to its value."""
    return f"{name}{_braced(labels)} " if labels else f"{name} "


def _braced(labels: Labels) -> str:
    return "{" + ",".join([f'{key}="{quoted(text)}"' for key, text in sorted(labels.items())]) + "}"


def head(name: str, kind: str, documentation: str, *, openmetrics: bool) -> str:
    """The two lines that open a family; `name` is without what its lines end in."""
    if openmetrics:
        return f"# HELP {name} {quoted(documentation)}\n# TYPE {name} {kind}\n"
    suffix = {"counter": "_total", "info": "_info"}.get(kind, "")
    shown = documentation.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name}{suffix} {shown}\n# TYPE {name}{suffix} {'gauge' if kind == 'info' else kind}\n"


@dataclass(slots=True)
class Block:
    """The series of one family and one target, and their text by form (OpenMetrics or not) while it holds."""

    series: dict[tuple[str, ...], "CounterSeries | HistogramSeries"] = field(default_factory=dict)  # by label values
    _texts: dict[bool, str] = field(default_factory=dict)

    def changed(self) -> None:
        self._texts.clear()

    def text(self, *, openmetrics: bool) -> str:
        known = self._texts.get(openmetrics)
        if known is None:
            known = self._texts[openmetrics] = "".join(
                one.lines(openmetrics=openmetrics) for one in self.series.values()
            )
        return known


class CounterSeries:
    """One counter: `inc` adds to it."""

    __slots__ = ("_block", "_exemplar", "_labels", "_named", "_value")

    def __init__(self, block: Block, family: str, labels: Labels) -> None:
        self._block = block
        self._labels = labels
        self._named = named(f"{family}_total", labels)
        self._value = 0.0
        self._exemplar: Exemplar | None = None

    def inc(self, amount: float = 1, exemplar: Labels | None = None) -> None:
        self._value += amount
        if exemplar:
            self._exemplar = Exemplar(exemplar, float(amount), time.time())
        self._block.changed()

    def points(self) -> Iterator[Point]:
        yield Point("_total", self._labels, self._value, self._exemplar)

    def lines(self, *, openmetrics: bool) -> str:
        led = _exemplar(self._exemplar) if openmetrics else ""
        return f"{self._named}{number(self._value)}{led}\n"


class HistogramSeries:
    """One histogram: `observe` counts a value into its bucket."""

    __slots__ = ("_block", "_bounds", "_counts", "_exemplars", "_labels", "_named", "_sum")

    def __init__(self, block: Block, family: str, labels: Labels, bounds: Sequence[float]) -> None:
        self._block = block
        self._labels = labels
        self._bounds = (*bounds, float("inf"))
        buckets = [named(f"{family}_bucket", {**labels, "le": number(bound)}) for bound in self._bounds]
        self._named = (*buckets, named(f"{family}_count", labels), named(f"{family}_sum", labels))
        self._counts = [0.0] * len(self._bounds)
        self._exemplars: list[Exemplar | None] = [None] * len(self._bounds)
        self._sum = 0.0

    def observe(self, value: float, exemplar: Labels | None = None) -> None:
        bucket = bisect_left(self._bounds, value)
        self._counts[bucket] += 1
        self._sum += value
        if exemplar:
            self._exemplars[bucket] = Exemplar(exemplar, float(value), time.time())
        self._block.changed()

    def points(self) -> Iterator[Point]:
        total = 0.0
        for bound, count, exemplar in zip(self._bounds, self._counts, self._exemplars, strict=True):
            total += count
            yield Point("_bucket", {**self._labels, "le": number(bound)}, total, exemplar)
        yield Point("_count", self._labels, total)
        yield Point("_sum", self._labels, self._sum)

    def lines(self, *, openmetrics: bool) -> str:
        written = []
        total = 0.0
        for name, count, exemplar in zip(self._named, self._counts, self._exemplars, strict=False):
            total += count
            led = _exemplar(exemplar) if openmetrics else ""
            written.append(f"{name}{number(total)}{led}\n")
        written.append(f"{self._named[-2]}{number(total)}\n{self._named[-1]}{number(self._sum)}\n")
        return "".join(written)


def _exemplar(known: Exemplar | None) -> str:
    if known is None:
        return ""
    return f" # {_braced(known.labels)} {number(known.value)} {known.at_s}"


S = TypeVar("S", CounterSeries, HistogramSeries)


class Family(Generic[S]):
    """Series of one name, in blocks by the value of the first label; `labels` gives one of them, born at 0."""

    kind: ClassVar[Literal["counter", "histogram"]]

    def __init__(
        self, name: str, documentation: str, labels: Sequence[str], born: Callable[[Block, Labels], S]
    ) -> None:
        self.name = name
        self.documentation = documentation
        self._labels = tuple(labels)
        self._born: Callable[[Block, Labels], S] = born
        self._blocks: dict[str, Block] = {}

    def labels(self, *values: str) -> S:
        first = values[0] if values else ""
        block = self._blocks.get(first)
        if block is None:
            block = self._blocks[first] = Block()
        known = block.series.get(values)
        if known is None:
            known = block.series[values] = self._born(block, dict(zip(self._labels, values, strict=True)))
            block.changed()
        return cast("S", known)  # a block of this family holds what this family bears

    def forget(self, first: str) -> None:
        """The series whose first label has this value are gone."""
        self._blocks.pop(first, None)

    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks.values())


class Counter(Family[CounterSeries]):
    """A family of counters; its name is stated without `_total`, which ends their lines."""

    kind = "counter"

    def __init__(self, name: str, documentation: str, labels: Sequence[str]) -> None:
        super().__init__(name, documentation, labels, lambda block, shown: CounterSeries(block, name, shown))


class Histogram(Family[HistogramSeries]):
    """A family of histograms with the same bounds."""

    kind = "histogram"

    def __init__(self, name: str, documentation: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        super().__init__(name, documentation, labels, lambda block, shown: HistogramSeries(block, name, shown, bounds))
