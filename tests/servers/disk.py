"""A real small disk that can be filled and made read-only."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    folder: Path

    def fill(self) -> None:
        """Until not one byte more fits."""
        with contextlib.suppress(OSError):
            descriptor = os.open(self.folder / "ballast", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            try:
                while os.write(descriptor, b"x" * 4096):
                    pass
            finally:
                os.close(descriptor)

    def free(self) -> None:
        (self.folder / "ballast").unlink()

    def writable(self, is_writable: bool) -> None:
        mode = "rw" if is_writable else "ro"
        subprocess.run(["mount", "-o", f"remount,{mode}", self.folder], check=True)


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Disk]:
    """A tmpfs of its own. It needs the right to mount, which a test run in CI has."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
