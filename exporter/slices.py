"""What grows with the number of targets put together on the loop that times the probes, a slice at a time.

A thread would hold the interpreter against that loop for as long as it takes; slices of a quarter of a millisecond let
every probe in between them.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Final, TypeVar

T = TypeVar("T")
SLICE_S: Final = 0.00025
PIECE_CHARS: Final = 64 * 1024


async def pieces(parts: Iterable[str]) -> list[bytes]:
    """The parts as bytes, put together to what the kernel takes at once; other tasks run between them."""
    taken: list[bytes] = []
    open_: list[str] = []
    chars = 0
    until = time.perf_counter() + SLICE_S
    for part in parts:
        open_.append(part)
        chars += len(part)
        if chars >= PIECE_CHARS:
            taken.append("".join(open_).encode())
            open_, chars = [], 0
        if time.perf_counter() > until:
            await asyncio.sleep(0)
            until = time.perf_counter() + SLICE_S
    return [*taken, "".join(open_).encode()] if open_ else taken


async def made(parts: Iterable[T]) -> list[T]:
    """The parts; other tasks run between them."""
    taken = []
    until = time.perf_counter() + SLICE_S
    for part in parts:
        taken.append(part)
        if time.perf_counter() > until:
            await asyncio.sleep(0)
            until = time.perf_counter() + SLICE_S
    return taken
