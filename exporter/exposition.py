"""From the series to bytes, on the loop that times the probes, a slice at a time (`exporter.slices`).

Compressing is left to a thread: zlib lets go of the interpreter.
"""

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client import exposition
from prometheus_client.openmetrics import exposition as openmetrics

from exporter.gauges import Gauges
from exporter.negotiation import accepts_gzip, prefers_openmetrics
from exporter.series import Counter, Histogram, head
from exporter.slices import pieces

_GZIP: Final = 16 + zlib.MAX_WBITS


class Exposition:
    """Renders families and gauges: one rendering at a time, shared by the scrapes that wait for the same form."""

    def __init__(self, families: Sequence[Counter | Histogram], gauges: Gauges) -> None:
        self._families = tuple(families)
        self._gauges = gauges
        self._under_way: dict[tuple[bool, bool], asyncio.Task[list[bytes]]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def render(self, accept: str, accept_encoding: str) -> tuple[list[bytes], dict[str, str]]:
        """OpenMetrics (with exemplars) when asked for, classic text otherwise, in pieces; and its headers."""
        form = is_openmetrics, is_gzip = prefers_openmetrics(accept), accepts_gzip(accept_encoding)
        task = self._under_way.get(form)
        if task is None:
            task = self._under_way[form] = asyncio.create_task(self._rendered(*form))
            task.add_done_callback(lambda _: self._under_way.pop(form))
        body = await asyncio.shield(task)  # one scraper that hangs up must not take it from the others
        headers = {
            "Content-Type": openmetrics.CONTENT_TYPE_LATEST if is_openmetrics else exposition.CONTENT_TYPE_PLAIN_0_0_4,
            "Vary": "Accept, Accept-Encoding",
        }
        return body, {**headers, "Content-Encoding": "gzip"} if is_gzip else headers

    async def _rendered(self, is_openmetrics: bool, is_gzip: bool) -> list[bytes]:
        async with self._one_at_a_time:
            plain = await pieces(self._parts(is_openmetrics))
        return await asyncio.to_thread(_packed, plain) if is_gzip else plain

    def _parts(self, is_openmetrics: bool) -> Iterator[str]:
        for family in self._families:
            yield head(family.name, family.kind, family.documentation, openmetrics=is_openmetrics)
            for block in family.blocks():
                yield block.text(openmetrics=is_openmetrics)
        yield from self._gauges.parts(openmetrics=is_openmetrics)
        if is_openmetrics:
            yield "# EOF\n"


def _packed(plain: Sequence[bytes]) -> list[bytes]:
    packing = zlib.compressobj(level=1, wbits=_GZIP)
    return [packed for packed in (*map(packing.compress, plain), packing.flush()) if packed]
