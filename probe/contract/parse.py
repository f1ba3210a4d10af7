"""YAML text in, a `Contract` out, or a `ContractError` that names the field.

An error says what kind of value stood there, never the value: people paste keys into the wrong line.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import jsonschema_rs

from probe.contract.facts import (
    LOG_FIELDS,
    AuthShape,
    Catalogue,
    Contract,
    GatewayLog,
    RequestIdPlaces,
    Shape,
    Sourced,
    TimeField,
)
from probe.contract.paths import is_field_path, is_list_path
from probe.contract.place import SOURCE_KEYS, ContractError, Fields, Place, sourced
from probe.contract.schema import validator
from probe.contract.strict_yaml import YamlError, read_yaml
from probe.contract.values import is_placeholder, kind, shown_key
from probe.records import Json

T = TypeVar("T")

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, token
_ROUTE_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_MAILTO: Final = re.compile(r"mailto:[^@\s]+@[^@\s]+")


def parse(text: str, name: str) -> Contract:
    """The contract in a YAML text. ContractError names the first field that is not as it must be."""
    try:
        document = read_yaml(text)
    except YamlError as error:
        raise ContractError(name, "a YAML file", str(error)) from None
    top = Place(name, "").mapping(
        document,
        required=("provider", "values", "request"),
        optional=("response", "stream_chunk", "error", "limits", "routes"),
    )
    values = top.at("values").mapping(
        top["values"], required=("base_url", "chat_path", "auth"), optional=("catalogue", "request_id", "gateway_log")
    )
    error_shape = top.optional("error", _shape)
    about_errors = Fields(top.at("error"), {} if error_shape is None else top["error"])
    return Contract(
        name=name,
        provider=top.at("provider").text(top["provider"]),
        base_url=values.sourced("base_url", _base_url),
        chat_path=values.sourced("chat_path", _chat_path),
        auth=values.sourced("auth", _auth_shape),
        request=_shape(top.at("request"), top["request"]),
        response=top.optional("response", _shape),
        stream_chunk=top.optional("stream_chunk", _shape),
        error=error_shape,
        error_statuses=about_errors.optional_sourced("statuses", _statuses),
        error_retry=about_errors.optional_sourced("retry", Place.text),
        catalogue=values.optional_sourced("catalogue", _catalogue),
        request_id=values.optional_sourced("request_id", _request_id),
        limits=top.optional("limits", _limits) or (),
        routes=top.optional("routes", _routes) or {},
        gateway_log=values.optional_sourced("gateway_log", _gateway_log),
    )


def _base_url(place: Place, value: object) -> str:
    url = place.url(value)
    if not is_placeholder(url) and ("?" in url or "#" in url):
        place.fail("an http(s) URL without a query or fragment", "one with")
    return url


def _chat_path(place: Place, value: object) -> str:
    path = place.text(value)
    if not is_placeholder(path) and (not path.startswith("/") or path != "".join(path.split()) or not path.isascii()):
        place.fail("a path that begins with / and holds no blanks", "other text")
    return path


def _auth_shape(place: Place, value: object) -> AuthShape:
    fields = place.mapping(value, ("header", "format"))
    header, shape = fields.at("header").text(fields["header"]), fields.at("format").text(fields["format"])
    if not is_placeholder(header) and not _HEADER_NAME.fullmatch(header):
        fields.at("header").fail("the name of a header", "other text")
    if not is_placeholder(shape) and shape.count("{key}") != 1:
        # what stands there instead may be the key itself: it is not repeated
        fields.at("format").fail("a format that holds {key} once", f"{{key}} {shape.count('{key}')} times")
    if not (shape.isascii() and shape.isprintable()):
        fields.at("format").fail("printable ASCII", "other characters")
    return AuthShape(header, shape)


def _catalogue(place: Place, value: object) -> Catalogue:
    fields = place.mapping(value, ("url", "ids"))
    return Catalogue(fields.at("url").url(fields["url"]), _path(fields.at("ids"), fields["ids"], each=True))


def _path(place: Place, value: object, *, each: bool = False) -> str:
    text = place.text(value)
    if not (is_list_path(text) if each else is_field_path(text)):
        place.fail(f"a path such as {'data[].id, with one list' if each else 'data.items'}", "other text")
    return text


def _gateway_log(place: Place, value: object) -> GatewayLog:
    fields = place.mapping(value, ("url", "auth", "rows", "fields"), ("total", "first_response", "types"))
    named = fields.at("fields").mapping(fields["fields"], ("request_id",), LOG_FIELDS)
    return GatewayLog(
        url=fields.at("url").url(fields["url"]),
        auth=_auth_shape(fields.at("auth"), fields["auth"]),
        rows=_each(fields.at("rows"), fields["rows"], _path),
        fields={name: _path(named.at(name), path) for name, path in named.fields.items() if path is not None},
        total=fields.optional("total", _time_fields) or (),
        first_response=fields.optional("first_response", _time_fields) or (),
        types=fields.optional("types", _types) or {},
    )


def _time_fields(place: Place, value: object) -> tuple[TimeField, ...]:
    return _each(place, value, _time_field)


def _time_field(place: Place, value: object) -> TimeField:
    fields = place.mapping(value, ("field", "unit"))
    if fields["unit"] not in ("s", "ms"):
        fields.at("unit").fail("s or ms", kind(fields["unit"]))
    return TimeField(_path(fields.at("field"), fields["field"]), fields["unit"])


def _types(place: Place, value: object) -> Mapping[str, str]:
    """Words by number; they are shown, so they are plain."""
    if not isinstance(value, dict) or not value:
        place.fail("a mapping of number to word", kind(value))
    for number, word in value.items():
        if not isinstance(word, str) or not _ROUTE_NAME.fullmatch(word):
            (place / str(number)).fail("a word such as consume", kind(word))
    return {str(number): word for number, word in value.items()}


def _each(place: Place, value: object, read: Callable[[Place, Any], T]) -> tuple[T, ...]:
    if not isinstance(value, list) or not value:
        place.fail("a list", kind(value))
    return tuple(read(Place(place.name, f"{place.path}[{n}]"), part) for n, part in enumerate(value))


def _request_id(place: Place, value: object) -> RequestIdPlaces:
    fields = place.mapping(value, (), ("headers", "text"))
    headers = fields.optional("headers", _header_names) or ()
    text = fields.optional("text", Place.text)
    if text is not None and text.count("{id}") != 1:
        fields.at("text").fail("a text that holds {id} once", f"{{id}} {text.count('{id}')} times")
    if not headers and text is None:
        place.fail("headers, text or both", "neither")
    return RequestIdPlaces(headers, text)


def _header_names(place: Place, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and _HEADER_NAME.fullmatch(name) for name in value):
        place.fail("a list of header names", kind(value))
    return tuple(name.lower() for name in value)


def _statuses(place: Place, value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not value:
        place.fail("a mapping of status to text", kind(value))
    return {str(status): (place / str(status)).text(text) for status, text in value.items()}


def _limits(place: Place, value: object) -> tuple[Sourced[str], ...]:
    if not isinstance(value, list):
        place.fail("a list", kind(value))
    return tuple(sourced(Place(place.name, f"{place.path}[{n}]"), limit, Place.text) for n, limit in enumerate(value))


def _routes(place: Place, value: object) -> Mapping[str, Sourced[str]]:
    if not isinstance(value, dict):
        place.fail("a mapping of route to value", kind(value))
    for name in value:
        if not isinstance(name, str) or not _ROUTE_NAME.fullmatch(name):
            place.fail("route names such as help_center or support", "another name")
    return {name: sourced(place / name, route, _route) for name, route in value.items()}


def _route(place: Place, value: object) -> str:
    text = place.text(value)
    return text if _MAILTO.fullmatch(text) else place.url(text)


def _shape(place: Place, value: object) -> Shape:
    extra = {"error": ("statuses", "retry"), "stream_chunk": ("terminal",)}.get(place.path, ())
    fields = place.mapping(value, ("source", "accessed"), ("schema", *SOURCE_KEYS, *extra))
    return Shape(
        place.source(fields.fields),
        fields.optional("schema", _schema),
        fields.optional("terminal", Place.text),
    )


def _schema(place: Place, value: object) -> Json:
    if not isinstance(value, dict):
        place.fail("a JSON Schema (a mapping)", kind(value))
    _json(place, value)
    try:
        validator(value)
    except jsonschema_rs.ValidationError as error:
        where = "/".join(shown_key(str(step)) for step in error.instance_path) or "its top"
        found = "a reference that leaves the file or ends nowhere" if _refers(error) else f"a fault at {where}"
        place.fail("a JSON Schema 2020-12", found)
    return value


def _refers(error: jsonschema_rs.ValidationError) -> bool:
    return error.kind.name == "referencing" or not error.schema_path


def _json(place: Place, value: object) -> None:
    """YAML knows more than JSON does: dates, sets, keys that are numbers."""
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                place.fail("keys that are text", kind(key))
            _json(place / key, part)
    elif isinstance(value, list):
        for n, part in enumerate(value):
            _json(Place(place.name, f"{place.path}[{n}]"), part)
    elif not isinstance(value, str | int | float | bool | None):
        place.fail("a JSON value", kind(value))
