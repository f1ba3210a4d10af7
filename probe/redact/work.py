"""One sealing: what it takes out is counted by rule and place, and whatever breaks takes the whole field with it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import re2

from probe.records import Removal
from probe.records.sealed import TOKEN
from probe.redact.finding import About, InDoubtError, find, folded_rest

DROPPED: Final = "<dropped: redaction failed>"
HIDDEN: Final = "<redacted>"
_MOST_PASSES: Final = 4
_CREDENTIALS: Final = ("credential", "_key", "_token", "jwt")
_REQUEST_ID_TEXT: Final = re2.compile(r"(?i)(request[ _-]?id[\"'=: ]+)([A-Za-z0-9_-]{8,})")
_CALLER: Final = (
    r"(?i)(?:\b(?:your|client|caller|remote|source|egress|requesting)[ _-]?(?:public[ _-]?)?(?:ip|addr)(?:[ _-]?addr)?"
    r"(?:ess)?|\bip(?:v[46])?(?:[ _-]?address)?|\bfrom)"
)
_OURS_WITHIN: Final = re2.compile(_CALLER)
_OURS: Final = re2.compile(_CALLER + r"(?: is| was| of)?[^A-Za-z0-9]{0,6}$")
_MOST_REMEMBERED: Final = 512
_LONGEST_REMEMBERED_CHARS: Final = 512
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz_")


class Clean:
    """Texts in which nothing was found, under one set of secrets: they stay as they are and need no second look.

    What a prober sends and gets is nearly the same each time. Only what is shown as it stands is held here, and not
    much of it; it ends with its redactor.
    """

    __slots__ = ("_before", "_known")

    def __init__(self) -> None:
        self._known: set[tuple[str, ...]] = set()
        self._before: set[tuple[str, ...]] = set()  # what was not asked for again since then goes at the next turn

    def __contains__(self, what: tuple[str, ...]) -> bool:
        if what in self._known:
            return True
        if what in self._before:
            self.add(what)
            return True
        return False

    def add(self, what: tuple[str, ...]) -> None:
        """The last part of `what` is the text, the others say how it was looked at."""
        if len(what[-1]) > _LONGEST_REMEMBERED_CHARS:
            return
        if len(self._known) >= _MOST_REMEMBERED:
            self._known, self._before = set(), self._known
        self._known.add(what)


class Keeper(Protocol):
    """What a sealing asks of the redactor."""

    @property
    def request_ids(self) -> str: ...

    @property
    def egress_ip(self) -> str: ...

    def token(self, kind: str, value: str) -> str: ...

    def without_literals(self, text: str, note: Callable[[str, int], None]) -> str: ...


@dataclass(frozen=True, slots=True)
class Work:
    """`known` are values that were found elsewhere in the exchange, with their kinds; `strange` says that the request
    was not one of our own, so that its answer is not ours to show either. `own` is the ID that we gave the exchange,
    which is shown as it is."""

    keeper: Keeper
    removals: Counter[tuple[str, str]]
    trusted: Sequence[str]
    known: Sequence[tuple[str, str]] = ()
    strange: bool = False
    clean: Clean = field(default_factory=Clean)
    own: str = ""

    def note(self, rule: str, place: str, count: int = 1) -> None:
        self.removals[rule, place] += count

    def noted(self) -> int:
        return sum(self.removals.values())

    def report(self) -> tuple[Removal, ...]:
        return tuple(Removal(rule, place, count) for (rule, place), count in sorted(self.removals.items()))

    def guarded(self, place: str, value: str, seal: Callable[[str, str], str]) -> str:
        """Fails closed: a text whose redaction breaks is dropped whole."""
        try:
            return seal(place, value)
        except InDoubtError as doubt:
            self.note(doubt.rule, place)
            return DROPPED
        except Exception:  # noqa: BLE001 - whatever breaks here, the raw text must not go on
            self.note("dropped_redaction_failed", place)
            return DROPPED

    def once(self, place: str, text: str, seal: Callable[[str, str], str]) -> str:
        """`guarded`; a text that nothing was taken out of at this place is not looked at again."""
        if (place, text) in self.clean:
            return text
        before = self.noted()
        sealed = self.guarded(place, text, seal)
        if sealed == text and self.noted() == before:
            self.clean.add((place, text))
        return sealed

    def text(self, place: str, text: str, about: About = "") -> str:
        """Configured secrets first, then what is found, until nothing is."""
        if len(text) < 24 and _LETTERS.issuperset(text):
            return self.literal(place, text)
        given = text
        if text == self.own or ("text", about, given) in self.clean:
            return given
        text = self.literal(place, text)
        if self.keeper.request_ids != "keep":
            text = _REQUEST_ID_TEXT.sub(lambda found: found.group(1) + self.request_id(found.group(2), place), text)
        trusted = (*self.trusted, *self._our_addresses(text))
        for _ in range(_MOST_PASSES):
            spans = find(text, about, self.known, trusted)
            if not spans:
                if text == given and about != "id":  # which no two exchanges share
                    self.clean.add(("text", about, given))
                return text
            out: list[str] = []
            at = 0
            for span in spans:
                if span.start < at:
                    at = max(at, span.end)
                    continue
                out += [text[at : span.start], self.taken(span.kind, span.kind, place, span.value)]
                at = folded_rest(text, span.end) if span.kind.endswith(_CREDENTIALS) else span.end
            text = "".join([*out, text[at:]])
        raise InDoubtError("dropped_never_settled")

    def literal(self, place: str, text: str) -> str:
        if ("literal", text) in self.clean:
            return text
        sealed = self.keeper.without_literals(text, lambda rule, count: self.note(rule, place, count))
        if sealed == text:
            self.clean.add(("literal", text))
        return sealed

    def whole(self, rule: str, kind: str, place: str, value: str) -> str:
        """A token in place of the whole value; what is a token already stays."""
        if TOKEN.fullmatch(value) or (kind == "ip" and self.keeper.egress_ip == "keep" and _OURS.search(place)):
            return value
        return self.taken(rule, kind, place, value)

    def taken(self, rule: str, kind: str, place: str, value: str) -> str:
        """What stands in the place of a value. Any address that a server names could be our own."""
        if kind == "ip" and self.keeper.egress_ip == "drop":
            self.note("egress_ip_by_policy", place)
            return HIDDEN
        self.note(rule, place)
        return self.keeper.token(kind, value)

    def _our_addresses(self, text: str) -> Iterator[str]:
        """The addresses that stay: those that the words before them call the caller's."""
        if self.keeper.egress_ip == "keep" and _OURS_WITHIN.search(text):
            for span in find(text, "", self.known, self.trusted):
                if span.kind == "ip" and _OURS.search(text[max(0, span.start - 48) : span.start]):
                    yield span.value

    def request_id(self, value: str, place: str) -> str:
        if TOKEN.fullmatch(value):
            return value
        self.note("request_id_by_policy", place)
        return HIDDEN if self.keeper.request_ids == "drop" else self.keeper.token("request_id", value)
