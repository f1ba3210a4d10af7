"""What a ledger must notice, done on purpose: a row that is gone, a packet that is gone, a request that nobody owed."""

import sqlite3
import time
import urllib.request
from contextlib import closing

from chaos.world import KEY, World
from tests.servers import moto


def all_of_it(world: World) -> None:
    """One row of a scheduled probe and one packet are deleted, and one paid request is sent past the program."""
    time.sleep(2)  # what is deleted must be written first
    with closing(sqlite3.connect(world.folder / "state/history.sqlite", timeout=10)) as database, database:
        database.execute("DELETE FROM result WHERE id = (SELECT max(id) - 20 FROM result)")
    key = next(it for it in world.store.stored() if it.endswith(".zip"))
    _ask(f"http://127.0.0.1:{world.store.port}/{moto.BUCKET}/{key}", "DELETE", None)
    _ask(f"{world.gateway.base_url}/chat/completions", "POST", b'{"model": "small"}')


def _ask(url: str, method: str, body: bytes | None) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "X-Client-Request-Id": "freezeframe-nobodys"}
    asked = urllib.request.Request(url, data=body, method=method, headers=headers)
    urllib.request.urlopen(asked, timeout=10).close()
