"""Whether what is stored of a packet is as it was written: its zip, its addenda, and what else lies among them.

The store is asked for every byte; nothing that was read before is believed.
"""

import asyncio
import re
from typing import Final

from probe.objects import NoSuchObject, Objects, StoreError
from probe.packet import Problem, addendum
from probe.render import verify

_ADDENDUM: Final = re.compile(r"[A-Za-z0-9-]+\.(\d{3,})\.json")
_OURS: Final = re.compile(r"([A-Za-z0-9-]+)\.(?:zip|\d{3,}\.json)")


async def packet_ids(objects: Objects) -> tuple[str, ...]:
    """Every packet of which anything is stored, also where its zip is not."""
    names, folders = await objects.listing()
    return tuple(sorted({match[1] for name in (*names, *folders) if (match := _OURS.fullmatch(name))}))


async def whole(objects: Objects, packet_id: str) -> tuple[Problem, ...]:
    """Everything that is wrong with what is stored of a packet. NoSuchObject where there is nothing."""
    name = f"{packet_id}.zip"
    try:
        data = await objects.get(name)
    except NoSuchObject:
        found = await beside(objects, packet_id, None)
        if not found and not await objects.beginning(f"{packet_id}."):
            raise
        return (*found, *([] if any(it.file == name for it in found) else [Problem(name, "missing")]))
    except StoreError:
        return (Problem(name, "unreadable"), *await beside(objects, packet_id, None))
    return (*await asyncio.to_thread(verify, data, packet_id), *await beside(objects, packet_id, data))


async def beside(objects: Objects, packet_id: str, zipped: bytes | None) -> tuple[Problem, ...]:
    """Of the addenda, by their witness of the zip, and of what lies among them under a name of theirs and is none."""
    names, folders = await objects.listing()
    mine = [name for name in names if name.startswith(f"{packet_id}.") and name != f"{packet_id}.zip"]
    stored, found = [], []
    for name in sorted(mine, key=lambda it: _number(it) or -1):
        number = _number(name)
        if number is None or name != addendum.addendum_name(packet_id, number):
            found.append(Problem(name, "extra"))
            continue
        try:
            stored.append((number, await objects.get(name)))
        except NoSuchObject:  # it went meanwhile
            continue
        except StoreError:
            stored.append((number, b""))
    found += [
        Problem(name, "unreadable") for name in folders if (match := _OURS.fullmatch(name)) and match[1] == packet_id
    ]
    known = {it.file for it in found}
    return (*(it for it in addendum.problems(packet_id, zipped, stored) if it.file not in known), *found)


def _number(name: str) -> int | None:
    match = _ADDENDUM.fullmatch(name)
    return int(match[1]) if match else None
