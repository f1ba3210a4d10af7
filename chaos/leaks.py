"""Whether any secret is to be read anywhere: in what is served, logged, kept in `state`, stored or listed."""

import asyncio
from pathlib import Path

from chaos.world import KEY, World
from probe.vault import Vault
from tests.servers import get, moto
from tests.servers.secrets import command_lines, leaks

SECRETS = (KEY, moto.SECRET_KEY, moto.ACCESS_KEY)


def everywhere(world: World) -> list[str]:
    """While the process runs: pages, metrics, packets and the process list."""
    seen = {path: get(world.url + path, Accept=accept) for path, accept in _PAGES}
    seen["the process list"] = command_lines()
    seen |= asyncio.run(_stored())
    return [f"a secret is to be read: {it}" for name, data in seen.items() for it in _of(name, data)]


def of_folder(world: World) -> list[str]:
    """After it ended: log and state."""
    files = [*(world.folder / "state").rglob("*"), world.folder / "freezeframe.log"]
    found = [
        it for file in files if file.is_file() for it in _of(str(file.relative_to(world.folder)), file.read_bytes())
    ]
    return [f"a secret is to be read: {it}" for it in found]


_PAGES = (
    ("/metrics", "text/plain"),
    ("/metrics", "application/openmetrics-text"),
    ("/", "text/html"),
    ("/packets", "text/html"),
    ("/packets?limit=500", "application/json"),
)


async def _stored() -> dict[str, bytes]:
    vault = Vault.open(f"s3://{moto.BUCKET}/chaos", Path("/"))
    found = {}
    for known in await vault.entries():
        found[known.id] = await vault.read(known.id)
        for name, document in await vault.addenda(known.id):
            found[name] = repr(document).encode()
    return found


def _of(name: str, data: bytes) -> list[str]:
    return [it for secret in SECRETS for it in leaks(secret, name, data)]
