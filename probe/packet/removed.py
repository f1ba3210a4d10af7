"""What redaction took out of a packet: each row with its group, and how much each group is. Never a value."""

from collections import Counter
from collections.abc import Iterable, Sequence

from probe.records import Json, Result
from probe.redact.groups import WORDS, Group, group


def rows(results: Iterable[Result]) -> list[Json]:
    """Summed by rule and place; an exchange that is shown twice counts once."""
    sums: Counter[tuple[str, str]] = Counter()
    for sealed in {id(result.sealed): result.sealed for result in results}.values():
        for removal in sealed.removals if sealed else ():
            sums[removal.rule, removal.place] += removal.count
    return [
        {"rule": rule, "place": place, "count": count, "group": group(rule).value}
        for (rule, place), count in sorted(sums.items())
    ]


def report(removals: Sequence[Json], dropped: Iterable[str]) -> Json:
    """The rows with their totals; `dropped` are fields that the gate took out whole, so they are in doubt as well."""
    whole = list(dropped)
    sums: Counter[str] = Counter()
    for row in removals:
        sums[_group(row)] += row["count"]
    sums[Group.DOUBT] += len(whole)
    return {
        "removals": list(removals),
        "dropped": whole,
        "totals": [{"group": one.value, "words": WORDS[one], "count": sums[one]} for one in Group],
    }


def grouped(redaction: Json) -> list[Json]:
    """The totals, each with its rows; also of a packet that was frozen before there were groups."""
    whole = report(redaction["removals"], redaction["dropped"])
    return [
        total | {"rows": [row for row in whole["removals"] if _group(row) == total["group"]]}
        for total in whole["totals"]
    ]


def _group(row: Json) -> str:
    return group(row["rule"]).value
