"""The note for the team's index of posts: front matter that any YAML reader reads, a body in which nothing runs."""

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt  # comes with rich

from probe.packet import draft, merged
from probe.records import ErrorBody, Json
from probe.render.post import MARKER, Links, front_matter, link_to, post, timeline
from probe.render.post_index import NO_FRONT_MATTER, Listed, index, listed
from probe.render.templates import inert
from tests.probe.afterwards import AGAIN, CONFIRMED, OUTAGE, PACKET, RECOVERED, STORY, named, noted
from tests.probe.evidence import case, good, missed, overloaded, target

FROZEN = draft(OUTAGE)
NOW = merged(FROZEN, STORY)
LINKS = Links(
    packet_url=f"https://probe.example.test/packets/{PACKET}",
    packet_file=f"../packets/{PACKET}.zip",
    packets={"small-p0000": "../packets/small-p0000.zip"},
    posts={"small-p0000": "small-p0000.md"},
)
NOWHERE = Links(None, None, {}, {})
HTML = MarkdownIt("commonmark").enable("table")
HOSTILE = '"; rm: [x](javascript:alert(1)) ![i](x) <script>alert(1)</script> | --- \n---\n{{ site.x }} {% x %} & &lt; `'


def parts(text: str) -> tuple[dict[str, Any], str]:
    """Front matter and body."""
    empty, front, body = re.split(r"^---\n", text, maxsplit=2, flags=re.MULTILINE)
    assert empty == ""
    return yaml.safe_load(front), body


# ---------------------------------------------------------------- front matter


def test_the_front_matter_is_what_an_index_needs() -> None:
    front, _ = parts(post(NOW, LINKS))
    assert front == {
        "title": "example-gateway chat API, availability or latency degradation: upstream_overloaded (HTTP 503), "
        "model 'example-small', non-streaming",
        "date": FROZEN["frozen_at"],
        "packet": PACKET,
        "incident": PACKET,
        "target": "small",
        "model": "example-small",
        "verdict": "degradation",
        "reason": "upstream_overloaded",
        "state": "recovered",
        "outcome": "deterministic",
        "first_observed": "2026-11-24T03:01:30.127Z",
        "last_reproduced": "2026-11-24T03:06:00.123Z",
        "recovered_at": "2026-11-24T03:07:30.123Z",
        "escalation_id": "CASE-4711",
        "owner": "zoe of the night shift",
        "next_review": "2026-11-25",
        "packet_url": f"https://probe.example.test/packets/{PACKET}",
        "packet_file": f"../packets/{PACKET}.zip",
        "tags": ["example-gateway", "small", "degradation", "upstream_overloaded"],
    }


def test_what_is_not_known_is_null() -> None:
    bare = draft(case(missed(3), owner=None, earlier=()))
    front, body = parts(post(merged(bare, ()), NOWHERE))
    unknown = {key for key, value in front.items() if value is None}
    assert unknown == {
        "outcome",
        "first_observed",
        "last_reproduced",
        "recovered_at",
        "escalation_id",
        "owner",
        "next_review",
        "packet_url",
        "packet_file",
    }
    assert front["state"] == "open"
    assert "State as of" in body and "open, no recovery is recorded." in body
    assert "None is known." in body
    assert f"None yet: `freezeframe packets note {bare['packet_id']}" in body
    assert not re.search(r"\bNone\b(?! (yet|is known))", body)


@given(st.text())
def test_no_text_breaks_the_front_matter(text: str) -> None:
    document = NOW | {"title": text, "target": NOW["target"] | {"model": text}}
    front, _ = parts(post(document, LINKS))
    assert front.keys() == front_matter(NOW, LINKS).keys()
    assert (front["model"], front["packet"]) == (front["title"], PACKET)
    assert "\n" not in front["title"]


# ---------------------------------------------------------------- the body


def test_the_timeline_tells_what_was_measured_in_order() -> None:
    told = [what.partition(":")[0] for _, what in timeline(merged(FROZEN, named(CONFIRMED, RECOVERED, AGAIN)))]
    assert told == [
        "first observed",
        "last of 3 failing attempts before the freeze",
        "packet frozen, trigger threshold",
        "confirmations",
        "recovery",
        "the same failure again",
    ]
    assert [what for _, what in timeline(merged(draft(case(missed(3))), named({"kind": "recovery"})))] == [
        "packet frozen, trigger threshold"
    ]


def test_the_body_tells_the_incident_from_the_message_to_earlier_ones() -> None:
    _, body = parts(post(NOW, LINKS))
    ordered = [
        "We observed a reproducible chat API issue",
        "Since then (as of",
        f"[{PACKET}](https://probe.example.test/packets/{PACKET}), file [zip](../packets/{PACKET}.zip)",
        "## Timeline",
        "recovered at 2026-11-24T03:07:30.123Z",
        "## Scope and impact",
        "| large | example-large |",
        "Impact: confirmed in a note",
        "**escalate**",
        "| Follow-up owner | zoe of the night shift; next review 2026-11-25 |",
        "  - Note: told the sales desk",
        "- [small-p0000](../packets/small-p0000.zip), [its note](small-p0000.md)",
        MARKER,
    ]
    at = [body.index(part) for part in ordered]
    assert at == sorted(at)
    assert body.endswith(f"\n{MARKER}\n")


def test_an_earlier_packet_of_which_nothing_is_left_is_named() -> None:
    _, body = parts(post(NOW, NOWHERE))
    assert "- small-p0000, no note here" in body
    assert f"Packet: {PACKET}, incident {PACKET}." in body


def hostile() -> Json:
    failed = overloaded(3, HOSTILE)
    reading = replace(failed.reading, error=ErrorBody(HOSTILE, HOSTILE, HOSTILE, None))
    frozen = draft(case(good(1), replace(failed, reading=reading), target=target(model=HOSTILE), impact=HOSTILE))
    scope = CONFIRMED["scope"] | {"sentence": HOSTILE, "table": [[HOSTILE] * 7]}
    said = dict.fromkeys(("owner", "mitigation", "impact", "text", "route", "escalation_id"), HOSTILE)
    return merged(frozen, named(CONFIRMED | {"scope": scope, "words": HOSTILE}, noted(5, **said)))


def test_the_words_of_others_are_inert_in_the_rendered_page() -> None:
    """By a CommonMark renderer that passes HTML on, as sites do."""
    text = post(hostile(), LINKS)
    front, body = parts(text)
    assert front["packet"] == "small-p0003"
    page = HTML.render(body.replace(MARKER, ""))
    assert not re.search(r"<(script|img|h[1-6]>\s*---)", page)
    assert set(re.findall(r'href="([^"]*)"', page)) == {
        f"https://probe.example.test/packets/{PACKET}",
        f"../packets/{PACKET}.zip",
        "../packets/small-p0000.zip",
        "small-p0000.md",
    }
    assert page.count("<table>") == 3
    assert {row.count("<td") for row in page.split("<tr>") if "<td" in row} == {2, 7}
    assert "{{" not in body and "{%" not in body
    assert text.count(f"\n{MARKER}\n") == 1


@given(st.text(alphabet="ab`|\\[]()<>!&;#*_{}%- \n\t"), st.booleans())
def test_no_text_becomes_markup(text: str, in_a_cell: bool) -> None:
    shown = inert(f"said {text}", cell=in_a_cell)
    assert "\n" not in shown
    if in_a_cell:
        page = HTML.render(f"| a | b |\n| --- | --- |\n| {shown} | last |\n")
        assert page.count("<td") == 2
    else:
        page = HTML.render(shown)
    assert set(re.findall(r"<(\w+)", page)) <= {
        "p",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "em",
        "strong",
    }


@pytest.mark.parametrize(
    ("text", "address", "link"),
    [
        ("a", "b.md", "[a](b.md)"),
        ("a]b", "javascript:alert(1).md", "[a\\]b](javascript%3Aalert%281%29.md)"),
        ("a", "../with space/x.zip", "[a](../with%20space/x.zip)"),
        ("a", "https://x.test/p?a=1&b=2", "[a](https://x.test/p?a=1&b=2)"),
        ("a", "https://x.test/) [b](c", "[a](https://x.test/%29%20%5Bb%5D%28c)"),
        ("\udcff", "\udcff.md", "[](%FF.md)"),
    ],
)
def test_a_link_is_one_link(text: str, address: str, link: str) -> None:
    assert link_to(text, address) == link


# ---------------------------------------------------------------- the index


def test_a_post_of_ours_is_listed_with_what_its_front_matter_says() -> None:
    row = listed("x.md", post(NOW, LINKS))
    assert row.date is not None and row.date.isoformat() == "2026-11-24T03:02:30.578000+00:00"
    assert replace(row, date=None, title=None) == Listed(
        "x.md", None, None, "degradation", "upstream_overloaded", "recovered", "CASE-4711", "zoe of the night shift"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# A note of somebody\n",
        "---\ntitle: x\n",
        "---\ntitle: [\n---\n",
        "---\n- a list\n---\n",
        "---\na: &x 1\nb: *x\n---\n",
        "---\n" + "[" * 5000 + "\n---\n",
        "---\ntitle: \x00\n---\n",
        "\n---\ntitle: x\n---\n",
        "---\ndate: 2026-13-99\n---\n",
    ],
)
def test_what_has_no_front_matter_that_can_be_read_is_listed_by_its_name(text: str) -> None:
    row = listed("x.md", text)
    assert row == Listed("x.md", None, None, None, None, None, None, None)
    assert f"| - | [x.md](x.md) | {NO_FRONT_MATTER} | - | - | - |" in index([row])


@pytest.mark.parametrize(
    ("date", "shown"),
    [
        ("2026-11-24", "2026-11-24 00:00Z"),
        ("2026-11-24T03:02:30+01:00", "2026-11-24 02:02Z"),
        ('"2026-11-24T03:02:30.578Z"', "2026-11-24 03:02Z"),
        ("2026-11-24 03:02:30", "2026-11-24 03:02Z"),
        ('"soon"', "-"),
        ('"9999-12-31T23:59:59-10:00"', "-"),
        ("7", "-"),
    ],
)
def test_a_date_is_read_as_people_write_it(date: str, shown: str) -> None:
    row = listed("x.md", f"\ufeff---\r\ntitle: 7\r\ndate: {date}\r\nowner: [a]\r\nstate: true\r\n---\r\n")
    assert (row.title, row.owner, row.state) == ("7", None, None)
    assert f"| {shown} | [7](x.md) | - | - | - | - |" in index([row])


def test_the_newest_comes_first_and_what_has_no_date_comes_last() -> None:
    def dated(name: str, date: str) -> Listed:
        return listed(name, f"---\ndate: {date}\n---\n")

    page = index([listed("z.md", ""), dated("old.md", "2026-01-01"), dated("b.md", "x"), dated("new.md", "2026-11-01")])
    assert re.findall(r"\]\((\S+)\)", page) == ["new.md", "old.md", "b.md", "z.md"]
    assert page.endswith(f"\n{MARKER}\n")
    assert index([]).count("\n| ") == 2


@given(
    st.text(max_size=20), st.text(max_size=200) | st.text(max_size=100).map(lambda text: f"---\ntitle: {text}\n---\n")
)
def test_no_file_of_a_folder_stops_the_index(name: str, text: str) -> None:
    page = index([listed(f"{name}.md", text)])
    rows = [line for line in page.split("\n") if line.startswith("| ")]
    assert len(rows) == 3
    assert HTML.render(page.replace(MARKER, "")).count("<td") == 6


def test_a_long_title_is_cut_and_a_hostile_one_is_inert() -> None:
    page = index([listed("x.md", f"---\ntitle: '{'x' * 5000}'\n---\n"), listed("y.md", post(hostile(), LINKS))])
    assert max(map(len, page.splitlines())) < 1000
    rendered = HTML.render(page.replace(MARKER, ""))
    assert "<script" not in rendered and "javascript:" not in "".join(re.findall(r'href="([^"]*)"', rendered))
    assert rendered.count("<td") == 12
