"""The bill of materials of what an installation runs: CycloneDX 1.6, from the lock and from what the installed packages
say of their licences. `python -m deploy.sbom FILE`.

What native code a wheel carries inside (RE2 in google-re2, crates in orjson, obstore, pydantic-core) is not listed: the
wheel's own makers would have to say.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from probe import __version__

ROOT: Final = Path(__file__).resolve().parents[1]
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_LONGEST_LICENCE: Final = 60  # what is longer is the licence's text in the field for its name


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of the lock: what may be installed is one of the files with these digests, where the marker holds."""

    name: str
    version: str
    marker: str | None
    sha256: tuple[str, ...]


def locked(text: str) -> Iterator[Locked]:
    """The packages of a lock that `pip install --require-hashes` takes."""
    for entry in re.split(r"\n(?=\S)", text.strip()):
        requirement = Requirement(entry.partition("\\")[0].strip())
        (pinned,) = requirement.specifier
        marker = None if requirement.marker is None else str(requirement.marker)
        yield Locked(canonicalize_name(requirement.name), pinned.version, marker, tuple(_HASH.findall(entry)))


def made(packages: Sequence[Locked], project: dict[str, object]) -> str:
    """The document, whole and valid by the standard's own schema."""
    bom = Bom()
    root = Component(name="freezeframe", version=__version__, type=ComponentType.APPLICATION, bom_ref="freezeframe")
    root.licenses.add(LicenseFactory().make_from_string(str(project["license"])))
    bom.metadata.component = root
    components = {it.name: _component(it) for it in packages}
    bom.components.update(components.values())
    stated = project["dependencies"]
    assert isinstance(stated, list)
    bom.register_dependency(root, [components[canonicalize_name(Requirement(it).name)] for it in stated])
    text: str = JsonV1Dot6(bom).output_as_string(indent=2)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        raise ValueError(f"not a valid CycloneDX document: {wrong}")
    return text


def _component(package: Locked) -> Component:
    purl = PackageURL("pypi", None, package.name, package.version)
    digests = [HashType(alg=HashAlgorithm.SHA_256, content=it) for it in package.sha256]
    component = Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=str(purl),
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(str(purl)), hashes=digests)
        ],
        licenses=_licences(package.name),
    )
    if package.marker is not None:
        component.properties.add(Property(name="freezeframe:marker", value=package.marker))
    return component


def _licences(name: str) -> list[License]:
    """As the installed package states them; none of one that is for another platform and not installed here."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    stated = [*(told.get_all("License-Expression") or ()), *(told.get_all("License") or ()), ""][0]
    if stated and "\n" not in stated and len(stated) <= _LONGEST_LICENCE:
        return [LicenseFactory().make_from_string(stated)]
    prefix = "License :: "
    names = [it.rpartition(" :: ")[2] for it in told.get_all("Classifier") or [] if it.startswith(prefix)]
    return [LicenseFactory().make_with_name(it) for it in names]


def main(file: Path) -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    packages = list(locked((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(made(packages, project) + "\n", encoding="utf-8")
    sys.stdout.write(f"{file}: {len(packages)} packages\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
