"""Where in a contract file we are, so that an error can name it, and the kinds of value that every area shares.

An error says what kind of value stood there, never the value: people paste keys into the wrong line.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn, TypeVar

from probe.contract.facts import Source, Sourced
from probe.contract.values import did_you_mean, is_placeholder, kind, shown_key, url_problem

T = TypeVar("T")


class ContractError(ValueError):
    """One field of a contract is not as it must be. `place` reads ``cometapi: values.base_url.source``."""

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(f"{place}: expected {expected}, found {found}")
        self.place = place
        self.expected = expected
        self.found = found


SOURCE_KEYS: Final = ("section", "verified", "quote")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file we are, so that an error can name it."""

    name: str
    path: str

    def __truediv__(self, key: str) -> "Place":
        return Place(self.name, f"{self.path}.{shown_key(key)}".lstrip("."))

    def fail(self, expected: str, found: str) -> NoReturn:
        raise ContractError(f"{self.name}: {self.path}" if self.path else self.name, expected, found)

    def mapping(self, value: object, required: Collection[str], optional: Collection[str] = ()) -> "Fields":
        if not isinstance(value, dict):
            self.fail("a mapping", kind(value))
        known = (*required, *optional)
        for key in value:
            if key not in known:
                (self / str(key)).fail(f"a known key{did_you_mean(str(key), known)}", "an unknown one")
        for key in required:
            if value.get(key) is None:
                (self / key).fail("a value", "nothing")
        return Fields(self, value)

    def text(self, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            self.fail("text", kind(value))
        return value

    def url(self, value: object) -> str:
        text = self.text(value)
        if is_placeholder(text):
            return text
        wrong = url_problem(text)
        if wrong is not None:
            self.fail("an http(s) URL", wrong)
        return text

    def instant(self, value: object) -> datetime:
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                self.fail("an instant such as 2026-11-20T09:00:00Z", "other text")
        if not isinstance(value, datetime):
            self.fail("an instant such as 2026-11-20T09:00:00Z", kind(value))
        if value.tzinfo is None:
            self.fail("an instant with its time zone such as 2026-11-20T09:00:00Z", "none")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            self.fail("an instant such as 2026-11-20T09:00:00Z", "one outside the calendar")

    def source(self, fields: Mapping[str, Any]) -> Source:
        verified = fields.get("verified") or "stored_copy"
        if verified not in ("stored_copy", "live"):
            (self / "verified").fail("stored_copy or live", "something else")
        return Source(
            url=(self / "source").url(fields["source"]),
            accessed=(self / "accessed").instant(fields["accessed"]),
            section=None if fields.get("section") is None else (self / "section").text(fields["section"]),
            verified_live=verified == "live",
            quote=None if fields.get("quote") is None else (self / "quote").text(fields["quote"]),
        )


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping whose keys are known to be right."""

    place: Place
    fields: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.fields[key]

    def at(self, key: str) -> Place:
        return self.place / key

    def optional(self, key: str, read: Callable[[Place, Any], T]) -> T | None:
        return None if self.fields.get(key) is None else read(self.at(key), self.fields[key])

    def sourced(self, key: str, read: Callable[[Place, Any], T]) -> Sourced[T]:
        return sourced(self.at(key), self.fields[key], read)

    def optional_sourced(self, key: str, read: Callable[[Place, Any], T]) -> Sourced[T] | None:
        return self.optional(key, lambda place, value: sourced(place, value, read))


def sourced(place: Place, value: object, read: Callable[[Place, Any], T]) -> Sourced[T]:
    fields = place.mapping(value, ("value", "source", "accessed"), SOURCE_KEYS)
    return Sourced(read(fields.at("value"), fields["value"]), place.source(fields.fields))
