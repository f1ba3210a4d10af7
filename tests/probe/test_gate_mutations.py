"""A key planted into a finished file is found, whatever its form, its spelling and the file; and it is never quoted."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from probe.gate import LOOKS, inspect
from probe.packet import draft
from probe.render import files
from probe.render.export import Original, export
from tests.probe.test_frozen_sources import BOTH, frozen_case, packet

KEY = "sk-proj-Zk7Qw2Lp9Rt4Xv8Nm3Bs"
HITS = [(look.name, hit) for look in LOOKS for hit in look.hits]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain text": str,
    "JSON": lambda text: json.dumps({"k": text}),
    "JSON in JSON": lambda text: json.dumps({"k": json.dumps({"k": text})}),
    "JSON in JSON in JSON": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "every sign as an escape": lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text),
    "percent": lambda text: quote(text, safe=""),
    "every sign as percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "HTML": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "HTML in hex": lambda text: "".join(f"&#x{ord(sign):X};" for sign in text),
    "percent in JSON escapes": lambda text: "".join(f"\\u0025{byte:02x}" for byte in text.encode()),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 among others": lambda text: base64.urlsafe_b64encode(f"user:x {text}".encode()).decode().rstrip("="),
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "JSON in base64": lambda text: base64.b64encode(json.dumps({"k": json.dumps(text)}).encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "a stream": lambda text: "".join(
        f"data: {json.dumps({'choices': [{'delta': {'content': part}}]})}\\n\\n"
        for part in ("It is ", text[:5], text[5:9], text[9:])
    ),
}


def planted(content: bytes, text: str) -> tuple[bytes, int]:
    """The file with one more line in its middle, and the number of that line."""
    lines = content.split(b"\n")
    at = len(lines) // 2
    return b"\n".join([*lines[:at], text.encode(), *lines[at:]]), at + 1


def found(name: str, content: bytes, text: str, kind: str | None = None) -> None:
    """It is refused, by file and line, in words that hold no six signs of what was planted."""
    data, line = planted(content, text)
    hits = inspect({name: data}, ())
    assert hits, f"{name}: {text[:4]}"
    assert kind in (None, *(hit.kind for hit in hits))
    assert {hit.file for hit in hits} == {name}
    assert f"line {line}" in {hit.where.partition(",")[0] for hit in hits}
    words = " ".join(hit.where for hit in hits)
    for at in range(len(KEY) - 5):
        assert KEY[at : at + 6] not in words


PACKET = packet(frozen_case(*BOTH))
EXPORTED = export(
    draft(frozen_case(*BOTH)),
    (("small-p0005.001.json", {"kind": "recovery", "at": "2026-11-24T03:09:00.000Z", "words": "recovered"}),),
    "internal",
    Original("0" * 64),
)


def test_the_finished_packet_itself_passes() -> None:
    """Not one file of it is refused: what follows is found because it was planted."""
    assert inspect(PACKET, ()) == ()
    assert inspect(EXPORTED, ()) == ()
    assert inspect(files(draft(frozen_case()), audience="support"), ()) == ()


@pytest.mark.parametrize("name", [*PACKET, *(f"export of {name}" for name in EXPORTED)])
def test_in_every_file_of_a_packet_and_of_an_export_every_spelling_is_found(name: str) -> None:
    plain = name.removeprefix("export of ")
    content = (PACKET if plain == name else EXPORTED)[plain]
    for spelling in SPELLINGS.values():
        found(plain, content, spelling(KEY), "provider key")


@pytest.mark.parametrize(("kind", "hit"), HITS, ids=range(len(HITS)))
def test_every_kind_is_found_in_every_spelling(kind: str, hit: str) -> None:
    short = PACKET["history.jsonl"]
    for name, spelling in SPELLINGS.items():
        if name != "a stream":
            data, line = planted(short, spelling(hit))
            hits = inspect({"history.jsonl": data}, ())
            assert kind in {seen.kind for seen in hits}, name
            assert f"line {line}" in {seen.where.partition(",")[0] for seen in hits}, name


@pytest.mark.parametrize(("kind", "hit"), HITS, ids=range(len(HITS)))
def test_every_kind_is_found_in_every_file_of_ours(kind: str, hit: str) -> None:
    for name, content in PACKET.items():
        if not name.startswith("sources/0"):
            data, _ = planted(content, hit)
            assert kind in {seen.kind for seen in inspect({name: data}, ())}, name


def test_a_key_broken_over_two_lines_is_found() -> None:
    for fold in ("\n", "\r\n> ", "=\n", "\\\n  "):
        hits = inspect({"a.md": f"first\nthe key {KEY[:12]}{fold}{KEY[12:]} is it".encode()}, ())
        assert {hit.where.partition(":")[0] for hit in hits} == {"line 2, read as lines put together"}
