"""The image, built for real by buildah on a base of Debian's own packages, and run from its files in a chroot.

Nothing is fetched while building: the locked wheels are downloaded before (pip has them in its cache from the
installation of this environment), and the build still compares every hash.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import CACHE, ROOT

BASE = CACHE / "image-base"
TAG = "localhost/freezeframe:test"
LOCKS = ("requirements.lock", "requirements-build.lock")
# A root that cannot be written, a /tmp that can, and folders mounted over it, as a pod has them.
_ENTER = """
set -e
root=$1; shift
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs tmpfs "$root/tmp"
while [ "$1" != -- ]; do mount --bind "$1" "$root$2"; shift 2; done
shift
exec "$@"
"""


def ask(command: Sequence[str | Path], *, timeout_s: float, env: Mapping[str, str] | None = None) -> str:
    """What a command writes; a failure shows everything that it said."""
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout_s, env=env and dict(env)
    )
    assert ended.returncode == 0, f"{command[0]} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@dataclass(frozen=True)
class Image:
    """What was built: its configuration, and its files in a folder."""

    config: Mapping[str, Any]
    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """The image's own, and where chroot is found."""
        env = dict(variable.split("=", 1) for variable in self.config["Env"])
        return env | {"PATH": f"{env['PATH']}:/usr/sbin:/sbin"}

    def command(self, arguments: Sequence[str], mounts: Mapping[str, Path] | None = None) -> list[str]:
        """Runs something as the image's user, on its read-only root, with folders mounted over paths of it."""
        over: list[str] = []
        for place, folder in (mounts or {}).items():
            (self.root / place.removeprefix("/")).mkdir(parents=True, exist_ok=True)
            over += [str(folder), place]
        inside = ["chroot", f"--userspec={self.config['User']}", str(self.root), *arguments]
        return ["unshare", "--mount", "/bin/sh", "-c", _ENTER, "sh", str(self.root), *over, "--", *inside]

    def run(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """The image's entry point with arguments, to its end."""
        return subprocess.run(
            self.command([*self.config["Entrypoint"], *arguments]),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )


@dataclass(frozen=True)
class Builder:
    """buildah with a store of its own, which goes with the folder."""

    folder: Path

    def buildah(self, *arguments: str | Path, timeout_s: float = 120) -> str:
        store = ["--root", self.folder / "store", "--runroot", self.folder / "run"]
        return ask(
            ["buildah", *store, *arguments], timeout_s=timeout_s, env=os.environ | {"BUILDAH_ISOLATION": "chroot"}
        ).strip()

    def build(self, *arguments: str) -> Image:
        """The Containerfile of this project, unchanged but for its base."""
        base = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", base, BASE, "/")
        self.buildah("commit", "--quiet", "--rm", base, "localhost/base:test")
        wheels, pip_conf = self.folder / "wheels", self.folder / "pip.conf"
        locks = [part for lock in LOCKS for part in ("-r", ROOT / lock)]
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--require-hashes"]
        ask([*pip, "--disable-pip-version-check", "--no-input", "--dest", wheels, *locks], timeout_s=180)
        pip_conf.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        mounted = ["--volume", f"{wheels}:/wheels:ro", "--volume", f"{pip_conf}:/etc/pip.conf:ro"]
        options = ["--quiet", "--pull-never", "--build-arg", "BASE=localhost/base:test", *arguments]
        self.buildah("bud", *options, *mounted, "--tag", TAG, "--file", ROOT / "Containerfile", ROOT, timeout_s=300)
        config = json.loads(self.buildah("inspect", "--type", "image", TAG))["OCIv1"]["config"]
        return Image(config, Path(self.buildah("mount", self.buildah("from", "--pull-never", TAG))))

    def close(self) -> None:
        self.buildah("umount", "--all")
        self.buildah("rm", "--all")
        self.buildah("rmi", "--all", "--force")
