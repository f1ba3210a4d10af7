"""The campaign's own account of grid, IDs and threshold says what the program's says, by other words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from chaos import tally
from probe.cycle import probe_id
from probe.records import FreezePolicy, Trip, Verdict
from probe.settings import load
from probe.timetable import due_at
from probe.window import Entry, Window, packet_id, step

EXAMPLES = Path(__file__).parent.parent / "examples"
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CADENCE_S = 0.5
POLICY = FreezePolicy(failures=3, window=3, recover=2, reopen_s=0.001, confirm_attempts=0, confirm_backoff_s=0)
THRESHOLD = tally.Threshold(3, 3, 2, 500)
VERDICTS = (*Verdict, Verdict.OK, Verdict.DEGRADATION)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(VERDICTS), st.sampled_from((500, 500, 500, 500, 9000, 1))), max_size=40))
def test_both_trip_at_the_same_probes(story: list[tuple[Verdict, int]]) -> None:
    window, other, at_ms = Window(), tally.Incidents(THRESHOLD), 0
    for number, (verdict, pause_ms) in enumerate(story):
        at_ms += pause_ms + 1  # no incident is back within the millisecond that would reopen it
        due = START + timedelta(milliseconds=at_ms)
        window, decision = step(window, "t", Entry(f"p{number}", due, verdict, "x"), POLICY, CADENCE_S)
        row = tally.Row(number, f"p{number}", "t", "scheduled", round(due.timestamp() * 1000), verdict, "x", "")
        assert other.feed(row) == (decision.verdict if isinstance(decision, Trip) else None)
        assert other.is_open == bool(window.incident)


def test_both_see_the_same_grid() -> None:
    [target, *_] = load(EXAMPLES / "freezeframe.yaml", {"EXAMPLE_KEY": "fake-key-0123456789"}).targets
    cadence_ms, start_ms = round(target.cadence_s * 1000), round(START.timestamp() * 1000)
    grid = list(tally.due_times(target.name, cadence_ms, start_ms, start_ms + 20 * cadence_ms))
    assert len(grid) == 20
    for due_ms in grid:
        due = datetime.fromtimestamp(due_ms / 1000, UTC)
        assert due_at(target, due) == due
        assert due_at(target, due - timedelta(milliseconds=1)) == due - timedelta(seconds=target.cadence_s)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.text(min_size=1, max_size=30))
def test_both_name_a_probe_and_its_packet_alike(at: datetime, name: str) -> None:
    due = at.replace(tzinfo=UTC, microsecond=at.microsecond // 1000 * 1000)
    due_ms = round(due.timestamp() * 1000)
    probe = probe_id(name, due)
    assert tally.probe_id(name, due_ms) == probe
    assert tally.packet_id(name, probe, due_ms) == packet_id(name, probe, due)
