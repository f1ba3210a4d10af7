"""A short form of `make bench`: its parts still run the real program beside the real blackbox_exporter. No figure is
judged here."""

from benchmarks import cost, freeze, scale, sealing
from benchmarks.stand import stand


def test_cost_is_measured_of_both() -> None:
    with stand() as prepared:
        part = cost.measure(prepared, rounds=1)
    assert [row[0] for row in part.rows] == ["plain", "TLS"]
    for _, ours_us, theirs_us, ratio, bare_us in part.rows:
        assert isinstance(ours_us, float)
        assert isinstance(theirs_us, float)
        assert isinstance(bare_us, float)
        assert ours_us > bare_us > 0
        assert theirs_us > 0
        assert ratio == ours_us / theirs_us


def test_a_load_is_seen_with_its_memory() -> None:
    with stand() as prepared:
        part = scale.measure(prepared, sizes=((20, 6, 3),))
    ((targets, cadence_s, probes, late_ms, missed, cpu_percent, rss_mib, full_mib),) = part.rows
    assert (targets, cadence_s) == (20, 6)
    assert float(probes) > float(missed) >= 0
    assert float(late_ms) > 0
    assert 0 < float(cpu_percent) < 100
    assert 20 < float(rss_mib) <= float(full_mib) + 1
    assert [promise.what for promise in part.targets] == [
        "20 targets at 30 s: memory, its history full",
        "20 targets at 30 s: processor",
    ]


def test_each_failing_target_is_seen_frozen() -> None:
    with stand() as prepared:
        part = freeze.measure(prepared, single=2, at_once=3)
    assert part.rows[0][1] == 2
    frozen = next(promise for promise in part.targets if "missing" in promise.what)
    assert frozen.holds


def test_sealing_is_measured() -> None:
    assert all(float(row[2]) > 0 for row in sealing.measure().rows)
