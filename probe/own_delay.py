"""What our own late event loop could have done to a verdict. Pure.

A prober that is late reports a slow provider. Where the worst delay of our loop during a probe is enough to explain
`slow` or a timeout, the verdict is ours: it neither counts towards a threshold nor trips, and says so in words.
"""

from dataclasses import replace
from typing import Final

from probe.records import Judgement, Observation, Verdict

_TIMED_OUT: Final = "timed out after"  # how a fault of our own deadline begins, whatever it waited for


def accounted(judgement: Judgement, seen: Observation, slow_s: float, lag_s: float) -> Judgement:
    """The judgement, or `probe_fault` where `lag_s`, the worst delay of our own loop meanwhile, may be the reason.

    Slow: it would not have been without the delay. Timed out: we did not listen for half of the time or more.
    """
    if judgement.verdict is not Verdict.DEGRADATION or not lag_s > 0:
        return judgement
    took_s = seen.timings.total_s
    if judgement.reason == "slow":
        is_ours = took_s - lag_s <= slow_s
    else:
        is_ours = seen.fault is not None and seen.fault.message.startswith(_TIMED_OUT) and 2 * lag_s >= took_s
    if not is_ours:
        return judgement
    return replace(
        judgement,
        verdict=Verdict.PROBE_FAULT,
        reason="local_resource",
        rule=f"{judgement.rule}, our own delay",
        certain=False,
        runner_up=Verdict.DEGRADATION,
        words=f"took {took_s:.3f} s, of which our own event loop was late by up to {lag_s:.3f} s",
    )
