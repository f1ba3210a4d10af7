"""A public list of models on loopback, in CometAPI's documented form; a key that comes along is remembered."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.servers.served import Handler, origin, served


@dataclass
class ListServer:
    """Runs. `models` is what is listed now; None: the list is broken."""

    url: str
    models: list[str] | None
    looks: int = 0
    keys: list[str] = field(default_factory=list)


class _Handler(Handler):
    list: ListServer

    def do_GET(self) -> None:  # noqa: N802 - the standard library calls it so
        self.list.looks += 1
        self.list.keys += self.headers.get_all("authorization") or []
        models = self.list.models
        rows = [{"id": model, "code": model.replace(".", "-")} for model in models or ()]
        said = {"success": True, "page": 0, "page_size": 0, "total": len(rows), "data": rows}
        body = b"<html>maintenance</html>" if models is None else json.dumps(said).encode()
        self.say(200, body)


@contextlib.contextmanager
def model_list(models: list[str]) -> Iterator[ListServer]:
    """The server, until the block ends."""
    with served(_Handler) as server:
        running = ListServer(f"{origin(server)}/api/models", models)
        server.RequestHandlerClass = type("_Answering", (_Handler,), {"list": running})
        yield running
