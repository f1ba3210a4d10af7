"""The index of all posts of a folder, from front matter that is read leniently: a file of others is listed too."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from probe.contract import YamlError, read_yaml
from probe.packet.wording import one_line
from probe.render.post import MARKER, link_to
from probe.render.templates import fill

NO_FRONT_MATTER: Final = "no front matter"
_FENCE: Final = "---"
_MOST_CHARS: Final = 200  # of a field in a row


@dataclass(frozen=True, slots=True)
class Listed:
    """One post by its file name; None is not said there."""

    file: str
    date: datetime | None
    title: str | None
    verdict: str | None
    reason: str | None
    state: str | None
    escalation_id: str | None
    owner: str | None


def listed(file: str, text: str) -> Listed:
    """A row from whatever stands in a file. It never raises."""
    front = _front_matter(text)
    if front is None:
        return Listed(file, None, None, None, None, None, None, None)
    said = {name: _said(front.get(name)) for name in ("title", "verdict", "reason", "state", "escalation_id", "owner")}
    return Listed(file=file, date=_instant(front.get("date")), **said | {"title": said["title"] or file})


def index(posts: Iterable[Listed]) -> str:
    """The generated part of the page, down to the marker: newest first, then what has no date, by file name."""
    by_name = sorted(posts, key=lambda post: post.file)
    dated = sorted((post for post in by_name if post.date), key=_date, reverse=True)
    rows = [
        (
            "-" if post.date is None else f"{post.date:%Y-%m-%d %H:%M}Z",
            link_to(post.title or post.file, post.file),
            " / ".join(said for said in (post.verdict, post.reason) if said) if post.title else NO_FRONT_MATTER,
            post.state,
            post.escalation_id,
            post.owner,
        )
        for post in (*dated, *(post for post in by_name if not post.date))
    ]
    return fill("posts.md", {"rows": rows, "marker": MARKER}).decode()


def _date(post: Listed) -> datetime:
    return post.date or datetime.min.replace(tzinfo=UTC)


def _front_matter(text: str) -> dict[Any, Any] | None:
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return None
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        return None
    try:
        front = read_yaml("\n".join(lines[1:end]))
    except YamlError:
        return None
    return front if isinstance(front, dict) else None


def _said(value: object) -> str | None:
    """A text or number on one line; anything else is not said."""
    if not isinstance(value, str | int | float | date) or isinstance(value, bool):
        return None
    shown = one_line(str(value))
    return f"{shown[:_MOST_CHARS]} [cut]" if len(shown) > _MOST_CHARS else shown or None


def _instant(value: object) -> datetime | None:
    """As YAML or a text states it; without a time zone it is taken as UTC."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        if not isinstance(value, datetime):
            return None
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
