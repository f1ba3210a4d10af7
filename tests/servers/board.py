"""A dashboard as Grafana would ask for it, as far as a test needs: variables and queries with values from Prometheus.

It is no Grafana: it was written from the source of Grafana's Prometheus plugin (`datasource.ts`, `models/query.go`).
"""

import json
import math
import re
import urllib.error
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import get

Json = dict[str, Any]
MOST_POINTS = 300
_REGEX_SIGNS = re.compile(r"[\\^$*+?.()|{}\[\]]")
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class QueryError(AssertionError):
    """Prometheus refused a query."""


@dataclass(frozen=True)
class Series:
    """One answer of Prometheus: labels, and points of (time, value); one point for an instant query."""

    labels: dict[str, str]
    points: list[tuple[float, float]]

    @property
    def last(self) -> float:
        return self.points[-1][1]


def seconds(duration: str) -> float:
    found = _DURATION.match(duration)
    assert found is not None, f"no duration: {duration!r}"
    return float(found[1]) * _SECONDS[found[2]]


def _braced(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


@dataclass
class Board:
    """One dashboard looked at over a time range; `chosen` overrides what a variable would be by itself."""

    file: Path
    prometheus: str
    from_s: float
    to_s: float
    chosen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model: Json = json.loads(self.file.read_text())
        self.values: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}
        for variable in self.model["templating"]["list"]:
            self.options[variable["name"]] = options = self._fill(variable)
            self.values[variable["name"]] = self._value(variable, options)

    @property
    def panels(self) -> list[Json]:
        return [panel for panel in self.model["panels"] if panel["type"] != "row"]

    def named(self, title: str) -> Json:
        (panel,) = [panel for panel in self.panels if panel["title"] == title]
        return panel

    # ------------------------------------------------------------ variables

    def _fill(self, variable: Json) -> list[str]:
        match variable["type"]:
            case "datasource":
                return ["prometheus"]
            case "custom":
                return [option["value"] for option in variable["options"]]
            case "textbox":
                return [variable["query"]]
            case "query":
                found = self._asked(self._replace(variable["query"]["query"], {}))
                if variable["regex"]:
                    pattern = re.compile(variable["regex"].strip("/"))
                    found = [match[1] for text in found if (match := pattern.search(text))]
                return sorted(set(found))
        raise AssertionError(f"a variable of type {variable['type']}")

    def _asked(self, query: str) -> list[str]:
        """`label_values(selector, label)` and `query_result(promql)`."""
        kind, _, rest = query.partition("(")
        inner = rest.removesuffix(")")
        if kind == "label_values":
            selector, _, label = inner.rpartition(",")
            found = self._api("series", {"match[]": selector, "start": self.from_s, "end": self.to_s})
            return [series[label.strip()] for series in found if label.strip() in series]
        assert kind == "query_result"
        rows = self._api("query", {"query": inner, "time": self.to_s})["result"]
        return [f"{_braced(row['metric'])} {row['value'][1]} {row['value'][0] * 1000:.0f}" for row in rows]

    def _value(self, variable: Json, options: list[str]) -> str:
        """What stands for `$name` in PromQL: for several values a regular expression, escaped as Grafana does it."""
        name = variable["name"]
        if variable.get("includeAll", False):
            wanted = [self.chosen[name]] if name in self.chosen else options
            escaped = [_REGEX_SIGNS.sub(lambda sign: "\\\\" + sign[0], value) for value in wanted]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})" if escaped else ""
        return self.chosen.get(name, options[0] if options else "")

    def _replace(self, text: str, built_in: dict[str, str]) -> str:
        range_s = f"{self.to_s - self.from_s:.0f}"
        values = self.values | {"__range": f"{range_s}s", "__range_s": range_s} | built_in

        def value(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            return values.get(name, found[0])  # `$1` is no variable of ours: label_replace wants it

        return re.sub(r"\$(\w+)|\$\{(\w+)\}", value, text)

    # ------------------------------------------------------------ queries

    def expression(self, target: Json) -> tuple[str, float]:
        """The PromQL that Prometheus gets, and the step in seconds."""
        least_s = seconds(self._replace(target["interval"], {}))
        step_s = max(least_s, math.ceil((self.to_s - self.from_s) / MOST_POINTS))
        rate_s = max(step_s + least_s, 4 * least_s)
        built_in = {"__interval": f"{step_s:.0f}s", "__rate_interval": f"{rate_s:.0f}s"}
        return self._replace(target["expr"], built_in), step_s

    def ask(self, target: Json) -> list[Series]:
        """What a query of a panel gives."""
        promql, step_s = self.expression(target)
        if target["instant"]:
            return self._vector(promql)
        return self._matrix(promql, step_s)

    def annotated(self, annotation: Json) -> list[Series]:
        promql, step_s = self.expression({"expr": annotation["expr"], "interval": "1s"})
        return self._matrix(promql, step_s)

    def exemplars(self, target: Json) -> list[dict[str, str]]:
        """The labels of the exemplars that a query's series have in the range."""
        promql, _ = self.expression(target)
        found = self._api("query_exemplars", {"query": promql, "start": self.from_s, "end": self.to_s})
        return [exemplar["labels"] for series in found for exemplar in series["exemplars"]]

    def _vector(self, promql: str) -> list[Series]:
        rows = self._api("query", {"query": promql, "time": self.to_s})["result"]
        return [Series(row["metric"], [(row["value"][0], float(row["value"][1]))]) for row in rows]

    def _matrix(self, promql: str, step_s: float) -> list[Series]:
        begin = math.floor(self.from_s / step_s) * step_s
        asked = {"query": promql, "start": begin, "end": self.to_s, "step": step_s}
        rows = self._api("query_range", asked)["result"]
        return [Series(row["metric"], [(at, float(value)) for at, value in row["values"]]) for row in rows]

    def _api(self, path: str, parameters: dict[str, Any]) -> Any:
        url = f"{self.prometheus}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            return json.loads(get(url))["data"]
        except urllib.error.HTTPError as error:
            raise QueryError(f"{parameters}: {error.read().decode()}") from None


def legend(target: Json, labels: dict[str, str]) -> str:
    """The name of a series by the legend of its query."""
    text: str = target["legendFormat"]
    if text == "__auto":
        return ", ".join(f"{value}" for name, value in labels.items() if name != "__name__") or "value"
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), text)
