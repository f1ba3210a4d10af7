"""How many objects some others keep alive: a leak in them cannot hide in it, and caches elsewhere do not blur it."""

import gc
import types
import weakref
from collections.abc import Iterator

# Code and what is in its globals belongs to nobody. A weak reference keeps nothing alive; SQLite tidies its own late.
_APART = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType, weakref.ref)


def held_by(*roots: object) -> int:
    """Everything that can be reached from `roots`, themselves included; each object once."""
    seen: dict[int, object] = {}
    ahead = [*roots]
    while ahead:
        it = ahead.pop()
        if id(it) not in seen and not isinstance(it, _APART):
            seen[id(it)] = it  # kept, or its id could come again
            ahead += _referents(it)
    return len(seen)


def _referents(it: object) -> Iterator[object]:
    yield from gc.get_referents(it)
    if isinstance(it, dict):
        yield from it  # the collector leaves out keys that are strings
