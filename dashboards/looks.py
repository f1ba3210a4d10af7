"""How panels look: colours, words for values, options of each kind of panel."""

from collections.abc import Mapping
from typing import Any, Final

from dashboards.model import Json, Panel, Query

GREEN, YELLOW, ORANGE, RED, BLUE, GREY, PURPLE = "green", "#EAB839", "orange", "red", "blue", "#8e8e8e", "purple"


def steps(*values: tuple[float | None, str]) -> Json:
    """Colours from a value on; the first begins at minus infinity (None)."""
    return {
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in values]},
    }


BAD_IF_ANY: Final = steps((None, GREEN), (1, RED))


def words(texts: Mapping[str, tuple[str, str]]) -> Json:
    """A word and a colour for each value."""
    shown = {
        value: {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(texts.items())
    }
    return {"mappings": [{"type": "value", "options": shown}]}


def coloured(name: str, colour: str) -> Json:
    return by_name(name, color={"mode": "fixed", "fixedColor": colour})


def shaded(beginning: str, colour: str) -> Json:
    """Fields whose names begin so, in shades of one colour."""
    shades = {"id": "color", "value": {"mode": "shades", "fixedColor": colour}}
    return {"matcher": {"id": "byRegexp", "options": f"/^{beginning}/"}, "properties": [shades]}


def by_name(name: str, **properties: Any) -> Json:
    """What is special about one field. An underscore stands for the dot of `custom.width`."""
    listed = [{"id": key.replace("_", ".", 1), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": listed}


def link(title: str, url: str, *, new_tab: bool = True) -> Json:
    return {"title": title, "url": url, "targetBlank": new_tab}


LEGEND: Final[Json] = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}


def lines(**custom: Any) -> Json:
    """A time series is drawn as lines that show a lone point too: probes are sparse."""
    return {
        "custom": {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 8,
            "showPoints": "auto",
            "spanNulls": False,
            **custom,
        }
    }


def bars(**custom: Any) -> Json:
    stacked = {"mode": "normal", "group": "A"}
    return {"custom": {"drawStyle": "bars", "lineWidth": 1, "fillOpacity": 80, "stacking": stacked, **custom}}


def series_options(sort: str = "desc") -> Json:
    return {"legend": LEGEND, "tooltip": {"mode": "multi", "sort": sort}}


def stat_options(text: str) -> Json:
    return {
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": text,
        "wideLayout": True,
        "percentChangeColorMode": "standard",
        "showPercentChange": False,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }


def bar_options() -> Json:
    return {
        "displayMode": "basic",
        "namePlacement": "auto",
        "sizing": "auto",
        "minVizWidth": 8,
        "minVizHeight": 16,
        "maxVizHeight": 40,
        "legend": {**LEGEND, "showLegend": False},
        "orientation": "horizontal",
        "showUnfilled": True,
        "valueMode": "color",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }


def timeline(**defaults: Any) -> Json:
    return {"custom": {"fillOpacity": 85, "lineWidth": 0}, **defaults}


def timeline_options() -> Json:
    """Words stand in the bars where they fit: nothing is told by colour alone."""
    return {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.85,
        "legend": LEGEND,
        "tooltip": {"mode": "single", "sort": "none"},
    }


def table_options(sort_by: str, *, descending: bool = True) -> Json:
    return {
        "frameIndex": 0,
        "showHeader": True,
        "cellHeight": "sm",
        "sortBy": [{"displayName": sort_by, "desc": descending}],
    }


def columns(*shown: tuple[str, str]) -> tuple[Json, ...]:
    """One row for each thing that the instant queries know, and only these fields: (field, its heading), in order."""
    return (
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": [name for name, _ in shown]}}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {},
                "indexByName": {name: place for place, (name, _) in enumerate(shown)},
                "renameByName": dict(shown),
            },
        },
    )


def figure(title: str, promql: str, description: str, looks: Json, **more: Any) -> Panel:
    """One number of the present, or one for each series, as a coloured tile. `more`: `empty`, `width`, `text`."""
    text = more.pop("text", "value")
    shown: Json = {"empty": "not known", "width": 4, **more}
    query = Query(promql, "{{verdict}}" if "name" in text else title, instant=True)
    return Panel(
        "stat", title, description, (query,), "none", height=4, defaults=looks, options=stat_options(text), **shown
    )
