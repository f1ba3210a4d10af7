"""One recorded exchange as JSON, redacted: what `freezeframe redact` reads and writes."""

from typing import Any, Final

from probe.records import Headers, Json, Removal
from probe.redact import Redactor

_TEXTS: Final = ("error", "notes")


class ExchangeError(ValueError):
    """A line that is not an exchange: what was expected where, and the kind that was found."""

    def __init__(self, where: str, expected: str, found: object) -> None:
        super().__init__(f"{where}: expected {expected}, found {type(found).__name__}")


def redact_line(case: Any, redactor: Redactor) -> Json:
    """{"id", "input": exchange} -> {"id", "output": exchange, "report": [{rule, place, count}]}."""
    if not isinstance(case, dict):
        raise ExchangeError("line", "an object with id and input", case)
    given = _object(case, "input", "input")
    removals: list[Removal] = []
    output: Json = dict(given)
    asked = given.get("request")
    if isinstance(asked, dict) and isinstance(asked.get("body"), str):
        redactor = redactor.knowing(_pairs(asked, "request"), asked["body"])
    for side in ("request", "response"):
        if given.get(side) is not None:
            output[side] = _side(side, _object(given, side, f"input.{side}"), redactor, removals)
    for name in _TEXTS:
        if given.get(name) is not None:
            sealed = redactor.seal_text(_text(given[name], f"input.{name}"), name)
            removals += sealed.removals
            output[name] = sealed.value
    report = [{"rule": known.rule, "place": known.place, "count": known.count} for known in removals]
    return {"id": case.get("id"), "output": output, "report": report}


def _side(side: str, message: Json, redactor: Redactor, removals: list[Removal]) -> Json:
    output = dict(message)
    if message.get("url") is not None:
        url = redactor.seal_url(_text(message["url"], f"input.{side}.url"), f"{side}.url")
        output["url"] = url.value
        removals += url.removals
    sealed = redactor.seal_headers(_pairs(message, side), f"{side}.headers")
    output["headers"] = [[name, value] for name, value in sealed.value]
    removals += sealed.removals
    if message.get("body") is not None:
        body = redactor.seal_body(_text(message["body"], f"input.{side}.body"), f"{side}.body")
        output["body"] = body.value
        removals += body.removals
    return output


def _pairs(message: Json, side: str) -> Headers:
    headers = message.get("headers") or []
    try:
        return tuple((str(name), str(value)) for name, value in headers)
    except (TypeError, ValueError):
        raise ExchangeError(f"input.{side}.headers", "a list of [name, value]", headers) from None


def _object(parent: Json, key: str, where: str) -> Json:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise ExchangeError(where, "an object", value)
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ExchangeError(where, "a text", value)
    return value
