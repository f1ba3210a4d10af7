"""All unpaid requests, each kind on a cadence of its own: they never wait for a probe, and no probe waits for them."""

from probe.watch.controls import Control, Controls

__all__ = ["Control", "Controls"]
