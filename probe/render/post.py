"""The incident note of a packet for the team's own index of posts: Markdown with front matter. Pure.

Front matter is written as JSON strings, which YAML reads as they are, so that no text of others can end a value or add
a key. In the body such text is inert: a site may be made of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson

from probe.packet.wording import one_line
from probe.records import Json
from probe.render.templates import fill, inert

MARKER: Final = "<!-- below this line is yours: packets post keeps it -->"

_HAPPENED: Final = {"confirmation": "confirmations", "recovery": "recovery", "reopening": "the same failure again"}


@dataclass(frozen=True, slots=True)
class Links:
    """Where a reader of the post finds things. `packet_url` and `packet_file` of this packet; `packets` and `posts` of
    the earlier ones by their ID, where there is something to find."""

    packet_url: str | None
    packet_file: str | None
    packets: Mapping[str, str]
    posts: Mapping[str, str]


def post(document: Json, links: Links) -> str:
    """The generated part of the note, down to the marker; `document` is merged."""
    front = front_matter(document, links)
    shown = document | {
        "front": [f"{key}: {orjson.dumps(value).decode()}" for key, value in front.items()],
        "links": links,
        "timeline": timeline(document),
        "marker": MARKER,
        "link_to": link_to,
    }
    return fill("post.md", shown).decode()


def front_matter(document: Json, links: Links) -> dict[str, Any]:
    """What an index of posts shows, and finds posts by."""
    since, follow_up = document["since_freeze"], document["internal"]["follow_up"]
    tags = (document["provider"], document["target"]["name"], document["verdict"], document["reason"])
    stated: dict[str, str | None] = {
        "title": document["title"],
        "date": document["frozen_at"],
        "packet": document["packet_id"],
        "incident": document["incident"],
        "target": document["target"]["name"],
        "model": document["target"]["model"],
        "verdict": document["verdict"],
        "reason": document["reason"],
        "state": since["state"],
        "outcome": since["outcome"],
        "first_observed": document["happened"]["first_failed_at"],
        "last_reproduced": since["last_reproduced_at"],
        "recovered_at": since["recovered_at"],
        "escalation_id": follow_up["escalation_id"],
        "owner": follow_up["owner"],
        "next_review": follow_up["next_review"],
        "packet_url": links.packet_url,
        "packet_file": links.packet_file,
    }
    values = {key: None if value is None else one_line(value) for key, value in stated.items()}
    return values | {"tags": list(dict.fromkeys(one_line(tag) for tag in tags))}


def timeline(document: Json) -> Sequence[tuple[str, str]]:
    """Instant and what happened, oldest first; what has no instant is not on it."""
    happened, since = document["happened"], document["since_freeze"]
    failing = len(happened["attempts"])
    rows = [
        (happened["first_failed_at"], "first observed"),
        (happened["last_failed_at"] if failing > 1 else None, f"last of {failing} failing attempts before the freeze"),
        (document["frozen_at"], f"packet frozen, trigger {document['trigger']}"),
    ]
    for added in since["addenda"]:
        if added["kind"] in _HAPPENED:
            rows.append((added["at"], f"{_HAPPENED[added['kind']]}: {added['words'] or 'no words'}"))
    return sorted((row for row in rows if row[0]), key=lambda row: str(row[0]))


def link_to(text: str, address: str) -> str:
    """A Markdown link to a URL, or to a path beside the post; a path cannot become a scheme."""
    safe = ":/?=&%#~+@,;" if "://" in address else "/~"
    quoted = quote(address.encode("utf-8", "surrogateescape"), safe=safe)
    return f"[{inert(one_line(text), cell=True)}]({quoted})"
