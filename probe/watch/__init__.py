"""All unpaid requests, each kind on a cadence of its own: they never wait for a probe, and no probe waits for them."""

from probe.watch.catalogue import Catalogues
from probe.watch.controls import Control, Controls
from probe.watch.gateway_log import GatewayLogs, Means, TokenUnavailable
from probe.watch.held_sources import AreaSeen
from probe.watch.sources import Pace, SourceWatch

__all__ = [
    "AreaSeen",
    "Catalogues",
    "Control",
    "Controls",
    "GatewayLogs",
    "Means",
    "Pace",
    "SourceWatch",
    "TokenUnavailable",
]
