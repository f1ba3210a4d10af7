"""The folder of posts: a file is written whole or stays as it was, and writers at once do not lose each other."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exporter import posts
from probe import render
from probe.packet import draft
from probe.render.post import MARKER
from probe.vault import Vault
from tests.exporter.test_cli_packets import configured, post
from tests.probe.afterwards import OUTAGE


@pytest.mark.parametrize(
    ("before", "theirs"),
    [
        (b"", b""),
        (b"mine\n", b"\nmine\n"),
        (b"old\n" + MARKER.encode() + b"\nmine\n", b"mine\n"),
        (b"old\r\n  " + MARKER.encode() + b"\r\nmine", b"mine"),
        (b"old " + MARKER.encode() + b"\n", b"\nold " + MARKER.encode() + b"\n"),
        (b"\xff\xfe", b"\n\xff\xfe"),
    ],
)
def test_what_people_wrote_is_kept_byte_by_byte(before: bytes, theirs: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    if before:
        path.write_bytes(before)
    generated = f"new\n{MARKER}\n"
    once = posts.with_kept(path, generated)
    assert once == generated.encode() + theirs
    path.write_bytes(once)
    assert posts.with_kept(path, generated) == once


def test_notes_that_are_posted_at_once_are_all_in_the_index(tmp_path: Path) -> None:
    file = configured(tmp_path)
    names = [f"small-p000{number}" for number in range(1, 5)]

    async def fill() -> None:
        vault = Vault.open("packets", tmp_path)
        for name in names:
            await vault.freeze(name, render.pack(render.files(draft(OUTAGE) | {"packet_id": name})))

    asyncio.run(fill())
    with ThreadPoolExecutor() as pool:
        ran = list(pool.map(lambda name: post(file, packet=name), names))
    assert [it.returncode for it in ran] == [0] * 4, [it.stderr for it in ran]
    page = (tmp_path / "posts/index.md").read_text()
    assert [name for name in names if f"]({name}.md)" not in page] == []
