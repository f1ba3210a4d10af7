"""Every set of values rendered once by each helm."""

from collections.abc import Mapping

import pytest

from tests.servers.chart import VALUES, VERSIONS, Json, Programs, documents

Rendered = Mapping[str, list[Json]]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Programs]:
    return {version: Programs(version, tmp_path_factory.mktemp(version)) for version in VERSIONS}


@pytest.fixture(scope="session")
def helm(programs: Mapping[str, Programs]) -> Programs:
    return programs["newest"]


@pytest.fixture(scope="session")
def rendered(helm: Programs) -> Rendered:
    """The documents of each set of values."""
    return {name: documents(helm.template(file)) for name, file in VALUES.items()}
