"""From the registry to bytes, beside the loop that times the probes.

The library renders in pure Python at about 10 us a line: on the loop, a scrape of 300 targets would stop every probe
for half a second, and the provider would be blamed for it.
"""

import asyncio
import gzip

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.openmetrics import exposition as openmetrics

from exporter.negotiation import accepts_gzip, prefers_openmetrics


class Exposition:
    """Renders a registry: in a thread, one rendering at a time, shared by the scrapes that wait for the same form."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._under_way: dict[tuple[bool, bool], asyncio.Task[bytes]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def render(self, accept: str, accept_encoding: str) -> tuple[bytes, dict[str, str]]:
        """OpenMetrics (with exemplars) when asked for, classic text otherwise; and its headers."""
        form = is_openmetrics, is_gzip = prefers_openmetrics(accept), accepts_gzip(accept_encoding)
        task = self._under_way.get(form)
        if task is None:
            task = self._under_way[form] = asyncio.create_task(self._render_aside(*form))
            task.add_done_callback(lambda _: self._under_way.pop(form))
        body = await asyncio.shield(task)  # one scraper that hangs up must not take it from the others
        headers = {
            "Content-Type": openmetrics.CONTENT_TYPE_LATEST if is_openmetrics else exposition.CONTENT_TYPE_PLAIN_0_0_4,
            "Vary": "Accept, Accept-Encoding",
        }
        return body, {**headers, "Content-Encoding": "gzip"} if is_gzip else headers

    async def _render_aside(self, is_openmetrics: bool, is_gzip: bool) -> bytes:
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._render, is_openmetrics, is_gzip)

    def _render(self, is_openmetrics: bool, is_gzip: bool) -> bytes:
        generate = openmetrics.generate_latest if is_openmetrics else exposition.generate_latest
        body: bytes = generate(self._registry)
        return gzip.compress(body, compresslevel=1) if is_gzip else body
