"""Packets of one contract that are open at the same time are one incident: 50 targets are one ticket."""

from probe.incidents import Incidents, opened, pruned, reopened


def test_the_first_packet_leads_its_own_incident() -> None:
    assert opened(Incidents(), "p1", ()) == Incidents("p1", {"p1": "p1"})


def test_fifty_packets_while_one_is_open_share_the_incident_of_the_first() -> None:
    incidents, packets = Incidents(), [f"p{number}" for number in range(50)]
    for number, packet in enumerate(packets):
        incidents = opened(incidents, packet, packets[:number])
    assert set(incidents.of.values()) == {"p0"}


def test_after_everything_recovered_the_next_packet_is_a_new_incident() -> None:
    incidents = opened(Incidents(), "p1", ())
    assert opened(incidents, "p2", ()).of["p2"] == "p2"


def test_incidents_that_overlap_in_a_chain_are_one() -> None:
    """The first has recovered, the second is still open: the third belongs with it."""
    incidents = opened(opened(Incidents(), "p1", ()), "p2", ("p1",))
    assert opened(incidents, "p3", ("p2",)).of["p3"] == "p1"


def test_a_reopened_packet_keeps_its_incident_and_what_trips_next_joins_it() -> None:
    first = opened(Incidents(), "p1", ())
    second = opened(first, "p2", ())
    again = reopened(second, "p1", ())
    assert again.of["p1"] == "p1"
    assert opened(again, "p3", ("p1",)).of["p3"] == "p1"


def test_a_packet_that_reopens_into_an_open_incident_does_not_take_it_over() -> None:
    incidents = reopened(opened(opened(Incidents(), "p1", ()), "p2", ()), "p1", ("p2",))
    assert (incidents.of["p1"], incidents.latest) == ("p1", "p2")
    assert opened(incidents, "p3", ("p1", "p2")).of["p3"] == "p2"


def test_what_can_no_longer_reopen_is_forgotten() -> None:
    incidents = opened(opened(Incidents(), "p1", ()), "p2", ())
    assert pruned(incidents, {"p2"}) == Incidents("p2", {"p2": "p2"})
