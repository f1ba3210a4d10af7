"""The routes under /packets: list, find, show and fetch what was frozen, and freeze now."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exporter import answers, downloads, listing, posted
from exporter.answers import Refusal, wants_page
from exporter.log import say
from exporter.once import KeyReused, Once
from exporter.packet_view import View
from exporter.status import Board
from probe import cautions, notes
from probe.budget import BudgetSpent, refills_in_s
from probe.index import PacketEntry
from probe.packet import SCHEMA_VERSION, Problem
from probe.records import Json
from probe.render import unpack, verify
from probe.replay import Unlike
from probe.vault import PacketNotFound


class Vault(Protocol):
    """The vault, as far as it is read here."""

    async def read(self, packet_id: str, /) -> bytes:
        """The zip. PacketNotFound where there is none."""

    async def addenda(self, packet_id: str, /) -> tuple[tuple[str, Json], ...]: ...
    async def verify(self, packet_id: str, /) -> tuple[Problem, ...]: ...
    async def entries(self) -> tuple[PacketEntry, ...]: ...
    async def of(self, target: str, /) -> tuple[PacketEntry, ...]: ...
    async def entry(self, packet_id: str, /) -> PacketEntry:
        """The line of one packet. PacketNotFound where there is none."""


@dataclass(frozen=True, slots=True)
class PacketRoutes:
    """`freeze_wait_s` is how long a request to freeze waits for the store."""

    board: Board
    vault: Vault
    freeze_wait_s: float
    once: Once = field(default_factory=Once)

    def routes(self) -> list[Route]:
        return [
            Route("/packets", self.packets, methods=["GET", "POST"]),
            Route("/packets/latest", self.latest),
            Route("/packets/{id}", self.packet),
            Route("/packets/{id}/packet.zip", self.zip),
            Route("/packets/{id}/notes", self.add_note, methods=["POST"]),
            Route("/packets/{id}/replay", self.replay, methods=["POST"]),
            Route("/packets/{id}/files/{name:path}", self.file),
        ]

    async def packets(self, request: Request) -> Response:
        return await (self._freeze(request) if request.method == "POST" else self._list(request))

    async def _list(self, request: Request) -> Response:
        entries = await self.vault.entries()
        shown: tuple[PacketEntry, ...] = ()
        following, wrong = None, None
        try:
            shown, following = listing.select(entries, listing.parse(request.query_params), self._contracts())
        except listing.BadParameter as error:
            if not wants_page(request):
                raise Refusal(400, str(error), parameter=error.name) from None
            wrong = error
        if not wants_page(request):
            return answers.document({"packets": [listing.row(entry) for entry in shown], "next": following})
        facts = answers.asker(request) | {
            "entries": shown,
            "count": len(entries),
            "given": {name: text for name, text in request.query_params.items() if text},
            "wrong": wrong,
            "names": sorted({*(target.name for target in self.board.targets), *(it.target for it in entries)}),
            "states": listing.STATES,
            "now": datetime.now(UTC),
            "rest": request.url.include_query_params(before=following).query if following else None,
            "first": request.url.remove_query_params("before").query if "before" in request.query_params else None,
        }
        return answers.page(
            await asyncio.to_thread(answers.html, "packets.html", **facts), status=400 if wrong else 200
        )

    async def latest(self, request: Request) -> Response:
        try:
            query = listing.parse_latest(request.query_params)
        except listing.BadParameter as error:
            raise Refusal(400, str(error), parameter=error.name) from None
        known = await (self.vault.entries() if query.target is None else self.vault.of(query.target))
        entry = listing.latest(known, query, self._contracts())
        if entry is None:
            raise Refusal(404, "There is no packet of this target or contract at or before that time.")
        return RedirectResponse(f"/packets/{entry.id}", 302)

    def _contracts(self) -> dict[str, str]:
        return {target.name: target.contract.name for target in self.board.targets}

    async def packet(self, request: Request) -> Response:
        """The packet as it stands now. As it was frozen it stays at /packets/{id}/files/packet.json."""
        identity = _packet_id(request)
        files, problems = await self._files(identity)
        _refuse_other_forms(files)
        try:
            entry = await self.vault.entry(identity)
        except PacketNotFound:
            raise Refusal(404, "There is no such packet.") from None
        view = View(entry, files, await self.vault.addenda(identity), problems)
        if not wants_page(request):
            return answers.document(await asyncio.to_thread(view.document))
        facts = answers.asker(request)
        results = await self.board.results_since(entry.target, await asyncio.to_thread(view.history_ends))
        return answers.page(await asyncio.to_thread(lambda: answers.html("packet.html", **facts, **view.page(results))))

    async def zip(self, request: Request) -> Response:
        identity = _packet_id(request)
        return downloads.zipped(request, identity, await self._read(identity))

    async def file(self, request: Request) -> Response:
        files, _ = await self._files(_packet_id(request))
        name: str = request.path_params["name"]
        if name not in files:
            raise Refusal(404, "There is no such file in this packet.")
        return downloads.file(name, files[name])

    async def _read(self, identity: str) -> bytes:
        try:
            return await self.vault.read(identity)
        except PacketNotFound:
            raise Refusal(404, "There is no such packet.") from None

    async def _files(self, identity: str) -> tuple[dict[str, bytes], tuple[Problem, ...]]:
        """The files, and what is wrong with addenda. What is altered is not shown; packet.zip can still be fetched."""
        data = await self._read(identity)
        problems = await self.vault.verify(identity)
        if problems:
            told = ", ".join(f"{it.file} {it.kind}" for it in problems)
            say("a stored packet is not as it was written", level=logging.ERROR, packet=identity, problems=told)
        if not all(it.is_of_addendum(identity) for it in problems):
            detail = "The stored packet is not as it was frozen, so it is not shown; packet.zip can still be fetched."
            raise Refusal(500, detail, damaged=(identity, problems))
        return await asyncio.to_thread(unpack, data), problems

    async def add_note(self, request: Request) -> Response:
        identity, body = _packet_id(request), await posted.body(request)
        try:
            note = notes.parse(posted.fields(request, body))
            subject = f"{identity} {hashlib.sha256(body).hexdigest()}"
            name = await self._once(request, subject, lambda: self.board.note(identity, note))
        except notes.BadNote as error:
            raise Refusal(422, str(error), parameter=error.field) from None
        except PacketNotFound:
            raise Refusal(404, "There is no such packet.") from None
        location = f"/packets/{identity}"
        if wants_page(request):
            return RedirectResponse(location, 303)
        warnings = cautions.as_json(cautions.of_note(asdict(note)))
        added = {"id": identity, "addendum": name, "warnings": warnings}
        return answers.document(added, status=201, headers={"Location": location})

    async def replay(self, request: Request) -> Response:
        """Send the packet's request once more: one paid request, or a refusal that says why none was sent."""
        identity = _packet_id(request)
        document = await asyncio.to_thread(_whole, await self._read(identity))
        try:
            answer = await self._once(request, f"replay {identity}", lambda: self._replay(document))
        except Unlike as error:
            raise Refusal(409, f"Not sent: {error}.") from None
        except BudgetSpent:
            detail = "Not sent: what is left of the day's budget is kept for the schedule."
            raise Refusal(429, detail, headers={"Retry-After": str(refills_in_s(datetime.now(UTC)))}) from None
        return answers.document(orjson.loads(answer))

    async def _replay(self, document: Json) -> str:
        return orjson.dumps(await self.board.replay(document)).decode()

    async def _freeze(self, request: Request) -> Response:
        target = posted.target(request, await posted.body(request))
        try:
            async with asyncio.timeout(self.freeze_wait_s):
                identity = await self._once(request, target, lambda: self.board.freeze_now(target))
        except KeyError:
            raise Refusal(404, "There is no such target.", parameter="target") from None
        except LookupError:
            raise Refusal(409, "Nothing was seen yet of this target that could be frozen.") from None
        except TimeoutError:
            detail = "The store does not answer; the packet waits and is tried again."
            raise Refusal(503, detail, headers={"Retry-After": "10"}) from None
        location = f"/packets/{identity}"
        if wants_page(request):
            return RedirectResponse(location, 303)  # a browser does not follow the Location of a 201
        return answers.document({"id": identity, "location": location}, status=201, headers={"Location": location})

    async def _once(self, request: Request, subject: str, work: Callable[[], Coroutine[Any, Any, str]]) -> str:
        """The answer of `work`, done once for all requests with the same Idempotency-Key."""
        key = posted.idempotency_key(request)
        if key is None:
            return await work()
        try:
            return await self.once.run(key, subject, work)
        except KeyReused:
            detail = "Idempotency-Key: it belongs to an earlier request for something else"
            raise Refusal(422, detail, parameter="Idempotency-Key") from None


def _refuse_other_forms(files: Mapping[str, bytes]) -> None:
    """A packet that says it is of a form that this version does not read is not guessed at."""
    version = orjson.loads(files["packet.json"]).get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        form = version if isinstance(version, str) else "not known"
        detail = f"This packet is of form {form}; this version of freezeframe reads form {SCHEMA_VERSION}."
        raise Refusal(501, f"{detail} Its packet.zip and its files can still be fetched.")


def _packet_id(request: Request) -> str:
    identity: str = request.path_params["id"]
    if not listing.PACKET_ID.fullmatch(identity):
        raise Refusal(404, "There is no such packet.")
    return identity


def _whole(data: bytes) -> Json:
    """The packet's document, of a packet that verifies: an altered one must not say what is sent."""
    if verify(data):
        raise Refusal(409, "Not sent: the stored packet is altered; `packets verify` names what is.")
    document: Json = orjson.loads(unpack(data)["packet.json"])
    if document.get("schema_version") != SCHEMA_VERSION:
        raise Refusal(409, "Not sent: the packet was written by another version.")
    return document
