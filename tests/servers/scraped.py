"""What one scrape of an exporter said, asked by name and labels."""

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.servers import get


@dataclass(frozen=True)
class Scraped:
    samples: tuple[Sample, ...]
    counting: frozenset[str]  # names of the samples that may never go back

    def of(self, name: str, **labels: str) -> list[float]:
        """The values of the series of that name that carry these labels, and perhaps more."""
        return [it.value for it in self.samples if it.name == name and labels.items() <= it.labels.items()]

    def total(self, name: str, **labels: str) -> float:
        return sum(self.of(name, **labels))

    def about(self, target: str) -> list[Sample]:
        return [it for it in self.samples if it.labels.get("target") == target]

    def counts(self, target: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Every counter and every part of a histogram of a target."""
        return {
            (it.name, frozenset(it.labels.items())): it.value for it in self.about(target) if it.name in self.counting
        }


def scrape(url: str) -> Scraped:
    """The exposition of the exporter at `url`, in Prometheus' text format."""
    text = get(f"{url}/metrics", Accept="text/plain").decode()
    families = list(text_string_to_metric_families(text))
    return Scraped(
        samples=tuple(it for family in families for it in family.samples),
        counting=frozenset(
            it.name for family in families if family.type in ("counter", "histogram") for it in family.samples
        ),
    )
