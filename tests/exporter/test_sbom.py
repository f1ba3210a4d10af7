"""The bill of materials names what the lock lets an installation run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.sbom import ROOT, locked

LOCK = (ROOT / "requirements.lock").read_text()
PACKAGES = tuple(locked(LOCK))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """As `make sbom` writes it; it validates itself against the standard's own schema."""
    file = tmp_path_factory.mktemp("sbom") / "deep" / "sbom.cdx.json"
    ran = subprocess.run([sys.executable, "-m", "deploy.sbom", file], cwd=ROOT, capture_output=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    made: dict[str, Any] = json.loads(file.read_bytes())
    return made


def test_every_locked_package_is_in_it_with_its_version_and_every_digest(document: dict[str, Any]) -> None:
    names = [line.partition("==")[0] for line in LOCK.splitlines() if "==" in line and not line.startswith(" ")]
    stated = {it["name"]: it for it in document["components"]}
    assert sorted(stated) == sorted(names) == sorted(it.name for it in PACKAGES)
    for package in PACKAGES:
        component = stated[package.name]
        assert component["version"] == package.version
        assert component["purl"] == f"pkg:pypi/{package.name}@{package.version}"
        digests = {it["content"] for it in component["externalReferences"][0]["hashes"]}
        assert digests == set(package.sha256)
    assert sum(len(it.sha256) for it in PACKAGES) == LOCK.count("--hash=sha256:")


def test_every_package_that_is_installed_here_has_a_licence_and_the_others_say_where_they_would_be(
    document: dict[str, Any],
) -> None:
    for component in document["components"]:
        markers = [it["value"] for it in component.get("properties", []) if it["name"] == "freezeframe:marker"]
        assert component.get("licenses") or markers, component["name"]


def test_it_is_of_this_program_and_of_what_it_asks_for(document: dict[str, Any]) -> None:
    root = document["metadata"]["component"]
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert (root["name"], root["licenses"]) == ("freezeframe", [{"license": {"id": "Apache-2.0"}}])
    asked = next(it["dependsOn"] for it in document["dependencies"] if it["ref"] == "freezeframe")
    assert {it.partition("@")[0] for it in asked} >= {"pkg:pypi/httpx2", "pkg:pypi/starlette", "pkg:pypi/uvicorn"}


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.lock")), ids=lambda it: it.name)
def test_what_is_installed_is_locked_by_digest(lock: Path) -> None:
    packages = tuple(locked(lock.read_text()))
    assert packages
    assert all(it.sha256 for it in packages)


def test_every_installation_of_ours_wants_digests() -> None:
    makefile = (ROOT / "Makefile").read_text()
    installs = [line for line in makefile.splitlines() if "pip install" in line and " uv" not in line]
    by_lock = [line for line in installs if ".lock" in line]
    assert len(by_lock) == 2
    assert all("--require-hashes --no-deps" in line for line in by_lock)
    assert [line for line in installs if line not in by_lock] == [
        "	@$(RUN)/pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable ."
    ]
    script = (ROOT / "tests/servers/install.sh").read_text()
    assert all("--require-hashes" in line for line in script.splitlines() if '/pip" install' in line)
    assert "npm ci" in script and "--ignore-scripts" in script and "npm install" not in script


@pytest.mark.parametrize("lock", sorted(ROOT.glob("tests/servers/*/package-lock.json")), ids=lambda it: it.parent.name)
def test_packages_of_npm_are_locked_by_digest(lock: Path) -> None:
    packages = {name: it for name, it in json.loads(lock.read_text())["packages"].items() if name}
    assert packages
    assert [name for name, it in packages.items() if not it.get("integrity", "").startswith("sha512-")] == []
