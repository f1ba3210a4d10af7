"""What stands around the panels: variables, links, annotations."""

from collections.abc import Sequence
from typing import Any

from dashboards.model import DATASOURCE, Json, Query


def query_variable(name: str, label: str, query: str, **more: Any) -> Json:
    """A variable that Prometheus fills, again whenever the time range changes; until then nothing is chosen."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": f"variable-{name}"},
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "options": [],
        **more,
    }


def many(name: str, label: str, query: str, **more: Any) -> Json:
    """One, several or all; "all" is every listed name, so that the variables before it still narrow it."""
    everything = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return query_variable(name, label, query, multi=True, includeAll=True, current=everything, **more)


def custom_variable(name: str, label: str, choices: Sequence[tuple[str, str]], **more: Any) -> Json:
    """Choices of (text, value); the first is taken until somebody chooses."""
    options = [{"text": text, "value": value, "selected": place == 0} for place, (text, value) in enumerate(choices)]
    return {
        "name": name,
        "label": label,
        "type": "custom",
        "query": ", ".join(f"{text} : {value}" for text, value in choices),
        "options": options,
        "current": options[0],
        "multi": False,
        "includeAll": False,
        "hide": 0,
        **more,
    }


def datasource_variable() -> Json:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "regex": "",
        "refresh": 1,
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "options": [],
    }


def text_variable(name: str, label: str, value: str, description: str) -> Json:
    current = {"selected": True, "text": value, "value": value}
    return {
        "name": name,
        "label": label,
        "description": description,
        "type": "textbox",
        "query": value,
        "hide": 0,
        "options": [current],
        "current": current,
    }


def annotation(name: str, promql: str, colour: str, **texts: Any) -> Json:
    """Newer servers ask `target`, older ones `expr` and `step`."""
    query = Query(promql).to_json("Anno")
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "target": query,
        "expr": promql,
        "step": "60s",
        "tagKeys": "target,verdict",
        "titleFormat": name,
        "textFormat": "",
        "useValueForTime": False,
        **texts,
    }


def dashboard_link(title: str, uid: str, tooltip: str) -> Json:
    """Another dashboard, with the same time range and the same choices."""
    return _link(title, f"/d/{uid}", tooltip, True)


def outward_link(title: str, url: str, tooltip: str) -> Json:
    """A page of another program, in a tab of its own."""
    return _link(title, url, tooltip, False)


def _link(title: str, url: str, tooltip: str, inside: bool) -> Json:
    return {
        "title": title,
        "type": "link",
        "url": url,
        "tooltip": tooltip,
        "icon": "dashboard" if inside else "external link",
        "keepTime": inside,
        "includeVars": inside,
        "targetBlank": not inside,
        "asDropdown": False,
        "tags": [],
    }
