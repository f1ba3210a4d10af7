"""A pod's volumes in a folder, laid out and renewed as the kubelet does it (its AtomicWriter).

The files of a version lie in a folder of their own, `..data` is a link to it, and what the program opens are links
through `..data`. A new version is written beside the old one; then `..data` is replaced by one rename.
"""

import itertools
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass
class Mount:
    """One ConfigMap, Secret or projected volume. Keys of `files` are paths, which may have folders in them."""

    folder: Path
    _versions: "itertools.count[int]" = field(default_factory=itertools.count)

    def write(self, files: Mapping[str, str]) -> None:
        """The first version, or the next one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data = self.folder / "..data"
        old = data.resolve() if data.is_symlink() else None
        new = self.folder / f"..2026_11_25_03_00_00.{next(self._versions):010d}"
        for name, text in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(text)
        (self.folder / "..data_tmp").symlink_to(new.name)
        (self.folder / "..data_tmp").rename(data)
        shown = {name.partition("/")[0] for name in files}
        for name in shown:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        for link in self.folder.iterdir():
            if not link.name.startswith("..") and link.name not in shown:
                link.unlink()
        if old is not None:
            shutil.rmtree(old)


@dataclass(frozen=True)
class Cluster:
    """What a pod's volumes refer to: `<name>/<key>` of Secrets and ConfigMaps, by their text."""

    secrets: Mapping[str, str]
    config_maps: Mapping[str, str]

    @classmethod
    def of(
        cls, documents: list[Json], secrets: Mapping[str, str], config_maps: Mapping[str, str] | None = None
    ) -> "Cluster":
        """With the ConfigMaps among rendered documents."""
        rendered = {
            f"{it['metadata']['name']}/{key}": text
            for it in documents
            if it["kind"] == "ConfigMap"
            for key, text in it["data"].items()
        }
        return cls(dict(secrets), rendered | dict(config_maps or {}))

    def files(self, volume: Json) -> dict[str, str] | None:
        """What a volume holds; None for one that the program writes to, or that some driver fills."""
        match volume:
            case {"configMap": {"name": name}}:
                return _of(self.config_maps, name)
            case {"secret": {"secretName": name, "items": items}}:
                return {item["path"]: self.secrets[f"{name}/{item['key']}"] for item in items}
            case {"secret": {"secretName": name}}:
                return _of(self.secrets, name)
            case {"projected": {"sources": sources}}:
                parts = [{"secret": {**it["secret"], "secretName": it["secret"]["name"]}} for it in sources]
                return {path: text for part in parts for path, text in (self.files(part) or {}).items()}
            case _:
                return None


def _of(known: Mapping[str, str], name: str) -> dict[str, str]:
    """A reference to something that is not there is an error, as in a cluster."""
    found = {key.partition("/")[2]: text for key, text in known.items() if key.partition("/")[0] == name}
    assert found, f"nothing is called {name}"
    return found


@dataclass
class Pod:
    """A container's mounts below a folder that stands for its root. Where they are not mounted over a real root, the
    paths in their files are `moved` to that folder."""

    root: Path
    mounts: dict[str, Mount]
    moved: bool

    @classmethod
    def start(cls, root: Path, spec: Json, cluster: Cluster, *, moved: bool = True) -> "Pod":
        pod = cls(root, {}, moved)
        for mount in spec["containers"][0]["volumeMounts"]:
            folder = root / mount["mountPath"].removeprefix("/")
            folder.mkdir(parents=True)
            pod.mounts[mount["name"]] = Mount(folder)
        pod.renew(spec, cluster)
        return pod

    def renew(self, spec: Json, cluster: Cluster) -> None:
        """Every volume anew: what the kubelet does within a minute or so of a change."""
        for volume in spec["volumes"]:
            files = cluster.files(volume)
            if files is not None:
                self.mounts[volume["name"]].write({name: self.inside(text) for name, text in files.items()})

    def inside(self, text: str) -> str:
        """With the container's absolute paths as they are below the root."""
        if not self.moved:
            return text
        for path in ("/etc/freezeframe/", "/var/lib/freezeframe/", "/mnt/"):
            text = text.replace(path, f"{self.root}{path}")
        return text

    def environment(self, spec: Json, pod: Json) -> dict[str, str]:
        """The container's variables; `pod` answers the downward API, by field path."""
        return {
            it["name"]: it["value"] if "value" in it else str(pod[it["valueFrom"]["fieldRef"]["fieldPath"]])
            for it in spec["containers"][0].get("env", ())
        }
