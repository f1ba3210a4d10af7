"""Loads the configuration anew while everything goes on: on SIGHUP, on POST /-/reload, and when a file changes.

What changes is told by the contents of the files behind their names, so that Kubernetes' swap of a symlink is seen as
well. A configuration that does not hold changes nothing: the old one goes on, with one line that says what is wrong.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from exporter.log import say
from probe.settings import ConfigError, Loaded

LOOK_S: Final = 2.0
# What a running process holds open or was built from.
NEEDS_RESTART: Final = ("server", "state", "store", "network", "log", "retention", "prometheus")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The names of targets that came, went, and changed; `needs_restart` names settings that wait for a restart."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]


class Reloader:
    """`apply` takes a configuration that holds; `told` is told whether the last one did."""

    def __init__(self, loaded: Loaded, apply: Callable[[Loaded], None], told: Callable[[bool], None]) -> None:
        self._loaded = loaded
        self._apply = apply
        self._told = told
        self._known: dict[Path, str] = {}  # the contents that were read last, by their digests
        self._one_at_a_time = asyncio.Lock()

    async def reload(self, cause: str) -> Reloaded:
        """ConfigError where the new configuration does not hold; then the old one stays."""
        async with self._one_at_a_time:
            # Before it is read: what is edited while it is taken over must be seen as a change afterwards.
            self._known = await asyncio.to_thread(_digests, self._loaded)
            try:
                new = await asyncio.to_thread(self._loaded.again)
                done = _difference(self._loaded, new)
                self._apply(new)
            except ConfigError as error:
                self._told(False)
                say(
                    "reload failed: the old configuration goes on",
                    level=logging.ERROR,
                    cause=cause,
                    error=str(error),
                )
                raise
            self._loaded = new
            now = await asyncio.to_thread(_digests, new)  # it may name other files
            self._known = {path: self._known.get(path, digest) for path, digest in now.items()}
            self._told(True)
            facts: dict[str, Any] = {name: ",".join(names) for name, names in asdict(done).items() if names}
            say("reloaded", cause=cause, **facts)
            return done

    async def watch(self) -> None:
        """Reload when the contents of a file have changed and stayed so for one look; runs until cancelled."""
        self._known = seen = await asyncio.to_thread(_digests, self._loaded)
        while True:
            await asyncio.sleep(LOOK_S)
            before, seen = seen, await asyncio.to_thread(_digests, self._loaded)
            if seen == self._known or seen != before:
                continue
            with contextlib.suppress(ConfigError):  # told already; the next change is the next try
                await self.reload("file")


def _digests(loaded: Loaded) -> dict[Path, str]:
    """Of everything that the configuration is read from, itself included; a file that is away counts as that."""
    digests = {}
    for path in (loaded.file, *_files(loaded)):
        try:
            content = path.read_bytes()
        except OSError:
            content = b"\0away"
        digests[path] = hashlib.sha256(content).hexdigest()
    return digests


def _files(loaded: Loaded) -> Iterable[Path]:
    """Contracts by path, key and token files."""
    stated = loaded.settings
    contracts = {stated.contract, *(target.contract for target in stated.targets)}
    for name in sorted(name for name in contracts if name):
        if (path := loaded.path(name)).is_file():
            yield path
    tokens = [*(known.gateway_log for known in stated.credentials.values()), stated.server.token]
    for source in (*stated.credentials.values(), *tokens):
        if source is not None and source.file is not None:
            yield loaded.path(source.file)


def _difference(old: Loaded, new: Loaded) -> Reloaded:
    before = {target.name: target for target in old.targets}
    after = {target.name: target for target in new.targets}
    return Reloaded(
        added=tuple(after.keys() - before.keys()),
        removed=tuple(before.keys() - after.keys()),
        changed=tuple(name for name in after if name in before and after[name] != before[name]),
        needs_restart=tuple(
            name for name in NEEDS_RESTART if getattr(old.settings, name) != getattr(new.settings, name)
        ),
    )
